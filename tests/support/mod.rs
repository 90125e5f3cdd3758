//! What the tests of storage and server share: one story told on every database, and a server to tell it to.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod app;
pub mod http;
pub mod people;
pub mod postgres;
pub mod sealing;
pub mod storm;

use std::{
    collections::BTreeMap,
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

    /// A database on this very server, which the test may stop, freeze or kill.
    pub fn on(server: &postgres::Server) -> Self {
        Self { url: server.create_database("test"), folder: tempfile::tempdir().expect("a folder") }
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

    /// Runs SQL as an intruder with the server's own rights would.
    pub fn execute(&self, sql: &str) -> diesel::QueryResult<()> {
        use diesel::{Connection, connection::SimpleConnection};
        match self.file() {
            Some(file) => {
                let mut connection = diesel::SqliteConnection::establish(&file.display().to_string()).expect("a file");
                connection.batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}"))
            }
            None => diesel::PgConnection::establish(&self.url).expect("a connection").batch_execute(sql),
        }
    }

    /// Takes the guards off the audit log, as somebody who owns the database can.
    pub fn disarm_audit(&self) {
        let triggers = [
            "audit_entry_is_immutable",
            "audit_detail_is_only_erased",
            "audit_entry_is_kept",
            "audit_head_only_grows",
            "audit_head_is_kept",
            "audit_checkpoint_is_immutable",
            "audit_checkpoint_is_kept",
        ];
        let sql: String = match self.file() {
            Some(_) => triggers.iter().map(|name| format!("DROP TRIGGER {name};")).collect(),
            None => ["audit_entry", "audit_head", "audit_checkpoint"]
                .iter()
                .map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER USER;"))
                .collect(),
        };
        self.execute(&sql).expect("disarmed");
    }

    /// Has every insert into the audit log fail that logs this action.
    pub fn break_audit(&self, action: &str) {
        let sql = match self.file() {
            Some(_) => format!(
                "CREATE TRIGGER broken BEFORE INSERT ON audit_entry WHEN NEW.action = '{action}' \
                 BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ),
            None => format!(
                "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$ LANGUAGE plpgsql; \
                 CREATE TRIGGER broken BEFORE INSERT ON audit_entry FOR EACH ROW WHEN (NEW.action = '{action}') \
                 EXECUTE FUNCTION broken()"
            ),
        };
        self.execute(&sql).expect("broken");
    }

    /// Undoes [`TestDatabase::break_audit`].
    pub fn mend_audit(&self) {
        let sql = match self.file() {
            Some(_) => "DROP TRIGGER broken",
            None => "DROP TRIGGER broken ON audit_entry; DROP FUNCTION broken",
        };
        self.execute(sql).expect("mended");
    }

    /// Bytes as a literal of this database's SQL.
    pub fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.file().is_some() { format!("x'{hex}'") } else { format!("'\\x{hex}'::bytea") }
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

/// How many rows each table has.
pub fn row_counts(test: &TestDatabase) -> BTreeMap<String, i64> {
    use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query, sql_types};

    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = sql_types::Text)]
        name: String,
    }
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = sql_types::BigInt)]
        rows: i64,
    }
    macro_rules! counted {
        ($connection:expr, $names:literal) => {{
            let mut c = $connection.expect("a connection");
            let names: Vec<Name> = sql_query($names).load(&mut c).expect("tables");
            let count = |Name { name }| {
                let count: Count =
                    sql_query(format!("SELECT count(*) AS rows FROM \"{name}\"")).get_result(&mut c).expect("a count");
                (name, count.rows)
            };
            names.into_iter().map(count).collect()
        }};
    }
    match test.file() {
        Some(file) => counted!(
            diesel::SqliteConnection::establish(&file.display().to_string()),
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ),
        None => counted!(
            diesel::PgConnection::establish(&test.url),
            "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'"
        ),
    }
}

/// Runs SQL as an intruder with the server's own rights would.
pub fn execute(test: &TestDatabase, sql: &str) {
    use diesel::{Connection, connection::SimpleConnection};
    let done = match test.file() {
        Some(file) => diesel::SqliteConnection::establish(&file.display().to_string())
            .expect("a file")
            .batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}")),
        None => diesel::PgConnection::establish(&test.url).expect("a connection").batch_execute(sql),
    };
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
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
