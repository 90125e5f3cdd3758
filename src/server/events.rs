//! What a tablet tells of its work. Everything well numbered is kept as it came; what is no sound contact attempt is kept
//! too, and the tablet's people are told.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Fault, Refusal, Text,
    vault::{PlainEvent, SealedEvent, Vault, is_same_event},
};
use crate::{
    instrument::Disposition,
    storage::{Author, ContactAttempt, EventsKept, FieldEvent, NewEvent, StorageError},
};

/// How often events are sealed again after their keys changed under them: by a rotation, or by another tablet with the
/// same case.
const SEALINGS_MAX: usize = 5;

/// Numbers stay exact in every language.
const SEQ_MAX: i64 = (1 << 53) - 1;

/// Earliest and latest time a tablet's clock may say: 2000 and 2100. Others are kept with the event and not taken as an
/// attempt's time.
const TIMES_MS: std::ops::RangeInclusive<i64> = 946_684_800_000..=4_102_444_800_000;

/// A contact attempt as a tablet spells it. Its note and place go into the vault.
#[derive(Debug, Deserialize)]
struct Attempt {
    id: uuid::Uuid,
    survey: String,
    case: String,
    outcome: String,
    mode: String,
    wall_ms: i64,
}

/// What came of a batch.
#[derive(Debug)]
pub struct EventsTaken {
    /// Where the tablet stands.
    pub kept: EventsKept,
    /// Attempts that were kept as events only, with what is wrong with them.
    pub notices: Vec<Fault>,
}

/// An event that was read.
struct Taken {
    plain: PlainEvent,
    kind: String,
    attempt: Option<ContactAttempt>,
}

/// Keeps a tablet's events, each once; words and positions in them go into the vault.
///
/// # Errors
/// `Faults` when an event has no sound number or kind; then nothing is kept.
pub fn take_events(
    vault: Vault<'_>,
    (device_id, person_id): (&str, &str),
    events: Vec<Value>,
    by: &Author,
    now_ms: i64,
) -> Result<EventsTaken, Refusal> {
    let (mut read, mut faults, mut notices) = (Vec::new(), Vec::new(), Vec::new());
    for (at, event) in events.into_iter().enumerate() {
        let seq = event.get("seq").and_then(Value::as_i64).filter(|seq| (1..=SEQ_MAX).contains(seq));
        let kind =
            event.get("kind").and_then(Value::as_str).filter(|kind| matches!(*kind, "paradata" | "contact_attempt"));
        let (Some(seq), Some(kind)) = (seq, kind) else {
            let field = if seq.is_none() { "seq" } else { "kind" };
            let text = Text::new(
                "事件编号应为从1开始的整数，类型应为已知类型",
                "an event has a number from 1 and a known kind",
            );
            faults.push(Fault::new("event", text).at(&format!("/events/{at}/{field}")));
            continue;
        };
        let kind = kind.to_owned();
        let attempt = match kind.as_str() {
            "contact_attempt" => attempt(&event, seq, (device_id, person_id), now_ms)
                .map_err(|(field, text)| notices.push(Fault::new("attempt", text).at(&format!("/events/{at}/{field}"))))
                .ok(),
            _ => None,
        };
        read.push(Taken { plain: PlainEvent { seq, event }, kind, attempt });
    }
    if !faults.is_empty() {
        return Err(Refusal::Faults(faults));
    }
    Ok(EventsTaken { kept: keep(vault, device_id, read, by, now_ms)?, notices })
}

fn keep(vault: Vault<'_>, device_id: &str, read: Vec<Taken>, by: &Author, now_ms: i64) -> Result<EventsKept, Refusal> {
    let (events, rest): (Vec<_>, Vec<_>) = read.into_iter().map(|one| (one.plain, (one.kind, one.attempt))).unzip();
    let mut sealing = 1;
    loop {
        let (sealed, keys) = vault.seal_events(device_id, &events, now_ms)?;
        let row = |((plain, (kind, attempt)), sealed): ((&PlainEvent, &(String, Option<ContactAttempt>)), _)| {
            let SealedEvent { content, notes } = sealed;
            let (device_id, kind) = (device_id.to_owned(), kind.clone());
            let event = FieldEvent { device_id, seq: plain.seq, kind, content, received_at_ms: now_ms };
            NewEvent { event, attempt: attempt.clone(), notes }
        };
        let rows: Vec<NewEvent> = events.iter().zip(&rest).zip(sealed).map(row).collect();
        match vault.database.keep_events(device_id, (&rows, &keys), is_same_event, by, now_ms) {
            Err(StorageError::KeysChanged) if sealing < SEALINGS_MAX => sealing += 1,
            kept => return Ok(kept?),
        }
    }
}

fn attempt(
    event: &Value,
    seq: i64,
    (device_id, person_id): (&str, &str),
    received_at_ms: i64,
) -> Result<ContactAttempt, (&'static str, Text)> {
    let wrong = |field, zh: &str, en: &str| (field, Text::new(zh, en));
    let Attempt { id, survey, case, outcome, mode, wall_ms } = Attempt::deserialize(event)
        .map_err(|_| wrong("id", "接触记录缺少必要内容", "the attempt lacks what it must have"))?;
    if Disposition::with_code(&outcome).is_none() {
        return Err(wrong("outcome", "没有此接触结果代码", "no such outcome code"));
    }
    if !matches!(mode.as_str(), "visit" | "phone") {
        return Err(wrong("mode", "接触方式应为入户或电话", "the mode is visit or phone"));
    }
    if !TIMES_MS.contains(&wall_ms) {
        return Err(wrong("wall_ms", "接触时间不可能", "an impossible time"));
    }
    let fine = |text: &str| (1..=64).contains(&text.len()) && !text.chars().any(char::is_control);
    if !fine(&survey) || !fine(&case) {
        return Err(wrong("case", "样本编号有误", "the case is not named rightly"));
    }
    Ok(ContactAttempt {
        id: id.to_string(),
        survey_id: survey,
        case_id: case,
        device_id: device_id.to_owned(),
        seq,
        person_id: person_id.to_owned(),
        outcome,
        mode,
        at_ms: wall_ms,
        received_at_ms,
    })
}
