//! `scilit serve`: the server until it is told to stop.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::server::{self, Clock, Config, LogFormat, Settings};

/// Where settings come from; shared by every command that opens the database.
#[derive(Debug, Args)]
pub struct SettingsArguments {
    /// Read settings from this TOML file; flags and environment win over it
    #[arg(long, env = "SCILIT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The settings given as flags or in the environment
    #[command(flatten)]
    pub settings: Settings,
}

impl SettingsArguments {
    /// Merges flags, environment, file and defaults.
    ///
    /// # Errors
    /// An unknown key or variable, a value out of range, a database URL that names none.
    pub fn config(self) -> anyhow::Result<Config> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        Settings::check_variables(names, &["SCILIT_CONFIG"])?;
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        Ok(Config::new(self.settings.over(file))?)
    }
}

/// Answers requests until SIGINT or SIGTERM, then lets the last ones end.
#[derive(Debug, Args)]
pub struct ServeArguments {
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// When the server cannot start.
pub fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    let config = arguments.settings.config()?;
    log_to_stderr(&config.log, config.log_format)?;
    let server = server::start(config, Clock::system())?;
    println!("http://{}/", server.address());
    server.stop_at_signal().context("wait for signals")
}

/// Logs go to standard error; each request is one line when it ends.
///
/// # Errors
/// When the filter cannot be read.
pub fn log_to_stderr(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};
    let filter = EnvFilter::try_new(filter).with_context(|| format!("read the log filter {filter:?}"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let logs = logs.with_span_events(FmtSpan::CLOSE).with_ansi(false);
    let set = match format {
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
        LogFormat::Text => logs.try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("start the log: {error}"))
}
