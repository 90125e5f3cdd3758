//! What can go wrong between a plan and its numbers.

use thiserror::Error;

/// Why the engine refuses to answer; every variant names the place that a person has to look at.
///
/// Messages are fragments that fit after "failed to".
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StatisticsError {
    /// The data cannot be read as a table.
    #[error("read the table {table}: {reason}")]
    Table {
        /// The file or table.
        table: String,
        /// What is wrong, with the line where it is known.
        reason: String,
    },
    /// The plan is not one the engine can read.
    #[error("read the plan at {place}: {reason}")]
    Plan {
        /// The path of keys inside the plan.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// A column that the plan names is not in the data.
    #[error("find the column `{column}` that {needed_by} needs")]
    MissingColumn {
        /// The column's name.
        column: String,
        /// The part of the plan that names it.
        needed_by: String,
    },
    /// A cell that does not hold what the plan needs.
    #[error("use row {row} of column `{column}`: {reason}")]
    Cell {
        /// The column's name.
        column: String,
        /// The data row, counted from 1 (the header is not a row).
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// The design contradicts itself.
    #[error("build the sample design: {reason}")]
    Design {
        /// What is wrong, with the stratum or unit.
        reason: String,
    },
    /// A stratum with one sampled unit, and no policy that says what to do.
    #[error("estimate a variance: stratum {stratum} has a single unit at stage {stage}; name a lonely_psu policy")]
    LonelyPsu {
        /// The stratum's label.
        stratum: String,
        /// The stage, from 1.
        stage: usize,
    },
    /// A category that a margin gives but no respondent has, or the reverse.
    #[error("{step}: {margin} = {category}: {reason}")]
    Category {
        /// The weighting step.
        step: String,
        /// The margin's columns.
        margin: String,
        /// The category's label.
        category: String,
        /// Which side lacks it.
        reason: String,
    },
    /// Two margins that count different populations.
    #[error("{step}: the totals of the margins disagree: {first} sums to {first_total}, {second} to {second_total}")]
    Totals {
        /// The weighting step.
        step: String,
        /// A margin.
        first: String,
        /// Its total.
        first_total: f64,
        /// The margin that disagrees with it.
        second: String,
        /// Its total.
        second_total: f64,
    },
    /// Weights that do not meet the margins.
    #[error("{step}: no convergence after {passes} passes; the worst margin is {margin} = {category}, off by {off:e}")]
    NotConverged {
        /// The weighting step.
        step: String,
        /// Passes made.
        passes: usize,
        /// The margin that is furthest off.
        margin: String,
        /// The category that is furthest off.
        category: String,
        /// Weighted sample total minus the total asked for, as a share of the latter.
        off: f64,
    },
    /// A weighting step that cannot be done.
    #[error("{step}: {reason}")]
    Weighting {
        /// The weighting step.
        step: String,
        /// What is wrong.
        reason: String,
    },
    /// A replicate that cannot be adjusted like the full sample.
    #[error("adjust replicate {replicate}: {source}")]
    Replicate {
        /// The replicate, from 1.
        replicate: usize,
        /// What is wrong with it.
        source: Box<StatisticsError>,
    },
    /// An estimate that the data do not support as a whole.
    #[error("estimate {what}: {reason}")]
    Estimate {
        /// The estimator.
        what: String,
        /// What is wrong.
        reason: String,
    },
}

impl StatisticsError {
    /// A fault of the plan at a place.
    pub fn plan(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Plan { place: place.into(), reason: reason.into() }
    }

    /// The same fault with the row as the file has it; `rows` holds the file's row of each row in use, from 0;
    /// none where they are the same.
    ///
    /// Sorting by an id and leaving out nonrespondents renumber the rows, but a person looks into the file.
    #[must_use]
    pub fn on_rows(self, rows: Option<&[usize]>) -> Self {
        let Some(of) = rows else { return self };
        let of_file = |row: usize| row.checked_sub(1).and_then(|at| of.get(at)).map_or(row, |at| at + 1);
        match self {
            Self::Cell { column, row, reason } => Self::Cell { column, row: of_file(row), reason },
            Self::Replicate { replicate, source } => {
                Self::Replicate { replicate, source: Box::new(source.on_rows(rows)) }
            }
            other => other,
        }
    }

    /// A contradiction in the design.
    pub fn design(reason: impl Into<String>) -> Self {
        Self::Design { reason: reason.into() }
    }

    /// A weighting step that cannot be done.
    pub fn weighting(step: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Weighting { step: step.into(), reason: reason.into() }
    }

    /// An estimator that cannot answer.
    pub fn estimate(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Estimate { what: what.into(), reason: reason.into() }
    }
}
