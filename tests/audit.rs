//! The audit log is one unbroken tree on every database, whoever writes at once, and it only grows.

mod support;

use std::thread;

use scilit::{
    evidence::{Frontier, commitment},
    storage::{Act, AuditEntry, Author, Database, Outcome},
};
use serde_json::json;
use support::on_every_backend;

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
