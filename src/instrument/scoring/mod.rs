//! From answers to a score, a tier and a verdict, by a scoring profile that is data.

mod columns;
mod fit;
mod points;
mod profile;
mod score;

pub use columns::{Mark, Marks};
pub use fit::ScoredItem;
pub use points::Points;
pub use profile::{
    CutComparison, Incomparable, ProfileDefinition, ProfileDimension, ProfileLink, ScoringProfile, Tier, VerdictRule,
    profile_schema,
};
pub use score::{DimensionScore, NotScoredReason, Outcome, Score, score_all};
