//! Where people are signed in, and how often something was tried of late.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Author, Database, Person, StorageError,
    audit::{Act, Appends},
    schema::{person, session, throttle},
};

/// A day: what nobody tried for so long is forgotten.
const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1000;

/// A session; its token is kept as a digest only.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = session)]
pub struct Session {
    /// SHA-256 of the token.
    pub token_sha256: String,
    /// UUID, which lists show and log entries name.
    pub id: String,
    /// Whose.
    pub person_id: String,
    /// When it began.
    pub created_at_ms: i64,
    /// When it was last used, to the minute.
    pub used_at_ms: i64,
}

/// What may be tried how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriesLimit {
    /// Tries allowed within the window; the last of them blocks.
    pub tries_max: i32,
    /// The window.
    pub window_ms: i64,
    /// How long a block lasts.
    pub block_ms: i64,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = throttle)]
struct Tries {
    key: String,
    tries: i32,
    since_ms: i64,
    blocked_until_ms: i64,
}

impl Tries {
    /// One more try now.
    fn one_more(earlier: Option<Self>, key: &str, limit: TriesLimit, now_ms: i64) -> Self {
        let going_on = earlier.filter(|row| now_ms - row.since_ms < limit.window_ms && row.blocked_until_ms == 0);
        let (tries, since_ms) = going_on.map_or((1, now_ms), |row| (row.tries + 1, row.since_ms));
        let blocked_until_ms = if tries >= limit.tries_max { now_ms + limit.block_ms } else { 0 };
        Self { key: key.to_owned(), tries, since_ms, blocked_until_ms }
    }
}

impl Database {
    /// Counts one try under each key, before its outcome is known, so that many at once cannot slip through; `Err` in
    /// the inner result says until when a key is blocked, and then nothing is counted.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn count_try(&self, keys: &[(&str, TriesLimit)], now_ms: i64) -> Result<Result<(), i64>, StorageError> {
        writing!(self, c => {
            let mut rows = Vec::new();
            for (key, limit) in keys {
                // An insert that changes nothing takes the row's lock on PostgreSQL, where reading alone would not.
                let empty = Tries { key: (*key).to_owned(), tries: 0, since_ms: now_ms, blocked_until_ms: 0 };
                diesel::insert_into(throttle::table)
                    .values(&empty)
                    .on_conflict(throttle::key)
                    .do_update()
                    .set(throttle::key.eq(*key))
                    .execute(c)?;
                let row: Tries = throttle::table.find(*key).select(Tries::as_select()).first(c)?;
                if row.blocked_until_ms > now_ms {
                    return Ok(Err(row.blocked_until_ms));
                }
                rows.push(Tries::one_more(Some(row), key, *limit, now_ms));
            }
            for row in &rows {
                diesel::update(throttle::table.find(&row.key)).set(row).execute(c)?;
            }
            Ok(Ok(()))
        })
    }

    /// Forgets what nobody tried for a day. For the start of the server: later it could wait for a try and the try for it.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn forget_old_tries(&self, now_ms: i64) -> Result<usize, StorageError> {
        let old = throttle::since_ms.lt(now_ms - FORGOTTEN_MS).and(throttle::blocked_until_ms.lt(now_ms));
        writing!(self, c => { Ok(diesel::delete(throttle::table.filter(old)).execute(c)?) })
    }

    /// Forgets what was tried under a key; whether there was anything.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn forget_tries(&self, key: &str, by: &Author, object: &str, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            let forgotten = diesel::delete(throttle::table.find(key)).execute(c)? == 1;
            c.append(&[Act::done(by, now_ms, "person.unlock", object.to_owned(), json!({ "was_counted": forgotten }))])?;
            Ok(forgotten)
        })
    }

    /// Begins a session after a right password: forgets the account's tries and takes back the address's one.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn begin_session(&self, new: &Session, account: &str, address: &str, by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::delete(throttle::table.find(account)).execute(c)?;
            diesel::update(throttle::table.find(address))
                .set((throttle::tries.eq(throttle::tries - 1), throttle::blocked_until_ms.eq(0)))
                .execute(c)?;
            diesel::insert_into(session::table).values(new).execute(c)?;
            let (object, detail) = (format!("person/{}", new.person_id), json!({ "session": new.id }));
            c.append(&[Act::done(by, new.created_at_ms, "session.login", object, detail)])?;
            Ok(())
        })
    }

    /// The session whose token has this digest, with its person.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn session_with_digest(&self, token_sha256: &str) -> Result<Option<(Session, Person)>, StorageError> {
        Ok(reading!(self, c => session::table
            .inner_join(person::table)
            .filter(session::token_sha256.eq(token_sha256))
            .select((Session::as_select(), Person::as_select()))
            .first(c)
            .optional())?)
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn use_session(&self, id: &str, now_ms: i64) -> Result<(), StorageError> {
        let row = session::table.filter(session::id.eq(id));
        writing!(self, c => {
            diesel::update(row).set(session::used_at_ms.eq(now_ms)).execute(c)?;
            Ok(())
        })
    }

    /// A person's sessions in the order of their beginning, without the ones that have run out.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn sessions_of(
        &self,
        person_id: &str,
        used_after_ms: i64,
        made_after_ms: i64,
    ) -> Result<Vec<Session>, StorageError> {
        Ok(reading!(self, c => session::table
            .filter(session::person_id.eq(person_id))
            .filter(session::used_at_ms.gt(used_after_ms).and(session::created_at_ms.gt(made_after_ms)))
            .order((session::created_at_ms, session::id))
            .select(Session::as_select())
            .load(c))?)
    }

    /// Ends one session of a person, or all of them; how many ended.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn end_sessions(
        &self,
        person_id: &str,
        one: Option<&str>,
        by: &Author,
        now_ms: i64,
    ) -> Result<usize, StorageError> {
        writing!(self, c => {
            let mine = session::table.filter(session::person_id.eq(person_id));
            let ended = match one {
                Some(id) => diesel::delete(mine.filter(session::id.eq(id))).execute(c)?,
                None => diesel::delete(mine).execute(c)?,
            };
            if ended > 0 {
                let detail = json!({ "session": one, "ended": ended });
                c.append(&[Act::done(by, now_ms, "session.end", format!("person/{person_id}"), detail)])?;
            }
            Ok(ended)
        })
    }
}
