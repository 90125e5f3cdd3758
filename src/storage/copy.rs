//! The whole database as rows that either backend can write and the other can read: what backups are made of.
//!
//! Tables and columns are asked of the database itself, so that a table nobody thought of is not forgotten. A cell
//! travels as bytes: an integer by its digits, text as UTF-8, bytes as they are, and nothing as nothing.

use diesel::{
    PgConnection, SqliteConnection,
    backend::Backend,
    connection::{DefaultLoadingMode, SimpleConnection},
    deserialize::{self, FromSql, QueryableByName},
    migration::Migration,
    pg::PgRowByRowLoadingMode,
    prelude::*,
    row::NamedRow,
    sql_query,
    sql_types::{BigInt, Binary, Nullable, Text},
};
use diesel_migrations::MigrationHarness;
use serde::{Deserialize, Serialize};

use super::{
    Database, StorageError,
    connection::Connection as Held,
    migrations::{POSTGRES, SQLITE},
};

/// Cells a statement binds at most; SQLite takes 32,766 parameters.
const CELLS_PER_INSERT_MAX: usize = 8000;

/// What a cell holds, on either backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// A whole number or a truth value.
    Integer,
    /// UTF-8.
    Text,
    /// Anything.
    Bytes,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: CellKind,
}

/// A table, its columns in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<ColumnShape>,
    /// The columns of its primary key, in the key's order; rows come in the order of these.
    pub key: Vec<String>,
}

/// A row's cells in the order of the columns.
pub type Cells = Vec<Option<Vec<u8>>>;

/// What is done with each row.
pub type EachRow<'a> = dyn FnMut(Cells) -> std::io::Result<()> + 'a;

/// The tables of one database within one transaction.
pub trait Tables {
    /// The migrations applied, in order.
    ///
    /// # Errors
    /// Whatever the database refused.
    fn schema(&mut self) -> Result<Vec<String>, StorageError>;

    /// Every table, in the order of their names.
    ///
    /// # Errors
    /// `Portable` for a column whose type cannot travel.
    fn tables(&mut self) -> Result<Vec<TableShape>, StorageError>;

    /// Hands over every row in the order of the key, one at a time.
    ///
    /// # Errors
    /// What the database or `each` refused.
    fn rows(&mut self, table: &TableShape, each: &mut EachRow<'_>) -> Result<(), StorageError>;

    /// Adds rows.
    ///
    /// # Errors
    /// What the database refused.
    fn insert(&mut self, table: &TableShape, rows: &[Cells]) -> Result<(), StorageError>;
}

/// Asked of the table itself: diesel's own question would make the table where it is missing, and a snapshot only reads.
const SCHEMA: &str = "SELECT version AS line FROM __diesel_schema_migrations ORDER BY version";

struct Row(Cells);

impl<DB: Backend> QueryableByName<DB> for Row
where
    Option<Vec<u8>>: FromSql<Nullable<Binary>, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let cell = |at| NamedRow::get::<Nullable<Binary>, Option<Vec<u8>>>(row, &format!("c{at}"));
        (0..diesel::row::Row::field_count(row)).map(cell).collect::<deserialize::Result<_>>().map(Self)
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    in_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    key_place: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

const SQLITE_COLUMNS: &str = "SELECT m.name AS in_table, p.name AS name, lower(p.type) AS kind, p.pk AS key_place \
     FROM sqlite_master m, pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND m.name <> '__diesel_schema_migrations'";

const POSTGRES_COLUMNS: &str = "SELECT c.relname::text AS in_table, a.attname::text AS name, \
     format_type(a.atttypid, NULL) AS kind, COALESCE((SELECT array_position(i.indkey::int2[], a.attnum) + 1 \
     FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), 0)::bigint AS key_place \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 \
     AND NOT a.attisdropped AND a.attgenerated = '' AND c.relname <> '__diesel_schema_migrations'";

fn shapes(mut rows: Vec<ColumnRow>) -> Result<Vec<TableShape>, StorageError> {
    rows.sort_by(|a, b| (&a.in_table, &a.name).cmp(&(&b.in_table, &b.name)));
    let mut tables = Vec::new();
    for rows in rows.chunk_by(|a, b| a.in_table == b.in_table) {
        let Some(first) = rows.first() else { continue };
        let mut key: Vec<&ColumnRow> = rows.iter().filter(|row| row.key_place > 0).collect();
        key.sort_by_key(|row| row.key_place);
        let key: Vec<String> = key.into_iter().map(|row| row.name.clone()).collect();
        let columns = rows.iter().map(column).collect::<Result<_, StorageError>>()?;
        tables.push(TableShape { name: first.in_table.clone(), columns, key });
    }
    Ok(tables)
}

fn column(row: &ColumnRow) -> Result<ColumnShape, StorageError> {
    let kind = match row.kind.as_str() {
        "integer" | "int" | "bigint" | "smallint" | "boolean" => CellKind::Integer,
        "text" | "character varying" => CellKind::Text,
        "blob" | "bytea" => CellKind::Bytes,
        other => return Err(StorageError::Portable(format!("{}.{} is {other}", row.in_table, row.name))),
    };
    Ok(ColumnShape { name: row.name.clone(), kind })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `SELECT` of every cell as bytes in the order of the key, or of all columns where there is no key.
fn select(table: &TableShape, cell: fn(&ColumnShape) -> String, collation: &str) -> String {
    let cells = table.columns.iter().enumerate().map(|(at, column)| format!("{} AS c{at}", cell(column)));
    let key = |column: &&ColumnShape| table.key.is_empty() || table.key.contains(&column.name);
    let mut order: Vec<&ColumnShape> = table.columns.iter().filter(key).collect();
    order.sort_by_key(|column| table.key.iter().position(|name| *name == column.name));
    let order = order.into_iter().map(|column| match column.kind {
        CellKind::Text => format!("{} {collation}", quoted(&column.name)),
        _ => quoted(&column.name),
    });
    let (cells, order) = (cells.collect::<Vec<_>>().join(", "), order.collect::<Vec<_>>().join(", "));
    format!("SELECT {cells} FROM {} ORDER BY {order}", quoted(&table.name))
}

fn insert(table: &TableShape, rows: usize, mark: impl Fn(usize, &ColumnShape) -> String, overriding: &str) -> String {
    let names: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let width = table.columns.len();
    let row = |row: usize| {
        let marks = table.columns.iter().enumerate().map(|(at, column)| mark(row * width + at + 1, column));
        format!("({})", marks.collect::<Vec<_>>().join(", "))
    };
    let values: Vec<_> = (0..rows).map(row).collect();
    format!("INSERT INTO {} ({}) {overriding} VALUES {}", quoted(&table.name), names.join(", "), values.join(", "))
}

macro_rules! insert_rows {
    ($connection:expr, $backend:ty, $table:expr, $rows:expr, $mark:expr, $overriding:expr) => {{
        let per_statement = (CELLS_PER_INSERT_MAX / $table.columns.len().max(1)).max(1);
        for rows in $rows.chunks(per_statement) {
            let mut statement = sql_query(insert($table, rows.len(), $mark, $overriding)).into_boxed::<$backend>();
            for cell in rows.iter().flatten() {
                statement = statement.bind::<Nullable<Binary>, _>(cell.as_deref());
            }
            statement.execute($connection)?;
        }
        Ok(())
    }};
}

fn io(error: std::io::Error) -> StorageError {
    StorageError::Copy(error.to_string())
}

impl Tables for SqliteConnection {
    fn schema(&mut self) -> Result<Vec<String>, StorageError> {
        lines(self, SCHEMA)
    }

    fn tables(&mut self) -> Result<Vec<TableShape>, StorageError> {
        shapes(sql_query(SQLITE_COLUMNS).load(self)?)
    }

    fn rows(&mut self, table: &TableShape, each: &mut EachRow<'_>) -> Result<(), StorageError> {
        let cell = |column: &ColumnShape| format!("CAST({} AS BLOB)", quoted(&column.name));
        for row in sql_query(select(table, cell, "COLLATE BINARY")).load_iter::<Row, DefaultLoadingMode>(self)? {
            each(row?.0).map_err(io)?;
        }
        Ok(())
    }

    fn insert(&mut self, table: &TableShape, rows: &[Cells]) -> Result<(), StorageError> {
        let mark = |_: usize, column: &ColumnShape| match column.kind {
            CellKind::Integer => "CAST(CAST(? AS TEXT) AS INTEGER)".to_owned(),
            CellKind::Text => "CAST(? AS TEXT)".to_owned(),
            CellKind::Bytes => "?".to_owned(),
        };
        insert_rows!(self, diesel::sqlite::Sqlite, table, rows, mark, "")
    }
}

/// PostgreSQL's truth values travel as 0 and 1: casting through text and integer serves numbers and truth alike.
impl Tables for PgConnection {
    fn schema(&mut self) -> Result<Vec<String>, StorageError> {
        lines(self, SCHEMA)
    }

    fn tables(&mut self) -> Result<Vec<TableShape>, StorageError> {
        shapes(sql_query(POSTGRES_COLUMNS).load(self)?)
    }

    fn rows(&mut self, table: &TableShape, each: &mut EachRow<'_>) -> Result<(), StorageError> {
        let cell = |column: &ColumnShape| match column.kind {
            // `true` and `false` become 1 and 0, and a number stays what it is.
            CellKind::Integer => format!(
                "convert_to(CASE {0}::text WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {0}::text END, 'UTF8')",
                quoted(&column.name)
            ),
            CellKind::Text => format!("convert_to({}, 'UTF8')", quoted(&column.name)),
            CellKind::Bytes => quoted(&column.name),
        };
        let query = sql_query(select(table, cell, "COLLATE \"C\""));
        for row in query.load_iter::<Row, PgRowByRowLoadingMode>(self)? {
            each(row?.0).map_err(io)?;
        }
        Ok(())
    }

    fn insert(&mut self, table: &TableShape, rows: &[Cells]) -> Result<(), StorageError> {
        let truths: Vec<Line> = sql_query(
            "SELECT a.attname::text AS line FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.atttypid = 'bool'::regtype",
        )
        .bind::<Text, _>(quoted(&table.name))
        .load(self)?;
        let mark = |at: usize, column: &ColumnShape| match column.kind {
            CellKind::Integer if truths.iter().any(|truth| truth.line == column.name) => {
                format!("convert_from(${at}, 'UTF8')::int::bool")
            }
            CellKind::Integer => format!("convert_from(${at}, 'UTF8')::bigint"),
            CellKind::Text => format!("convert_from(${at}, 'UTF8')"),
            CellKind::Bytes => format!("${at}"),
        };
        insert_rows!(self, diesel::pg::Pg, table, rows, &mark, "OVERRIDING SYSTEM VALUE")
    }
}

impl Database {
    /// Reads the whole database as it is at one moment, while others go on writing.
    ///
    /// # Errors
    /// What the database or `take` refused.
    pub fn snapshot<T, E>(&self, take: impl FnOnce(&mut dyn Tables) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StorageError> + From<diesel::result::Error>,
    {
        match self.connection()? {
            Held::Sqlite(mut c) => SqliteConnection::transaction(&mut c, |c| take(c)),
            Held::Postgres(mut c) => {
                c.batch_execute(WITHOUT_HASTE)?;
                let taken = c.build_transaction().repeatable_read().read_only().run(|c| take(c));
                c.batch_execute(super::postgres::SETTINGS)?;
                taken
            }
        }
    }

    /// Whether the database holds nothing at all, not even empty tables.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn is_bare(&self) -> Result<bool, StorageError> {
        Ok(match self.connection()? {
            Held::Sqlite(mut c) => lines(&mut *c, "SELECT name AS line FROM sqlite_master")?.is_empty(),
            Held::Postgres(mut c) => lines(
                &mut **c,
                "SELECT relname::text AS line FROM pg_class WHERE relnamespace = current_schema()::regnamespace",
            )?
            .is_empty(),
        })
    }

    /// Makes the schema of these migrations, lets `fill` add the rows, and brings the schema up to date: in one
    /// transaction, so that all of it is there afterwards or nothing. Triggers and foreign keys rest meanwhile; the
    /// foreign keys are checked at the end.
    ///
    /// # Errors
    /// `NewerSchema` for a migration this program does not know; what the database or `fill` refused.
    pub fn restore<T, E>(&self, schema: &[String], fill: impl FnOnce(&mut dyn Tables) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StorageError> + From<diesel::result::Error>,
    {
        match self.connection()? {
            Held::Sqlite(mut c) => {
                c.batch_execute("PRAGMA foreign_keys = OFF")?;
                let filled = SqliteConnection::immediate_transaction(&mut c, |c| {
                    let rested = sqlite_rest(c, schema)?;
                    let filled = fill(c)?;
                    sqlite_wake(c, &rested)?;
                    Ok::<T, E>(filled)
                });
                c.batch_execute("PRAGMA foreign_keys = ON; PRAGMA wal_checkpoint(TRUNCATE)")?;
                filled
            }
            Held::Postgres(mut c) => {
                c.batch_execute(WITHOUT_HASTE)?;
                let filled = PgConnection::transaction(&mut c, |c| {
                    let rested = postgres_rest(c, schema)?;
                    let filled = fill(c)?;
                    postgres_wake(c, &rested)?;
                    Ok::<T, E>(filled)
                });
                c.batch_execute(super::postgres::SETTINGS)?;
                filled
            }
        }
    }
}

/// A copy takes as long as it takes, and nobody else can end it.
const WITHOUT_HASTE: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

fn lines<C>(c: &mut C, query: &str) -> Result<Vec<String>, StorageError>
where
    C: diesel::connection::LoadConnection,
    diesel::query_builder::SqlQuery: for<'q> diesel::query_dsl::LoadQuery<'q, C, Line>,
{
    let rows: Vec<Line> = sql_query(query).load(c)?;
    Ok(rows.into_iter().map(|row| row.line).collect())
}

macro_rules! migrate_to {
    ($connection:expr, $source:expr, $schema:expr) => {{
        let fault = |error: Box<dyn std::error::Error + Send + Sync>| StorageError::in_migration(error.to_string());
        let known = $connection.pending_migrations($source).map_err(fault)?;
        let names: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
        if let Some(unknown) = $schema.iter().find(|version| !names.contains(version)) {
            return Err(StorageError::NewerSchema(unknown.clone()));
        }
        for (migration, name) in known.iter().zip(&names) {
            if $schema.contains(name) {
                $connection.run_migration(migration).map_err(fault)?;
            }
        }
    }};
}

fn sqlite_rest(c: &mut SqliteConnection, schema: &[String]) -> Result<Vec<String>, StorageError> {
    migrate_to!(c, SQLITE, schema);
    let triggers = lines(c, "SELECT sql AS line FROM sqlite_master WHERE type = 'trigger' ORDER BY name")?;
    for name in lines(c, "SELECT name AS line FROM sqlite_master WHERE type = 'trigger'")? {
        c.batch_execute(&format!("DROP TRIGGER {}", quoted(&name)))?;
    }
    for table in c.tables()? {
        c.batch_execute(&format!("DELETE FROM {}", quoted(&table.name)))?;
    }
    Ok(triggers)
}

fn sqlite_wake(c: &mut SqliteConnection, triggers: &[String]) -> Result<(), StorageError> {
    let dangling = lines(c, "SELECT DISTINCT \"table\" AS line FROM pragma_foreign_key_check")?;
    if let Some(table) = dangling.first() {
        return Err(StorageError::Copy(format!("rows of {table} refer to rows that are not there")));
    }
    for trigger in triggers {
        c.batch_execute(trigger)?;
    }
    c.run_pending_migrations(SQLITE).map_err(|error| StorageError::in_migration(error.to_string()))?;
    Ok(())
}

/// The statements that put the foreign keys back.
fn postgres_rest(c: &mut PgConnection, schema: &[String]) -> Result<Vec<String>, StorageError> {
    migrate_to!(c, POSTGRES, schema);
    const KEYS: &str =
        "FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conname";
    let back = lines(
        c,
        &format!(
            "SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS line {KEYS}"
        ),
    )?;
    for drop in lines(
        c,
        &format!("SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS line {KEYS}"),
    )? {
        c.batch_execute(&drop)?;
    }
    for table in c.tables()? {
        let name = quoted(&table.name);
        c.batch_execute(&format!("ALTER TABLE {name} DISABLE TRIGGER USER; DELETE FROM {name}"))?;
    }
    Ok(back)
}

fn postgres_wake(c: &mut PgConnection, back: &[String]) -> Result<(), StorageError> {
    for statement in back {
        c.batch_execute(statement)?;
    }
    for table in c.tables()? {
        let name = quoted(&table.name);
        c.batch_execute(&format!("ALTER TABLE {name} ENABLE TRIGGER USER"))?;
    }
    // The next number comes after the greatest that was given.
    const COUNTERS: &str = "SELECT format('SELECT setval(%L, max(%I)) FROM %s HAVING max(%I) IS NOT NULL', \
         pg_get_serial_sequence(c.oid::regclass::text, a.attname), a.attname, c.oid::regclass, a.attname) AS line \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attidentity <> ''";
    for statement in lines(c, COUNTERS)? {
        c.batch_execute(&statement)?;
    }
    c.run_pending_migrations(POSTGRES).map_err(|error| StorageError::in_migration(error.to_string()))?;
    Ok(())
}
