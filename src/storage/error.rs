//! What a database can refuse.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why storage could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No connection came in time, or the server went away; a later try may succeed.
    #[error("reach the database: {0}")]
    Unavailable(String),
    /// The disk or the configured page limit is full.
    #[error("store: the database has no space left")]
    Full,
    /// The disk under the database failed to read or write: what it holds is no longer certain.
    #[error("store: the disk failed: {0}")]
    Disk(String),
    /// A setting the promises of durability rest on is not in force.
    #[error("open the database: {setting} is {found}, but {wanted} is needed")]
    UnsafeSetting {
        /// The setting's name.
        setting: &'static str,
        /// What the database reported.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A migration failed.
    #[error("migrate the database: {0}")]
    Migration(String),
    /// Another version of a questionnaire stands under this id and version.
    #[error("publish questionnaire {id} {version}: it is already published with the hash {published}")]
    VersionTaken {
        /// The questionnaire's id.
        id: String,
        /// Its version.
        version: String,
        /// The hash it was published with.
        published: String,
    },
    /// A survey with this code exists.
    #[error("create survey {0}: the code is taken")]
    CodeTaken(String),
    /// Somebody signs in with this login already.
    #[error("add a person: the login is taken")]
    LoginTaken,
    /// The role is granted or proposed already.
    #[error("propose a grant: the person has the role, or it waits for its confirmation")]
    GrantExists,
    /// As many runs as the queue may hold are waiting.
    #[error("queue a run: {0} are waiting already")]
    QueueFull(i64),
    /// The operating system gave no random bytes.
    #[error("draw random bytes: {0}")]
    Random(String),
    /// The audit log's own tables contradict each other: nothing more may be written before a person has looked.
    #[error("append to the audit log: {0}")]
    BrokenLog(String),
    /// The vault's keys are others than those that something was sealed under meanwhile: sealed again, it can be kept.
    #[error("keep what was sealed: the vault's keys changed meanwhile")]
    KeysChanged,
    /// Keys or ciphertexts of the vault do not fit together; what they hold is never told.
    #[error("open the vault: {0}")]
    Vault(String),
    /// The contact data of this case were erased and must not come back.
    #[error("import the contact data of case {0}: they were erased")]
    Erased(String),
    /// What takes two persons was asked twice by one.
    #[error("confirm: the person who asked cannot confirm")]
    SamePerson,
    /// Nothing of the survey may be deleted.
    #[error("delete: a legal hold stands over the survey")]
    Held,
    /// A column's type cannot travel from one backend to the other.
    #[error("copy the database: {0}, which cannot travel")]
    Portable(String),
    /// A copy cannot be read or written, or its parts do not fit together.
    #[error("copy the database: {0}")]
    Copy(String),
    /// A copy was made by a newer program.
    #[error(
        "restore: the backup has the migration {0}, which this program does not know; use the program that made it"
    )]
    NewerSchema(String),
    /// The database refused what somebody else asked in the same transaction, or a statement whose error is gone.
    #[error("{0}")]
    Refused(String),
    /// The database refused a statement.
    #[error("query the database: {0}")]
    Query(#[source] DieselError),
}

impl From<DieselError> for StorageError {
    fn from(error: DieselError) -> Self {
        // SQLite ends a transaction by itself when its disk fails, so that the rollback after it fails, too: what went
        // wrong first is what happened.
        let error = match error {
            DieselError::RollbackErrorOnCommit { commit_error, .. } => *commit_error,
            error => error,
        };
        match &error {
            // The second kind is what a statement on a connection hears whose server went away since the last one.
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            DieselError::DatabaseError(_, information) => match information.message() {
                message if message.contains("disk is full") || message.contains("No space left") => Self::Full,
                message if is_of_the_disk(message) => Self::Disk(message.to_owned()),
                message if message.contains("locked") || message.contains("timeout") => {
                    Self::Unavailable(message.to_owned())
                }
                message if message.contains("server closed") || message.contains("terminating connection") => {
                    Self::Unavailable(message.to_owned())
                }
                _ => Self::Query(error),
            },
            _ => Self::Query(error),
        }
    }
}

/// Whether a database's message says that its disk failed. Pools, new connections and migrations wrap the database's own
/// error in one of theirs and leave nothing of it but the words.
fn is_of_the_disk(message: &str) -> bool {
    message.contains("disk I/O error") || message.contains("could not fsync")
}

impl StorageError {
    /// A connection that could not be had.
    fn without_connection(message: String) -> Self {
        if is_of_the_disk(&message) { Self::Disk(message) } else { Self::Unavailable(message) }
    }

    /// A migration that failed.
    pub(super) fn in_migration(message: String) -> Self {
        if is_of_the_disk(&message) { Self::Disk(message) } else { Self::Migration(message) }
    }
}

impl From<diesel::r2d2::PoolError> for StorageError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::without_connection(error.to_string())
    }
}

impl From<diesel::ConnectionError> for StorageError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::without_connection(error.to_string())
    }
}
