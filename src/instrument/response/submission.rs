//! The form of a submission: what a tablet sends, taken field by field with every fault.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::faults::{ItemFault, ItemFaultCode, Message};
use crate::instrument::{questionnaire::MissingKind, source::escape, strict_json};

/// The version of the submission body this program reads.
const SCHEMA: u64 = 1;
/// Longest free note of an interviewer, in characters.
const NOTE_LENGTH_MAX: usize = 4000;
/// More answers than any questionnaire has items; the same as the reader's limit for any array.
const ANSWERS_MAX: usize = strict_json::LIMITS.items;
/// Largest household roster; larger ones are institutions, which are no households.
const ROSTER_MAX: usize = 99;

/// A submission as sent: well-formed, not yet held against its questionnaire.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Made by the tablet, UUIDv7 as a rule.
    pub id: Uuid,
    /// Revision, from 1.
    pub rev: u32,
    /// The revision this one corrects.
    pub parent_rev: Option<u32>,
    /// The case.
    pub case: String,
    /// Hash of the questionnaire the interview was made with.
    pub instrument: String,
    /// Consent to the interview.
    pub consent: Option<Consent>,
    /// How the person was drawn.
    pub selection: Option<Selection>,
    /// Members of the household.
    pub roster: Vec<RosterPerson>,
    /// The answers, in the order sent.
    pub answers: Vec<SubmittedAnswer>,
    /// Ids of the items in the order shown.
    pub order_shown: Vec<String>,
    /// Times of the interview.
    pub timing: Option<Timing>,
    /// The interviewer's note.
    pub note: String,
}

/// Consent to the interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Whether it was given.
    pub given: bool,
    /// When, in milliseconds since 1970 by the tablet's clock.
    pub at_ms: Option<i64>,
}

/// How one person was drawn among the eligible of a household.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// `uniform`, `kish` or `next-birthday`.
    pub method: String,
    /// How many were eligible.
    pub n_eligible: u32,
    /// The number of the person drawn.
    pub selected_no: u32,
    /// Inclusion probability of that person within the household.
    pub prob: f64,
}

/// One member of the household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterPerson {
    /// Number in the list, from 1.
    pub no: u32,
    /// `male` or `female`.
    pub sex: String,
    /// Age in years.
    pub age: Option<u32>,
    /// Whether the person belongs to the target population.
    pub eligible: bool,
}

/// Times of the interview by the tablet's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Start, in milliseconds since 1970.
    pub started_ms: Option<i64>,
    /// End, in milliseconds since 1970.
    pub finished_ms: Option<i64>,
    /// Time the interview was on screen, in milliseconds.
    pub active_ms: Option<i64>,
}

/// One answer as sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmittedAnswer {
    /// Its place in `answers`, counted from 0.
    pub place: usize,
    /// The item.
    pub item: String,
    /// The value, or why there is none.
    pub value: SubmittedValue,
    /// How often it was changed.
    pub n_changes: Option<u32>,
    /// How long the item was on screen, in milliseconds.
    pub shown_ms: Option<i64>,
}

/// A value before its item's type is known.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmittedValue {
    /// `v`.
    Value(Value),
    /// `m`.
    Missing(MissingKind),
}

impl Submission {
    /// Parses the bytes of a submission. Fields it does not know are left alone: the raw bytes are kept elsewhere.
    ///
    /// # Errors
    /// One fault when the bytes are not JSON as it must be; otherwise every fault of the form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<ItemFault>> {
        let value = strict_json::parse(bytes, &strict_json::LIMITS).map_err(|error| {
            let message =
                Message::new(format!("内容不是合格的 JSON：{error}"), format!("not well-formed JSON: {error}"));
            vec![ItemFault::new("", None, ItemFaultCode::Malformed, message)]
        })?;
        let mut faults = Vec::new();
        let submission = match Fields::of(&value, "", &mut faults) {
            Some(mut fields) => read_submission(&mut fields),
            None => None,
        };
        match submission {
            Some(submission) if faults.is_empty() => Ok(submission),
            _ => Err(faults),
        }
    }
}

fn read_submission(fields: &mut Fields<'_>) -> Option<Submission> {
    let schema = fields.required("schema", whole_number(1, 1_000_000));
    if schema.is_some_and(|schema| schema != SCHEMA) {
        fields.fault(
            "schema",
            ItemFaultCode::UnsupportedSchema,
            "不支持的数据格式版本",
            "this schema version is unknown",
        );
    }
    let id = fields.required("id", UUID);
    let rev = fields.required("rev", whole_number(1, 1_000_000));
    let parent_rev = fields.optional("parent_rev", whole_number(1, 1_000_000));
    let case = fields.required("case", WORD);
    let instrument = fields.required("instrument", HASH);
    let consent = fields.object("consent", |inside| {
        let given = inside.required("given", FLAG);
        let at_ms = inside.optional("at_ms", MILLISECONDS);
        Some(Consent { given: given?, at_ms })
    });
    let selection = fields.object("selection", read_selection);
    let roster = fields.list("roster", ROSTER_MAX, |inside, _| read_person(inside)).unwrap_or_default();
    let answers = fields.list("answers", ANSWERS_MAX, read_answer);
    if answers.is_none() {
        fields.fault("answers", ItemFaultCode::MissingField, "缺少“answers”", "\"answers\" is missing");
    }
    let order_shown = fields.words("order_shown");
    let timing = fields.object("timing", |inside| {
        let started_ms = inside.optional("started_ms", MILLISECONDS);
        let finished_ms = inside.optional("finished_ms", MILLISECONDS);
        Some(Timing { started_ms, finished_ms, active_ms: inside.optional("active_ms", MILLISECONDS) })
    });
    let note = fields.optional("note", NOTE).unwrap_or_default();
    let (rev, parent_rev) = (rev.map(small)?, parent_rev.map(small));
    let (id, case, instrument, answers) = (id?, case?, instrument?, answers?);
    Some(Submission {
        id,
        rev,
        parent_rev,
        case,
        instrument,
        consent,
        selection,
        roster,
        answers,
        order_shown,
        timing,
        note,
    })
}

fn read_selection(fields: &mut Fields<'_>) -> Option<Selection> {
    let method = fields.required("method", SELECTION_METHOD);
    let n_eligible = fields.required("n_eligible", whole_number(1, 99));
    let selected_no = fields.required("selected_no", whole_number(1, 99));
    let prob = fields.required("prob", PROBABILITY);
    Some(Selection { method: method?, n_eligible: small(n_eligible?), selected_no: small(selected_no?), prob: prob? })
}

fn read_person(fields: &mut Fields<'_>) -> Option<RosterPerson> {
    let no = fields.required("no", whole_number(1, 99));
    let sex = fields.required("sex", SEX);
    let age = fields.optional("age", whole_number(0, 130)).map(small);
    let eligible = fields.required("eligible", FLAG);
    Some(RosterPerson { no: small(no?), sex: sex?, age, eligible: eligible? })
}

fn read_answer(fields: &mut Fields<'_>, place: usize) -> Option<SubmittedAnswer> {
    let item = fields.required("i", WORD);
    fields.item = item.clone();
    let n_changes = fields.optional("n_changes", whole_number(0, 1_000_000)).map(small);
    let shown_ms = fields.optional("ms", MILLISECONDS);
    let value = fields.map.get("v").filter(|value| !value.is_null());
    let value = match (value, fields.optional("m", MISSING_KIND)) {
        (Some(value), None) if !fields.has("m") => SubmittedValue::Value(value.clone()),
        (None, Some(kind)) => SubmittedValue::Missing(kind),
        (None, None) if fields.has("m") => return None,
        _ => {
            let (zh, en) = ("“v”和“m”必须且只能有一个", "exactly one of \"v\" and \"m\" must be there");
            fields.faults.push(ItemFault::new(
                &fields.pointer,
                fields.item.as_deref(),
                ItemFaultCode::WrongType,
                Message::new(zh, en),
            ));
            return None;
        }
    };
    Some(SubmittedAnswer { place, item: item?, value, n_changes, shown_ms })
}

/// A number that `whole_number` has bounded far below the limit.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// How one kind of value is taken from JSON; `None` when the value is not one.
struct Taker<T> {
    take: fn(&Value) -> Option<T>,
    bounds: Option<(u64, u64)>,
    expected: (&'static str, &'static str),
}

const WORD: Taker<String> = Taker {
    take: |v| v.as_str().filter(|s| (1..=64).contains(&s.len()) && !s.chars().any(char::is_control)).map(str::to_owned),
    bounds: None,
    expected: ("1 至 64 个字节的文本", "a text of 1 to 64 bytes"),
};
const NOTE: Taker<String> = Taker {
    take: |v| v.as_str().filter(|s| s.chars().count() <= NOTE_LENGTH_MAX).map(str::to_owned),
    bounds: None,
    expected: ("不超过 4000 字的文本", "a text of at most 4000 characters"),
};
const HASH: Taker<String> = Taker {
    take: |v| {
        let is_hash = |s: &&str| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        v.as_str().filter(is_hash).map(str::to_owned)
    },
    bounds: None,
    expected: ("64 位小写十六进制摘要", "a hash of 64 lower-case hexadecimal digits"),
};
const UUID: Taker<Uuid> = Taker {
    // The hyphenated lower-case form only: one id has one spelling.
    take: |v| v.as_str().and_then(|s| Uuid::try_parse(s).ok().filter(|id| !id.is_nil() && id.to_string() == s)),
    bounds: None,
    expected: ("小写带连字符的 UUID", "a hyphenated lower-case UUID that is not nil"),
};
const FLAG: Taker<bool> = Taker { take: Value::as_bool, bounds: None, expected: ("true 或 false", "true or false") };
const MILLISECONDS: Taker<i64> = Taker {
    take: |v| v.as_i64().filter(|ms| (0..=9_007_199_254_740_991).contains(ms)),
    bounds: None,
    expected: ("非负的毫秒整数", "a whole number of milliseconds, not negative"),
};
const PROBABILITY: Taker<f64> = Taker {
    take: |v| v.as_f64().filter(|p| *p > 0.0 && *p <= 1.0),
    bounds: None,
    expected: ("大于 0 且不超过 1 的概率", "a probability above 0 and at most 1"),
};
const SEX: Taker<String> = Taker {
    take: |v| v.as_str().filter(|s| matches!(*s, "male" | "female")).map(str::to_owned),
    bounds: None,
    expected: ("male 或 female", "male or female"),
};
const SELECTION_METHOD: Taker<String> = Taker {
    take: |v| v.as_str().filter(|s| matches!(*s, "uniform" | "kish" | "next-birthday")).map(str::to_owned),
    bounds: None,
    expected: ("uniform、kish 或 next-birthday", "uniform, kish or next-birthday"),
};
const MISSING_KIND: Taker<MissingKind> = Taker {
    take: |v| v.as_str().and_then(MissingKind::parse),
    bounds: None,
    expected: ("五种缺失类型之一", "one of the five missing kinds"),
};

fn whole_number(min: u64, max: u64) -> Taker<u64> {
    Taker { take: Value::as_u64, bounds: Some((min, max)), expected: ("非负整数", "a whole number") }
}

/// The fields of one object, with a place for its faults.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    pointer: String,
    item: Option<String>,
    faults: &'a mut Vec<ItemFault>,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, pointer: &str, faults: &'a mut Vec<ItemFault>) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, pointer: pointer.to_owned(), item: None, faults }),
            _ => {
                let message = Message::new("应为 JSON 对象", "expected a JSON object");
                faults.push(ItemFault::new(pointer, None, ItemFaultCode::WrongType, message));
                None
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    fn fault(&mut self, name: &str, code: ItemFaultCode, zh: &str, en: &str) {
        let pointer = format!("{}/{}", self.pointer, escape(name));
        self.faults.push(ItemFault::new(pointer, self.item.as_deref(), code, Message::new(zh, en)));
    }

    fn required<T>(&mut self, name: &str, taker: Taker<T>) -> Option<T> {
        if !self.has(name) {
            let (zh, en) = (format!("缺少“{name}”"), format!("\"{name}\" is missing"));
            self.fault(name, ItemFaultCode::MissingField, &zh, &en);
            return None;
        }
        self.optional(name, taker)
    }

    fn optional<T>(&mut self, name: &str, taker: Taker<T>) -> Option<T> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        let Some(taken) = (taker.take)(value) else {
            let (zh, en) = taker.expected;
            let (zh, en) = (format!("“{name}”应为{zh}"), format!("\"{name}\" must be {en}"));
            self.fault(name, ItemFaultCode::WrongType, &zh, &en);
            return None;
        };
        if let (Some((min, max)), Some(number)) = (taker.bounds, value.as_u64())
            && !(min..=max).contains(&number)
        {
            let zh = format!("“{name}”应在 {min} 至 {max} 之间");
            let en = format!("\"{name}\" must be between {min} and {max}");
            self.fault(name, ItemFaultCode::OutOfRange, &zh, &en);
            return None;
        }
        Some(taken)
    }

    fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        let pointer = format!("{}/{name}", self.pointer);
        read(&mut Fields::of(value, &pointer, self.faults)?)
    }

    /// Every element that could be read; `None` when there is no list.
    fn list<T>(
        &mut self,
        name: &str,
        length_max: usize,
        read: impl Fn(&mut Fields<'_>, usize) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.elements(name, length_max)?;
        let pointer = format!("{}/{name}", self.pointer);
        let read_one = |(i, element): (usize, &Value)| {
            let mut fields = Fields::of(element, &format!("{pointer}/{i}"), self.faults)?;
            read(&mut fields, i)
        };
        Some(list.iter().enumerate().filter_map(read_one).collect())
    }

    fn words(&mut self, name: &str) -> Vec<String> {
        let words = self.elements(name, ANSWERS_MAX).into_iter().flatten().map(WORD.take).collect::<Option<Vec<_>>>();
        words.unwrap_or_else(|| {
            let (zh, en) = (format!("“{name}”应为文本列表"), format!("\"{name}\" must be a list of texts"));
            self.fault(name, ItemFaultCode::WrongType, &zh, &en);
            Vec::new()
        })
    }

    fn elements(&mut self, name: &str, length_max: usize) -> Option<&'a [Value]> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        match value.as_array() {
            Some(list) if list.len() <= length_max => Some(list),
            Some(_) => {
                let zh = format!("“{name}”超过 {length_max} 项");
                let en = format!("\"{name}\" has more than {length_max} elements");
                self.fault(name, ItemFaultCode::OutOfRange, &zh, &en);
                Some(&[])
            }
            None => {
                let (zh, en) = (format!("“{name}”应为列表"), format!("\"{name}\" must be a list"));
                self.fault(name, ItemFaultCode::WrongType, &zh, &en);
                Some(&[])
            }
        }
    }
}
