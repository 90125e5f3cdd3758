//! Analysis columns: what a response is by the questionnaire's own rules.

use std::collections::BTreeMap;

use super::{Questionnaire, routing::View};
use crate::instrument::response::Response;

impl Questionnaire {
    /// The category of a response in each analysis column; none where no rule holds, for instance without an age.
    #[must_use]
    pub fn classify(&self, response: &Response) -> BTreeMap<String, Option<String>> {
        let relevant = response.relevance();
        self.classify_view(&View { questionnaire: self, answers: response.answers_by_place(), relevant: &relevant })
    }

    /// The same for answers that need not be a whole response.
    pub(crate) fn classify_view(&self, view: &View<'_>) -> BTreeMap<String, Option<String>> {
        (self.classifications().iter())
            .map(|column| {
                let category = column.categories.iter().find(|category| category.when.holds(view));
                (column.id.clone(), category.map(|category| category.code.clone()))
            })
            .collect()
    }
}
