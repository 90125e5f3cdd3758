//! From a plan and a table to final weights: everything that estimates share, done once.

use std::{collections::BTreeMap, sync::OnceLock};

use super::{
    DataTable, Plan, StatisticsError,
    data::MISSING,
    design::{self, Design},
    estimate::calibrated::CalibratedTotals,
    plan::{Comparison, DesignPlan, DfPlan, Filter, VarianceMethod},
    replicate,
    variance::{
        LonelyRule, Replicates,
        replicate::{AdjustedReplicates, DfRule},
        unit_sums::{Rows, UnitSums},
    },
    weighting::{
        Adjuster, Start, WeightStep, kish_deff,
        nonresponse::{self, PreStep},
        residual::Residual,
    },
};

/// A sample with its design, final weights and, where asked for, replicates: ready for any number of estimates.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) table: DataTable,
    pub(super) design: Design,
    pub(super) rule: LonelyRule,
    pub(super) weights: Vec<f64>,
    pub(super) residuals: Vec<Residual>,
    pub(super) replicates: Option<Replicates>,
    /// Rows that fulfil the plan's `where`.
    pub(super) selected: Vec<bool>,
    /// The row of the table that was read, for each row that is used.
    pub(super) rows: Vec<usize>,
    rows_read: usize,
    steps: Vec<WeightStep>,
    pre_steps: Vec<PreStep>,
    pub(super) rows_by_leaf: OnceLock<Vec<u32>>,
    pub(super) calibrated: OnceLock<Option<CalibratedTotals>>,
}

/// The design's summary, as answers show it.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignSummary {
    /// Rows.
    pub n: usize,
    /// The sum of the final weights.
    pub sum_of_weights: f64,
    /// Degrees of freedom of the whole design.
    pub df: f64,
    /// The smallest final weight.
    pub weight_min: f64,
    /// The largest.
    pub weight_max: f64,
    /// Kish's design effect.
    pub kish_deff: f64,
    /// Replicates: how many, their scale and the distinct rscales.
    pub replicates: Option<(usize, f64, Vec<f64>)>,
}

/// Runs the weight steps and the design of a plan: `pre_adjustments`, `design`, `adjustments`, `variance`, `where`.
/// The plan's estimator is not looked at; ask [`Prepared::estimate`].
///
/// `files` holds the further tables that [`Plan::files`] names.
///
/// # Errors
/// Whatever keeps a step from being done, with its place.
pub fn prepare(
    plan: &Plan,
    table: &DataTable,
    files: &BTreeMap<String, DataTable>,
) -> Result<Prepared, StatisticsError> {
    let design_plan = plan.design.as_ref().ok_or_else(|| StatisticsError::plan("design", "the plan has none"))?;
    let sorted = sorted_rows(plan, table)?;
    let start = match &sorted {
        Some(rows) => table.take(rows),
        None => table.clone(),
    };
    let mut rows: Vec<usize> = sorted.unwrap_or_else(|| (0..table.rows()).collect());
    let (table, mut steps, pre_steps) = pre_adjust(plan, start, &mut rows, table.rows())?;
    let joint = match design_plan {
        DesignPlan::Pps(pps) => pps.joint_probability_file.as_ref().and_then(|file| files.get(file)),
        _ => None,
    };
    let design = design::build(design_plan, &table, joint, weight_is_written(plan, design_plan))
        .map_err(|error| if joint.is_none() { error.on_rows(&rows) } else { error })?;
    let rows_read = steps.first().map_or(rows.len(), |step: &WeightStep| step.weights.len());
    let spread = Spread { rows: &rows, rows_read };
    if steps.is_empty() {
        let ones = vec![1.0; design.rows];
        steps.push(spread.step(WeightStep::new("design", &ones, design.weights.clone())));
    }
    let adjusted = adjust(plan, &table, &design.weights, &spread, &mut steps).map_err(|error| error.on_rows(&rows))?;
    let mut prepared = Prepared {
        selected: select(&plan.filters, &table)?,
        rule: LonelyRule::from(&plan.variance),
        weights: adjusted.weights,
        residuals: adjusted.residuals,
        replicates: None,
        rows_read,
        rows,
        steps,
        pre_steps,
        rows_by_leaf: OnceLock::new(),
        calibrated: OnceLock::new(),
        table,
        design,
    };
    prepared.replicates = replicates(plan, design_plan, &prepared, &adjusted.adjusters, &adjusted.starts, files)?;
    if prepared.replicates.is_some() {
        prepared.residuals.clear();
    }
    Ok(prepared)
}

/// Whether a weight step wrote the design's weights: then 0 is a nonrespondent, and else a fault of the data.
fn weight_is_written(plan: &Plan, design: &DesignPlan) -> bool {
    let weight = match design {
        DesignPlan::Stages(stages) => stages.weight.as_deref(),
        DesignPlan::ReplicateWeights(given) => Some(given.weight.as_str()),
        DesignPlan::Pps(_) => None,
    };
    plan.pre_adjustments.iter().any(|step| Some(step.result()) == weight)
}

/// The rows in the order of the plan's id column, when it names one.
fn sorted_rows(plan: &Plan, table: &DataTable) -> Result<Option<Vec<usize>>, StatisticsError> {
    let Some(id) = plan.data.as_ref().and_then(|data| data.id.as_ref()) else { return Ok(None) };
    let ids = table.categories(id, "data.id")?;
    let mut rows: Vec<usize> = (0..table.rows()).collect();
    rows.sort_by_key(|&row| ids.codes()[row]);
    let twice = rows.windows(2).find(|pair| ids.codes()[pair[0]] == ids.codes()[pair[1]]);
    match twice.map(|pair| pair[1]).or_else(|| ids.codes().iter().position(|&code| code == MISSING)) {
        None => Ok(Some(rows)),
        Some(row) => Err(StatisticsError::Cell {
            column: id.clone(),
            row: row + 1,
            reason: "an id is present and stands once".to_owned(),
        }),
    }
}

/// Puts values of the rows in use back on the rows that were read.
struct Spread<'a> {
    rows: &'a [usize],
    rows_read: usize,
}

impl Spread<'_> {
    fn step(&self, mut step: WeightStep) -> WeightStep {
        if self.rows.len() == self.rows_read && self.rows.is_sorted() {
            return step;
        }
        let (mut weights, mut factors) = (vec![0.0; self.rows_read], vec![f64::NAN; self.rows_read]);
        for (at, &row) in self.rows.iter().enumerate() {
            weights[row] = step.weights[at];
            factors[row] = step.factors[at];
        }
        (step.weights, step.factors) = (weights, factors);
        step
    }
}

type PreAdjusted = (DataTable, Vec<WeightStep>, Vec<PreStep>);

fn pre_adjust(
    plan: &Plan,
    mut table: DataTable,
    rows: &mut Vec<usize>,
    rows_read: usize,
) -> Result<PreAdjusted, StatisticsError> {
    let (mut steps, mut pre_steps) = (Vec::new(), Vec::new());
    for step in &plan.pre_adjustments {
        let written = pre_steps.iter().any(|made: &PreStep| Some(made.result.as_str()) == step.weight());
        let mut made = nonresponse::apply(step, &table, written).map_err(|error| error.on_rows(rows))?;
        rounded(&mut made.step.weights, plan.weight_decimals);
        table = table.with_numbers(made.result.clone(), made.step.weights.clone());
        steps.push(Spread { rows, rows_read }.step(made.step.clone()));
        if let Some(dropped) = &made.dropped {
            let kept: Vec<usize> = (0..table.rows()).filter(|&row| !dropped[row]).collect();
            table = table.take(&kept);
            *rows = kept.iter().map(|&row| rows[row]).collect();
        }
        pre_steps.push(made);
    }
    Ok((table, steps, pre_steps))
}

struct FullSample {
    weights: Vec<f64>,
    residuals: Vec<Residual>,
    adjusters: Vec<Adjuster>,
    starts: Vec<Start>,
}

fn adjust(
    plan: &Plan,
    table: &DataTable,
    design: &[f64],
    spread: &Spread<'_>,
    steps: &mut Vec<WeightStep>,
) -> Result<FullSample, StatisticsError> {
    let mut full =
        FullSample { weights: design.to_vec(), residuals: Vec::new(), adjusters: Vec::new(), starts: Vec::new() };
    let taylor = plan.variance.method == VarianceMethod::Taylor;
    for step in &plan.adjustments {
        let adjuster = Adjuster::bind(step, table, &full.weights)?;
        let mut adjusted = adjuster.apply(&full.weights, &Start::Fresh)?;
        rounded(&mut adjusted.weights, plan.weight_decimals);
        if taylor {
            full.residuals.extend(adjuster.residual(&full.weights, &adjusted));
        }
        steps.push(spread.step(adjuster.describe(&full.weights, &adjusted)));
        full.starts.push(adjusted.start.clone());
        full.weights = adjusted.weights;
        full.adjusters.push(adjuster);
    }
    Ok(full)
}

/// Rounds weights, so that whoever starts from printed ones computes with the same numbers.
///
/// Above 2^53 units of the last decimal a double has no finer digits to lose.
fn rounded(weights: &mut [f64], decimals: Option<u8>) {
    let Some(decimals) = decimals else { return };
    let scale = (0..decimals).fold(1.0, |scale, _| scale * 10.0);
    for weight in weights {
        let units = *weight * scale;
        if units.abs() < 9_007_199_254_740_992.0 {
            *weight = units.round() / scale;
        }
    }
}

fn replicates(
    plan: &Plan,
    design_plan: &DesignPlan,
    prepared: &Prepared,
    adjusters: &[Adjuster],
    starts: &[Start],
    files: &BTreeMap<String, DataTable>,
) -> Result<Option<Replicates>, StatisticsError> {
    let variance = &plan.variance;
    let design = &prepared.design;
    let (factors, given) = match (variance.method, design_plan, &variance.replicates) {
        (VarianceMethod::Taylor, DesignPlan::ReplicateWeights(_), _) => {
            return Err(StatisticsError::plan("variance.method", "replicate weights go with the method `replicate`"));
        }
        (VarianceMethod::Taylor, _, _) if variance.df.is_some() => {
            return Err(StatisticsError::plan("variance.df", "the method is taylor, whose degrees are the design's"));
        }
        (VarianceMethod::Taylor, _, None) => return Ok(None),
        (VarianceMethod::Taylor, _, Some(_)) => {
            return Err(StatisticsError::plan("variance.replicates", "the method is taylor"));
        }
        (VarianceMethod::Replicate, DesignPlan::ReplicateWeights(_), Some(_)) => {
            return Err(StatisticsError::plan("variance.replicates", "the design already has replicate weights"));
        }
        (VarianceMethod::Replicate, DesignPlan::ReplicateWeights(given), None) => {
            let given = replicate::bind(given, &prepared.table, &design.weights)
                .map_err(|error| error.on_rows(&prepared.rows))?;
            (given.factors, AdjustedReplicates::Rows(given.weights))
        }
        (VarianceMethod::Replicate, _, None) => {
            return Err(StatisticsError::plan("variance.replicates", "the method replicate needs them"));
        }
        (VarianceMethod::Replicate, _, Some(replicates)) => {
            let file = replicates.multipliers_file.as_ref().and_then(|file| files.get(file));
            let made = replicate::make(replicates, design, prepared.rule, &prepared.table, file)?;
            (made, AdjustedReplicates::Unchanged)
        }
    };
    let mut factors = factors;
    match (variance.df, design_plan) {
        (None, _) => {}
        (Some(DfPlan::Design), DesignPlan::ReplicateWeights(_)) => {
            let reason = "replicate weights that come with the data do not tell the design: state `degf`";
            return Err(StatisticsError::plan("variance.df", reason));
        }
        (Some(DfPlan::Design), _) => factors.df = DfRule::Design,
        (Some(DfPlan::Rank), _) => factors.df = DfRule::Rank,
    }
    let mut replicates = Replicates { factors, base: design.weights.clone(), adjusted: given };
    let on_cells = match (adjusters, &replicates.adjusted) {
        ([adjuster], AdjustedReplicates::Unchanged) => adjuster.cells().map(|cells| (adjuster, cells)),
        _ => None,
    };
    if let Some((adjuster, (cell_of_row, cells))) = on_cells {
        let rows = Rows {
            order: prepared.by_leaf(),
            unit_of_row: &replicates.factors.unit_of_row,
            group_of_row: cell_of_row,
            groups: cells,
            weights: &replicates.base,
        };
        let factors = readjust_cells(rows, &replicates, adjuster, &starts[0])?;
        replicates.adjusted = AdjustedReplicates::Cells { cell_of_row: cell_of_row.to_vec(), factors };
    } else if !adjusters.is_empty() {
        replicates.adjusted = AdjustedReplicates::Rows(readjust(&replicates, adjusters, starts)?);
    }
    Ok(Some(replicates))
}

fn in_replicate(replicate: usize) -> impl Fn(StatisticsError) -> StatisticsError {
    move |source| StatisticsError::Replicate { replicate: replicate + 1, source: Box::new(source) }
}

/// Every replicate goes through the adjustments again, each starting from the full sample's solution.
fn readjust(
    replicates: &Replicates,
    adjusters: &[Adjuster],
    starts: &[Start],
) -> Result<Vec<Vec<f64>>, StatisticsError> {
    use rayon::prelude::*;
    let one = |replicate: usize| {
        let mut weights: Vec<f64> = (0..replicates.base.len()).map(|row| replicates.weight(replicate, row)).collect();
        for (adjuster, start) in adjusters.iter().zip(starts) {
            weights = adjuster.apply(&weights, start).map_err(in_replicate(replicate))?.weights;
        }
        Ok(weights)
    };
    let all: Vec<Result<Vec<f64>, StatisticsError>> = (0..replicates.len()).into_par_iter().map(one).collect();
    all.into_iter().collect()
}

/// The same where a step's factor depends on a cell alone: cells are adjusted, not rows.
fn readjust_cells(
    rows: Rows<'_>,
    replicates: &Replicates,
    adjuster: &Adjuster,
    start: &Start,
) -> Result<Vec<Vec<f64>>, StatisticsError> {
    let one = |replicate: usize, sums: &[f64]| adjuster.cell_factors(sums, start).map_err(in_replicate(replicate));
    UnitSums::new(rows, &[]).of_replicates(&replicates.factors, one).into_iter().collect()
}

fn select(filters: &[Filter], table: &DataTable) -> Result<Vec<bool>, StatisticsError> {
    let mut selected = vec![true; table.rows()];
    for (at, filter) in filters.iter().enumerate() {
        let categories = table.categories(&filter.column, &format!("where[{at}].column"))?;
        let fulfils = |level: &String| match (categories.is_numeric(), filter.value.number()) {
            (true, Some(value)) => level.parse::<f64>().is_ok_and(|have| compare(filter.op, have.total_cmp(&value))),
            _ => compare(filter.op, level.as_str().cmp(filter.value.label().as_str())),
        };
        let fulfilled: Vec<bool> = categories.levels().iter().map(fulfils).collect();
        for (selected, &code) in selected.iter_mut().zip(categories.codes()) {
            *selected &= code != MISSING && fulfilled[code as usize];
        }
    }
    Ok(selected)
}

fn compare(op: Comparison, ordering: std::cmp::Ordering) -> bool {
    match op {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::AtLeast => ordering.is_ge(),
        Comparison::AtMost => ordering.is_le(),
        Comparison::More => ordering.is_gt(),
        Comparison::Less => ordering.is_lt(),
    }
}

impl Prepared {
    /// The final weights, one for each row of [`Prepared::rows`].
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The rows of the table that was read, in the order in which they are used; nonrespondents may be left out.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The final weights on the rows that were read; 0 for those that were left out.
    pub fn weights_as_read(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.rows_read];
        self.rows.iter().zip(&self.weights).for_each(|(&row, &weight)| weights[row] = weight);
        weights
    }

    /// Every weight step in order, on the rows that were read.
    pub fn steps(&self) -> &[WeightStep] {
        &self.steps
    }

    /// The steps before the design, with what their models found.
    pub fn pre_steps(&self) -> &[PreStep] {
        &self.pre_steps
    }

    /// The design.
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// The rows in use as a table, with the columns that weight steps wrote.
    pub fn table(&self) -> &DataTable {
        &self.table
    }

    /// The replicates, when the plan asks for them.
    pub fn replicates(&self) -> Option<&Replicates> {
        self.replicates.as_ref()
    }

    /// Degrees of freedom of the rows that `counts`.
    pub fn degrees_of_freedom(&self, counts: impl Fn(usize) -> bool, whole: bool) -> f64 {
        match self.replicates.as_ref().map(|replicates| (replicates, replicates.factors.df)) {
            None | Some((_, DfRule::Design)) => {
                self.design.degrees_of_freedom(|row| counts(row) && self.weights[row] != 0.0)
            }
            Some((_, DfRule::Stated(df))) if whole => df,
            Some((replicates, _)) => {
                let rows: Vec<usize> = (0..self.weights.len()).filter(|&row| counts(row)).collect();
                replicates.rank_df(&rows)
            }
        }
    }

    /// The design's summary.
    pub fn summary(&self) -> DesignSummary {
        let distinct = |replicates: &Replicates| {
            let mut rscales = replicates.factors.rscales.clone();
            rscales.sort_by(f64::total_cmp);
            rscales.dedup();
            (replicates.len(), replicates.factors.scale, rscales)
        };
        DesignSummary {
            n: self.weights.len(),
            sum_of_weights: self.weights.iter().sum(),
            df: self.degrees_of_freedom(|_| true, true),
            weight_min: self.weights.iter().copied().fold(f64::INFINITY, f64::min),
            weight_max: self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            kish_deff: kish_deff(&self.weights),
            replicates: self.replicates.as_ref().map(distinct),
        }
    }
}
