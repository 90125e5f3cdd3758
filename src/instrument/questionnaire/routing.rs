//! Routing: which items are relevant for the answers given so far.

use super::Questionnaire;
use crate::instrument::{
    expression::{Expression, Facts, Known, Reference},
    response::{Answer, Given},
};

/// Answers by place in the questionnaire, seen through relevance: what is irrelevant is not there.
pub(crate) struct View<'a> {
    pub(crate) questionnaire: &'a Questionnaire,
    pub(crate) answers: &'a [Option<Answer>],
    pub(crate) relevant: &'a [bool],
}

impl Facts for View<'_> {
    fn known(&self, reference: &Reference) -> Option<Known<'_>> {
        let at = self.questionnaire.item_index(&reference.id)?;
        let given = self.answers[at].as_ref().filter(|_| self.relevant[at]).map(|answer| &answer.given)?;
        Some(match (given, &reference.row) {
            (Given::Missing(kind), _) => Known::Missing(*kind),
            (Given::Choice(code), _) => Known::Text(code),
            (Given::Text(text) | Given::Date(text), _) => Known::Text(text),
            (Given::Number(number), _) => Known::Number(*number),
            (Given::Choices(codes), _) => Known::Codes(codes),
            (Given::Matrix(rows), Some(row)) => Known::Text(rows.get(row)?),
            (Given::Matrix(_), None) => Known::Something,
        })
    }
}

impl Questionnaire {
    /// For each item in the order of asking, whether these answers make it relevant.
    ///
    /// One pass is enough: a rule names earlier items only, so each rule finds the relevance of what it looks at.
    pub(crate) fn relevance(&self, answers: &[Option<Answer>]) -> Vec<bool> {
        let mut relevant = vec![false; answers.len()];
        for at in 0..answers.len() {
            let view = View { questionnaire: self, answers, relevant: &relevant };
            let holds = |rule: &Option<Expression>| rule.as_ref().is_none_or(|rule| rule.holds(&view));
            relevant[at] = holds(&self.section_of(at).relevant_when) && holds(&self.item_at(at).relevant_when);
        }
        relevant
    }
}
