//! Who asks, from whatever they show: a session's cookie, a tablet's token, or a service token.

use super::{Access, Actor, Grant, Refusal, Role, accounts, enrolment, tokens};
use crate::storage::Database;

/// What a request shows.
#[derive(Clone)]
pub enum Credential {
    /// The token in the cookie.
    Session(String),
    /// The token after `Bearer`, and the release a tablet says it runs.
    Bearer(String, Option<String>),
}

/// Somebody known.
#[derive(Debug, Clone)]
pub struct Known {
    /// The id of the person, the tablet or the service token.
    pub id: String,
    /// The person, unless a service token asks.
    pub user: Option<String>,
    /// The tablet, when one asks.
    pub device: Option<String>,
    /// Roles with the first digits of their regions; empty digits mean everywhere.
    pub roles: Vec<(Role, String)>,
    /// Whether the tablet was revoked or its person disabled.
    pub revoked: bool,
    /// The session's id, the token its changing requests must repeat, and when it ends at the latest.
    pub session: Option<(String, String, i64)>,
    /// The release the tablet runs.
    pub release: Option<String>,
}

impl Known {
    /// The actor on a route: in the role that sees furthest there; `None` without any role.
    pub fn actor(&self, access: Access) -> Option<Actor> {
        // Of equals the first one counts, as `max_by_key` takes the last.
        let (role, scope) = self.roles.iter().rev().max_by_key(|(role, _)| access.grant(*role))?;
        Some(Actor {
            id: self.id.clone(),
            role: *role,
            user: self.user.clone(),
            device: self.device.clone(),
            scope: Some(scope.clone()).filter(|digits| !digits.is_empty()),
            revoked: self.revoked,
        })
    }

    /// Whether any of the roles is let in.
    pub fn may(&self, access: Access) -> bool {
        self.roles.iter().any(|(role, _)| access.grant(*role) > Grant::No)
    }
}

/// Who shows this, if anybody.
///
/// # Errors
/// Whatever the database refused.
pub fn known(database: &Database, credential: &Credential, now_ms: i64) -> Result<Option<Known>, Refusal> {
    match credential {
        Credential::Session(token) => session(database, token, now_ms),
        Credential::Bearer(token, release) if token.starts_with(enrolment::PREFIX) => {
            device(database, token, release.as_deref(), now_ms)
        }
        Credential::Bearer(token, _) => service(database, token, now_ms),
    }
}

fn session(database: &Database, token: &str, now_ms: i64) -> Result<Option<Known>, Refusal> {
    let Some((session, person)) = accounts::session(database, token, now_ms)? else { return Ok(None) };
    let roles = accounts::roles_of(database, &person.id, now_ms)?;
    let ends_ms = (now_ms + accounts::IDLE_MS).min(session.created_at_ms + accounts::SESSION_MS);
    let session = Some((session.id, accounts::csrf(token), ends_ms));
    let (id, user) = (person.id.clone(), Some(person.id));
    Ok(Some(Known { id, user, device: None, roles, revoked: false, session, release: None }))
}

fn device(database: &Database, token: &str, release: Option<&str>, now_ms: i64) -> Result<Option<Known>, Refusal> {
    let Some(found) = enrolment::device(database, token, release, now_ms)? else { return Ok(None) };
    let enrolment::KnownDevice { device, roles, revoked } = found;
    let (id, release) = (device.id.clone(), Some(device.app_release));
    let (user, device) = (Some(device.person_id), Some(device.id));
    Ok(Some(Known { id, user, device, roles, revoked, session: None, release }))
}

fn service(database: &Database, token: &str, now_ms: i64) -> Result<Option<Known>, Refusal> {
    let Some(actor) = tokens::holder(database, token, now_ms)? else { return Ok(None) };
    let roles = vec![(actor.role, String::new())];
    let (user, device, session, release) = (None, None, None, None);
    Ok(Some(Known { id: actor.id, user, device, roles, revoked: false, session, release }))
}
