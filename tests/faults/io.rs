//! One write or one sync of the SQLite file fails. Whatever was acknowledged is there after the power cut that follows,
//! and a server whose disk failed ends instead of trying again (`support/iofault.c`, `support/syncshadow.c`).
//!
//! `IO_FAULTS_MAX` has every number up to it tried, 300 in a long run; the default suits every change.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::Duration,
};

use crate::support::{
    TestDatabase, run,
    storm::{Findings, Program, Sent, acknowledged, compare, now, send_again, storm_while, token},
};

const EIO: &str = "5";
const ENOSPC: &str = "28";

/// The exit code of a server whose disk failed.
const EXIT_DISK: Option<i32> = Some(74);

/// The exit code of a server that could not start.
const EXIT_START: Option<i32> = Some(1);

/// How long clients wait for the fault at most, and how much longer they go on.
const FAULT_WAIT_MAX: Duration = Duration::from_secs(10);
const AFTERWARDS: Duration = Duration::from_millis(200);

/// A fault of the disk.
#[derive(Clone, Copy)]
struct Fault {
    /// `write` or `sync`.
    call: &'static str,
    errno: &'static str,
    /// Whether the disk says that it succeeded, then and ever after.
    lies: bool,
}

struct Site {
    test: TestDatabase,
    secret: String,
    folder: tempfile::TempDir,
}

/// What one fault came to.
struct Trial {
    sent: Vec<Sent>,
    /// The file whose write or sync failed; none when so many never came.
    file: Option<String>,
    /// The exit code when the server ended by itself.
    exit: Option<Option<i32>>,
}

impl Site {
    fn new() -> Self {
        let (test, folder) = (TestDatabase::sqlite(), tempfile::tempdir().expect("a folder"));
        for name in ["iofault", "syncshadow"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/support/{name}.c"));
            let library = folder.path().join(format!("{name}.so"));
            run(Command::new("cc").args(["-O2", "-fPIC", "-shared", "-o"]).arg(&library).arg(&source).arg("-ldl"));
        }
        let secret = token(&test, "surveyor");
        // The first start makes the keys.
        Program::start(&test).terminate();
        let site = Self { test, secret, folder };
        fs::create_dir_all(site.durable().join("keys")).expect("a folder");
        site
    }

    fn live(&self) -> PathBuf {
        let file = self.test.file().expect("a file");
        file.parent().expect("its folder").canonicalize().expect("a folder")
    }

    fn durable(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder").join("durable")
    }

    /// Starts a server, has the fault come while clients send, and cuts the power.
    fn trial(&self, fault: Fault, at: u32) -> Trial {
        // What is there before this power cut is there for good.
        replace_files(&self.live(), &self.durable());
        let mark = self.folder.path().join("mark");
        let _ = fs::remove_file(&mark);
        let preload = ["iofault.so", "syncshadow.so"].map(|name| self.folder.path().join(name).display().to_string());
        let (preload, at_text) = (preload.join(" "), at.to_string());
        let (live, durable) = (self.live().display().to_string(), self.durable().display().to_string());
        let mark_text = mark.display().to_string();
        let mut environment = vec![
            ("LD_PRELOAD", preload.as_str()),
            ("SS_LIVE", &live),
            ("SS_DURABLE", &durable),
            ("FAULT_CALL", fault.call),
            ("FAULT_AT", &at_text),
            ("FAULT_ERRNO", fault.errno),
            ("FAULT_MARK", &mark_text),
        ];
        if fault.lies {
            environment.push(("FAULT_LIES", "1"));
        }
        let (sent, exit) = match Program::try_start_at(&self.test, "127.0.0.1:0", &environment) {
            Err(code) => (Vec::new(), Some(code)),
            Ok(mut server) => {
                let sent = storm_while(server.address, &self.secret, (at, 4), || {
                    let begun = now();
                    while !mark.exists() && begun.elapsed() < FAULT_WAIT_MAX {
                        sleep(Duration::from_millis(10));
                    }
                    sleep(AFTERWARDS);
                });
                (sent, server.ended())
            }
        };
        // Only what was synced survives.
        replace_files(&self.durable(), &self.live());
        Trial { sent, file: fs::read_to_string(&mark).ok(), exit }
    }

    /// Compares a copy with what clients remember: a pool's last connection may open and close the file after its pool is
    /// gone, and must not meet the next trial's.
    fn compare(&self, journal: &[Sent]) -> Findings {
        let look = TestDatabase::sqlite();
        replace_files(&self.live(), look.file().expect("a file").parent().expect("its folder"));
        compare(&look, journal)
    }
}

/// Makes the files of one folder those of another.
fn replace_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(to).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.path().is_file() {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name();
        let is_leftover = name.to_string_lossy().ends_with('~') || name.to_string_lossy().ends_with("-shm");
        if entry.path().is_file() && !is_leftover {
            fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

/// The numbers to try: every one in a long run.
fn numbers(short: &[u32]) -> Vec<u32> {
    let max = std::env::var("IO_FAULTS_MAX").ok().map(|max| max.parse().expect("a number"));
    max.map_or_else(|| short.to_vec(), |max| (1..=max).collect())
}

/// Fault after fault on one file; the exit codes of the servers that ended by themselves because the log of what is to
/// be written failed them.
fn nothing_acknowledged_is_lost(fault: Fault, short: &[u32]) -> Vec<Option<i32>> {
    let (site, mut journal, mut exits) = (Site::new(), Vec::new(), Vec::new());
    for at in numbers(short) {
        let Trial { sent, file, exit } = site.trial(fault, at);
        let receipts = acknowledged(&sent);
        journal.extend(sent);
        assert_eq!(site.compare(&journal), Findings::default(), "{} {at}: {file:?}", fault.call);
        let file = file.unwrap_or_else(|| panic!("{} {at} never came; {receipts} acknowledged", fault.call));
        if file.ends_with("-wal") {
            exits.extend(exit);
        }
    }
    let server = Program::start(&site.test);
    send_again(server.address, &site.secret, &mut journal);
    server.terminate();
    assert_eq!(site.compare(&journal), Findings::default());
    assert!(journal.len() > short.len(), "a story with something to lose: {}", journal.len());
    exits
}

#[test]
fn rel_r5_whichever_sync_fails_nothing_acknowledged_is_lost_and_the_server_ends_with_74() {
    let short = [1, 2, 3, 6, 12, 25, 50];
    let exits = nothing_acknowledged_is_lost(Fault { call: "sync", errno: EIO, lies: false }, &short);
    assert!(exits.len() >= short.len() / 2, "the server went on: {exits:?}");
    assert!(exits.iter().all(|code| *code == EXIT_DISK), "{exits:?}");
}

#[test]
fn rel_r5_whichever_write_fails_nothing_acknowledged_is_lost_and_the_server_ends_with_74() {
    let short = [1, 5, 30, 150, 500, 1500];
    let exits = nothing_acknowledged_is_lost(Fault { call: "write", errno: EIO, lies: false }, &short);
    assert!(exits.len() >= short.len() / 2, "the server went on: {exits:?}");
    assert!(exits.iter().all(|code| *code == EXIT_DISK), "{exits:?}");
}

#[test]
fn rel_r5_whichever_write_finds_no_space_nothing_acknowledged_is_lost_and_the_server_goes_on() {
    let short = [30, 150, 500, 1500];
    let exits = nothing_acknowledged_is_lost(Fault { call: "write", errno: ENOSPC, lies: false }, &short);
    // A long run has also the writes of a start, which cannot go on without them.
    assert!(exits.iter().all(|code| *code == EXIT_START), "want of space is no failure of the disk: {exits:?}");
}

#[test]
fn rel_r5_control_a_disk_that_only_says_that_it_synced_loses_acknowledged_submissions() {
    let site = Site::new();
    let Trial { sent, .. } = site.trial(Fault { call: "sync", errno: EIO, lies: true }, 12);
    let findings = site.compare(&sent);
    assert!(acknowledged(&sent) > 0 && findings.lost > 0, "the trial cannot fail: {findings:?}");
}
