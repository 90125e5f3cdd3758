//! Settings from a file, the environment and flags: flags over environment over file over default.
//!
//! `docs/configuration.md` describes each key; a test holds the two together.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Command};
use serde::Deserialize;

use super::{
    rates::{Rate, Rates},
    retention::Periods,
};
use crate::storage::{DatabaseUrl, DatabaseUrlError, PoolSettings};

const MINUTE_MS: i64 = 60_000;

/// One layer of settings; what it does not say, the layer below says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the data are: sqlite:FILE or postgres://USER@HOST/DATABASE [default: sqlite:scilit.db]
    #[arg(long, env = "SCILIT_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Folder of the server's signing keys [default: beside the SQLite file, FILE.keys; else scilit-keys]
    #[arg(long, env = "SCILIT_KEY_DIR", value_name = "FOLDER")]
    pub key_dir: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "SCILIT_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Results and indicator.csv of succeeded runs can be read without a token [default: false]
    #[arg(long, env = "SCILIT_PUBLIC_RESULTS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub public_results: Option<bool>,
    /// Connections to the database at most [default: 16]
    #[arg(long, env = "SCILIT_DATABASE_CONNECTIONS_MAX", value_name = "N")]
    pub database_connections_max: Option<u32>,
    /// Allow a PostgreSQL server on another machine although the connection is not encrypted [default: false]
    #[arg(long, env = "SCILIT_ALLOW_PLAIN_POSTGRES", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub allow_plain_postgres: Option<bool>,
    /// Largest submission in bytes [default: 262144]
    #[arg(long, env = "SCILIT_SUBMISSION_BYTES_MAX", value_name = "BYTES")]
    pub submission_bytes_max: Option<usize>,
    /// Largest imported file in bytes [default: 8388608]
    #[arg(long, env = "SCILIT_IMPORT_BYTES_MAX", value_name = "BYTES")]
    pub import_bytes_max: Option<usize>,
    /// Largest batch of submissions in bytes [default: 4194304]
    #[arg(long, env = "SCILIT_BATCH_BYTES_MAX", value_name = "BYTES")]
    pub batch_bytes_max: Option<usize>,
    /// Seconds a request's head may take [default: 5]
    #[arg(long, env = "SCILIT_HEAD_SECONDS_MAX", value_name = "SECONDS")]
    pub head_seconds_max: Option<u64>,
    /// Seconds a request body may take in all [default: 30]
    #[arg(long, env = "SCILIT_BODY_SECONDS_MAX", value_name = "SECONDS")]
    pub body_seconds_max: Option<u64>,
    /// Seconds an idle connection stays open; 0 closes after each answer, right when no proxy stands in front [default: 0]
    #[arg(long, env = "SCILIT_KEEP_ALIVE_SECONDS", value_name = "SECONDS")]
    pub keep_alive_seconds: Option<u64>,
    /// Connections open at most [default: 2048]
    #[arg(long, env = "SCILIT_CONNECTIONS_MAX", value_name = "N")]
    pub connections_max: Option<usize>,
    /// Addresses of the proxies whose X-Forwarded-For is believed [default: none]
    #[arg(long, env = "SCILIT_TRUSTED_PROXIES", value_name = "ADDRESS,...", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// Clients reach the server by https, through a proxy: answers then carry HSTS [default: false]
    #[arg(long, env = "SCILIT_HTTPS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub https: Option<bool>,
    /// Uploads a minute for each device or token; 0 for no limit [default: 60]
    #[arg(long, env = "SCILIT_UPLOADS_PER_MINUTE", value_name = "N")]
    pub uploads_per_minute: Option<u32>,
    /// Uploads at once after a pause [default: 200]
    #[arg(long, env = "SCILIT_UPLOADS_BURST", value_name = "N")]
    pub uploads_burst: Option<u32>,
    /// Other requests a minute for each person or address; 0 for no limit [default: 300]
    #[arg(long, env = "SCILIT_REQUESTS_PER_MINUTE", value_name = "N")]
    pub requests_per_minute: Option<u32>,
    /// Downloads of files with persons' rows an hour for each person; 0 for no limit [default: 10]
    #[arg(long, env = "SCILIT_DOWNLOADS_PER_HOUR", value_name = "N")]
    pub downloads_per_hour: Option<u32>,
    /// Share of the disk of a SQLite file that must be free, in percent; 0 for any [default: 5]
    #[arg(long, env = "SCILIT_DISK_FREE_PERCENT_MIN", value_name = "PERCENT")]
    pub disk_free_percent_min: Option<u8>,
    /// Days after a survey's closing until its contact data and pictures are deleted [default: 90]
    #[arg(long, env = "SCILIT_CONTACTS_DAYS", value_name = "DAYS")]
    pub contacts_days: Option<u32>,
    /// Days until recordings and abandoned uploads are deleted [default: 30]
    #[arg(long, env = "SCILIT_RECORDINGS_DAYS", value_name = "DAYS")]
    pub recordings_days: Option<u32>,
    /// Threads that answer requests [default: number of processors]
    #[arg(long, env = "SCILIT_WORKERS", value_name = "N")]
    pub workers: Option<usize>,
    /// The address people and tablets reach the server by; QR codes hold it [default: http:// and `listen`]
    #[arg(long, env = "SCILIT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Tablets that run an older release start nothing new; what they have is taken [default: none]
    #[arg(long, env = "SCILIT_MIN_RELEASE", value_name = "RELEASE")]
    pub min_release: Option<String>,
    /// The telephone number that the surveyors' card shows to the people they visit [default: none]
    #[arg(long, env = "SCILIT_HOTLINE", value_name = "NUMBER")]
    pub hotline: Option<String>,
    /// Send the session's cookie without HTTPS; only when listening on this machine alone [default: false]
    #[arg(long, env = "SCILIT_ALLOW_PLAIN_COOKIE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub allow_plain_cookie: Option<bool>,
    /// What is logged, e.g. info or scilit=debug,warn [default: info]
    #[arg(long, env = "SCILIT_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How it is logged: json, one object a line, or text [default: json]
    #[arg(long, env = "SCILIT_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for programs.
    #[default]
    Json,
    /// One sentence a line, for people.
    Text,
}

/// The settings a server runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the data are.
    pub database_url: DatabaseUrl,
    /// The folder of the signing keys.
    pub key_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether results can be read without a token.
    pub public_results: bool,
    /// Connections to the database at most.
    pub database_connections_max: u32,
    /// Largest submission in bytes.
    pub submission_bytes_max: usize,
    /// Largest imported file in bytes.
    pub import_bytes_max: usize,
    /// Largest batch of submissions in bytes.
    pub batch_bytes_max: usize,
    /// How long a request's head may take.
    pub head_time_max: Duration,
    /// How long a request body may take in all.
    pub body_time_max: Duration,
    /// How long an idle connection stays open; zero closes after each answer.
    pub keep_alive: Duration,
    /// Connections open at most.
    pub connections_max: usize,
    /// The proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether clients reach the server by https.
    pub https: bool,
    /// How often somebody may ask.
    pub rates: Rates,
    /// Share of the disk that must be free, in percent.
    pub disk_free_percent_min: u8,
    /// How long personal data are kept.
    pub retention: Periods,
    /// Threads that answer requests.
    pub workers: usize,
    /// The address QR codes hold, without a slash at its end.
    pub public_url: String,
    /// That address where it was set: what leaves the server, such as a report, names no address that only this machine has.
    pub address_for_others: Option<String>,
    /// The least release that may start something new.
    pub min_release: Option<String>,
    /// The telephone number on the surveyors' card.
    pub hotline: Option<String>,
    /// Whether the session's cookie travels without HTTPS.
    pub allow_plain_cookie: bool,
    /// What is logged.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// Why settings are no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read the configuration {file}: {source}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("read the configuration {file}: {message}")]
    Content {
        /// The file.
        file: String,
        /// What and where.
        message: String,
    },
    /// A variable that looks like a setting and is none.
    #[error("read the environment: {0} is not a setting")]
    UnknownVariable(String),
    /// The database URL names no database.
    #[error(transparent)]
    DatabaseUrl(#[from] DatabaseUrlError),
    /// Data would cross the network in the clear.
    #[error(
        "use a PostgreSQL server on another machine: the connection is not encrypted; set allow_plain_postgres if the network is trusted"
    )]
    PlainPostgres,
    /// A cookie in the clear would leave this machine.
    #[error("send the cookie without HTTPS: allow_plain_cookie needs listen on 127.0.0.1 or [::1]")]
    PlainCookie,
    /// The public URL is none.
    #[error("use public_url {0}: it must begin with https:// or http:// and have 200 signs at most")]
    PublicUrl(String),
    /// Nobody can call that.
    #[error(
        "use hotline {0}: it must be a telephone number of 3 to 24 digits, spaces, + and -, with a digit at each end but for a leading +"
    )]
    Hotline(String),
    /// Connections would stay open to anybody, and only the first request on each has a time limit on its head.
    #[error(
        "keep connections open on an address that others reach: name the proxy in trusted_proxies, or set keep_alive_seconds to 0"
    )]
    ExposedKeepAlive,
    /// A number outside its range.
    #[error("use {key} = {value}: it must be {wanted}")]
    Range {
        /// The setting.
        key: &'static str,
        /// What it was.
        value: u64,
        /// What it must be.
        wanted: &'static str,
    },
}

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When it cannot be read or has an unknown key or a wrong type, with line and column.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { file: file.clone(), source })?;
        Self::from_toml(&file, &text)
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    /// When it has an unknown key or a wrong type, with line and column.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::Content { file: file.to_owned(), message: error.to_string() })
    }

    /// These settings, and what they leave open from the layer below.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            database_url: self.database_url.or(below.database_url),
            key_dir: self.key_dir.or(below.key_dir),
            listen: self.listen.or(below.listen),
            public_results: self.public_results.or(below.public_results),
            database_connections_max: self.database_connections_max.or(below.database_connections_max),
            allow_plain_postgres: self.allow_plain_postgres.or(below.allow_plain_postgres),
            submission_bytes_max: self.submission_bytes_max.or(below.submission_bytes_max),
            import_bytes_max: self.import_bytes_max.or(below.import_bytes_max),
            batch_bytes_max: self.batch_bytes_max.or(below.batch_bytes_max),
            head_seconds_max: self.head_seconds_max.or(below.head_seconds_max),
            body_seconds_max: self.body_seconds_max.or(below.body_seconds_max),
            keep_alive_seconds: self.keep_alive_seconds.or(below.keep_alive_seconds),
            connections_max: self.connections_max.or(below.connections_max),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            https: self.https.or(below.https),
            uploads_per_minute: self.uploads_per_minute.or(below.uploads_per_minute),
            uploads_burst: self.uploads_burst.or(below.uploads_burst),
            requests_per_minute: self.requests_per_minute.or(below.requests_per_minute),
            downloads_per_hour: self.downloads_per_hour.or(below.downloads_per_hour),
            disk_free_percent_min: self.disk_free_percent_min.or(below.disk_free_percent_min),
            contacts_days: self.contacts_days.or(below.contacts_days),
            recordings_days: self.recordings_days.or(below.recordings_days),
            workers: self.workers.or(below.workers),
            public_url: self.public_url.or(below.public_url),
            min_release: self.min_release.or(below.min_release),
            hotline: self.hotline.or(below.hotline),
            allow_plain_cookie: self.allow_plain_cookie.or(below.allow_plain_cookie),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
        }
    }

    fn rates(&self) -> Rates {
        let (uploads, burst) = (self.uploads_per_minute.unwrap_or(60), self.uploads_burst.unwrap_or(200));
        let (requests, downloads) = (self.requests_per_minute.unwrap_or(300), self.downloads_per_hour.unwrap_or(10));
        Rates {
            upload: Rate { count: uploads, period_ms: MINUTE_MS, burst },
            work: Rate { count: requests, period_ms: MINUTE_MS, burst: requests },
            download: Rate { count: downloads, period_ms: 60 * MINUTE_MS, burst: downloads },
        }
    }

    /// The names of the environment variables that are settings.
    pub fn variables() -> Vec<String> {
        let command = Self::augment_args(Command::new("settings"));
        let names = command.get_arguments().filter_map(|argument| argument.get_env());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// Refuses a variable that begins like a setting and is none: a slip of the pen must not become a default.
    ///
    /// # Errors
    /// `UnknownVariable` with the first one.
    pub fn check_variables(names: impl IntoIterator<Item = String>, also: &[&str]) -> Result<(), ConfigError> {
        let known = Self::variables();
        let ours = names.into_iter().filter(|name| name.starts_with("SCILIT_"));
        let mut unknown = ours.filter(|name| !known.contains(name) && !also.contains(&name.as_str()));
        unknown.next().map_or(Ok(()), |name| Err(ConfigError::UnknownVariable(name)))
    }
}

impl Config {
    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// A database URL that names none or crosses the network in the clear, a number outside its range.
    pub fn new(settings: Settings) -> Result<Self, ConfigError> {
        let database_url: DatabaseUrl = settings.database_url.as_deref().unwrap_or("sqlite:scilit.db").parse()?;
        if database_url.crosses_the_network() && settings.allow_plain_postgres != Some(true) {
            return Err(ConfigError::PlainPostgres);
        }
        let listen = settings.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let allow_plain_cookie = settings.allow_plain_cookie.unwrap_or(false);
        if allow_plain_cookie && !listen.ip().is_loopback() {
            return Err(ConfigError::PlainCookie);
        }
        let rates = settings.rates();
        let is_set = settings.public_url.is_some();
        let public_url = settings.public_url.unwrap_or_else(|| format!("http://{listen}"));
        if public_url.len() > 200 || !(public_url.starts_with("https://") || public_url.starts_with("http://")) {
            return Err(ConfigError::PublicUrl(public_url));
        }
        if let Some(hotline) = settings.hotline.as_ref().filter(|text| !is_telephone_number(text)) {
            return Err(ConfigError::Hotline(hotline.clone()));
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let retention = Periods::new(settings.contacts_days, settings.recordings_days);
        let key_dir = settings.key_dir.unwrap_or_else(|| default_key_dir(&database_url));
        let config = Self {
            database_url,
            key_dir,
            listen,
            address_for_others: is_set.then(|| public_url.trim_end_matches('/').to_owned()),
            public_url: public_url.trim_end_matches('/').to_owned(),
            min_release: settings.min_release,
            hotline: settings.hotline,
            allow_plain_cookie,
            public_results: settings.public_results.unwrap_or(false),
            database_connections_max: settings.database_connections_max.unwrap_or(16),
            submission_bytes_max: settings.submission_bytes_max.unwrap_or(256 * 1024),
            import_bytes_max: settings.import_bytes_max.unwrap_or(8 * 1024 * 1024),
            batch_bytes_max: settings.batch_bytes_max.unwrap_or(4 * 1024 * 1024),
            head_time_max: Duration::from_secs(settings.head_seconds_max.unwrap_or(5)),
            body_time_max: Duration::from_secs(settings.body_seconds_max.unwrap_or(30)),
            keep_alive: Duration::from_secs(settings.keep_alive_seconds.unwrap_or(0)),
            connections_max: settings.connections_max.unwrap_or(2048),
            trusted_proxies: settings.trusted_proxies.unwrap_or_default().iter().map(IpAddr::to_canonical).collect(),
            https: settings.https.unwrap_or(false),
            rates,
            disk_free_percent_min: settings.disk_free_percent_min.unwrap_or(5),
            retention,
            workers: settings.workers.unwrap_or(processors),
            log: settings.log.unwrap_or_else(|| "info".to_owned()),
            log_format: settings.log_format.unwrap_or_default(),
        };
        config.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        let Periods { contacts_days, recordings_days } = self.retention;
        for (key, days) in [("contacts_days", contacts_days), ("recordings_days", recordings_days)] {
            if days > Periods::DAYS_MAX {
                return Err(ConfigError::Range { key, value: u64::from(days), wanted: "365 or less" });
            }
        }
        let positive = [
            ("database_connections_max", u64::from(self.database_connections_max)),
            ("submission_bytes_max", self.submission_bytes_max as u64),
            ("import_bytes_max", self.import_bytes_max as u64),
            ("head_seconds_max", self.head_time_max.as_secs()),
            ("body_seconds_max", self.body_time_max.as_secs()),
            ("batch_bytes_max", self.batch_bytes_max as u64),
            ("connections_max", self.connections_max as u64),
            ("uploads_burst", u64::from(self.rates.upload.burst)),
            ("workers", self.workers as u64),
        ];
        let is_exposed = !self.listen.ip().is_loopback() && self.trusted_proxies.is_empty();
        if is_exposed && !self.keep_alive.is_zero() {
            return Err(ConfigError::ExposedKeepAlive);
        }
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((key, value)) => Err(ConfigError::Range { key, value, wanted: "1 or more" }),
            None => Ok(self),
        }
    }

    /// What is allowed and yet worth a word to the operator.
    pub fn warnings(&self) -> Vec<&'static str> {
        let warnings = [
            (
                !self.https && !self.listen.ip().is_loopback(),
                "others reach the server and https is not set: tokens and answers may cross the network in the clear",
            ),
            (self.rates.upload.count == 0 || self.rates.work.count == 0, "a rate has no limit"),
            (self.disk_free_percent_min == 0, "the free disk space is not looked at"),
        ];
        warnings.into_iter().filter(|(applies, _)| *applies).map(|(_, warning)| warning).collect()
    }

    /// What the connection pool is opened with.
    pub fn pool(&self) -> PoolSettings {
        PoolSettings { connections_max: self.database_connections_max, ..PoolSettings::default() }
    }
}

/// Keys belong to one database and lie beside it, so that a copy of the file alone copies no key.
fn default_key_dir(url: &DatabaseUrl) -> PathBuf {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut folder = path.clone().into_os_string();
            folder.push(".keys");
            folder.into()
        }
        DatabaseUrl::Postgres(_) => PathBuf::from("scilit-keys"),
    }
}

/// Whether people can read it and dial it: `0451-12345678`, `+86 451 1234 5678`, `12345`.
fn is_telephone_number(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    let is_digit = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_digit());
    let ends = is_digit(number.chars().next()) && is_digit(number.chars().next_back());
    (3..=24).contains(&text.len()) && ends && number.chars().all(|sign| sign.is_ascii_digit() || " -".contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hotline_can_be_dialled() {
        let with = |text: &str| Config::new(Settings { hotline: Some(text.to_owned()), ..Settings::default() });
        for good in ["12345", "0451-12345678", "+86 451 1234 5678"] {
            assert_eq!(with(good).expect("a number").hotline.as_deref(), Some(good));
        }
        for bad in ["", "12", "-12345", "12345 ", "++12345", "电话12345", "<b>12345", "1234567890123456789012345"] {
            assert!(matches!(with(bad), Err(ConfigError::Hotline(text)) if text == bad), "{bad}");
        }
    }

    fn listening_on(port: u16) -> Settings {
        Settings { listen: Some(SocketAddr::from(([127, 0, 0, 1], port))), ..Settings::default() }
    }

    #[test]
    fn the_upper_layer_wins_and_leaves_the_rest_to_the_lower() {
        let file = Settings { public_results: Some(true), ..listening_on(1) };
        let merged = listening_on(2).over(file);
        assert_eq!(merged, Settings { public_results: Some(true), ..listening_on(2) });
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_its_line() {
        let error = Settings::from_toml("scilit.toml", "public_results = true\nlissen = \"x\"\n").expect_err("a fault");
        let text = error.to_string();
        assert!(text.contains("scilit.toml") && text.contains("line 2") && text.contains("lissen"), "{text}");
    }

    #[test]
    fn an_unknown_variable_is_an_error() {
        let check = |name: &str| Settings::check_variables([name.to_owned()], &["SCILIT_CONFIG"]);
        assert!(check("SCILIT_LISTEN").is_ok() && check("SCILIT_CONFIG").is_ok() && check("HOME").is_ok());
        assert!(matches!(check("SCILIT_LISSEN"), Err(ConfigError::UnknownVariable(name)) if name == "SCILIT_LISSEN"));
    }

    #[test]
    fn a_remote_postgres_in_the_clear_needs_a_decision() {
        let url = Some("postgres://u@db.example/d".to_owned());
        let remote = Settings { database_url: url, ..Settings::default() };
        assert!(matches!(Config::new(remote.clone()), Err(ConfigError::PlainPostgres)));
        assert!(Config::new(Settings { allow_plain_postgres: Some(true), ..remote }).is_ok());
    }

    #[test]
    fn zero_connections_are_refused() {
        let settings = Settings { database_connections_max: Some(0), ..Settings::default() };
        assert!(matches!(Config::new(settings), Err(ConfigError::Range { key: "database_connections_max", .. })));
    }

    #[test]
    fn connections_stay_open_to_proxies_only() {
        let kept = Settings { keep_alive_seconds: Some(15), ..listening_on(1) };
        assert!(Config::new(kept.clone()).is_ok(), "nobody else reaches the loopback");
        let exposed = Settings { listen: Some(SocketAddr::from(([0, 0, 0, 0], 1))), ..kept };
        assert!(matches!(Config::new(exposed.clone()), Err(ConfigError::ExposedKeepAlive)));
        let proxy = Some(vec![IpAddr::from([10, 0, 0, 1])]);
        assert!(Config::new(Settings { trusted_proxies: proxy, ..exposed }).is_ok());
    }

    #[test]
    fn every_setting_is_documented() {
        let document = include_str!("../../docs/configuration.md");
        for variable in Settings::variables() {
            let key = variable.trim_start_matches("SCILIT_").to_lowercase();
            assert!(document.contains(&format!("`{key}`")), "docs/configuration.md does not describe {key}");
            assert!(document.contains(&format!("`{variable}`")), "docs/configuration.md does not name {variable}");
        }
    }
}
