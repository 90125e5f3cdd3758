//! Whether the person interviewed can have been drawn from the household as the roster and the selection say.

use super::{
    faults::{ItemFault, ItemFaultCode, Message},
    submission::{RosterPerson, Selection, Submission},
};

/// The population of the surveys: residents of these ages.
const AGES: std::ops::RangeInclusive<u32> = 18..=69;

/// Probabilities travel as decimal numbers; 1/3 comes back rounded.
const PROBABILITY_TOLERANCE: f64 = 1e-6;

/// Every fault of the roster and the selection.
pub(super) fn faults(submission: &Submission) -> Vec<ItemFault> {
    let mut faults = ages(submission);
    let Some(selection) = &submission.selection else { return faults };
    if selection.selected_no > selection.n_eligible {
        let message = Message::new("被选者序号大于合格人数", "the person drawn is not among the eligible");
        faults.push(ItemFault::new("/selection/selected_no", None, ItemFaultCode::OutOfRange, message));
        return faults;
    }
    let eligible = submission.roster.iter().filter(|person| person.eligible).count();
    let counted = usize::try_from(selection.n_eligible).is_ok_and(|n| n == eligible);
    if !submission.roster.is_empty() && !counted {
        let message = Message::new(
            format!("名册中有 {eligible} 名合格成员，抽取记录为 {} 名", selection.n_eligible),
            format!("the roster has {eligible} eligible members, the selection says {}", selection.n_eligible),
        );
        faults.push(ItemFault::new("/selection/n_eligible", None, ItemFaultCode::InconsistentSelection, message));
    }
    if probability(selection).is_none_or(|p| (p - selection.prob).abs() > PROBABILITY_TOLERANCE) {
        let message = Message::new(
            "户内抽取概率与所述抽取方法不符",
            "the probability is not the one that the method gives this person",
        );
        faults.push(ItemFault::new("/selection/prob", None, ItemFaultCode::InconsistentSelection, message));
    }
    faults
}

fn ages(submission: &Submission) -> Vec<ItemFault> {
    let outside = |person: &RosterPerson| person.eligible && person.age.is_some_and(|age| !AGES.contains(&age));
    let fault = |at: usize| {
        let message = Message::new("合格成员的年龄应在 18 至 69 岁", "an eligible member is 18 to 69 years old");
        ItemFault::new(format!("/roster/{at}/age"), None, ItemFaultCode::OutOfRange, message)
    };
    let places = submission.roster.iter().enumerate().filter(|(_, person)| outside(person));
    places.map(|(at, _)| fault(at)).collect()
}

/// What the method gives the person with this number. Kish's tables (1949) draw one of the first six; among five the
/// chances are uneven: 2, 2, 3, 2 and 3 twelfths.
fn probability(selection: &Selection) -> Option<f64> {
    match (selection.method.as_str(), selection.n_eligible, selection.selected_no) {
        ("kish", 5, 3 | 5) => Some(3.0 / 12.0),
        ("kish", 5, _) => Some(2.0 / 12.0),
        ("kish", 7.., 7..) => None,
        ("kish", 7.., _) => Some(1.0 / 6.0),
        (_, n, _) => Some(1.0 / f64::from(n)),
    }
}
