//! Packages: what a tablet that cannot send carries away as a file. The finished records in it are sealed to the server's
//! key, so that the office can take them in without the tablet's PIN.

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    AccountRefusal, Actor, Bound, Clock, Envelope, Fault, Refusal, Role, SealedError, SealingKeys, Text,
    enrolment::is_within,
};
use crate::storage::{Act, Author, Database};

/// What packages are called that this server opens; the name is also what their sealing is bound to.
pub const FORMATS: [&str; 2] = ["scilit-tablet-package/2", "scilit-tablet-package/3"];

/// Opened records: one JSON object a line, as in a batch, and the tablet in whose name they are handed in.
#[derive(Debug)]
pub struct Opened {
    /// The lines.
    pub lines: Zeroizing<Vec<u8>>,
    /// The tablet.
    pub owner: Author,
}

/// Opens the office's part of a package of this format for somebody whose region has the tablet's person, and logs that they did.
///
/// # Errors
/// `Faults` with the place when it is damaged or another server's; `Unknown` for a tablet that never enrolled here,
/// `OutOfScope` for one of another region; whatever the database refused.
pub fn open(
    database: &Database,
    keys: &SealingKeys,
    (sealed, format): (&Envelope, &str),
    by: &Actor,
    clock: &Clock,
) -> Result<Opened, Refusal> {
    let device = database.device(&sealed.tablet)?.ok_or(AccountRefusal::Unknown)?;
    if by.scope.is_some() && !is_within(database, &device.person_id, by.scope.as_deref(), clock.now_ms())? {
        return Err(AccountRefusal::OutOfScope.into());
    }
    let opened = keys.unseal(sealed, Bound { purpose: format, names: &[] });
    let lines = opened.map_err(|error| match error {
        SealedError::UnknownKey => refusal(error, "/office_key"),
        SealedError::Damaged => refusal(error, "/office_data"),
    })?;
    let detail = json!({ "sha256": crate::evidence::sha256_hex(sealed.data.as_bytes()), "bytes": lines.len() });
    let object = format!("device/{}", device.id);
    database.log(&[Act::done(&by.author(), clock.now_ms(), "package.open", object, detail)])?;
    Ok(Opened { lines, owner: Author { id: device.id, role: Role::Surveyor.name().to_owned() } })
}

fn refusal(error: SealedError, pointer: &str) -> Refusal {
    let (code, zh) = match error {
        SealedError::UnknownKey => ("unknown-key", "数据包是为另一台服务器封存的"),
        SealedError::Damaged => ("damaged", "数据包已损坏或被改动"),
    };
    Refusal::Faults(vec![Fault::new(code, Text::new(zh, error.to_string())).at(pointer)])
}
