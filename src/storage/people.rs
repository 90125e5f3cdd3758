//! Persons and the roles granted to them.

use diesel::{dsl::exists, prelude::*};
use serde_json::json;

use super::{
    Author, Database, StorageError,
    audit::{Act, Appends},
    schema::{person, role_grant, session},
};

/// A person who can sign in.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = person)]
pub struct Person {
    /// UUID.
    pub id: String,
    /// What they type to sign in.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// The number on the card they show.
    pub work_id: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// `active` or `disabled`.
    pub status: String,
    /// Who made the account.
    pub created_by: String,
    /// When.
    pub created_at_ms: i64,
}

/// Without the hash: nothing of it belongs in a log.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

/// A role given to a person.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = role_grant)]
pub struct RoleGrant {
    /// UUID.
    pub id: String,
    /// To whom.
    pub person_id: String,
    /// The role's name.
    pub role: String,
    /// First digits of the region codes it is for; empty means everywhere.
    pub scope: String,
    /// From when.
    pub from_ms: i64,
    /// Until when, if it ends by itself.
    pub to_ms: Option<i64>,
    /// `proposed`, `active` or `ended`.
    pub state: String,
    /// The administrator who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at_ms: i64,
    /// The other administrator, who confirmed it.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed_at_ms: Option<i64>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at_ms: Option<i64>,
}

impl Database {
    /// Adds a person with grants already in force, which only the command line may do, or without any.
    ///
    /// # Errors
    /// `LoginTaken`, or whatever the database refused.
    pub fn add_person(&self, new: &Person, grants: &[RoleGrant], by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            let taken = person::table.filter(person::login.eq(&new.login));
            if diesel::select(exists(taken)).get_result::<bool>(c)? {
                return Err(StorageError::LoginTaken);
            }
            diesel::insert_into(person::table).values(new).execute(c)?;
            let now_ms = new.created_at_ms;
            let mut acts = vec![Act::done(by, now_ms, "person.create", format!("person/{}", new.id), json!({}))];
            for grant in grants {
                diesel::insert_into(role_grant::table).values(grant).execute(c)?;
                acts.push(Act::done(by, now_ms, "grant.bootstrap", format!("grant/{}", grant.id), of_grant(grant)));
            }
            c.append(&acts)?;
            Ok(())
        })
    }

    /// The person with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn person(&self, id: &str) -> Result<Option<Person>, StorageError> {
        Ok(reading!(self, c => person::table.find(id).select(Person::as_select()).first(c).optional())?)
    }

    /// The person who signs in as this.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn person_with_login(&self, login: &str) -> Result<Option<Person>, StorageError> {
        Ok(reading!(self, c => person::table
            .filter(person::login.eq(login))
            .select(Person::as_select())
            .first(c)
            .optional())?)
    }

    /// Up to `rows_max` persons after the id, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn persons(&self, after: &str, rows_max: i64) -> Result<Vec<Person>, StorageError> {
        Ok(reading!(self, c => person::table
            .filter(person::id.gt(after))
            .order(person::id)
            .limit(rows_max)
            .select(Person::as_select())
            .load(c))?)
    }

    /// Lets a person in or keeps them out, and ends their sessions; whether that changed anything.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn set_person_active(&self, id: &str, active: bool, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        let (status, action) = if active { ("active", "person.enable") } else { ("disabled", "person.disable") };
        writing!(self, c => {
            let other = person::table.filter(person::id.eq(id).and(person::status.ne(status)));
            if diesel::update(other).set(person::status.eq(status)).execute(c)? == 0 {
                return Ok(false);
            }
            let ended = diesel::delete(session::table.filter(session::person_id.eq(id))).execute(c)?;
            c.append(&[Act::done(by, now_ms, action, format!("person/{id}"), json!({ "sessions_ended": ended }))])?;
            Ok(true)
        })
    }

    /// Sets a password's hash and ends every session of the person; whether there is such a person.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn set_password(&self, id: &str, hash: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            if diesel::update(person::table.find(id)).set(person::password_hash.eq(hash)).execute(c)? == 0 {
                return Ok(false);
            }
            let ended = diesel::delete(session::table.filter(session::person_id.eq(id))).execute(c)?;
            let detail = json!({ "sessions_ended": ended });
            c.append(&[Act::done(by, now_ms, "person.set-password", format!("person/{id}"), detail)])?;
            Ok(true)
        })
    }

    /// Proposes a role for a person: it counts once another administrator confirms it.
    ///
    /// # Errors
    /// `GrantExists` when the role is granted or proposed already, or whatever the database refused.
    pub fn propose_grant(&self, new: &RoleGrant, by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            let same = role_grant::person_id.eq(&new.person_id).and(role_grant::role.eq(&new.role));
            let standing = role_grant::table.filter(same.and(role_grant::state.ne("ended")));
            if diesel::select(exists(standing)).get_result::<bool>(c)? {
                return Err(StorageError::GrantExists);
            }
            diesel::insert_into(role_grant::table).values(new).execute(c)?;
            let object = format!("grant/{}", new.id);
            c.append(&[Act::done(by, new.proposed_at_ms, "grant.propose", object, of_grant(new))])?;
            Ok(())
        })
    }

    /// Puts a proposed grant into force, unless the confirmer proposed or would receive it; ends the person's sessions.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn confirm_grant(&self, id: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            let other = role_grant::proposed_by.ne(&by.id).and(role_grant::person_id.ne(&by.id));
            let waiting = role_grant::id.eq(id).and(role_grant::state.eq("proposed"));
            let confirmed: Option<RoleGrant> = diesel::update(role_grant::table.filter(waiting.and(other)))
                .set((
                    role_grant::state.eq("active"),
                    role_grant::confirmed_by.eq(&by.id),
                    role_grant::confirmed_at_ms.eq(now_ms),
                ))
                .returning(RoleGrant::as_returning())
                .get_result(c)
                .optional()?;
            let Some(grant) = confirmed else { return Ok(false) };
            diesel::delete(session::table.filter(session::person_id.eq(&grant.person_id))).execute(c)?;
            c.append(&[Act::done(by, now_ms, "grant.confirm", format!("grant/{id}"), of_grant(&grant))])?;
            Ok(true)
        })
    }

    /// Takes a grant or a proposal back and ends the person's sessions; whether there was one to take.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn end_grant(&self, id: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            let standing = role_grant::table.filter(role_grant::id.eq(id).and(role_grant::state.ne("ended")));
            let ended: Option<RoleGrant> = diesel::update(standing)
                .set((
                    role_grant::state.eq("ended"),
                    role_grant::ended_by.eq(&by.id),
                    role_grant::ended_at_ms.eq(now_ms),
                ))
                .returning(RoleGrant::as_returning())
                .get_result(c)
                .optional()?;
            let Some(grant) = ended else { return Ok(false) };
            diesel::delete(session::table.filter(session::person_id.eq(&grant.person_id))).execute(c)?;
            c.append(&[Act::done(by, now_ms, "grant.end", format!("grant/{id}"), of_grant(&grant))])?;
            Ok(true)
        })
    }

    /// The grant with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn grant(&self, id: &str) -> Result<Option<RoleGrant>, StorageError> {
        Ok(reading!(self, c => role_grant::table.find(id).select(RoleGrant::as_select()).first(c).optional())?)
    }

    /// Every grant a person has or had, in the order of their making.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn grants_of(&self, person_id: &str) -> Result<Vec<RoleGrant>, StorageError> {
        Ok(reading!(self, c => role_grant::table
            .filter(role_grant::person_id.eq(person_id))
            .order((role_grant::proposed_at_ms, role_grant::id))
            .select(RoleGrant::as_select())
            .load(c))?)
    }
}

/// What the log's detail says of a grant.
fn of_grant(grant: &RoleGrant) -> serde_json::Value {
    json!({ "person": grant.person_id, "role": grant.role, "scope": grant.scope, "to_ms": grant.to_ms })
}
