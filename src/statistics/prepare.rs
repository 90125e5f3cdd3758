//! From a plan and a table to final weights: everything that estimates share, done once.

mod replicates;
mod select;
mod steps;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use super::{
    DataTable, Plan, StatisticsError,
    data::MISSING,
    design::{self, Design},
    estimate::{by_column::ByColumn, calibrated::CalibratedTotals, t_quantiles::TQuantiles},
    plan::{DesignPlan, VarianceMethod},
    variance::{LonelyRule, Replicates, replicate::DfRule},
    weighting::{
        Adjuster, Start, WeightStep, all_positive,
        nonresponse::{self, PreStep},
        residual::Residual,
        weight_sums,
    },
};
use replicates::replicates;
use select::select;
use steps::{Done, Spread};

/// A sample with its design, final weights and, where asked for, replicates: ready for any number of estimates.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) table: DataTable,
    pub(super) design: Design,
    pub(super) rule: LonelyRule,
    pub(super) weights: Arc<Vec<f64>>,
    pub(super) residuals: Vec<Residual>,
    pub(super) replicates: Option<Replicates>,
    /// Rows that fulfil the plan's `where`; without one all do.
    selected: Option<Vec<bool>>,
    all_positive: bool,
    /// The row of the table that was read, for each row that is used; none when they are the same.
    rows: Option<Vec<usize>>,
    rows_read: usize,
    done: Vec<Done>,
    pre_steps: Vec<PreStep>,
    all_rows: OnceLock<Vec<usize>>,
    steps: OnceLock<Vec<WeightStep>>,
    pub(super) rows_by_leaf: OnceLock<Option<Vec<u32>>>,
    pub(super) calibrated: OnceLock<Option<CalibratedTotals>>,
    pub(super) quantiles: TQuantiles,
    /// After one calibration: the sums of the weights and of a column by cell.
    pub(super) cell_sums: ByColumn<Vec<f64>>,
    /// A column's total by calibration cell, replicate by replicate.
    pub(super) replicate_cells: ByColumn<Vec<Vec<f64>>>,
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
    let mut rows = sorted_rows(plan, table)?;
    let start = match &rows {
        Some(rows) => table.take(rows),
        None => table.clone(),
    };
    let (table, mut done, pre_steps) = pre_adjust(plan, start, &mut rows, table.rows())?;
    let joint = match design_plan {
        DesignPlan::Pps(pps) => pps.joint_probability_file.as_ref().and_then(|file| files.get(file)),
        _ => None,
    };
    let on_file = |error: StatisticsError| error.on_rows(rows.as_deref());
    let design = design::build(design_plan, &table, joint, weight_is_written(plan, design_plan))
        .map_err(|error| if joint.is_none() { on_file(error) } else { error })?;
    let rows_read = match done.first() {
        Some(Done::Made(step)) => step.weights.len(),
        _ => design.rows,
    };
    if done.is_empty() {
        done.push(Done::Design(design.weights.clone()));
    }
    let adjusted = adjust(plan, &table, &design.weights, &mut done).map_err(on_file)?;
    let mut prepared = Prepared {
        selected: select(&plan.filters, &table)?,
        rule: LonelyRule::from(&plan.variance),
        all_positive: all_positive(&adjusted.weights),
        weights: adjusted.weights,
        residuals: adjusted.residuals,
        replicates: None,
        rows_read,
        rows,
        done,
        pre_steps,
        all_rows: OnceLock::new(),
        steps: OnceLock::new(),
        rows_by_leaf: OnceLock::new(),
        calibrated: OnceLock::new(),
        quantiles: TQuantiles::default(),
        cell_sums: ByColumn::default(),
        replicate_cells: ByColumn::default(),
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

type PreAdjusted = (DataTable, Vec<Done>, Vec<PreStep>);

fn pre_adjust(
    plan: &Plan,
    mut table: DataTable,
    rows: &mut Option<Vec<usize>>,
    rows_read: usize,
) -> Result<PreAdjusted, StatisticsError> {
    let (mut done, mut pre_steps) = (Vec::new(), Vec::new());
    for step in &plan.pre_adjustments {
        let written = pre_steps.iter().any(|made: &PreStep| Some(made.result.as_str()) == step.weight());
        let mut made = nonresponse::apply(step, &table, written).map_err(|error| error.on_rows(rows.as_deref()))?;
        rounded(&mut made.step.weights, plan.weight_decimals);
        table = table.with_numbers(made.result.clone(), made.step.weights.clone());
        done.push(Done::Made(Spread { rows: rows.as_deref(), rows_read }.step(made.step.clone())));
        if let Some(dropped) = &made.dropped {
            let kept: Vec<usize> = (0..table.rows()).filter(|&row| !dropped[row]).collect();
            table = table.take(&kept);
            *rows = Some(kept.iter().map(|&row| rows.as_ref().map_or(row, |rows| rows[row])).collect());
        }
        pre_steps.push(made);
    }
    Ok((table, done, pre_steps))
}

struct FullSample {
    weights: Arc<Vec<f64>>,
    residuals: Vec<Residual>,
    adjusters: Vec<Arc<Adjuster>>,
    starts: Vec<Start>,
}

fn adjust(
    plan: &Plan,
    table: &DataTable,
    design: &Arc<Vec<f64>>,
    done: &mut Vec<Done>,
) -> Result<FullSample, StatisticsError> {
    let mut full =
        FullSample { weights: design.clone(), residuals: Vec::new(), adjusters: Vec::new(), starts: Vec::new() };
    let taylor = plan.variance.method == VarianceMethod::Taylor;
    for step in &plan.adjustments {
        let adjuster = Arc::new(Adjuster::bind(step, table, &full.weights)?);
        let mut adjusted = adjuster.apply(&full.weights, &Start::Fresh)?;
        if plan.weight_decimals.is_some() {
            rounded(Arc::<Vec<f64>>::make_mut(&mut adjusted.weights).as_mut_slice(), plan.weight_decimals);
        }
        if taylor {
            full.residuals.extend(adjuster.residual(&full.weights, &adjusted));
        }
        full.starts.push(adjusted.start.clone());
        let before = std::mem::replace(&mut full.weights, adjusted.weights.clone());
        done.push(Done::Adjusted { adjuster: adjuster.clone(), before, adjusted });
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

impl Prepared {
    /// The final weights, one for each row of [`Prepared::rows`].
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The rows of the table that was read, in the order in which they are used; nonrespondents may be left out.
    pub fn rows(&self) -> &[usize] {
        match &self.rows {
            Some(rows) => rows,
            None => self.all_rows.get_or_init(|| (0..self.rows_read).collect()),
        }
    }

    /// Whether a row fulfils the plan's `where`.
    pub(super) fn selects(&self, row: usize) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected[row])
    }

    /// Whether the plan's `where` leaves nobody.
    pub(super) fn selects_nobody(&self) -> bool {
        self.selected.as_ref().is_some_and(|selected| !selected.contains(&true))
    }

    /// Whether a row is selected and has a weight.
    pub(super) fn counts(&self, row: usize) -> bool {
        self.selects(row) && self.weights[row] != 0.0
    }

    /// The file's row of each row in use, from 0; none where they are the same.
    pub(super) fn rows_in_file(&self) -> Option<&[usize]> {
        self.rows.as_deref()
    }

    /// Whether every row is selected and has a weight.
    pub(super) fn all_live(&self) -> bool {
        self.selected.is_none() && self.all_positive
    }

    /// The final weights on the rows that were read; 0 for those that were left out.
    pub fn weights_as_read(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.rows_read];
        self.rows().iter().zip(self.weights.iter()).for_each(|(&row, &weight)| weights[row] = weight);
        weights
    }

    /// Every weight step in order, on the rows that were read.
    pub fn steps(&self) -> &[WeightStep] {
        let spread = Spread { rows: self.rows.as_deref(), rows_read: self.rows_read };
        self.steps.get_or_init(|| self.done.iter().map(|done| done.step(&spread)).collect())
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

    /// Degrees of freedom of all rows.
    fn whole_df(&self) -> f64 {
        match self.replicates.as_ref().map(|replicates| replicates.factors.df) {
            None | Some(DfRule::Design) if self.all_positive => self.design.all_degrees_of_freedom(),
            _ => self.degrees_of_freedom(|_| true, true),
        }
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
        let sums = weight_sums(&self.weights);
        DesignSummary {
            n: self.weights.len(),
            sum_of_weights: sums.sum,
            df: self.whole_df(),
            weight_min: sums.min,
            weight_max: sums.max,
            kish_deff: sums.kish_deff(),
            replicates: self.replicates.as_ref().map(distinct),
        }
    }
}
