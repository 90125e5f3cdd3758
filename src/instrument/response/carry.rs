//! Interviews by an earlier version of a questionnaire among those by a later one.
//!
//! An item is known by its id for as long as its questionnaire lives. A version that takes over keeps every item of the one
//! before with the same possible values, and may word it otherwise, put it elsewhere, add options and add items. So every
//! answer has its place among the later version's items, and what nobody was asked is `not_asked`.

use super::{Answer, Given, Response, faults::Message};
use crate::instrument::questionnaire::{Item, MissingKind, Questionnaire};

/// Whether interviews by `earlier` can stand among those by `later`.
///
/// # Errors
/// Every item that stands in the way, with what is wrong with it.
pub fn can_carry(earlier: &Questionnaire, later: &Questionnaire) -> Result<(), Vec<(String, Message)>> {
    let fault = |item: &Item| {
        let found = match later.item(&item.id) {
            None => Some(Message::new("新版本中没有此题", "the later version does not have the item")),
            Some(same) => why_not(item, same),
        };
        found.map(|message| (item.id.clone(), message))
    };
    let faults: Vec<_> = earlier.items().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn why_not(earlier: &Item, later: &Item) -> Option<Message> {
    if earlier.kind != later.kind {
        return Some(Message::new("题型改变了", "its type is another"));
    }
    let has = |option: &&crate::instrument::questionnaire::Choice| {
        later.options.iter().any(|same| same.code == option.code && same.exclusive == option.exclusive)
    };
    if let Some(gone) = earlier.options.iter().find(|option| !has(option)) {
        let code = &gone.code;
        return Some(Message::new(
            format!("缺少选项“{code}”"),
            format!("the option \"{code}\" is gone or excludes others"),
        ));
    }
    if !earlier.rows.iter().map(|row| &row.code).eq(later.rows.iter().map(|row| &row.code)) {
        return Some(Message::new("矩阵的行改变了", "its rows are others"));
    }
    let limits = |item: &Item| {
        let lengths = [item.choices_min, item.choices_max, item.length_max];
        (item.min, item.max, item.integer, item.required, lengths, item.date_min, item.date_max)
    };
    (limits(earlier) != limits(later)).then(|| Message::new("取值范围改变了", "its limits are others"))
}

impl Response {
    /// The response in its place among those by `later`, for which [`can_carry`] must hold.
    #[must_use]
    pub fn carried(mut self, earlier: &Questionnaire, later: &Questionnaire) -> Self {
        let mut answers: Vec<Option<Answer>> = later.items().map(|item| of_later(item, earlier, &mut self)).collect();
        std::mem::swap(&mut self.answers, &mut answers);
        later.hash().clone_into(&mut self.questionnaire);
        self
    }
}

fn of_later(item: &Item, earlier: &Questionnaire, response: &mut Response) -> Option<Answer> {
    let Some(at) = earlier.item_index(&item.id) else {
        let given = Given::Missing(MissingKind::NotAsked);
        return Some(Answer { given, active: true, n_changes: None, shown_ms: None });
    };
    let mut answer = response.answers.get_mut(at)?.take()?;
    if let Given::Choices(codes) = &mut answer.given {
        // In the order of the options, which is the later version's now.
        codes.sort_by_key(|code| item.options.iter().position(|option| option.code == *code));
    }
    Some(answer)
}
