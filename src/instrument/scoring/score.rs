//! From marks to scores, tiers and verdicts.

use rayon::prelude::*;
use serde::Serialize;

use super::{
    columns::{Mark, Marks},
    fit::ScoredItem,
    points::Points,
    profile::{ScoringProfile, VerdictRule},
};
use crate::instrument::{questionnaire::Questionnaire, response::Response};

/// What scoring makes of one response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A score.
    Scored(Score),
    /// No score, and why: never a number that stands for nothing.
    NotScored(NotScoredReason),
}

impl Outcome {
    /// The score, if there is one.
    #[must_use]
    pub fn score(&self) -> Option<&Score> {
        match self {
            Self::Scored(score) => Some(score),
            Self::NotScored(_) => None,
        }
    }
}

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum NotScoredReason {
    /// Too many items without an answer.
    #[error("{missing} of {items} items have no answer")]
    TooManyMissing {
        /// Items without an answer; 不知道 is one.
        missing: usize,
        /// Items that count.
        items: usize,
    },
    /// The response was made with another questionnaire.
    #[error("the response was made with another questionnaire")]
    WrongQuestionnaire,
    /// The profile does not fit the questionnaire.
    #[error("the profile does not fit the questionnaire")]
    ProfileDoesNotFit,
}

/// The score of one response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The total.
    pub points: Points,
    /// The points by dimension, in the order of the profile.
    pub dimensions: Vec<DimensionScore>,
    /// The highest tier reached; tiers are cumulative.
    pub tier: Option<String>,
    /// The verdict: 具备科学素质.
    pub literate: bool,
    /// Items answered right.
    pub n_right: usize,
    /// Items answered wrong.
    pub n_wrong: usize,
    /// Items answered 不知道: they score as wrong.
    pub n_dont_know: usize,
    /// Items without an answer: they score as wrong, and too many of them leave no score.
    pub n_missing: usize,
}

/// The points in one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DimensionScore {
    /// The dimension.
    pub code: String,
    /// Its points.
    pub points: Points,
    /// Whether it reaches its own cut, where the profile sets one.
    pub passed: Option<bool>,
}

/// Scores responses in parallel; the outcome of each stands at its place.
///
/// Points are whole hundredths and each response is scored by itself, so that the result is the same bit for bit on
/// any number of threads.
#[must_use]
pub fn score_all(questionnaire: &Questionnaire, profile: &ScoringProfile, responses: &[Response]) -> Vec<Outcome> {
    if profile.check_fit(questionnaire).is_err() {
        return vec![Outcome::NotScored(NotScoredReason::ProfileDoesNotFit); responses.len()];
    }
    let items = profile.scored_items(questionnaire);
    let marks = Marks::of(&items, responses);
    let scorer = Scorer { profile, items: &items, marks: &marks };
    (responses.par_iter().enumerate().with_min_len(1024))
        .map(|(at, response)| {
            if response.questionnaire == questionnaire.hash() {
                scorer.score(at)
            } else {
                Outcome::NotScored(NotScoredReason::WrongQuestionnaire)
            }
        })
        .collect()
}

struct Scorer<'a> {
    profile: &'a ScoringProfile,
    items: &'a [ScoredItem<'a>],
    marks: &'a Marks,
}

impl Scorer<'_> {
    fn score(&self, response: usize) -> Outcome {
        let definition = self.profile.definition();
        let (mut n_right, mut n_wrong, mut n_dont_know, mut n_missing) = (0, 0, 0, 0);
        let mut total = Points::default();
        let mut by_dimension = vec![Points::default(); definition.dimensions.len()];
        for (i, item) in self.items.iter().enumerate() {
            match self.marks.mark(i, response) {
                Mark::Right => {
                    n_right += 1;
                    total = total + item.points;
                    if let Some(d) = item.dimension {
                        by_dimension[d] = by_dimension[d] + item.points;
                    }
                }
                Mark::Wrong => n_wrong += 1,
                Mark::DontKnow => n_dont_know += 1,
                _ => n_missing += 1,
            }
        }
        let items = self.items.len();
        // Counts are far below 2^53. The product is compared, not the quotient, so that 10 of 50 at 0.2 is allowed.
        if n_missing as f64 > definition.missing_share_max * items as f64 {
            return Outcome::NotScored(NotScoredReason::TooManyMissing { missing: n_missing, items });
        }
        let dimensions = self.dimensions(&by_dimension);
        let literate = match definition.verdict {
            VerdictRule::Total => self.profile.tiers_reached(total).any(|tier| tier.literate),
            VerdictRule::EveryDimension => dimensions.iter().all(|dimension| dimension.passed == Some(true)),
        };
        let tier = self.profile.tiers_reached(total).last().map(|tier| tier.code.clone());
        Outcome::Scored(Score { points: total, dimensions, tier, literate, n_right, n_wrong, n_dont_know, n_missing })
    }

    fn dimensions(&self, points: &[Points]) -> Vec<DimensionScore> {
        let definition = self.profile.definition();
        (definition.dimensions.iter().zip(points))
            .map(|(dimension, points)| DimensionScore {
                code: dimension.code.clone(),
                points: *points,
                passed: dimension.cut.map(|cut| definition.comparison.reaches(*points, cut)),
            })
            .collect()
    }
}
