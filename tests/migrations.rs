//! The schema goes up, down and up again on every database, and both folders tell the same history.

mod support;

use std::{collections::BTreeSet, fs, path::Path, thread};

use scilit::storage::StorageError;
use support::on_every_backend;

fn names(backend: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
    let entries = fs::read_dir(folder).expect("a folder of migrations");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn both_folders_hold_the_same_names_and_each_can_be_taken_back() {
    assert_eq!(names("sqlite"), names("postgres"));
    for backend in ["sqlite", "postgres"] {
        for name in names(backend) {
            for file in ["up.sql", "down.sql"] {
                let path =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend).join(&name).join(file);
                assert!(path.is_file(), "{}", path.display());
            }
        }
    }
}

#[test]
fn the_schema_goes_up_down_and_up_again() {
    on_every_backend(|test| {
        let database = test.open();
        let all = database.pending_migrations().expect("pending").len();
        assert_eq!(all, names("sqlite").len());
        assert_eq!(database.migrate().expect("up").len(), all);
        assert_eq!(database.pending_migrations().expect("none"), Vec::<String>::new());
        assert_eq!(database.migrate().expect("nothing left"), Vec::<String>::new());
        assert!(database.questionnaires().expect("an empty table").is_empty());
        assert_eq!(database.revert_all_migrations().expect("down").len(), all);
        assert!(matches!(database.questionnaires(), Err(StorageError::Query(_))), "the tables are gone");
        assert_eq!(database.migrate().expect("up again").len(), all);
        assert!(database.questionnaires().expect("an empty table").is_empty());
    });
}

#[test]
fn four_servers_may_start_at_once() {
    on_every_backend(|test| {
        let databases: Vec<_> = (0..4).map(|_| test.open()).collect();
        let threads = databases.into_iter().map(|database| thread::spawn(move || database.migrate()));
        let applied: usize = threads
            .collect::<Vec<_>>()
            .into_iter()
            .map(|thread| thread.join().expect("no panic").expect("a schema").len())
            .sum();
        assert_eq!(applied, names("sqlite").len(), "each migration once");
    });
}

#[test]
fn every_table_of_sqlite_is_strict() {
    for name in names("sqlite") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite").join(name).join("up.sql");
        let sql = fs::read_to_string(path).expect("a migration");
        assert_eq!(sql.matches("CREATE TABLE").count(), sql.matches(") STRICT;").count());
    }
}
