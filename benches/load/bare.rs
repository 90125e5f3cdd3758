//! What the database alone does with the same rows: one connection, prepared statements or one statement for all rows of a
//! kind, the same settings, and as many submissions a commit as the server had on average.

use std::{path::Path, time::Instant};

use diesel::{PgConnection, SqliteConnection, connection::SimpleConnection, dsl::max, prelude::*};

use crate::{site::Site, support::TestDatabase};

/// Submissions replayed at a time.
const COUNT: i64 = 6000;

diesel::table! {
    submission_raw (server_seq) {
        server_seq -> BigInt,
        id -> Text,
        rev -> Integer,
        sha256 -> Text,
        body -> Binary,
        content_type -> Text,
        received_at_ms -> BigInt,
        received_from -> Text,
        conflict -> Bool,
        revoked -> Bool,
    }
}

diesel::table! {
    receipt (server_seq) {
        server_seq -> BigInt,
        short_code -> Text,
        body -> Text,
    }
}

diesel::table! {
    interview (id) {
        id -> Text,
        state -> Text,
        has_conflict -> Bool,
        current_rev -> Integer,
        current_seq -> BigInt,
        survey_id -> Nullable<Text>,
        case_id -> Nullable<Text>,
        questionnaire_hash -> Nullable<Text>,
        answers -> Nullable<Text>,
        changed_at_ms -> BigInt,
        district -> Nullable<Text>,
        surveyor -> Nullable<Text>,
    }
}

diesel::table! {
    canonical_interview (survey_id, case_id) {
        survey_id -> Text,
        case_id -> Text,
        interview_id -> Text,
    }
}

diesel::table! {
    audit_entry (seq) {
        seq -> BigInt,
        at_ms -> BigInt,
        actor -> Text,
        role -> Text,
        action -> Text,
        object -> Text,
        outcome -> Text,
        commitment -> Text,
        salt -> Nullable<Binary>,
        detail -> Nullable<Text>,
        leaf -> Binary,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        size -> BigInt,
        frontier -> Binary,
    }
}

diesel::table! {
    survey (id) {
        id -> Text,
    }
}

diesel::joinable!(receipt -> submission_raw (server_seq));
diesel::allow_tables_to_appear_in_same_query!(submission_raw, receipt, interview, canonical_interview);

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = submission_raw)]
struct Raw {
    server_seq: i64,
    id: String,
    rev: i32,
    sha256: String,
    body: Vec<u8>,
    content_type: String,
    received_at_ms: i64,
    received_from: String,
    conflict: bool,
    revoked: bool,
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = receipt)]
struct Receipt {
    server_seq: i64,
    short_code: String,
    body: String,
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = interview)]
struct Head {
    id: String,
    state: String,
    has_conflict: bool,
    current_rev: i32,
    current_seq: i64,
    survey_id: Option<String>,
    case_id: Option<String>,
    questionnaire_hash: Option<String>,
    answers: Option<String>,
    changed_at_ms: i64,
    district: Option<String>,
    surveyor: Option<String>,
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = canonical_interview)]
struct Canonical {
    survey_id: String,
    case_id: String,
    interview_id: String,
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = audit_entry)]
struct Entry {
    seq: i64,
    at_ms: i64,
    actor: String,
    role: String,
    action: String,
    object: String,
    outcome: String,
    commitment: String,
    salt: Option<Vec<u8>>,
    detail: Option<String>,
    leaf: Vec<u8>,
}

/// The rows of one commit.
#[derive(Default)]
struct Rows {
    raws: Vec<Raw>,
    receipts: Vec<Receipt>,
    heads: Vec<Head>,
    canonicals: Vec<Canonical>,
    entries: Vec<Entry>,
}

#[expect(clippy::disallowed_methods, reason = "measuring is what a load generator is for")]
fn now() -> Instant {
    Instant::now()
}

/// The server's database and an empty one that gets its rows.
pub enum Bare {
    Sqlite(SqliteConnection, SqliteConnection),
    Postgres(PgConnection, PgConnection),
}

impl Bare {
    pub fn new(program: &Path, (from, to): (&TestDatabase, &TestDatabase), items: usize) -> Self {
        // The same survey must be there, for the rows refer to it; no server runs there any more afterwards.
        Site::start(program, to, items).stop();
        let (Some(from), Some(to)) = (from.file(), to.file()) else {
            let open = |test: &TestDatabase| PgConnection::establish(&test.url).expect("a connection");
            return Self::Postgres(open(from), open(to));
        };
        let open = |file: &Path| SqliteConnection::establish(&file.display().to_string()).expect("a file");
        let (from, mut to) = (open(&from), open(&to));
        to.batch_execute(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
        )
        .expect("settings");
        Self::Sqlite(from, to)
    }

    /// Submissions a second that the bare database keeps of those that the server kept and that were not replayed yet.
    pub fn rate(&mut self, batch: usize) -> f64 {
        match self {
            Self::Sqlite(from, to) => sqlite(from, to, batch),
            Self::Postgres(from, to) => postgres(from, to, batch),
        }
    }
}

macro_rules! replay {
    ($name:ident, $connection:ty, $all:ident, $begin:ident) => {
        fn $name(from: &mut $connection, to: &mut $connection, batch: usize) -> f64 {
            let batches = read(from, to, batch);
            let count: usize = batches.iter().map(|rows| rows.raws.len()).sum();
            let mut size: i64 = audit_head::table.select(audit_head::size).first(to).expect("the log");
            let begin = now();
            for rows in batches {
                size += rows.entries.len() as i64;
                to.$begin(|c| -> QueryResult<()> {
                    $all!(c, submission_raw, &rows.raws);
                    $all!(c, interview, &rows.heads);
                    $all!(c, canonical_interview, &rows.canonicals);
                    $all!(c, audit_entry, &rows.entries);
                    $all!(c, receipt, &rows.receipts);
                    let frontier = vec![7_u8; 32 * size.count_ones() as usize];
                    let head = (audit_head::size.eq(size), audit_head::frontier.eq(frontier));
                    diesel::update(audit_head::table.find(1)).set(head).execute(c)?;
                    Ok(())
                })
                .expect("a commit");
            }
            return count as f64 / begin.elapsed().as_secs_f64();

            /// The server's rows with the survey and the places in the log of the database they go to.
            fn read(from: &mut $connection, to: &mut $connection, batch: usize) -> Vec<Rows> {
                let survey: String = survey::table.select(survey::id).first(to).expect("a survey");
                let size: i64 = audit_head::table.select(audit_head::size).first(to).expect("the log");
                let done: Option<i64> =
                    submission_raw::table.select(max(submission_raw::server_seq)).first(to).expect("rows");
                let rest = submission_raw::table.filter(submission_raw::server_seq.gt(done.unwrap_or(0)));
                let raws: Vec<Raw> = rest.order(submission_raw::server_seq).limit(COUNT).load(from).expect("rows");
                let entry = |c: &mut $connection, object: String| -> Entry {
                    audit_entry::table.filter(audit_entry::object.eq(object)).first(c).expect("an entry")
                };
                let mut seq = size..;
                let mut batches: Vec<Rows> = Vec::new();
                for (n, raw) in raws.into_iter().enumerate() {
                    if n % batch == 0 {
                        batches.push(Rows::default());
                    }
                    let rows = batches.last_mut().expect("one");
                    rows.receipts.push(receipt::table.find(raw.server_seq).first(from).expect("a receipt"));
                    let head: Head = interview::table.find(&raw.id).first(from).expect("a head");
                    let case_id = head.case_id.clone().expect("a case");
                    rows.canonicals.push(Canonical {
                        survey_id: survey.clone(),
                        case_id,
                        interview_id: raw.id.clone(),
                    });
                    rows.heads.push(Head { survey_id: Some(survey.clone()), ..head });
                    for object in [format!("submission/{}/1", raw.id), format!("response/{}", raw.id)] {
                        let entry = entry(from, object);
                        rows.entries.push(Entry { seq: seq.next().expect("a number"), ..entry });
                    }
                    rows.raws.push(raw);
                }
                batches
            }
        }
    };
}

macro_rules! one_by_one {
    ($c:ident, $table:ident, $rows:expr) => {
        for row in $rows {
            diesel::insert_into($table::table).values(row).execute($c)?;
        }
    };
}

macro_rules! at_once {
    ($c:ident, $table:ident, $rows:expr) => {
        diesel::insert_into($table::table).values($rows).execute($c)?;
    };
}

replay!(sqlite, SqliteConnection, one_by_one, immediate_transaction);
replay!(postgres, PgConnection, at_once, transaction);
