//! Tablets, their tokens, and the one-time codes by which they join.

use diesel::prelude::*;
use serde_json::json;

use super::{
    Author, Database, Person, StorageError,
    audit::{Act, Appends, Outcome},
    schema::{device, device_token, enrolment_code, person},
};

/// Wrong tries that burn a code.
const WRONG_TRIES_MAX: i32 = 5;

/// A tablet.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = device)]
pub struct Device {
    /// UUID.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Whose it is.
    pub person_id: String,
    /// Its P-256 key as it sent it.
    pub public_key: String,
    /// Who made its code.
    pub enrolled_by: String,
    /// When it joined.
    pub enrolled_at_ms: i64,
    /// `active`, `lost` or `retired`.
    pub status: String,
    /// The release it runs.
    pub app_release: String,
    /// Its browser.
    pub user_agent: String,
    /// Room for its data.
    pub storage_bytes: Option<i64>,
    /// Whether the browser promised to keep its data.
    pub persisted: Option<bool>,
    /// When it was last heard of, to the minute.
    pub last_seen_ms: i64,
    /// Its clock minus the server's.
    pub clock_offset_ms: Option<i64>,
    /// Records not yet sent.
    pub queue_len: Option<i64>,
    /// When the oldest of them was finished.
    pub oldest_unsent_ms: Option<i64>,
}

/// What a tablet says of itself.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = device)]
pub struct DeviceReport {
    /// Room for its data.
    pub storage_bytes: Option<i64>,
    /// Whether the browser promised to keep its data.
    pub persisted: Option<bool>,
    /// Its clock minus the server's.
    pub clock_offset_ms: Option<i64>,
    /// Records not yet sent.
    pub queue_len: Option<i64>,
    /// When the oldest of them was finished.
    pub oldest_unsent_ms: Option<i64>,
}

/// A code by which one tablet joins.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = enrolment_code)]
pub struct EnrolmentCode {
    /// UUID.
    pub id: String,
    /// Its first signs, which find it.
    pub selector: String,
    /// SHA-256 of all its signs.
    pub code_sha256: String,
    /// For whom.
    pub person_id: String,
    /// What the tablet will be called.
    pub label: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at_ms: i64,
    /// When it ends.
    pub expires_at_ms: i64,
    /// Wrong tries so far.
    pub wrong_tries: i32,
    /// `open`, `used` or `burnt`.
    pub state: String,
    /// The tablet that used it.
    pub device_id: Option<String>,
}

/// What a try to use a code came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// A tablet joined for this person.
    Joined(Box<Device>),
    /// Unknown, wrong, used, burnt or out of time; who asks is not told which.
    Refused,
}

impl Database {
    /// Keeps a new code; older open ones with the same first signs and those out of time are burnt.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn add_enrolment_code(&self, new: &EnrolmentCode, by: &Author) -> Result<(), StorageError> {
        writing!(self, c => {
            let stale = enrolment_code::selector.eq(&new.selector).and(enrolment_code::state.eq("open"));
            diesel::update(enrolment_code::table.filter(stale)).set(enrolment_code::state.eq("burnt")).execute(c)?;
            diesel::insert_into(enrolment_code::table).values(new).execute(c)?;
            let (object, detail) = (format!("enrolment-code/{}", new.id), json!({ "person": new.person_id }));
            c.append(&[Act::done(by, new.created_at_ms, "enrolment-code.create", object, detail)])?;
            Ok(())
        })
    }

    /// Lets one tablet join with a code: of several at once exactly one does. `new` says everything of the tablet but
    /// its person, label and who enrolled it, which the code knows.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn redeem_code(
        &self,
        selector: &str,
        code_sha256: &str,
        new: Device,
        (token_sha256, token_ends_ms): (&str, i64),
    ) -> Result<Redeemed, StorageError> {
        let now_ms = new.enrolled_at_ms;
        writing!(self, c => {
            let open = enrolment_code::selector.eq(selector).and(enrolment_code::state.eq("open"));
            let in_time = enrolment_code::expires_at_ms.gt(now_ms);
            let right = enrolment_code::code_sha256.eq(code_sha256);
            // The update is the decision: whoever changes the row from open to used has the code.
            let used: Option<EnrolmentCode> = diesel::update(enrolment_code::table.filter(open.and(in_time).and(right)))
                .set(enrolment_code::state.eq("used"))
                .returning(EnrolmentCode::as_returning())
                .get_result(c)
                .optional()?;
            let Some(code) = used else {
                let wrong: Option<EnrolmentCode> = diesel::update(enrolment_code::table.filter(open.and(in_time)))
                    .set(enrolment_code::wrong_tries.eq(enrolment_code::wrong_tries + 1))
                    .returning(EnrolmentCode::as_returning())
                    .get_result(c)
                    .optional()?;
                let Some(code) = wrong else { return Ok(Redeemed::Refused) };
                if code.wrong_tries >= WRONG_TRIES_MAX {
                    let row = enrolment_code::table.find(&code.id);
                    diesel::update(row).set(enrolment_code::state.eq("burnt")).execute(c)?;
                }
                let (object, detail) = (format!("enrolment-code/{}", code.id), json!({ "wrong_tries": code.wrong_tries }));
                let act = Act::done(&nobody(), now_ms, "device.enrol", object, detail);
                c.append(&[Act { outcome: Outcome::Refused, ..act }])?;
                return Ok(Redeemed::Refused);
            };
            let new = Device { person_id: code.person_id, label: code.label, enrolled_by: code.created_by, ..new.clone() };
            diesel::insert_into(device::table).values(&new).execute(c)?;
            diesel::update(enrolment_code::table.find(&code.id)).set(enrolment_code::device_id.eq(&new.id)).execute(c)?;
            diesel::insert_into(device_token::table)
                .values((
                    device_token::token_sha256.eq(token_sha256),
                    device_token::device_id.eq(&new.id),
                    device_token::created_at_ms.eq(now_ms),
                    device_token::expires_at_ms.eq(token_ends_ms),
                ))
                .execute(c)?;
            let by = Author { id: new.id.clone(), role: "surveyor".to_owned() };
            let detail = json!({ "person": new.person_id, "code": code.id });
            c.append(&[Act::done(&by, now_ms, "device.enrol", format!("device/{}", new.id), detail)])?;
            Ok(Redeemed::Joined(Box::new(new)))
        })
    }

    /// The tablet whose token has this digest, with its person and the end of the token.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn device_with_digest(&self, token_sha256: &str) -> Result<Option<(Device, Person, i64)>, StorageError> {
        Ok(reading!(self, c => device_token::table
            .inner_join(device::table.inner_join(person::table))
            .filter(device_token::token_sha256.eq(token_sha256))
            .select((Device::as_select(), Person::as_select(), device_token::expires_at_ms))
            .first(c)
            .optional())?)
    }

    /// Notes that a tablet was heard of and lets its token last on.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn see_device(&self, id: &str, app_release: &str, token_ends_ms: i64, now_ms: i64) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::update(device::table.find(id))
                .set((device::last_seen_ms.eq(now_ms), device::app_release.eq(app_release)))
                .execute(c)?;
            diesel::update(device_token::table.filter(device_token::device_id.eq(id)))
                .set(device_token::expires_at_ms.eq(token_ends_ms))
                .execute(c)?;
            Ok(())
        })
    }

    /// Keeps what a tablet says of itself.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn report_device(&self, id: &str, report: &DeviceReport, by: &Author, now_ms: i64) -> Result<(), StorageError> {
        writing!(self, c => {
            diesel::update(device::table.find(id)).set((report, device::last_seen_ms.eq(now_ms))).execute(c)?;
            c.append(&[Act::done(by, now_ms, "device.report", format!("device/{id}"), json!({}))])?;
            Ok(())
        })
    }

    /// The tablet with this id.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn device(&self, id: &str) -> Result<Option<Device>, StorageError> {
        Ok(reading!(self, c => device::table.find(id).select(Device::as_select()).first(c).optional())?)
    }

    /// Up to `rows_max` tablets after the id, in the order of their ids.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn devices(&self, after: &str, rows_max: i64) -> Result<Vec<Device>, StorageError> {
        Ok(reading!(self, c => device::table
            .filter(device::id.gt(after))
            .order(device::id)
            .limit(rows_max)
            .select(Device::as_select())
            .load(c))?)
    }

    /// The ids under which a person's tablets hand things in.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn device_ids_of(&self, person_id: &str) -> Result<Vec<String>, StorageError> {
        Ok(reading!(self, c => device::table
            .filter(device::person_id.eq(person_id))
            .order(device::id)
            .select(device::id)
            .load(c))?)
    }

    /// Marks a tablet as `lost` or `retired`, with effect on its next request; whether it was active.
    ///
    /// # Errors
    /// Whatever the database refused.
    pub fn revoke_device(&self, id: &str, status: &str, by: &Author, now_ms: i64) -> Result<bool, StorageError> {
        writing!(self, c => {
            let active = device::table.filter(device::id.eq(id).and(device::status.eq("active")));
            if diesel::update(active).set(device::status.eq(status)).execute(c)? == 0 {
                return Ok(false);
            }
            let detail = json!({ "status": status });
            c.append(&[Act::done(by, now_ms, "device.revoke", format!("device/{id}"), detail)])?;
            Ok(true)
        })
    }
}

/// Whoever shows a wrong code.
fn nobody() -> Author {
    Author { id: "nobody".to_owned(), role: "nobody".to_owned() }
}
