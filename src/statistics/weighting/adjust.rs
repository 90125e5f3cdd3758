//! Weight steps after the design, bound to the data once and repeated for every replicate.

use std::sync::Arc;

use super::{
    MarginLine, WeightStep,
    calibrate::{self, Controls, Dense, DenseFactors, Response},
    diagnostics::CellSums,
    margins::{self, BoundMargin},
    poststratify::{self, Standard},
    rake::{self, CellFactors, Stop},
    residual::{Regression, Residual, Sweep},
    trim,
};
use crate::statistics::{
    StatisticsError,
    data::DataTable,
    plan::{Adjustment, Calibrate, RakeVariance},
};

/// A weight step bound to the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Adjuster {
    /// Joint totals.
    Poststratify(BoundMargin),
    /// A standard structure within groups.
    Standardize(Standard),
    /// Iterative proportional fitting.
    Rake {
        /// The margins.
        controls: Arc<Controls>,
        /// The cells as a matrix, where they fill one.
        dense: Option<Arc<Dense>>,
        /// When to stop.
        stop: Stop,
        /// What replaces the variance's residual.
        variance: RakeVariance,
    },
    /// Calibration.
    Calibrate {
        /// The controls.
        controls: Arc<Controls>,
        /// The distance.
        response: Response,
        /// The cells as a matrix, for the raking distance.
        dense: Option<Arc<Dense>>,
    },
    /// Trimming.
    Trim {
        /// The smallest weight.
        lower: f64,
        /// The largest.
        upper: f64,
        /// Until all are inside.
        strict: bool,
    },
}

/// Weights after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// One a row.
    pub weights: Arc<Vec<f64>>,
    /// Passes made.
    pub passes: usize,
    /// What a replicate may start from.
    pub start: Start,
    /// Raking's weights after each margin, over d, by cell.
    after_margin: Vec<Vec<f64>>,
}

/// Where a replicate's fit starts: the full sample's solution.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Start {
    /// From nothing.
    #[default]
    Fresh,
    /// λ of a calibration.
    Lambda(Vec<f64>),
    /// Factors of rows and columns.
    Dense(DenseFactors),
}

impl Adjusted {
    fn plain(weights: Vec<f64>, passes: usize) -> Self {
        Self { weights: Arc::new(weights), passes, start: Start::Fresh, after_margin: Vec::new() }
    }
}

impl Adjuster {
    /// Binds a step to the rows that have a weight.
    ///
    /// # Errors
    /// As [`margins::bind_all`], and what contradicts itself in the step.
    pub fn bind(step: &Adjustment, table: &DataTable, weights: &[f64]) -> Result<Self, StatisticsError> {
        match step {
            Adjustment::Poststratify(p) => {
                margins::bind("poststratify", &p.by, &p.cells, table, weights).map(Self::Poststratify)
            }
            Adjustment::Standardize(s) => Standard::bind(s, table, weights).map(Self::Standardize),
            Adjustment::Rake(plan) => {
                if plan.margins.is_empty()
                    || plan.epsilon_relative_to_sum_of_weights.is_nan()
                    || plan.epsilon_relative_to_sum_of_weights <= 0.0
                {
                    return Err(StatisticsError::plan("rake", "raking needs margins and a positive epsilon"));
                }
                let margins = margins::bind_all("rake", &plan.margins, table, weights)?;
                let controls = Arc::new(Controls::new(margins, Vec::new(), table.rows()));
                let dense = Dense::new(&controls).map(Arc::new);
                let (epsilon, iterations) = (plan.epsilon_relative_to_sum_of_weights, plan.max_iterations);
                Ok(Self::Rake { controls, dense, stop: Stop { epsilon, iterations }, variance: plan.variance })
            }
            Adjustment::Calibrate(plan) => bind_calibration(plan, table, weights),
            Adjustment::Trim(t) => {
                let (lower, upper) = (t.lower.unwrap_or(f64::NEG_INFINITY), t.upper.unwrap_or(f64::INFINITY));
                if !(lower < upper && upper > 0.0) {
                    return Err(StatisticsError::plan("trim", "the upper bound is positive and above the lower one"));
                }
                Ok(Self::Trim { lower, upper, strict: t.strict })
            }
        }
    }

    /// The step's name in plans.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Poststratify(_) => "poststratify",
            Self::Standardize(_) => "standardize",
            Self::Rake { .. } => "rake",
            Self::Calibrate { .. } => "calibrate",
            Self::Trim { .. } => "trim",
        }
    }

    /// Adjusts weights; `start` may speed up a replicate.
    ///
    /// # Errors
    /// What keeps the step from being done with these weights.
    pub fn apply(&self, weights: &[f64], start: &Start) -> Result<Adjusted, StatisticsError> {
        match self {
            Self::Poststratify(margin) => poststratified(self.name(), margin, weights),
            Self::Standardize(standard) => poststratified(self.name(), &standard.targets(weights), weights),
            Self::Rake { controls, dense, stop, variance } => {
                let sweeps = *variance == RakeVariance::Sweeps;
                let raked = rake::rake(controls, dense.as_deref(), &controls.sums(weights), *stop, sweeps)?;
                let factors = raked.factors.expand(dense.as_deref());
                let mut adjusted = Adjusted::plain(controls.spread(weights, &factors), raked.cycles);
                adjusted.after_margin = raked.after_margin;
                Ok(adjusted)
            }
            Self::Calibrate { controls, response, dense } => {
                let (factors, start, passes) =
                    calibrated(controls, response, dense.as_deref(), &controls.sums(weights), start)?;
                let factors = factors.expand(dense.as_deref());
                let mut adjusted = Adjusted::plain(controls.spread(weights, &factors), passes);
                adjusted.start = start;
                Ok(adjusted)
            }
            Self::Trim { lower, upper, strict } => {
                let (weights, passes) = trim::trim(weights, *lower, *upper, *strict)?;
                Ok(Adjusted::plain(weights, passes))
            }
        }
    }

    /// The cell of each row and how many there are, when the step's factor depends on nothing else.
    pub fn cells(&self) -> Option<(&Arc<Vec<u32>>, usize)> {
        match self {
            Self::Poststratify(margin) => Some((&margin.codes, margin.totals.len())),
            Self::Rake { controls, .. } => Some((&controls.unit_of_row, controls.units)),
            Self::Calibrate { controls, .. } if controls.numbers.is_empty() => {
                Some((&controls.unit_of_row, controls.units))
            }
            _ => None,
        }
    }

    /// The factor of each cell, from the cells' sums of weights.
    ///
    /// # Errors
    /// As [`Adjuster::apply`]; [`StatisticsError::Weighting`] for a step that [`Adjuster::cells`] has no cells for.
    pub fn cell_factors(&self, sums: &[f64], start: &Start) -> Result<CellFactors, StatisticsError> {
        match self {
            Self::Poststratify(margin) => poststratify::factors("poststratify", margin, sums).map(CellFactors::Each),
            Self::Rake { controls, dense, stop, .. } => {
                rake::rake(controls, dense.as_deref(), sums, *stop, false).map(|raked| raked.factors)
            }
            Self::Calibrate { controls, response, dense } => {
                calibrated(controls, response, dense.as_deref(), sums, start).map(|(factors, _, _)| factors)
            }
            _ => Err(StatisticsError::weighting(self.name(), "the step does not work on cells")),
        }
    }

    /// The matrix that the factors of [`Adjuster::cell_factors`] refer to.
    pub fn dense(&self) -> Option<&Arc<Dense>> {
        match self {
            Self::Rake { dense, .. } | Self::Calibrate { dense, .. } => dense.as_ref(),
            _ => None,
        }
    }

    /// What the step takes out of the variance.
    pub fn residual(&self, before: &Arc<Vec<f64>>, adjusted: &Adjusted) -> Option<Residual> {
        let cells = |margin: &BoundMargin| Residual::Cells {
            codes: margin.codes.clone(),
            before: before.clone(),
            after: adjusted.weights.clone(),
            cells: margin.totals.len(),
        };
        match self {
            Self::Poststratify(margin) => Some(cells(margin)),
            Self::Standardize(standard) => Some(cells(&standard.targets(before))),
            Self::Rake { controls, variance: RakeVariance::Sweeps, .. } => {
                let sweep = |(columns, factors): (&Vec<u32>, &Vec<f64>)| Sweep {
                    columns: columns.clone(),
                    controls: controls.clone(),
                    weights: controls.spread(before, factors),
                };
                Some(Residual::Sweeps(controls.columns.iter().zip(&adjusted.after_margin).map(sweep).collect()))
            }
            Self::Rake { controls, .. } | Self::Calibrate { controls, .. } => {
                Some(Residual::Regression(Box::new(Regression::new(controls.clone(), before, &adjusted.weights))))
            }
            Self::Trim { .. } => None,
        }
    }

    /// The step with its diagnostics.
    pub fn describe(&self, before: &[f64], adjusted: &Adjusted) -> WeightStep {
        if let Self::Rake { controls, .. } | Self::Calibrate { controls, .. } = self
            && controls.numbers.is_empty()
        {
            return described_cells(self.name(), controls, before, adjusted);
        }
        let mut step = WeightStep::new(self.name(), before, adjusted.weights.to_vec());
        let lines = |margins: &[BoundMargin]| {
            margins.iter().flat_map(|m| m.lines(before, &adjusted.weights)).collect::<Vec<MarginLine>>()
        };
        let margins = match self {
            Self::Poststratify(margin) => lines(std::slice::from_ref(margin)),
            Self::Standardize(standard) => {
                let absent = |cell: &String| format!("nobody is in the standard's cell {cell}; its share is left out");
                step.diagnostics.notes = standard.empty.iter().map(absent).collect();
                lines(&[standard.targets(before)])
            }
            Self::Rake { controls, .. } | Self::Calibrate { controls, .. } => {
                let mut all = lines(&controls.margins);
                all.extend(number_lines(controls, before, &adjusted.weights));
                all
            }
            Self::Trim { .. } => Vec::new(),
        };
        step.diagnostics = step.diagnostics.with_margins(margins);
        step.diagnostics.passes = adjusted.passes;
        step
    }
}

/// A calibration on cells, from sums by cell.
fn described_cells(name: &str, controls: &Controls, before: &[f64], adjusted: &Adjusted) -> WeightStep {
    let cells = CellSums::new(&controls.unit_of_row, controls.units, before, &adjusted.weights);
    let mut step = WeightStep::of_cells(name, before, adjusted.weights.to_vec(), &cells);
    let (mut lines, mut offset) = (Vec::new(), 0);
    for (margin, columns) in controls.margins.iter().zip(&controls.columns) {
        lines.extend(margin.lines_of_cells(|cell| columns[cell] as usize - offset, &cells));
        offset += margin.totals.len();
    }
    step.diagnostics = step.diagnostics.with_margins(lines);
    step.diagnostics.passes = adjusted.passes;
    step
}

/// The factor of each unit, by passes over the matrix where that converges, else by Newton's method.
fn calibrated(
    controls: &Controls,
    response: &Response,
    dense: Option<&Dense>,
    sums: &[f64],
    start: &Start,
) -> Result<(CellFactors, Start, usize), StatisticsError> {
    let from = if let Start::Dense(factors) = start { Some(factors) } else { None };
    if let Some((factors, passes)) = dense.and_then(|dense| dense.solve(sums, from)) {
        return Ok((CellFactors::Products(factors.clone()), Start::Dense(factors), passes));
    }
    let lambda = if let Start::Lambda(lambda) = start { Some(lambda.as_slice()) } else { None };
    let solution = calibrate::solve(controls, sums, response, lambda)?;
    Ok((CellFactors::Each(solution.factors), Start::Lambda(solution.lambda), solution.steps))
}

fn poststratified(step: &str, margin: &BoundMargin, weights: &[f64]) -> Result<Adjusted, StatisticsError> {
    let factors = poststratify::cell_factors(step, margin, weights)?;
    let after = |(&d, &code): (&f64, &u32)| if code == u32::MAX { 0.0 } else { d * factors[code as usize] };
    Ok(Adjusted::plain(weights.iter().zip(margin.codes.iter()).map(after).collect(), 1))
}

fn bind_calibration(plan: &Calibrate, table: &DataTable, weights: &[f64]) -> Result<Adjuster, StatisticsError> {
    if plan.margins.is_empty() && plan.numeric_totals.is_empty() {
        return Err(StatisticsError::plan("calibrate", "calibration needs margins or numeric totals"));
    }
    let response = Response::new(plan.distance, plan.bounds)?;
    let margins = margins::bind_all("calibrate", &plan.margins, table, weights)?;
    let mut numeric = Vec::with_capacity(plan.numeric_totals.len());
    for total in &plan.numeric_totals {
        let values = table.numbers(&total.variable, "calibrate.numeric_totals")?;
        if let Some(row) = (0..weights.len()).find(|&row| weights[row] != 0.0 && values[row].is_nan()) {
            let reason = "calibrate needs a value for every respondent".to_owned();
            return Err(StatisticsError::Cell { column: total.variable.clone(), row: row + 1, reason });
        }
        let values = values.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect();
        numeric.push((total.variable.clone(), values, total.total));
    }
    let controls = Arc::new(Controls::new(margins, numeric, table.rows()));
    let dense = if response == Response::Raking { Dense::new(&controls).map(Arc::new) } else { None };
    Ok(Adjuster::Calibrate { controls, response, dense })
}

fn number_lines(controls: &Controls, before: &[f64], after: &[f64]) -> Vec<MarginLine> {
    let first = controls.totals.len() - controls.numbers.len();
    let total = |values: &[f64], weights: &[f64]| values.iter().zip(weights).map(|(x, w)| x * w).sum();
    let line = |(at, values): (usize, &Vec<f64>)| MarginLine {
        margin: controls.number_names[at].clone(),
        category: "(total)".to_owned(),
        n: after.iter().filter(|w| **w != 0.0).count(),
        target: Some(controls.totals[first + at]),
        before: total(values, before),
        after: total(values, after),
        factor: None,
    };
    controls.numbers.iter().enumerate().map(line).collect()
}
