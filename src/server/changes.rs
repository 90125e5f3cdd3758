//! What a tablet must know since it last asked: its cases with their draws, cases taken away, and messages.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{Instruments, Refusal};
use crate::{
    indicator::files::Regions,
    instrument::{Draw, Precommitted, Questionnaire, SelectionMethod},
    storage::{Database, FieldCase, FileKind, InboxMessage, Survey},
};

/// Cases in one answer at most; with their orders they are large.
const PAGE_CASES_MAX: i64 = 200;

/// Unread messages in one answer at most.
const MESSAGES_MAX: i64 = 200;

/// More than one person ever holds, for looking up the named ones.
const NAMED_CASES_MAX: i64 = 100_000;

/// Where a tablet stands. Opaque to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// The next entry of the audit log it has not seen the changes of.
    log: i64,
    /// The beginning of the leaf before that. A database restored from an earlier backup may have another one there.
    leaf: String,
    /// In a full sync: after which survey and case to go on.
    after: Option<(String, String)>,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    fn text(&self) -> Result<String, Refusal> {
        let json =
            serde_json::to_vec(self).map_err(|error| Refusal::Stored { what: "cursor", message: error.to_string() })?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }
}

/// One change.
#[derive(Debug, Clone)]
pub enum Change {
    /// The case is the asker's and looks like this.
    Case(Box<HeldCase>),
    /// The case is the asker's no longer.
    Gone {
        /// The survey.
        survey: String,
        /// The case.
        case: String,
    },
}

/// A case as its tablet needs it.
#[derive(Debug, Clone)]
pub struct HeldCase {
    /// The survey.
    pub survey: Survey,
    /// The name of its district in Chinese; the code when the survey has no regions file.
    pub district_name: String,
    /// The rest.
    pub case: FieldCase,
    /// The order drawn for it.
    pub draw: Draw,
    /// The letter of Kish's table, when the selection is Kish's.
    pub kish_table: Option<&'static str>,
}

impl HeldCase {
    /// `open`, `returned` or `done`, by the interview that counts.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.case.interview.as_deref() {
            None => "open",
            Some("returned") => "returned",
            Some(_) => "done",
        }
    }
}

/// A page of changes.
#[derive(Debug)]
pub struct Changes {
    /// Where the tablet stands then.
    pub cursor: String,
    /// Whether there is more at once.
    pub has_more: bool,
    /// Cases, in order.
    pub changes: Vec<Change>,
    /// Every message not yet acknowledged, with the last page. They come again until they are.
    pub messages: Vec<InboxMessage>,
}

/// What changed for a person since the cursor; everything without one.
///
/// Changes have the order of the audit log, which is that of the commits: an answer can never skip one that a slower
/// transaction adds later. The cases are read afterwards and are therefore never older than the cursor says.
///
/// # Errors
/// `CursorExpired` when the cursor is none of this database's; the tablet then asks without one and keeps its drafts.
pub fn changes(
    database: &Database,
    instruments: &Instruments,
    (person, ids): (&str, &[String]),
    cursor: Option<&str>,
) -> Result<Changes, Refusal> {
    let cursor = match cursor {
        None => {
            let log = database.audit_head()?.size;
            Cursor { log, leaf: leaf_before(database, log)?, after: Some(Default::default()) }
        }
        Some(text) => {
            let cursor = Cursor::read(text).ok_or(Refusal::CursorExpired)?;
            if cursor.leaf != leaf_before(database, cursor.log)? {
                return Err(Refusal::CursorExpired);
            }
            cursor
        }
    };
    let ((cursor, has_more), changes) = match &cursor.after {
        Some((survey, case)) => everything(database, instruments, person, &cursor, (survey, case))?,
        None => since(database, instruments, person, &cursor)?,
    };
    let messages = if has_more { Vec::new() } else { database.unread_messages(ids, MESSAGES_MAX)? };
    Ok(Changes { cursor: cursor.text()?, has_more, changes, messages })
}

/// The beginning of the leaf before a place of the log; empty at its start and beyond its end.
fn leaf_before(database: &Database, log: i64) -> Result<String, Refusal> {
    let entries = if log > 0 { database.audit_entries(log - 1, 1)? } else { Vec::new() };
    let leaf = entries.first().filter(|entry| entry.seq == log - 1).map(|entry| &entry.leaf);
    Ok(leaf.map_or_else(
        || if log > 0 { "none".to_owned() } else { String::new() },
        |leaf| super::secrets::hex(&leaf[..8]),
    ))
}

type Page = ((Cursor, bool), Vec<Change>);

fn everything(
    database: &Database,
    instruments: &Instruments,
    person: &str,
    cursor: &Cursor,
    after: (&str, &str),
) -> Result<Page, Refusal> {
    let rows = database.field_cases(person, None, after, PAGE_CASES_MAX)?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == PAGE_CASES_MAX);
    let last = rows.last().filter(|_| is_full).map(|row| &row.assignment);
    let after = last.map(|row| (row.survey_id.clone(), row.case_id.clone()));
    let has_more = after.is_some();
    let mut surveys = Surveys { database, instruments, known: BTreeMap::new() };
    let changes = rows.into_iter().map(|row| surveys.held(row)).collect::<Result<_, _>>()?;
    Ok(((Cursor { after, ..cursor.clone() }, has_more), changes))
}

fn since(database: &Database, instruments: &Instruments, person: &str, cursor: &Cursor) -> Result<Page, Refusal> {
    let rows = database.field_changes(person, cursor.log - 1, PAGE_CASES_MAX)?;
    let has_more = i64::try_from(rows.len()).is_ok_and(|rows| rows == PAGE_CASES_MAX);
    let Some(last) = rows.last() else { return Ok(((cursor.clone(), false), Vec::new())) };
    let log = last.log_seq + 1;
    let named: BTreeSet<(String, String)> = rows.into_iter().map(|row| (row.survey_id, row.case_id)).collect();
    let cases: Vec<String> = named.iter().map(|(_, case)| case.clone()).collect();
    let held = database.field_cases(person, Some(&cases), ("", ""), NAMED_CASES_MAX)?;
    let place = |row: &FieldCase| (row.assignment.survey_id.clone(), row.assignment.case_id.clone());
    let mut held: BTreeMap<_, _> = held.into_iter().map(|row| (place(&row), row)).collect();
    let mut surveys = Surveys { database, instruments, known: BTreeMap::new() };
    let mut changes = Vec::new();
    for (survey, case) in named {
        changes.push(match held.remove(&(survey.clone(), case.clone())) {
            Some(row) => surveys.held(row)?,
            None => Change::Gone { survey, case },
        });
    }
    Ok(((Cursor { log, leaf: leaf_before(database, log)?, after: None }, has_more), changes))
}

/// Surveys with the names of their districts, each read once.
struct Surveys<'a> {
    database: &'a Database,
    instruments: &'a Instruments,
    known: BTreeMap<String, (Survey, BTreeMap<String, String>)>,
}

impl Surveys<'_> {
    fn held(&mut self, case: FieldCase) -> Result<Change, Refusal> {
        let questionnaire = self.questionnaire(&case.draw.questionnaire_hash)?;
        let (survey, names) = self.survey(&case.assignment.survey_id)?;
        let district_name = names.get(&case.district).unwrap_or(&case.district).clone();
        let survey = survey.clone();
        let stored = |message: &str| Refusal::Stored { what: "draw", message: message.to_owned() };
        let seed = case.draw.seed.parse().map_err(|_| stored("the seed is no number"))?;
        let u = u64::try_from(case.draw.u_numerator).ok().and_then(Precommitted::new);
        let u = u.ok_or_else(|| stored("the selecting number is not below one"))?;
        let kish = case.draw.method == SelectionMethod::Kish.name();
        let kish_table = kish.then(|| u.kish_table().letter);
        let draw = Draw::derive(questionnaire.definition(), seed);
        Ok(Change::Case(Box::new(HeldCase { survey, district_name, case, draw, kish_table })))
    }

    fn questionnaire(&self, hash: &str) -> Result<std::sync::Arc<Questionnaire>, Refusal> {
        let found = self.instruments.get(self.database, hash)?;
        found.ok_or_else(|| Refusal::Stored { what: "draw", message: "its questionnaire is gone".to_owned() })
    }

    fn survey(&mut self, id: &str) -> Result<&(Survey, BTreeMap<String, String>), Refusal> {
        if !self.known.contains_key(id) {
            let survey = self.database.survey(id)?;
            let survey = survey
                .ok_or_else(|| Refusal::Stored { what: "assignment", message: "its survey is gone".to_owned() })?;
            let file = self.database.survey_file(id, FileKind::Regions)?;
            let regions = file.and_then(|file| Regions::parse("regions.csv", &file.content).ok()).unwrap_or_default();
            let names = regions.regions.into_values().map(|region| (region.code, region.name.zh)).collect();
            self.known.insert(id.to_owned(), (survey, names));
        }
        Ok(&self.known[id])
    }
}
