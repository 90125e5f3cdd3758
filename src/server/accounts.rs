//! Accounts: signing in and out, and what an administrator does to persons and grants.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{Actor, Clock, Passwords, Refusal, Role, Text, passwords, secrets};
use crate::{
    evidence::sha256_hex,
    storage::{Act, Author, Database, Outcome, Person, RoleGrant, Session, TriesLimit},
};

const MINUTE_MS: i64 = 60 * 1000;

/// A session ends after half an hour without use, and after twelve hours in any case.
pub(super) const IDLE_MS: i64 = 30 * MINUTE_MS;
pub(super) const SESSION_MS: i64 = 12 * 60 * MINUTE_MS;

/// Ten wrong passwords within ten minutes close an account to everybody for a quarter of an hour.
const ACCOUNT_TRIES: TriesLimit = TriesLimit { tries_max: 10, window_ms: 10 * MINUTE_MS, block_ms: 15 * MINUTE_MS };

/// An address may be an office behind one router, so it has more.
const ADDRESS_TRIES: TriesLimit = TriesLimit { tries_max: 60, window_ms: 10 * MINUTE_MS, block_ms: 10 * MINUTE_MS };

/// Why a call about accounts and tablets was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccountRefusal {
    /// The login or the password is wrong, or the account is disabled; who asks is not told which.
    #[error("sign in: the login or the password is wrong")]
    WrongLogin,
    /// Too many wrong passwords for this login.
    #[error("sign in: too many tries, wait {0} s")]
    LoginThrottled(i64),
    /// Too many tries from this address.
    #[error("try again: too many tries from this address, wait {0} s")]
    AddressThrottled(i64),
    /// Too many wait for a hash.
    #[error("compute a password hash: too many wait already")]
    Busy,
    /// The new password will not do.
    #[error("set a password: {}", .0.en)]
    WeakPassword(Text),
    /// The enrolment code is unknown, wrong, used, burnt or out of time.
    #[error("enrol a tablet: the code cannot be used")]
    CodeRefused,
    /// The code's check sign does not fit: it was misread.
    #[error("read the enrolment code: the check sign does not fit")]
    CodeMisread,
    /// The tablet's release is older than the server still serves.
    #[error("serve a tablet: its release is too old")]
    ReleaseTooOld,
    /// The person or tablet is outside the asker's region.
    #[error("reach a person: outside the region of the grant")]
    OutOfScope,
    /// Nobody grants to themselves, confirms their own proposal, or decides alone.
    #[error("decide on a grant: another administrator must do it")]
    FourEyes,
    /// Roles that one person may not hold together.
    #[error("grant {0}: it excludes a role the person holds")]
    RolesExclude(&'static str),
    /// There is no such person, grant or tablet.
    #[error("find it: there is none")]
    Unknown,
}

/// A session that was begun, with the token nobody can read again.
#[derive(Debug)]
pub struct SignedIn {
    /// Whose.
    pub person: Person,
    /// The cookie's value.
    pub token: String,
    /// What every changing request must repeat.
    pub csrf: String,
}

/// Signs a person in.
///
/// # Errors
/// `WrongLogin`, the same for an unknown login, a wrong password and a disabled account, after the same work;
/// `LoginThrottled`, `AddressThrottled`, `Busy`.
pub fn sign_in(
    database: &Database,
    passwords: &Passwords,
    (login, password, address): (&str, &str, &str),
    clock: &Clock,
) -> Result<SignedIn, Refusal> {
    let turn = passwords.turn()?;
    let (account_key, address_key) = (login_key(login), address_key(address));
    let now_ms = clock.now_ms();
    count_address(database, &address_key, now_ms)?;
    if let Err(until_ms) = database.count_try(&[(&account_key, ACCOUNT_TRIES)], now_ms)? {
        return Err(AccountRefusal::LoginThrottled(seconds_until(until_ms, now_ms)).into());
    }
    let found = database.person_with_login(login)?;
    let right = passwords::is_right(&turn, password, found.as_ref().map(|person| person.password_hash.as_str()))?;
    drop(turn);
    let Some(person) = found.filter(|person| right && person.status == "active") else {
        refused(database, login, now_ms)?;
        return Err(AccountRefusal::WrongLogin.into());
    };
    let token = secrets::draw("")?;
    let session = Session {
        token_sha256: sha256_hex(token.as_bytes()),
        id: clock.uuid().to_string(),
        person_id: person.id.clone(),
        created_at_ms: now_ms,
        used_at_ms: now_ms,
    };
    let by = Author { id: person.id.clone(), role: "person".to_owned() };
    database.begin_session(&session, &account_key, &address_key, &by)?;
    let csrf = csrf(&token);
    Ok(SignedIn { person, token, csrf })
}

/// Counts a try from this address, for anything that can be guessed.
pub(super) fn count_address(database: &Database, key: &str, now_ms: i64) -> Result<(), Refusal> {
    match database.count_try(&[(key, ADDRESS_TRIES)], now_ms)? {
        Ok(()) => Ok(()),
        Err(until_ms) => Err(AccountRefusal::AddressThrottled(seconds_until(until_ms, now_ms)).into()),
    }
}

fn seconds_until(until_ms: i64, now_ms: i64) -> i64 {
    (until_ms - now_ms + 999) / 1000
}

/// The log learns of the failure; the login, which may be a password in the wrong field, stays out of it. The same
/// entry for a known and an unknown login, so that both take the same time.
fn refused(database: &Database, login: &str, now_ms: i64) -> Result<(), Refusal> {
    let by = Author { id: "nobody".to_owned(), role: "nobody".to_owned() };
    let object = database.person_with_login(login)?.map_or_else(|| "unknown".to_owned(), |person| person.id);
    let act = Act::done(&by, now_ms, "session.login", format!("person/{object}"), json!({}));
    database.log(&[Act { outcome: Outcome::Refused, ..act }])?;
    Ok(())
}

/// The key under which a login's tries are counted.
pub(super) fn login_key(login: &str) -> String {
    sha256_hex(format!("login:{login}").as_bytes())
}

/// The key under which an address's tries are counted.
pub(super) fn address_key(address: &str) -> String {
    sha256_hex(format!("address:{address}").as_bytes())
}

/// The token a session's changing requests must repeat: it follows from the session's own, and gives nothing away of it.
pub(super) fn csrf(token: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(b"scilit csrf 1");
    secrets::hex(&mac.finalize().into_bytes())
}

/// The live session of a token with its person, noted as used at most once a minute.
pub(super) fn session(database: &Database, token: &str, now_ms: i64) -> Result<Option<(Session, Person)>, Refusal> {
    let found = database.session_with_digest(&sha256_hex(token.as_bytes()))?;
    let lives = |(session, person): &(Session, Person)| {
        now_ms - session.used_at_ms < IDLE_MS
            && now_ms - session.created_at_ms < SESSION_MS
            && person.status == "active"
    };
    let found = found.filter(lives);
    if let Some((session, _)) = found.as_ref().filter(|(session, _)| now_ms - session.used_at_ms >= MINUTE_MS) {
        database.use_session(&session.id, now_ms)?;
    }
    Ok(found)
}

/// A person who does not exist yet.
#[derive(Clone)]
pub struct NewPerson {
    /// Lower-case letters, digits, `.`, `_` and `-`.
    pub login: String,
    /// How they are called.
    pub display_name: String,
    /// The number on their card.
    pub work_id: Option<String>,
    /// The first password.
    pub password: String,
}

/// Adds a person, with grants only from the command line.
///
/// # Errors
/// `WeakPassword`, `LoginTaken`, or whatever the database refused.
pub fn add_person(
    database: &Database,
    passwords: &Passwords,
    new: NewPerson,
    grants: &[(Role, &str)],
    by: &Author,
    clock: &Clock,
) -> Result<Person, Refusal> {
    passwords::check(&new.password)?;
    let NewPerson { login, display_name, work_id, password } = new;
    let password_hash = passwords::hash(&passwords.turn()?, &password)?;
    let (id, created_at_ms) = (clock.uuid().to_string(), clock.now_ms());
    let (status, created_by) = ("active".to_owned(), by.id.clone());
    let person = Person { id, login, display_name, work_id, password_hash, status, created_by, created_at_ms };
    let grants: Vec<_> = grants.iter().map(|(role, scope)| bootstrapped(&person.id, *role, scope, by, clock)).collect();
    database.add_person(&person, &grants, by)?;
    Ok(person)
}

/// A grant in force from the start. Who stands at the machine could write to the database anyway; the log names the
/// command line on both sides, so that nobody takes it for two administrators.
fn bootstrapped(person_id: &str, role: Role, scope: &str, by: &Author, clock: &Clock) -> RoleGrant {
    let proposed = proposal(person_id, (role, scope, None), by, clock);
    let confirmed_by = Some(format!("{}-bootstrap", by.id));
    RoleGrant { state: "active".to_owned(), confirmed_by, confirmed_at_ms: Some(clock.now_ms()), ..proposed }
}

fn proposal(person_id: &str, (role, scope, to_ms): (Role, &str, Option<i64>), by: &Author, clock: &Clock) -> RoleGrant {
    RoleGrant {
        id: clock.uuid().to_string(),
        person_id: person_id.to_owned(),
        role: role.name().to_owned(),
        scope: scope.to_owned(),
        from_ms: clock.now_ms(),
        to_ms,
        state: "proposed".to_owned(),
        proposed_by: by.id.clone(),
        proposed_at_ms: clock.now_ms(),
        confirmed_by: None,
        confirmed_at_ms: None,
        ended_by: None,
        ended_at_ms: None,
    }
}

/// Sets a new password; every session of the person ends.
///
/// # Errors
/// `WeakPassword`, `Unknown`, or whatever the database refused.
pub fn set_password(
    database: &Database,
    passwords: &Passwords,
    (person_id, password): (&str, &str),
    by: &Author,
    clock: &Clock,
) -> Result<(), Refusal> {
    passwords::check(password)?;
    let hash = passwords::hash(&passwords.turn()?, password)?;
    let known = database.set_password(person_id, &hash, by, clock.now_ms())?;
    if known { Ok(()) } else { Err(AccountRefusal::Unknown.into()) }
}

/// Changes one's own password, which the old one must prove.
///
/// # Errors
/// `WrongLogin` for a wrong old password, counted like one at the door, and those of [`set_password`].
pub fn change_password(
    database: &Database,
    passwords: &Passwords,
    (person_id, old, new): (&str, &str, &str),
    by: &Author,
    clock: &Clock,
) -> Result<(), Refusal> {
    let person = database.person(person_id)?.ok_or(AccountRefusal::Unknown)?;
    let now_ms = clock.now_ms();
    if let Err(until_ms) = database.count_try(&[(&login_key(&person.login), ACCOUNT_TRIES)], now_ms)? {
        return Err(AccountRefusal::LoginThrottled(seconds_until(until_ms, now_ms)).into());
    }
    if !passwords::is_right(&passwords.turn()?, old, Some(&person.password_hash))? {
        refused(database, &person.login, now_ms)?;
        return Err(AccountRefusal::WrongLogin.into());
    }
    set_password(database, passwords, (person_id, new), by, clock)
}

/// Forgets a login's wrong passwords, so that its person need not wait.
///
/// # Errors
/// `Unknown`, or whatever the database refused.
pub fn unlock(database: &Database, login: &str, by: &Author, clock: &Clock) -> Result<bool, Refusal> {
    let person = database.person_with_login(login)?.ok_or(AccountRefusal::Unknown)?;
    Ok(database.forget_tries(&login_key(login), by, &format!("person/{}", person.id), clock.now_ms())?)
}

/// Proposes a role for a person.
///
/// # Errors
/// `FourEyes` for oneself, `RolesExclude` for roles that watch over each other, `Unknown`, `GrantExists`.
pub fn propose_grant(
    database: &Database,
    person_id: &str,
    (role, scope, to_ms): (Role, &str, Option<i64>),
    by: &Actor,
    clock: &Clock,
) -> Result<RoleGrant, Refusal> {
    if by.user.as_deref() == Some(person_id) {
        return Err(AccountRefusal::FourEyes.into());
    }
    database.person(person_id)?.ok_or(AccountRefusal::Unknown)?;
    let held = database.grants_of(person_id)?;
    let held = held.iter().filter(|grant| grant.state != "ended").filter_map(|grant| Role::named(&grant.role));
    if held.into_iter().any(|other| other != role && (is_apart(role) || is_apart(other))) {
        return Err(AccountRefusal::RolesExclude(role.name()).into());
    }
    let grant = proposal(person_id, (role, scope, to_ms), &by.author(), clock);
    database.propose_grant(&grant, &by.author())?;
    Ok(grant)
}

/// Administrators see no answers and auditors write nothing: either role with another would undo that.
fn is_apart(role: Role) -> bool {
    matches!(role, Role::Admin | Role::Auditor)
}

/// Confirms another administrator's proposal for a third person.
///
/// # Errors
/// `FourEyes` unless a person other than both confirms, `Unknown` unless it waits.
pub fn confirm_grant(database: &Database, id: &str, by: &Actor, clock: &Clock) -> Result<(), Refusal> {
    let grant = database.grant(id)?.filter(|grant| grant.state == "proposed").ok_or(AccountRefusal::Unknown)?;
    let me = by.user.as_deref().ok_or(AccountRefusal::FourEyes)?;
    if grant.proposed_by == me || grant.person_id == me {
        return Err(AccountRefusal::FourEyes.into());
    }
    let confirmed = database.confirm_grant(id, &by.author(), clock.now_ms())?;
    if confirmed { Ok(()) } else { Err(AccountRefusal::Unknown.into()) }
}

/// The roles a person may act in now, with their regions.
///
/// # Errors
/// Whatever the database refused.
pub fn roles_of(database: &Database, person_id: &str, now_ms: i64) -> Result<Vec<(Role, String)>, Refusal> {
    let counts = |grant: &RoleGrant| {
        grant.state == "active" && grant.from_ms <= now_ms && grant.to_ms.is_none_or(|end| now_ms < end)
    };
    let grants = database.grants_of(person_id)?.into_iter().filter(counts);
    Ok(grants.filter_map(|grant| Some((Role::named(&grant.role)?, grant.scope))).collect())
}
