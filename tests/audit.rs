//! The audit log is one unbroken tree on every database, whoever writes at once, and it only grows.

mod support;

use std::{process::Command, thread};

use scilit::{
    evidence::{Checkpoint, Frontier, Signer, commitment},
    server::{
        Clock, Role,
        audit::{self, verify_log},
        tokens,
    },
    storage::{Act, AuditCheckpoint, AuditEntry, Author, Database, EntryFilter, Outcome},
};
use serde_json::json;
use support::{TestDatabase, on_every_backend};

fn act(n: i64) -> Act {
    let author = Author { id: format!("person-{n}"), role: "supervisor".to_owned() };
    Act::done(&author, n, "response.approve", format!("response/{n}"), json!({ "level": 1, "n": n }))
}

/// The root over the entries as they are kept, computed from nothing else; the places of entries whose leaf is not theirs.
fn recomputed(entries: &[AuditEntry]) -> (Frontier, Vec<i64>) {
    let mut tree = Frontier::new();
    let mut wrong = Vec::new();
    for (place, entry) in (0..).zip(entries) {
        let leaf = entry.header().leaf();
        if entry.seq != place || entry.leaf != leaf {
            wrong.push(entry.seq);
        }
        tree.push(leaf);
    }
    (tree, wrong)
}

fn head(database: &Database) -> Frontier {
    let head = database.audit_head().expect("a head");
    Frontier::from_bytes(u64::try_from(head.size).expect("a size"), &head.frontier).expect("a frontier")
}

#[test]
fn rel_c11_writers_at_once_make_one_log_without_gaps_or_forks() {
    on_every_backend(|test| {
        let database = test.migrated();
        thread::scope(|scope| {
            for writer in 0..64 {
                let database = database.clone();
                scope.spawn(move || {
                    let acts: Vec<Act> = (0..=writer % 3).map(|n| act(writer * 10 + n)).collect();
                    database.log(&acts).expect("a place in the log");
                });
            }
        });
        let entries = database.audit_entries(0, 1000).expect("entries");
        assert_eq!(entries.len(), 64 * 2 - 1);
        let (tree, wrong) = recomputed(&entries);
        assert_eq!((wrong, tree), (Vec::new(), head(&database)));
    });
}

#[test]
fn an_entry_keeps_what_happened_and_its_commitment_fits_its_detail() {
    on_every_backend(|test| {
        let database = test.migrated();
        let refused = Act { outcome: Outcome::Refused, ..act(7) };
        assert_eq!(database.log(&[act(3), refused]).expect("a place"), 0);
        assert_eq!(database.log(&[act(4)]).expect("a place"), 2);
        let entries = database.audit_entries(1, 1).expect("entries");
        let [entry] = entries.as_slice() else { panic!("one entry, not {entries:?}") };
        assert_eq!((entry.seq, entry.at_ms, entry.outcome.as_str()), (1, 7, "refused"));
        assert_eq!((entry.actor.as_str(), entry.object.as_str()), ("person-7", "response/7"));
        let (salt, detail) = (entry.salt.as_deref().expect("a salt"), entry.detail.as_deref().expect("a detail"));
        assert_eq!(commitment(salt, detail), entry.commitment);
        assert_ne!(salt, database.audit_entries(0, 1).expect("entries")[0].salt.as_deref().expect("a salt"));
    });
}

#[test]
fn rel_a11_the_log_and_its_checkpoints_refuse_every_change_but_the_erasure_of_a_detail() {
    on_every_backend(|test| {
        let database = test.migrated();
        database.log(&[act(1), act(2)]).expect("entries");
        sign(&database, &signer());
        for sql in [
            "UPDATE audit_entry SET actor = 'x'",
            "UPDATE audit_entry SET detail = '{}' WHERE seq = 0",
            "DELETE FROM audit_entry",
            "UPDATE audit_head SET size = 0",
            "DELETE FROM audit_head",
            "UPDATE audit_checkpoint SET note = ''",
            "DELETE FROM audit_checkpoint",
        ] {
            assert!(test.execute(sql).is_err(), "{}: {sql}", database.backend());
        }
        test.execute("UPDATE audit_entry SET salt = NULL, detail = NULL WHERE seq = 0").expect("an erasure");
        assert_eq!(verify_log(&database, Vec::new()).expect("a whole log").size, 2);
    });
}

#[test]
fn rel_a8_a_change_that_cannot_be_logged_does_not_happen() {
    on_every_backend(|test| {
        let database = test.migrated();
        let clock = Clock::new(|| 1);
        let issue = || tokens::issue(&database, Role::Admin, "desk", None, &Author::system(), &clock);
        test.break_audit("token.create");
        issue().expect_err("no entry, no token");
        assert_eq!((database.tokens().expect("tokens").len(), head(&database).size()), (0, 0));
        test.mend_audit();
        let (token, _) = issue().expect("a token");
        test.break_audit("token.revoke");
        database.revoke_token(&token.id, &Author::system(), 2).expect_err("no entry, no revocation");
        assert_eq!(database.tokens().expect("tokens")[0].revoked_at_ms, None);
        test.mend_audit();
        assert!(database.revoke_token(&token.id, &Author::system(), 2).expect("revoked"));
        assert_eq!(actions(&database), ["token.create", "token.revoke"], "one change, one entry");
    });
}

#[test]
fn rel_a9_starts_and_stops_are_entries_and_a_start_without_a_stop_says_so() {
    on_every_backend(|test| {
        let database = test.open();
        let clock = Clock::new(|| 1);
        audit::migrate(&database, &Author::system(), &clock).expect("a schema");
        audit::log_start(&database, &clock, "k", true).expect("a start");
        audit::log_stop(&database, &clock).expect("a stop");
        audit::log_start(&database, &clock, "k", false).expect("a start after a stop");
        audit::log_start(&database, &clock, "k", false).expect("a start after a crash");
        let expected =
            ["database.migrate", "key.create", "server.start", "server.stop", "server.start", "server.start"];
        assert_eq!(actions(&database), expected);
        let after_stop = |seq: usize| {
            let entries = database.audit_entries(0, 10).expect("entries");
            let detail: serde_json::Value =
                serde_json::from_str(entries[seq].detail.as_deref().expect("a detail")).expect("JSON");
            detail["after_stop"].as_bool().expect("an answer")
        };
        assert_eq!((after_stop(2), after_stop(4), after_stop(5)), (true, true, false));
        // Started again on a schema that is up to date, it has nothing to say about migrations.
        assert!(audit::migrate(&database, &Author::system(), &clock).expect("nothing").is_empty());
        assert_eq!(actions(&database).len(), expected.len());
    });
}

#[test]
fn rel_a12_who_saw_a_run_is_one_look_by_object_and_what_somebody_did_one_by_actor() {
    on_every_backend(|test| {
        let database = test.migrated();
        database.log(&(0..30).map(|n| act(n % 3)).collect::<Vec<_>>()).expect("entries");
        let find = |object: Option<&str>, actor: Option<&str>, after| {
            let filter =
                EntryFilter { object: object.map(str::to_owned), actor: actor.map(str::to_owned), only_of: None };
            let rows = database.find_audit_entries(&filter, after, 5).expect("rows");
            rows.into_iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        assert_eq!(find(Some("response/1"), None, -1), [1, 4, 7, 10, 13]);
        assert_eq!(find(Some("response/1"), None, 13), [16, 19, 22, 25, 28]);
        assert_eq!(find(None, Some("person-2"), 20), [23, 26, 29]);
        assert_eq!(find(Some("response/1"), Some("person-2"), -1), [0; 0]);
    });
}

fn actions(database: &Database) -> Vec<String> {
    database.audit_entries(0, 1000).expect("entries").into_iter().map(|entry| entry.action).collect()
}

fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

/// Signs the log as it is and keeps the checkpoint in the database; the note.
fn sign(database: &Database, signer: &Signer) -> String {
    let tree = head(database);
    let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
    let note = checkpoint.signed(signer);
    let size = i64::try_from(checkpoint.size).expect("a size");
    let stored = AuditCheckpoint { size, root: checkpoint.root.to_vec(), note: note.clone(), at_ms: 1 };
    database.add_checkpoint(&stored).expect("kept");
    note
}

/// A log of 120 entries with checkpoints at 40, 80 and 120 of which the one at 80 was also kept outside.
struct Log<'a> {
    test: &'a TestDatabase,
    database: Database,
    outside: std::path::PathBuf,
}

impl<'a> Log<'a> {
    fn write(test: &'a TestDatabase) -> Self {
        let database = test.migrated();
        let outside = test.key_dir().with_extension("note");
        for batch in 0..3 {
            database.log(&(0..40).map(|n| act(batch * 40 + n)).collect::<Vec<_>>()).expect("entries");
            let note = sign(&database, &signer());
            if batch == 1 {
                std::fs::write(&outside, note).expect("a file");
            }
        }
        Self { test, database, outside }
    }

    /// `scilit audit verify`: the exit code and all that was printed.
    fn verify(&self, with_outside: bool) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
        command.env_clear().args(["audit", "verify", "--database-url", &self.test.url]);
        command.args(["--public-key", &signer().verifier().to_string()]);
        if with_outside {
            command.arg("--checkpoint").arg(&self.outside);
        }
        let output = command.output().expect("the program runs");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().expect("a code"), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Has an intruder who owns the database run the SQL; what `verify` says then.
    fn tampered(test: &TestDatabase, sql: &str) -> (i32, String) {
        let log = Log::write(test);
        assert_eq!(log.verify(true).0, 0, "the control: nothing is found before");
        test.disarm_audit();
        test.execute(sql).expect("done");
        log.verify(false)
    }
}

/// The intruder's SQL, the exit code, and what the sentence must name.
fn tampers() -> Vec<(&'static str, i32, &'static str, &'static str)> {
    vec![
        ("UPDATE audit_entry SET actor = 'somebody-else' WHERE seq = 50", 4, "第 50 条", "entry 50 was edited"),
        ("UPDATE audit_entry SET at_ms = at_ms + 1 WHERE seq = 119", 4, "第 119 条", "entry 119 was edited"),
        ("DELETE FROM audit_entry WHERE seq = 50", 4, "第 50 条记录缺失", "entry 50 is missing"),
        ("DELETE FROM audit_entry WHERE seq = 0", 4, "第 0 条记录缺失", "entry 0 is missing"),
        ("DELETE FROM audit_entry WHERE seq >= 20", 4, "第 20 条之前中断", "ends before entry 20"),
        (
            "UPDATE audit_entry SET seq = 1000 WHERE seq = 50; UPDATE audit_entry SET seq = 50 WHERE seq = 51; \
          UPDATE audit_entry SET seq = 51 WHERE seq = 1000",
            4,
            "第 50 条",
            "entry 50 was edited or put in another's place",
        ),
        (
            "INSERT INTO audit_entry SELECT 120, at_ms, actor, role, action, object, outcome, commitment, salt, detail, leaf \
          FROM audit_entry WHERE seq = 3",
            4,
            "第 120 条",
            "entry 120 was added",
        ),
        ("UPDATE audit_entry SET detail = '{}' WHERE seq = 50", 5, "第 50 条", "detail of entry 50"),
        ("UPDATE audit_checkpoint SET size = 79 WHERE size = 80", 3, "签名无效", "its row is not what was signed"),
        ("UPDATE audit_checkpoint SET note = replace(note, '80', '81') WHERE size = 80", 3, "签名无效", "does not fit"),
    ]
}

#[test]
fn acc068_rel_a4_an_edited_removed_inserted_reordered_or_cut_entry_is_named_in_one_sentence() {
    for (sql, code, zh, en) in tampers() {
        on_every_backend(|test| {
            let (found, printed) = Log::tampered(test, sql);
            assert_eq!(found, code, "{sql}: {printed}");
            assert!(printed.contains(zh) && printed.contains(en), "{sql}: {printed}");
        });
    }
}

#[test]
fn acc068_rel_a4_a_tail_cut_with_its_head_and_checkpoints_is_found_by_the_checkpoint_kept_outside_only() {
    on_every_backend(|test| {
        let log = Log::write(test);
        let mut short = Frontier::new();
        log.database.audit_entries(0, 20).expect("entries").iter().for_each(|entry| short.push(entry.header().leaf()));
        test.disarm_audit();
        let frontier = test.bytes(&short.to_bytes());
        test.execute(&format!(
            "DELETE FROM audit_entry WHERE seq >= 20; DELETE FROM audit_checkpoint; \
             UPDATE audit_head SET size = 20, frontier = {frontier}"
        ))
        .expect("cut");
        assert_eq!(log.verify(false).0, 0, "nothing inside the database remembers");
        let (code, printed) = log.verify(true);
        assert_eq!(
            (code, printed.contains("第 20 条之前中断"), printed.contains("covers 80 entries")),
            (4, true, true),
            "{printed}"
        );
    });
}

#[test]
fn acc068_rel_a4_a_log_rewritten_in_itself_is_found_by_the_checkpoint_kept_outside_only() {
    on_every_backend(|test| {
        let log = Log::write(test);
        let mut entries = log.database.audit_entries(0, 1000).expect("entries");
        entries[50].actor = "somebody-else".to_owned();
        let mut tree = Frontier::new();
        entries.iter().for_each(|entry| tree.push(entry.header().leaf()));
        test.disarm_audit();
        let (leaf, frontier) = (test.bytes(&entries[50].header().leaf()), test.bytes(&tree.to_bytes()));
        test.execute(&format!(
            "UPDATE audit_entry SET actor = 'somebody-else', leaf = {leaf} WHERE seq = 50; \
             DELETE FROM audit_checkpoint WHERE size > 40; UPDATE audit_head SET frontier = {frontier}"
        ))
        .expect("rewritten");
        assert_eq!(log.verify(false).0, 0, "nothing inside the database remembers");
        let (code, printed) = log.verify(true);
        let names = printed.contains("第 40 至 79 条") && printed.contains("an entry from 40 to 79 was rewritten");
        assert_eq!((code, names), (4, true), "{printed}");
    });
}

#[test]
fn a_checkpoint_of_another_key_or_with_a_changed_byte_vouches_for_nothing() {
    on_every_backend(|test| {
        let log = Log::write(test);
        let note = std::fs::read_to_string(&log.outside).expect("a note");
        let other = Checkpoint { size: 80, root: [0; 32] }.signed(&Signer::from_seed(&[8; 32]));
        for wrong in [other, note.replacen("80", "81", 1), note.trim_end().to_owned(), format!("{note}\n")] {
            std::fs::write(&log.outside, wrong).expect("a file");
            let (code, printed) = log.verify(true);
            assert_eq!((code, printed.contains("签名无效")), (3, true), "{printed}");
        }
    });
}
