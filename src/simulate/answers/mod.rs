//! What a resident answers: a function of the city's seed and the person alone, and apart from dates it does
//! not matter which survey asks.

mod background;
mod opinion;
mod scored;

use jiff::civil::Date;

use crate::instrument::{Answer, Given, Item, Questionnaire};

use super::person::Person;
use super::stream::{Purpose, Stream};

use scored::ScoredItems;

/// A person who is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Respondent<'a> {
    /// Seed of the city.
    pub(super) seed: u64,
    /// Place of the person in the city.
    pub(super) id: u32,
    pub(super) person: &'a Person,
    /// First day of the wave, which dates what the person remembers.
    pub(super) asked_on: Date,
}

/// A questionnaire made ready to be answered many times.
pub(super) struct AnswerSheet<'q> {
    questionnaire: &'q Questionnaire,
    scored: ScoredItems<'q>,
}

impl<'q> AnswerSheet<'q> {
    pub(super) fn new(questionnaire: &'q Questionnaire) -> Self {
        Self { questionnaire, scored: ScoredItems::of(questionnaire) }
    }

    /// The answers by the place of their item; none where routing leaves the item out.
    ///
    /// Scored answers come last because routing decides which items there are to be right in.
    pub(super) fn fill(&self, respondent: &Respondent<'_>) -> Vec<Option<Given>> {
        let mut stream = Stream::new(respondent.seed, Purpose::Answers, u64::from(respondent.id));
        let answer = |item: &Item, stream: &mut Stream| {
            let known = background::answer(item, respondent, stream);
            known.or_else(|| opinion::answer(item, respondent.person, stream))
        };
        let mut given: Vec<Option<Given>> = self.questionnaire.items().map(|item| answer(item, &mut stream)).collect();
        let relevant = self.relevance(&given);
        self.scored.answer(&mut given, &relevant, respondent.person, &mut stream);
        let relevant = self.relevance(&given);
        for (given, _) in given.iter_mut().zip(relevant).filter(|(_, relevant)| !relevant) {
            *given = None;
        }
        given
    }

    fn relevance(&self, given: &[Option<Given>]) -> Vec<bool> {
        let as_answer = |given: &Given| Answer { given: given.clone(), active: true, n_changes: None, shown_ms: None };
        let answers: Vec<Option<Answer>> = given.iter().map(|given| given.as_ref().map(as_answer)).collect();
        self.questionnaire.relevance(&answers)
    }
}
