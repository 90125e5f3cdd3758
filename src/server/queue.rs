//! What waits for a reviewer, the most urgent first, each with the reason.

use std::collections::BTreeMap;

use super::{People, Refusal};
use crate::{
    instrument::{Sign, Submission},
    storage::{Database, Interview, Pile, Reviewer},
};

/// Interviews of one pile at most: nobody reads more before asking again.
const PILE_MAX: i64 = 200;

/// Why an interview waits, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Two bodies under one revision: nothing goes on before somebody chooses.
    Conflict,
    /// Somebody asked for it to be taken out; another person confirms.
    VoidRequested,
    /// Its case has another interview.
    Surplus,
    /// It waits in quarantine.
    Quarantined,
    /// It has signs, and nobody approved it.
    Signs,
    /// Nobody approved it.
    First,
    /// One person approved it.
    Second,
    /// Two persons approved it.
    ToLock,
}

impl Why {
    /// Every reason, in order.
    pub const ALL: [Self; 8] = [
        Self::Conflict,
        Self::VoidRequested,
        Self::Surplus,
        Self::Quarantined,
        Self::Signs,
        Self::First,
        Self::Second,
        Self::ToLock,
    ];

    /// The name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::VoidRequested => "void-requested",
            Self::Surplus => "surplus",
            Self::Quarantined => "quarantined",
            Self::Signs => "signs",
            Self::First => "first",
            Self::Second => "second",
            Self::ToLock => "to-lock",
        }
    }
}

/// An interview that waits.
#[derive(Debug)]
pub struct Queued {
    /// Its head.
    pub interview: Interview,
    /// Why it waits.
    pub why: Why,
    /// What its bytes show.
    pub signs: Vec<Sign>,
    /// From whom it came, by name.
    pub surveyor_name: Option<String>,
    /// Whether the asker may not take the next step because they took the step before, or it is theirs.
    pub for_another: bool,
}

/// What waits in the reviewer's region, the most urgent first and those that wait longest first among equals.
///
/// # Errors
/// Whatever the database refused.
pub fn queue(database: &Database, survey_id: &str, by: &Reviewer) -> Result<Vec<Queued>, Refusal> {
    let mut found = Vec::new();
    for pile in [Pile::Exceptions, Pile::First, Pile::Second, Pile::ToLock] {
        let heads = database.waiting_interviews(survey_id, &by.scope, pile, PILE_MAX)?;
        let signs = if pile == Pile::ToLock { BTreeMap::new() } else { signs_of(database, &heads)? };
        found.extend(heads.into_iter().map(|head| {
            let signs = signs.get(&head.current_seq).cloned().unwrap_or_default();
            (why(&head, pile, &signs), head, signs)
        }));
    }
    let people = People::read(database)?;
    let mut queued: Vec<Queued> = found
        .into_iter()
        .map(|(why, interview, signs)| {
            let sender = interview.surveyor.clone().unwrap_or_default();
            let before = match why {
                Why::VoidRequested => interview.void_by.as_deref(),
                Why::Second => interview.l1_by.as_deref(),
                _ => None,
            };
            let for_another = by.ids.contains(&sender) || before.is_some_and(|id| by.ids.iter().any(|own| own == id));
            let surveyor_name = people.name_of(&sender).map(str::to_owned);
            Queued { interview, why, signs, surveyor_name, for_another }
        })
        .collect();
    queued.sort_by(|a, b| {
        let key = |one: &Queued| (one.for_another, one.why, one.interview.changed_at_ms);
        key(a).cmp(&key(b)).then_with(|| a.interview.id.cmp(&b.interview.id))
    });
    Ok(queued)
}

fn why(head: &Interview, pile: Pile, signs: &[Sign]) -> Why {
    match pile {
        Pile::Exceptions if head.has_conflict => Why::Conflict,
        Pile::Exceptions if head.void_by.is_some() => Why::VoidRequested,
        Pile::Exceptions if head.state == "surplus" => Why::Surplus,
        Pile::Exceptions => Why::Quarantined,
        Pile::First if !signs.is_empty() => Why::Signs,
        Pile::First => Why::First,
        Pile::Second => Why::Second,
        Pile::ToLock => Why::ToLock,
    }
}

fn signs_of(database: &Database, heads: &[Interview]) -> Result<BTreeMap<i64, Vec<Sign>>, Refusal> {
    let seqs: Vec<i64> = heads.iter().map(|head| head.current_seq).collect();
    let bodies = database.bodies_at(&seqs)?.into_iter();
    // Bytes that are no submission wait in quarantine with every fault named; they have no signs.
    Ok(bodies.filter_map(|(seq, body)| Some((seq, Submission::parse(&body).ok()?.signs()))).collect())
}
