//! Tablets join by a one-time code and ask with a token of their own from then on.

use super::{
    AccountRefusal, Actor, Clock, Refusal, Role,
    accounts::{address_key, count_address, roles_of},
    secrets,
};
use crate::{
    evidence::sha256_hex,
    storage::{Database, Device, EnrolmentCode, Person, Redeemed},
};

/// What a tablet's token begins with.
pub(super) const PREFIX: &str = "scilitd_";

const CODE_MS: i64 = 15 * 60 * 1000;
const TOKEN_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const MINUTE_MS: i64 = 60 * 1000;

/// Crockford's base 32: no I, L, O or U.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Signs that find a code; five more prove it, and the last one checks that none was misread.
const SELECTOR_SIGNS: usize = 4;
const SECRET_SIGNS: usize = 9;

/// A code that was made, with its signs, which nobody can read again.
#[derive(Debug)]
pub struct NewCode {
    /// What is kept of it.
    pub kept: EnrolmentCode,
    /// Its ten signs.
    pub code: String,
}

/// Makes a code for a person who may take a tablet into the field.
///
/// # Errors
/// `Unknown` for a person who cannot be found or is not active, `OutOfScope` when the maker's region does not contain
/// one of the person's, `Random`, or whatever the database refused.
pub fn make_code(
    database: &Database,
    (person_id, label): (&str, &str),
    by: &Actor,
    clock: &Clock,
) -> Result<NewCode, Refusal> {
    let person = database.person(person_id)?.filter(|person| person.status == "active");
    let person = person.ok_or(AccountRefusal::Unknown)?;
    if !is_within(database, &person.id, by.scope.as_deref(), clock.now_ms())? {
        return Err(AccountRefusal::OutOfScope.into());
    }
    let code = draw_code()?;
    let now_ms = clock.now_ms();
    let kept = EnrolmentCode {
        id: clock.uuid().to_string(),
        selector: code[..SELECTOR_SIGNS].to_owned(),
        code_sha256: sha256_hex(code.as_bytes()),
        person_id: person.id,
        label: label.to_owned(),
        created_by: by.id.clone(),
        created_at_ms: now_ms,
        expires_at_ms: now_ms + CODE_MS,
        wrong_tries: 0,
        state: "open".to_owned(),
        device_id: None,
    };
    database.add_enrolment_code(&kept, &by.author())?;
    Ok(NewCode { kept, code })
}

/// Whether a person works in the field within the region; without digits the region is everywhere.
///
/// # Errors
/// Whatever the database refused.
pub fn is_within(database: &Database, person_id: &str, digits: Option<&str>, now_ms: i64) -> Result<bool, Refusal> {
    let roles = roles_of(database, person_id, now_ms)?;
    let mut field = roles.iter().filter(|(role, _)| is_field(*role));
    Ok(field.any(|(_, scope)| scope.starts_with(digits.unwrap_or_default())))
}

/// Whether a field role of the person covers the district.
pub(super) fn works_in(database: &Database, person_id: &str, district: &str, now_ms: i64) -> Result<bool, Refusal> {
    let roles = roles_of(database, person_id, now_ms)?;
    Ok(roles.iter().any(|(role, scope)| is_field(*role) && district.starts_with(scope)))
}

/// The roles that take tablets into the field.
fn is_field(role: Role) -> bool {
    matches!(role, Role::Surveyor | Role::Supervisor)
}

fn draw_code() -> Result<String, Refusal> {
    let bytes: [u8; SECRET_SIGNS] = secrets::random()?;
    let mut code: String = bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte & 31)])).collect();
    code.push(check_sign(&code));
    Ok(code)
}

/// Weighted by odd place numbers, so that any one wrong sign and nearly any two neighbours swapped are found.
fn check_sign(signs: &str) -> char {
    let value = |sign: u8| SIGNS.iter().position(|known| *known == sign).unwrap_or_default();
    let sum: usize = signs.bytes().enumerate().map(|(place, sign)| (2 * place + 1) * value(sign)).sum();
    char::from(SIGNS[sum % 32])
}

/// What a person typed: any case, hyphens and blanks skipped, `O` for 0 and `I` or `L` for 1.
fn read_code(text: &str) -> Result<String, Refusal> {
    let sign = |sign: char| match sign.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let code: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(sign).collect();
    let known = code.len() == SECRET_SIGNS + 1 && code.bytes().all(|sign| SIGNS.contains(&sign));
    if known && code.ends_with(check_sign(&code[..SECRET_SIGNS])) {
        return Ok(code);
    }
    Err(AccountRefusal::CodeMisread.into())
}

/// What a tablet says when it joins.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The code.
    pub code: String,
    /// Its public key.
    pub public_key: String,
    /// The release it runs.
    pub release: String,
    /// Its browser.
    pub user_agent: String,
    /// Room for its data, if it knows.
    pub storage_bytes: Option<i64>,
    /// Where it asks from.
    pub address: String,
}

/// A tablet that joined, with its token, which nobody can read again.
#[derive(Debug)]
pub struct Joined {
    /// The tablet.
    pub device: Device,
    /// Its person.
    pub person: Person,
    /// Its token.
    pub token: String,
    /// When the token ends unless it is used.
    pub token_ends_ms: i64,
}

/// Lets a tablet join.
///
/// # Errors
/// `CodeRefused` for any code that cannot be used, `CodeMisread`, `AddressThrottled`, `Random`, or whatever the database refused.
pub fn join(database: &Database, joining: Joining, clock: &Clock) -> Result<Joined, Refusal> {
    let now_ms = clock.now_ms();
    let code = read_code(&joining.code)?;
    count_address(database, &address_key(&joining.address), now_ms)?;
    let token = secrets::draw(PREFIX)?;
    let token_ends_ms = now_ms + TOKEN_MS;
    let token_sha256 = sha256_hex(token.as_bytes());
    let new = Device {
        id: clock.uuid().to_string(),
        label: String::new(),
        person_id: String::new(),
        public_key: joining.public_key,
        enrolled_by: String::new(),
        enrolled_at_ms: now_ms,
        status: "active".to_owned(),
        app_release: joining.release,
        user_agent: joining.user_agent,
        storage_bytes: joining.storage_bytes,
        persisted: None,
        last_seen_ms: now_ms,
        clock_offset_ms: None,
        queue_len: None,
        oldest_unsent_ms: None,
    };
    let redeemed = database.redeem_code(
        &code[..SELECTOR_SIGNS],
        &sha256_hex(code.as_bytes()),
        new,
        (&token_sha256, token_ends_ms),
    )?;
    let Redeemed::Joined(device) = redeemed else { return Err(AccountRefusal::CodeRefused.into()) };
    let person = database.person(&device.person_id)?.ok_or(AccountRefusal::Unknown)?;
    Ok(Joined { device: *device, person, token, token_ends_ms })
}

/// A tablet's token, read.
#[derive(Debug)]
pub struct KnownDevice {
    /// The tablet.
    pub device: Device,
    /// The field roles its person may act in.
    pub roles: Vec<(Role, String)>,
    /// Whether it was revoked or its person disabled.
    pub revoked: bool,
}

/// The tablet with this token, unless the token is unknown or ran out; noted as seen at most once a minute.
///
/// # Errors
/// Whatever the database refused.
pub fn device(
    database: &Database,
    token: &str,
    release: Option<&str>,
    now_ms: i64,
) -> Result<Option<KnownDevice>, Refusal> {
    let found = database.device_with_digest(&sha256_hex(token.as_bytes()))?;
    let Some((mut device, person, _)) = found.filter(|(.., ends_ms)| now_ms < *ends_ms) else { return Ok(None) };
    let mut roles = roles_of(database, &person.id, now_ms)?;
    roles.retain(|(role, _)| is_field(*role));
    let revoked = device.status != "active" || person.status != "active" || roles.is_empty();
    let release = release.unwrap_or(&device.app_release).to_owned();
    let is_news = release != device.app_release || now_ms - device.last_seen_ms >= MINUTE_MS;
    if is_news && !revoked {
        database.see_device(&device.id, &release, now_ms + TOKEN_MS, now_ms)?;
    }
    device.app_release = release;
    if roles.is_empty() {
        roles.push((Role::Surveyor, String::new()));
    }
    Ok(Some(KnownDevice { device, roles, revoked }))
}

/// Marks a tablet as `lost` or `retired`.
///
/// # Errors
/// `Unknown`, `OutOfScope`, or whatever the database refused.
pub fn revoke(database: &Database, id: &str, status: &str, by: &Actor, clock: &Clock) -> Result<(), Refusal> {
    let device = database.device(id)?.ok_or(AccountRefusal::Unknown)?;
    if by.scope.is_some() && !is_within(database, &device.person_id, by.scope.as_deref(), clock.now_ms())? {
        return Err(AccountRefusal::OutOfScope.into());
    }
    database.revoke_device(id, status, &by.author(), clock.now_ms())?;
    Ok(())
}

/// Whether a release is the least one served or newer: numbers between dots, compared one by one.
pub fn is_recent(release: &str, least: &str) -> bool {
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    match (numbers(release), numbers(least)) {
        (Some(release), Some(least)) => release >= least,
        (None, _) => false,
        (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed_and_one_wrong_sign_is_found() {
        let code = draw_code().expect("a code");
        assert_eq!(code.len(), 10);
        let typed = format!("{}-{} {}", &code[..4], &code[4..7].to_lowercase(), &code[7..]);
        assert_eq!(read_code(&typed).expect("read"), code);
        for place in 0..code.len() {
            for sign in SIGNS.iter().map(|sign| char::from(*sign)).filter(|sign| !code[place..].starts_with(*sign)) {
                let wrong = format!("{}{sign}{}", &code[..place], &code[place + 1..]);
                assert!(matches!(read_code(&wrong), Err(Refusal::Account(AccountRefusal::CodeMisread))), "{wrong}");
            }
        }
        assert!(read_code("").is_err() && read_code("十个汉字十个汉字十个").is_err());
    }

    #[test]
    fn releases_compare_by_number_and_nonsense_is_old() {
        assert!(is_recent("1.10.0", "1.9.0") && is_recent("1.9.0", "1.9.0") && is_recent("2", "1.9.9"));
        assert!(!is_recent("1.8.9", "1.9.0") && !is_recent("test", "0.1") && !is_recent("", "0"));
    }
}
