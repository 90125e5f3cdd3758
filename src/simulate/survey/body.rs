//! The body of a submission, as a tablet sends it.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) schema: u32,
    pub(super) id: Uuid,
    pub(super) rev: u32,
    pub(super) parent_rev: Option<u32>,
    pub(super) case: &'a str,
    pub(super) assignment: Option<&'a str>,
    pub(super) instrument: &'a str,
    pub(super) draw: Option<&'a str>,
    pub(super) consent: Consent,
    pub(super) selection: Selection,
    pub(super) roster: Vec<RosterPerson>,
    pub(super) answers: Vec<SentAnswer<'a>>,
    pub(super) order_shown: Vec<&'a str>,
    pub(super) timing: Timing,
    pub(super) gps: Option<Value>,
    pub(super) attachments: [Value; 0],
    pub(super) client: Client,
    pub(super) note: &'static str,
}

#[derive(Serialize)]
pub(super) struct Consent {
    pub(super) given: bool,
    pub(super) at_ms: i64,
}

#[derive(Serialize)]
pub(super) struct Selection {
    pub(super) method: &'static str,
    pub(super) n_eligible: u8,
    pub(super) selected_no: u32,
    pub(super) prob: f64,
}

#[derive(Serialize)]
pub(super) struct RosterPerson {
    pub(super) no: u32,
    pub(super) sex: &'static str,
    pub(super) age: u8,
    pub(super) eligible: bool,
}

/// One answer: exactly one of `v` and `m`.
#[derive(Serialize)]
pub(super) struct SentAnswer<'a> {
    pub(super) i: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) v: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) m: Option<&'static str>,
    pub(super) n_changes: u8,
    pub(super) ms: i64,
}

#[derive(Serialize)]
pub(super) struct Timing {
    pub(super) started_ms: i64,
    pub(super) finished_ms: i64,
    pub(super) active_ms: i64,
}

#[derive(Serialize)]
pub(super) struct Client {
    pub(super) release: &'static str,
    pub(super) device: String,
    pub(super) tz: &'static str,
    pub(super) offset_ms: i64,
}
