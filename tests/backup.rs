//! A backup taken while the server works, restored into an empty place of either kind: the same rows, the same receipts,
//! the same results; and anything less than the whole file is refused for its own reason, with nothing left behind.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use scilit::{
    server::{
        Role,
        retention::{Periods, Retention},
    },
    storage::{Author, Database, Tables},
};
use serde_json::{Value, json};
use support::{
    TestDatabase,
    app::{TestApp, submission},
};

/// A recipient and its identity; faster than a passphrase, which is hardened on purpose.
fn pair() -> (String, String) {
    use age::secrecy::ExposeSecret;
    let identity = age::x25519::Identity::generate();
    (identity.to_public().to_string(), identity.to_string().expose_secret().to_owned())
}

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (recipient, identity) = pair();
        let desk = Self { folder };
        desk.write("recipients", &recipient);
        desk.write("identity", &identity);
        desk.write("phrase", "correct horse battery staple\n");
        desk.write("other-phrase", "wrong horse battery staple\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn scilit(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
        command.current_dir(self.folder.path()).env_clear().args(arguments).output().expect("the program runs")
    }

    fn backup(&self, url: &str, to: &str) -> Output {
        self.scilit(&["backup", "--to", to, "--recipients-file", "recipients", "--database-url", url])
    }

    fn restore(&self, from: &str, url: &str) -> Output {
        self.scilit(&["restore", "--from", from, "--identity-file", "identity", "--database-url", url])
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let mut names: Vec<_> = entries.map(|e| e.expect("it").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn id(n: usize) -> String {
    format!("019abcde-0000-7000-8000-{n:012}")
}

/// A server with `count` submissions, contact data and a run; the survey, the receipts and the run's files.
fn worked(app: &TestApp, count: usize) -> (String, String, Vec<Value>) {
    let (survey, hash) = app.survey("调查");
    let contacts = "case_id,address,name,phone,note\nc1,和平路 1 号,李先生,13800001234,\n";
    let path = format!("/api/v1/surveys/{survey}/files/contacts");
    let put = app.send(Some(Role::Supervisor), "PUT", &path, &[("Content-Type", "text/csv")], contacts.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    let receipts =
        (0..count).map(|n| app.submit(&id(n), 1, body(&hash, n).as_bytes()).json()["receipt"].clone()).collect();
    (survey, hash, receipts)
}

fn body(hash: &str, n: usize) -> String {
    submission(&id(n), hash, &format!("c{}", n % 4)).to_string()
}

/// A table's name and its rows as bytes.
type TableRows = (String, Vec<Vec<Option<Vec<u8>>>>);

/// Every row of every table but the log's, which gains an entry with each backup and restore.
fn rows(database: &Database) -> Vec<TableRows> {
    let taken: Result<_, scilit::storage::StorageError> = database.snapshot(|tables: &mut dyn Tables| {
        let mut all = Vec::new();
        for shape in tables.tables()? {
            let mut rows = Vec::new();
            tables.rows(&shape, &mut |cells| {
                rows.push(cells);
                Ok(())
            })?;
            if !shape.name.starts_with("audit_") {
                all.push((shape.name, rows));
            }
        }
        Ok(all)
    });
    taken.expect("rows")
}

fn fresh(desk: &Desk, name: &str) -> String {
    format!("sqlite:{}", desk.path(name).display())
}

fn at(url: &str) -> Database {
    Database::open(&url.parse().expect("a URL"), scilit::storage::PoolSettings::default()).expect("an open database")
}

#[test]
fn acc073_a_restored_server_has_the_same_rows_receipts_and_results() {
    support::on_every_backend(|test| {
        let desk = Desk::new();
        let app = TestApp::start(test);
        let (survey, hash, receipts) = worked(&app, 12);
        let run = app.run(&survey);
        let results = format!("/api/v1/runs/{}/results", run["id"].as_str().expect("an id"));
        let before = app.get(Role::Analyst, &results).body;
        assert!(done(&desk.backup(&test.url, "b")).contains("root"));
        let kept = rows(app.database());
        app.stop();

        let place = TestDatabase::sqlite();
        let told = done(&desk.restore("b", &place.url));
        assert!(told.contains("12 submissions have the bytes"), "{told}");
        assert_eq!(rows(&place.open()), kept);
        // The keys went another way, as the documentation says.
        fs::create_dir_all(place.key_dir()).expect("a folder");
        for name in ["vault.keys", "signing.toml"] {
            fs::copy(test.key_dir().join(name), place.key_dir().join(name)).expect("a key");
        }
        let app = TestApp::start(&place);
        assert_eq!(app.get(Role::Analyst, &results).body, before);
        let again = app.run(&survey);
        let again = app.get(Role::Analyst, &format!("/api/v1/runs/{}/results", again["id"].as_str().expect("an id")));
        assert_eq!(again.body, before, "the run computed again has identical bytes");
        for (n, receipt) in receipts.iter().enumerate() {
            let replay = app.submit(&id(n), 1, body(&hash, n).as_bytes());
            assert_eq!((replay.status, &replay.json()["receipt"]), (200, receipt));
        }
        let path = format!("/api/v1/cases/{survey}/c1/contact");
        let reason = json!({ "reason": "电话复核" }).to_string();
        let headers = [("Content-Type", "application/json")];
        let contact = app.send(Some(Role::Supervisor), "POST", &path, &headers, reason.as_bytes());
        assert_eq!(contact.json()["phone"], "13800001234");
        let next = app.submit(&id(99), 1, body(&hash, 99).as_bytes());
        let next = next.json()["receipt"]["server_seq"].clone();
        assert_eq!(next, 13, "numbers go on after those that were given");
    });
}

#[test]
fn acc072_a_backup_from_after_raw_responses_were_deleted_restores_and_bytes_missing_otherwise_are_found() {
    support::on_every_backend(|test| {
        let desk = Desk::new();
        let app = TestApp::start(test);
        let (survey, _, _) = worked(&app, 6);
        assert_eq!(app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/close"), &json!({})).status, 200);
        app.pass(731 * 24 * 60);
        let (clock, row) = (app.clock(), app.database().survey(&survey).expect("a database").expect("a survey"));
        let retention = Retention { database: app.database(), clock: &clock, periods: Periods::default() };
        let gone = retention.delete_raw(&row, "保存期满", &Author::command_line()).expect("deleted");
        assert!(gone >= 4, "{gone}");
        let kept = rows(app.database());
        done(&desk.backup(&test.url, "b"));
        let place = TestDatabase::sqlite();
        done(&desk.restore("b", &place.url));
        assert_eq!(rows(&place.open()), kept);
        // The control: an empty body that no deletion names.
        if test.file().is_some() {
            test.execute("DROP TRIGGER submission_erased_is_kept").expect("disarmed");
            let first =
                "DELETE FROM submission_erased WHERE server_seq = (SELECT min(server_seq) FROM submission_erased)";
            test.execute(first).expect("forgotten");
            done(&desk.backup(&test.url, "c"));
            let refused = desk.restore("c", &fresh(&desk, "c.db"));
            assert_eq!(refused.status.code(), Some(15), "{}", String::from_utf8_lossy(&refused.stderr));
        }
    });
}

#[test]
fn rel_o4_from_sqlite_to_postgres_and_back_every_row_is_the_same() {
    let Some(middle) = TestDatabase::postgres() else { return };
    let (desk, first) = (Desk::new(), TestDatabase::sqlite());
    let app = TestApp::start(&first);
    worked(&app, 6);
    done(&desk.backup(&first.url, "one"));
    let kept = rows(app.database());
    app.stop();
    done(&desk.restore("one", &middle.url));
    assert_eq!(rows(&middle.open()), kept);
    assert_eq!(desk.restore("one", &middle.url).status.code(), Some(13), "the place is taken");
    done(&desk.backup(&middle.url, "two"));
    let last = fresh(&desk, "last.db");
    done(&desk.restore("two", &last));
    assert_eq!(rows(&at(&last)), kept);
    // The triggers are back: what was append-only is append-only again.
    let server = support::postgres::server().expect("a server");
    let refused = std::panic::catch_unwind(|| server.sql(&middle.url, "DELETE FROM submission_raw"));
    assert!(refused.is_err());
}

#[test]
fn rel_o2_a_backup_under_load_holds_everything_acknowledged_before_it_began() {
    support::on_every_backend(|test| {
        let desk = Desk::new();
        let app = TestApp::start(test);
        let (_, hash, _) = worked(&app, 0);
        let stop = AtomicBool::new(false);
        let mut acknowledged = Vec::new();
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..2)
                .map(|sender| {
                    let (app, hash, stop) = (&app, &hash, &stop);
                    scope.spawn(move || {
                        for n in (sender..2000).step_by(2) {
                            if stop.load(Ordering::Relaxed) {
                                break;
                            }
                            assert!(matches!(app.submit(&id(n), 1, body(hash, n).as_bytes()).status, 200..=202));
                        }
                    })
                })
                .collect();
            while acknowledged.len() < 20 {
                std::thread::sleep(std::time::Duration::from_millis(20));
                acknowledged = submissions(app.database());
            }
            done(&desk.backup(&test.url, "b"));
            stop.store(true, Ordering::Relaxed);
            senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
        });
        let after = submissions(app.database());
        let place = fresh(&desk, "place.db");
        done(&desk.restore("b", &place));
        let restored = submissions(&at(&place));
        assert!(acknowledged.iter().all(|id| restored.contains(id)), "what was acknowledged is there");
        assert!(restored.iter().all(|id| after.contains(id)), "and nothing that never was");
        assert!(restored.len() < after.len(), "submissions arrived meanwhile: {} of {}", restored.len(), after.len());
    });
}

fn submissions(database: &Database) -> Vec<Vec<Option<Vec<u8>>>> {
    let all = rows(database);
    let raw = all.into_iter().find(|(name, _)| name == "submission_raw").expect("the table").1;
    // Whether it was judged changes later; the bytes do not.
    raw.into_iter()
        .map(|cells| cells.into_iter().filter(|cell| cell.as_ref().is_some_and(|c| c.len() > 60)).collect())
        .collect()
}

#[test]
fn rel_o2_every_fault_of_a_backup_has_its_own_exit_code_and_leaves_nothing() {
    let (desk, test) = (Desk::new(), TestDatabase::sqlite());
    let app = TestApp::start(&test);
    worked(&app, 3);
    app.stop();
    done(&desk.backup(&test.url, "b"));
    let whole = fs::read(desk.path("b")).expect("the backup");
    let place = fresh(&desk, "place.db");
    let before = desk.names();
    let code = |desk: &Desk, bytes: &[u8]| {
        fs::write(desk.path("bad"), bytes).expect("a file");
        let code = desk.restore("bad", &place).status.code();
        fs::remove_file(desk.path("bad")).expect("removed");
        assert_eq!(desk.names(), before, "nothing is left");
        code
    };
    // Bit flips: all over the first line, and a sample of the rest with both ends.
    let step = (whole.len() / 40).max(1);
    let positions = (0..110).step_by(9).chain((110..whole.len()).step_by(step)).chain([whole.len() - 1]);
    for position in positions {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        assert_eq!(code(&desk, &flipped), Some(12), "byte {position}");
    }
    for length in [0, 1, 50, 101, 102, 103, 500, whole.len() / 2, whole.len() - 1] {
        assert_eq!(code(&desk, &whole[..length]), Some(11), "cut at {length}");
    }
    assert_eq!(code(&desk, &[whole.as_slice(), b"x"].concat()), Some(12), "something follows");
    fs::write(desk.path("taken.db"), "x").expect("a file");
    assert_eq!(desk.restore("b", &fresh(&desk, "taken.db")).status.code(), Some(13));
    assert_eq!(fs::read(desk.path("taken.db")).expect("it"), b"x");
    // The control: the file these were made from restores.
    done(&desk.restore("b", &place));
    assert_eq!(desk.restore("b", &place).status.code(), Some(13), "a second time the place is taken");
}

#[test]
fn a_passphrase_opens_its_own_backup_and_is_never_shown() {
    let (desk, test) = (Desk::new(), TestDatabase::sqlite());
    TestApp::start(&test).stop();
    let backup = desk.scilit(&["backup", "--to", "p", "--passphrase-file", "phrase", "--database-url", &test.url]);
    assert!(String::from_utf8_lossy(&backup.stderr).contains("NOT in the backup"));
    done(&backup);
    let place = fresh(&desk, "place.db");
    let restore =
        |phrase: &str| desk.scilit(&["restore", "--from", "p", "--passphrase-file", phrase, "--database-url", &place]);
    let wrong = restore("other-phrase");
    assert_eq!(wrong.status.code(), Some(10));
    assert!(!String::from_utf8_lossy(&wrong.stderr).contains("horse") && !desk.path("place.db").exists());
    done(&restore("phrase"));
    desk.write("short", "secret\n");
    assert_eq!(restore("short").status.code(), Some(1));
    let again = desk.scilit(&["backup", "--to", "p", "--passphrase-file", "phrase", "--database-url", &test.url]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"), "a backup is never written over");
}

#[test]
fn keys_travel_only_when_asked_for() {
    let (desk, test) = (Desk::new(), TestDatabase::sqlite());
    let app = TestApp::start(&test);
    worked(&app, 1);
    app.stop();
    let keys = test.key_dir().display().to_string();
    let with = [
        "backup",
        "--to",
        "k",
        "--recipients-file",
        "recipients",
        "--with-keys",
        "--key-dir",
        &keys,
        "--database-url",
        &test.url,
    ];
    done(&desk.scilit(&with));
    let place = fresh(&desk, "place.db");
    done(&desk.restore("k", &place));
    let restored = |name: &str| fs::read(desk.path("place.db.keys").join(name)).expect("a key");
    for name in ["vault.keys", "signing.toml"] {
        assert_eq!(restored(name), fs::read(Path::new(&keys).join(name)).expect("a key"));
    }
    done(&desk.backup(&test.url, "without"));
    done(&desk.restore("without", &fresh(&desk, "other.db")));
    assert!(!desk.path("other.db.keys").exists());
}

#[test]
fn a_mistyped_database_makes_neither_backup_nor_database() {
    let desk = Desk::new();
    let before = desk.names();
    assert!(!desk.backup(&fresh(&desk, "no.db"), "b").status.success());
    assert_eq!(desk.names(), before);
}
