//! What the tests of storage and server share: one story told on every database, and a server to tell it to.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod app;
pub mod http;
pub mod postgres;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use scilit::storage::{Database, DatabaseUrl, PoolSettings};

/// A database of its own for one test; gone afterwards.
pub struct TestDatabase {
    pub url: String,
    folder: tempfile::TempDir,
}

impl TestDatabase {
    /// A file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self { url, folder }
    }

    /// A database on the test process's own server; `None` when this machine has no PostgreSQL.
    pub fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = postgres::server()?;
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Some(Self { url: server.create_database(&name), folder: tempfile::tempdir().expect("a folder") })
    }

    /// A folder for the keys of the server on this database.
    pub fn key_dir(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Opens it without touching its schema.
    pub fn open(&self) -> Database {
        let url: DatabaseUrl = self.url.parse().expect("a database URL");
        Database::open(&url, PoolSettings::default()).expect("an open database")
    }

    /// Opens it with its schema up to date.
    pub fn migrated(&self) -> Database {
        let database = self.open();
        database.migrate().expect("migrations");
        database
    }

    /// The SQLite file.
    pub fn file(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite:").map(PathBuf::from)
    }
}

/// Tells the story on SQLite and on PostgreSQL.
pub fn on_every_backend(story: impl Fn(&TestDatabase)) {
    story(&TestDatabase::sqlite());
    match TestDatabase::postgres() {
        Some(database) => story(&database),
        None => {
            assert!(std::env::var_os("CI").is_none(), "CI must test PostgreSQL, but initdb was not found");
            eprintln!("SKIPPED on PostgreSQL: initdb was found neither in PATH nor in /usr/lib/postgresql");
        }
    }
}

/// Runs a program to its end and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether the path can be executed by somebody.
pub fn is_program(path: &Path) -> bool {
    path.is_file()
}
