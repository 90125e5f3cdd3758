//! The usual case of a judgement, for many bodies at once: each is the first of its interview and good, from somebody who
//! may send it, to a survey that is open. What it needs to know is read by one statement for all.
//!
//! Whatever is not that usual case is judged by itself (see `judgements`), and when one of those may take a case away
//! too, all of them are: the cases are then taken in one order.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, SqliteConnection, prelude::*};

use super::{
    Judgement, StorageError,
    bulk::{FirstHead, RawRow},
    judgements::Holds,
    schema::*,
};

/// A judgement to be written down.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) server_seq: i64,
    pub(super) judgement: &'a Judgement,
    /// The body, when it is written in this transaction, too.
    pub(super) body: Option<&'a RawRow<'a>>,
}

impl<'a> Asked<'a> {
    /// Survey and case, when it counts for one.
    pub(super) fn case(&self) -> Option<(&'a str, &'a str)> {
        match self.judgement {
            Judgement::Good { survey_id, case_id, .. } => Some((survey_id, case_id)),
            Judgement::Quarantine { .. } => None,
        }
    }

    /// The head it makes; its state and its district are still to come.
    fn head(&self, now_ms: i64) -> Option<FirstHead<'a>> {
        let Judgement::Good { survey_id, case_id, questionnaire_hash, answers } = self.judgement else { return None };
        let body = self.body?;
        Some(FirstHead {
            id: body.id,
            state: "received",
            has_conflict: false,
            current_rev: body.rev,
            current_seq: self.server_seq,
            survey_id,
            case_id,
            questionnaire_hash,
            answers,
            changed_at_ms: now_ms,
            district: None,
            surveyor: body.received_from,
        })
    }
}

/// The heads of the bodies that are the usual case, in the order given; none when a good one has to go by itself. `fresh`:
/// the ids that had no head before.
pub(super) fn heads<'a, C: Looks>(
    c: &mut C,
    asked: &[Asked<'a>],
    fresh: &BTreeSet<String>,
    now_ms: i64,
) -> Result<Vec<FirstHead<'a>>, StorageError> {
    let good: Vec<&Asked<'_>> = asked.iter().filter(|asked| asked.case().is_some()).collect();
    let is_first = |asked: &&&Asked<'_>| asked.body.is_some_and(|body| !body.revoked && fresh.contains(body.id));
    let mut heads: Vec<FirstHead<'_>> = good.iter().filter(is_first).filter_map(|asked| asked.head(now_ms)).collect();
    let ids: BTreeSet<&str> = heads.iter().map(|head| head.id).collect();
    if heads.is_empty() || heads.len() < good.len() || ids.len() < heads.len() || !c.all_may(&heads)? {
        return Ok(Vec::new());
    }
    let mut districts = c.districts(&heads)?;
    for head in &mut heads {
        head.district = districts.remove(&(head.survey_id.to_owned(), head.case_id.to_owned()));
    }
    Ok(heads)
}

/// Survey and case.
type Case = (String, String);

/// What the judgements of many heads need to know.
pub(super) trait Looks {
    /// Whether each may count by itself: its survey is open, and stays so until this transaction ends, and its case was
    /// not given to somebody else.
    fn all_may(&mut self, heads: &[FirstHead<'_>]) -> Result<bool, StorageError>;
    /// The districts of their cases.
    fn districts(&mut self, heads: &[FirstHead<'_>]) -> QueryResult<BTreeMap<Case, String>>;
}

fn surveys<'a>(heads: &[FirstHead<'a>]) -> BTreeSet<&'a str> {
    heads.iter().map(|head| head.survey_id).collect()
}

fn cases<'a>(heads: &[FirstHead<'a>]) -> BTreeSet<&'a str> {
    heads.iter().map(|head| head.case_id).collect()
}

macro_rules! looks {
    ($connection:ty) => {
        impl Looks for $connection {
            fn all_may(&mut self, heads: &[FirstHead<'_>]) -> Result<bool, StorageError> {
                for survey_id in surveys(heads) {
                    self.hold_survey(survey_id)?;
                }
                let closed = survey_closing::table.filter(survey_closing::survey_id.eq_any(surveys(heads)));
                let closed: Vec<String> = closed.select(survey_closing::survey_id).load(self)?;
                return Ok(closed.is_empty() && !any_strange(self, heads)?);

                /// Whether some case was given to others and never to the person of the tablet.
                fn any_strange(c: &mut $connection, heads: &[FirstHead<'_>]) -> QueryResult<bool> {
                    let of = assignment::survey_id.eq_any(surveys(heads)).and(assignment::case_id.eq_any(cases(heads)));
                    let row = (assignment::survey_id, assignment::case_id, assignment::person_id);
                    let rows: Vec<(String, String, String)> = assignment::table.filter(of).select(row).load(c)?;
                    if rows.is_empty() {
                        return Ok(false);
                    }
                    let mut had: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
                    for (survey_id, case_id, person) in &rows {
                        had.entry((survey_id, case_id)).or_default().insert(person);
                    }
                    let persons = persons(c, heads)?;
                    Ok(heads.iter().any(|head| {
                        let had = had.get(&(head.survey_id, head.case_id));
                        let person = persons.get(head.surveyor);
                        had.zip(person).is_some_and(|(had, person)| !had.contains(person.as_str()))
                    }))
                }

                /// The person of each sender; a service token has none.
                fn persons(c: &mut $connection, heads: &[FirstHead<'_>]) -> QueryResult<BTreeMap<String, String>> {
                    let from: BTreeSet<&str> = heads.iter().map(|head| head.surveyor).collect();
                    let people = person::table.filter(person::id.eq_any(from.clone())).select(person::id);
                    let people: Vec<String> = people.load(c)?;
                    let devices = device::table.filter(device::id.eq_any(from)).select((device::id, device::person_id));
                    let devices: Vec<(String, String)> = devices.load(c)?;
                    Ok(people.into_iter().map(|id| (id.clone(), id)).chain(devices).collect())
                }
            }

            fn districts(&mut self, heads: &[FirstHead<'_>]) -> QueryResult<BTreeMap<Case, String>> {
                let of = sample_case::survey_id.eq_any(surveys(heads)).and(sample_case::case_id.eq_any(cases(heads)));
                let row = (sample_case::survey_id, sample_case::case_id, sample_case::district);
                let rows: Vec<(String, String, String)> = sample_case::table.filter(of).select(row).load(self)?;
                Ok(rows.into_iter().map(|(survey_id, case_id, district)| ((survey_id, case_id), district)).collect())
            }
        }
    };
}

looks!(SqliteConnection);
looks!(PgConnection);
