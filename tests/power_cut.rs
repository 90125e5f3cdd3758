//! Reliability of the SQLite file: whatever was acknowledged is there after a crash and after a power cut.
//!
//! Eight clients send, each with a journal; the server is killed at an arbitrary moment and what is left of the file is
//! compared with the journals. After a power cut only what was synced is left (`support/syncshadow.c`). A control
//! shows that the comparison finds a loss where there must be one.
//!
//! `POWER_CUT_TRIALS` sets the number of cuts; the default suits every change, the nightly number is 100 or more.

#![cfg(target_os = "linux")]

#[path = "support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use diesel::{connection::SimpleConnection, dsl::sql, prelude::*, sql_query, sql_types};
use scilit::{
    evidence::sha256_hex,
    server::{Clock, Config, Settings, start_with},
    storage::Database,
};

use support::{app::counting, http::parse, run};

const CLIENTS: u32 = 8;

/// What ends the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The process is killed; what it wrote survives in the system's cache.
    Process,
    /// The machine loses power; only what was synced survives.
    Power,
}

/// Who serves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    /// The program as it is shipped.
    Program,
    /// The same server in a process of this test, with the `synchronous` of every connection set to this.
    With(&'static str),
}

const CHILD_FILE: &str = "POWER_CUT_CHILD_FILE";
const CHILD_SYNCHRONOUS: &str = "POWER_CUT_CHILD_SYNCHRONOUS";

/// A running server that ends with its owner.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folders of one story.
struct Site {
    folder: tempfile::TempDir,
    secret: String,
    server: Server,
    cut: Cut,
}

/// One submission as its client remembers it.
struct Sent {
    id: String,
    body: String,
    /// The receipt, byte for byte; none when no answer came.
    receipt: Option<String>,
}

/// The comparison of file and journals.
#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    lost: usize,
    doubled: usize,
    altered: usize,
    ghosts: usize,
}

impl Site {
    fn new(server: Server, cut: Cut) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["live", "durable"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/syncshadow.c");
        let library = folder.path().join("syncshadow.so");
        run(Command::new("cc").args(["-O2", "-fPIC", "-shared", "-o"]).arg(&library).arg(&source).arg("-ldl"));
        let mut site = Self { folder, secret: String::new(), server, cut };
        let mut token = Command::new(env!("CARGO_BIN_EXE_scilit"));
        token.args(["token", "create", "--role", "surveyor", "--label", "t", "--database-url", &site.url()]);
        site.secret = run(&mut token).trim().to_owned();
        copy(&site.path("live"), &site.path("durable"));
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder").join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("live").join("scilit.db")
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.file().display())
    }

    fn start(&self) -> Running {
        let mut command = match self.server {
            Server::Program => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
                command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &self.url(), "--log", "off"]);
                // One token plays eight tablets.
                command.args(["--uploads-per-minute", "0", "--requests-per-minute", "0"]);
                command.arg("--key-dir").arg(self.path("keys"));
                command
            }
            Server::With(synchronous) => {
                let mut command = Command::new(std::env::current_exe().expect("this test"));
                command.args(["serves_in_a_process_of_its_own", "--exact", "--nocapture"]);
                command.env(CHILD_FILE, self.file()).env(CHILD_SYNCHRONOUS, synchronous);
                command
            }
        };
        if self.cut == Cut::Power {
            command.env("LD_PRELOAD", self.path("syncshadow.so"));
            command.env("SS_LIVE", self.path("live")).env("SS_DURABLE", self.path("durable"));
        }
        let command = command.current_dir(self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines.find_map(|line| address_in(&line.expect("a line"))).expect("its address");
        Running { child, address }
    }

    /// Leaves of the live folder what survives the cut.
    fn lose(&self) {
        if self.cut == Cut::Power {
            fs::remove_dir_all(self.path("live")).expect("removed");
            fs::create_dir(self.path("live")).expect("a folder");
            copy(&self.path("durable"), &self.path("live"));
        }
    }

    /// Compares a copy of the file with the journal, so that looking changes nothing of what the next start finds.
    fn compare(&self, journal: &[Sent]) -> Findings {
        let copied = tempfile::tempdir().expect("a folder");
        copy(&self.path("live"), copied.path());
        let file = copied.path().join("scilit.db").display().to_string();
        let mut connection = SqliteConnection::establish(&file).expect("the file opens");
        let sound: String =
            sql::<sql_types::Text>("PRAGMA integrity_check").get_result(&mut connection).expect("a check");
        assert_eq!(sound, "ok");
        let orphans: i64 = sql::<sql_types::BigInt>("SELECT count(*) FROM pragma_foreign_key_check")
            .get_result(&mut connection)
            .expect("a check");
        assert_eq!(orphans, 0, "rows without what they refer to");
        compare(&rows(&mut connection), journal)
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("http://")?;
    address.trim().trim_end_matches('/').parse().ok()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name();
        let is_leftover = name.to_string_lossy().ends_with('~') || name.to_string_lossy().ends_with("-shm");
        if entry.path().is_file() && !is_leftover {
            fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    id: String,
    #[diesel(sql_type = sql_types::Text)]
    sha256: String,
    #[diesel(sql_type = sql_types::Binary)]
    bytes: Vec<u8>,
    #[diesel(sql_type = sql_types::Text)]
    receipt: String,
}

fn rows(connection: &mut SqliteConnection) -> Vec<Row> {
    let query = "SELECT s.id, s.sha256, s.body AS bytes, coalesce(r.body, '') AS receipt \
                 FROM submission_raw s LEFT JOIN receipt r USING (server_seq)";
    sql_query(query).load(connection).expect("rows")
}

fn compare(rows: &[Row], journal: &[Sent]) -> Findings {
    let mut stored: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        stored.entry(&row.id).or_default().push(row);
    }
    let sent: BTreeMap<&str, &Sent> = journal.iter().map(|sent| (sent.id.as_str(), sent)).collect();
    let acknowledged = journal.iter().filter_map(|sent| Some((sent.id.as_str(), sent.receipt.as_ref()?)));
    let is_intact = |row: &&Row| {
        let sent = sent.get(row.id.as_str());
        sha256_hex(&row.bytes) == row.sha256
            && sent.is_none_or(|sent| sent.body.as_bytes() == row.bytes)
            && sent.and_then(|sent| sent.receipt.as_ref()).is_none_or(|receipt| *receipt == row.receipt)
    };
    Findings {
        lost: acknowledged.filter(|(id, _)| !stored.contains_key(id)).count(),
        doubled: rows.len() - stored.len(),
        altered: rows.iter().filter(|row| !is_intact(row)).count(),
        ghosts: stored.keys().filter(|id| !sent.contains_key(*id)).count(),
    }
}

/// Sends and returns the receipt; none when the server was busy or the connection broke before the whole answer was there.
fn put(address: SocketAddr, secret: &str, id: &str, body: &str) -> Option<String> {
    let digest = sha256_hex(body.as_bytes());
    let request = format!(
        "PUT /api/v1/submissions/{id}/revs/1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\
         Content-Type: application/json\r\nSubmission-Sha256: {digest}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    if !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        return None;
    }
    let answer = parse(&answer);
    let is_whole = answer.header("content-length") == Some(answer.body.len().to_string().as_str());
    assert!(!is_whole || matches!(answer.status, 200..=202 | 503), "{}", answer.text());
    let text = answer.text();
    let (receipt, _) = text.strip_prefix("{\"receipt\":")?.split_once(",\"state\":")?;
    is_whole.then(|| receipt.to_owned())
}

/// Eight clients send for a while, then the server is killed; what they remember.
fn storm(site: &Site, server: Running, trial: u32) -> Vec<Sent> {
    let (cut, address) = (AtomicBool::new(false), server.address);
    let client = |client: u32| {
        let mut journal = Vec::new();
        while !cut.load(Ordering::Relaxed) {
            let number = journal.len();
            let id = format!("019abcde-{trial:04x}-7000-800{client:x}-{number:012x}");
            let body = format!("{{\"id\":\"{id}\",\"note\":\"{}\"}}", "字".repeat(300 * (number % 8)));
            let receipt = put(address, &site.secret, &id, &body);
            journal.push(Sent { id, body, receipt });
        }
        journal
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = &client;
                scope.spawn(move || client(number))
            })
            .collect();
        // Spread over 0 to 500 ms, the same each time the test runs.
        thread::sleep(Duration::from_millis(u64::from(trial) * 197 % 500));
        cut.store(true, Ordering::Relaxed);
        drop(server);
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    })
}

/// Sends again what was not acknowledged, as tablets do after a restart; everything must be taken now.
fn send_again(site: &Site, server: &Running, journal: &mut [Sent]) {
    for sent in journal.iter_mut().filter(|sent| sent.receipt.is_none()) {
        sent.receipt = put(server.address, &site.secret, &sent.id, &sent.body);
        assert!(sent.receipt.is_some(), "the server that started again takes {}", sent.id);
    }
}

/// Cut after cut on one file, until the first finding; how many submissions were acknowledged before a cut.
fn story(site: &Site, trials: u32) -> (Findings, usize) {
    let (mut journal, mut acknowledged) = (Vec::new(), 0);
    for trial in 0..trials {
        let server = site.start();
        send_again(site, &server, &mut journal);
        let sent = storm(site, server, trial);
        acknowledged += sent.iter().filter(|sent| sent.receipt.is_some()).count();
        journal.extend(sent);
        site.lose();
        let findings = site.compare(&journal);
        if findings != Findings::default() {
            return (findings, acknowledged);
        }
    }
    let server = site.start();
    send_again(site, &server, &mut journal);
    drop(server);
    site.lose();
    let stored = site.compare(&journal);
    assert!(journal.iter().all(|sent| sent.receipt.is_some()));
    (stored, acknowledged)
}

fn trials() -> u32 {
    let number = std::env::var("POWER_CUT_TRIALS").ok().map(|number| number.parse().expect("a number"));
    number.unwrap_or(12)
}

fn nothing_is_lost(server: Server, cut: Cut, trials: u32) {
    let (findings, acknowledged) = story(&Site::new(server, cut), trials);
    eprintln!("{trials} cuts, {acknowledged} acknowledged before them: {findings:?}");
    assert_eq!(findings, Findings::default());
    assert!(acknowledged > trials as usize, "a story with something to lose: {acknowledged}");
}

#[test]
fn rel_r1_a_killed_server_loses_doubles_and_alters_nothing_on_sqlite() {
    nothing_is_lost(Server::Program, Cut::Process, trials());
}

#[test]
fn rel_r3_a_power_cut_loses_doubles_and_alters_nothing_on_sqlite() {
    nothing_is_lost(Server::Program, Cut::Power, trials());
}

#[test]
fn rel_r3_control_the_same_power_cut_loses_acknowledged_submissions_with_synchronous_normal() {
    let (findings, acknowledged) = story(&Site::new(Server::With("NORMAL"), Cut::Power), 5);
    assert!(findings.lost > 0, "the trial cannot fail: {acknowledged} acknowledged, {findings:?}");
    // The only difference is the setting: in the same process with FULL nothing is lost.
    nothing_is_lost(Server::With("FULL"), Cut::Power, 5);
}

/// No test of its own but the server of the control, which no setting of the program could bring about.
#[test]
fn serves_in_a_process_of_its_own() {
    let Some(file) = std::env::var_os(CHILD_FILE).map(PathBuf::from) else { return };
    let synchronous = std::env::var(CHILD_SYNCHRONOUS).expect("how to sync");
    let settings = Settings {
        database_url: Some(format!("sqlite:{}", file.display())),
        key_dir: std::env::current_dir().ok().map(|folder| folder.join("keys")),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database_connections_max: Some(4),
        uploads_per_minute: Some(0),
        requests_per_minute: Some(0),
        ..Settings::default()
    };
    let config = Config::new(settings).expect("a configuration");
    let server = start_with(config, Clock::system(), counting).expect("a running server");
    relax(server.database(), &synchronous);
    println!("http://{}", server.address());
    // Its end is the end of the one who asked, however that came.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

fn relax(database: &Database, synchronous: &str) {
    let Database::Sqlite { pool, writer, .. } = database else { panic!("SQLite") };
    let all = [pool, writer].into_iter().flat_map(|pool| (0..pool.max_size()).map(move |_| pool));
    let held: Vec<_> = all.map(|pool| pool.get().expect("a connection")).collect();
    for mut connection in held {
        connection.batch_execute(&format!("PRAGMA synchronous = {synchronous}")).expect("set");
    }
}
