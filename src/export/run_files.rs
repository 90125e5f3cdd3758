//! The files of a run, laid out from one indicator: persons, domains, weight steps, cases, plan and results.

use super::{
    Cell, Table,
    bundle::{ANSWERS_FILE, CODEBOOK_FILE, DATAPACKAGE_FILE, Resource, answers_csv, codebook, datapackage},
    score_files, to_csv,
};
use crate::{
    indicator::{CaseRecord, Indicator, SurveyInputs, analysis_columns, files::RESERVE_RANK, plan, results, step_name},
    statistics::weighting::WeightStep,
};
use std::iter::once;

/// A file with its name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// File name.
    pub name: &'static str,
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// One row a person: holds answers' scores and weights, for analysts and auditors.
pub const PERSONS_FILE: &str = "responses_weighted.csv";
/// One row a domain.
pub const INDICATOR_FILE: &str = "indicator.csv";
/// What became of the cases: counts and response rates of the whole and of each district.
pub const RESPONSE_RATES_FILE: &str = "response_rates.csv";
/// Each weighting step.
pub const WEIGHTS_LOG_FILE: &str = "weights_log.csv";
/// The score behind the indicator: mean, dimensions, tiers, distribution.
pub const SCORES_FILE: &str = "scores.csv";
/// How the items that count were answered.
pub const ITEMS_FILE: &str = "items.csv";
/// The results as one document.
pub const RESULTS_FILE: &str = "results.json";
/// The analysis plan.
pub const PLAN_FILE: &str = "plan.json";

/// Every file that a run computes, sorted by name.
#[must_use]
pub fn run_files(inputs: &SurveyInputs<'_>, indicator: &Indicator<'_>) -> Vec<NamedFile> {
    let tables = [
        (PERSONS_FILE, persons(inputs, indicator)),
        (plan::CASES_FILE, cases(inputs, indicator)),
        (INDICATOR_FILE, domains(&indicator.results)),
        (RESPONSE_RATES_FILE, response_rates(&indicator.results)),
        (SCORES_FILE, score_files::scores(&indicator.results)),
        (ITEMS_FILE, score_files::items(&indicator.results)),
        (WEIGHTS_LOG_FILE, weights_log(indicator)),
    ];
    let answers = answers_csv(inputs, indicator);
    let written: Vec<(&'static str, Vec<u8>)> = tables.iter().map(|(name, table)| (*name, to_csv(table))).collect();
    let mut resources: Vec<Resource<'_>> = (tables.iter().zip(&written))
        .map(|((name, table), (_, bytes))| Resource::of_table(name, bytes, table))
        .collect();
    resources.push(Resource::of_answers(&answers, inputs));
    let package = datapackage(inputs, &resources);
    let file = |name, content_type, bytes| NamedFile { name, content_type, bytes };
    let csv = |(name, bytes)| file(name, "text/csv; charset=utf-8", bytes);
    let mut files: Vec<NamedFile> = written.into_iter().chain([(ANSWERS_FILE, answers)]).map(csv).collect();
    files.extend([
        file(PLAN_FILE, JSON, pretty(&indicator.plan)),
        file(RESULTS_FILE, JSON, pretty(&indicator.results)),
        file(DATAPACKAGE_FILE, JSON, package),
        file(CODEBOOK_FILE, "text/markdown; charset=utf-8", codebook(inputs, &tables[0].1.columns)),
    ]);
    files.sort_by_key(|file| file.name);
    files
}

const JSON: &str = "application/json";

pub(super) fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plans and results have text keys and finite numbers");
    bytes.push(b'\n');
    bytes
}

fn persons(inputs: &SurveyInputs<'_>, indicator: &Indicator<'_>) -> Table {
    let columns = analysis_columns(inputs.questionnaire);
    let dimensions: Vec<_> = inputs.profile.definition().dimensions.iter().map(|d| d.code.clone()).collect();
    let stages = &inputs.sample.stages;
    let mut table = Table::new(
        ["id", "district", "stratum", "psu", "residence"]
            .map(str::to_owned)
            .into_iter()
            .chain(stages.iter().cloned())
            .chain(once(plan::PERSON_FACTOR.to_owned()))
            .chain(columns.iter().cloned())
            .chain(once("score".to_owned()))
            .chain(dimensions.iter().map(|code| format!("score_{code}")))
            .chain(["tier", plan::LITERATE, "dont_know", "not_used", plan::WEIGHTING_CLASS].map(str::to_owned))
            .chain(WEIGHT_COLUMNS.map(|(_, column)| column.to_owned())),
    );
    for (row, record) in indicator.records.iter().enumerate().filter(|(_, record)| record.response.is_some()) {
        let mut cells = design_cells(record);
        cells.push(Cell::number(record.person_factor));
        cells.extend(columns.iter().map(|column| Cell::text(record.category(column))));
        cells.extend(score_cells(record, &dimensions));
        cells.push(Cell::text(record.not_used.as_deref()));
        cells.push(record.weighting_class.as_str().into());
        cells.extend(WEIGHT_COLUMNS.map(|(step, _)| weight_cell(&indicator.steps, step, record, row)));
        table.push(cells);
    }
    table
}

/// Steps of the plan and the columns that show the weight after them.
const WEIGHT_COLUMNS: [(&str, &str); 5] = [
    ("base_weight", plan::WEIGHT_BASE),
    (UNKNOWN, plan::WEIGHT_ELIGIBILITY),
    ("nonresponse_class", plan::WEIGHT_NONRESPONSE),
    ("household", plan::WEIGHT_PERSON),
    (LAST, plan::WEIGHT),
];
/// The step that only surveys with cases of unknown eligibility have; without it the weight stays the base weight.
const UNKNOWN: &str = "unknown_eligibility";
/// The last step, whichever it is: without margins the person weight is final.
const LAST: &str = "";

fn weight_cell(steps: &[WeightStep], step: &str, record: &CaseRecord<'_>, row: usize) -> Cell {
    let named = |name: &str| steps.iter().find(|step| step.name == name);
    let found = match step {
        LAST => steps.last(),
        UNKNOWN => named(UNKNOWN).or_else(|| named("base_weight")),
        step => named(step),
    };
    // The base weight belongs to every case; the later ones only to those that carry a weight.
    let carries = record.is_used() || step == "base_weight";
    found.filter(|_| carries).map_or(Cell::Missing, |step| Cell::Number(step.weights[row]))
}

fn design_cells(record: &CaseRecord<'_>) -> Vec<Cell> {
    let case = record.case;
    let codes = [&record.id, &case.district, &case.stratum, &case.psu].map(|code| code.as_str().into());
    let residence = Cell::from(case.residence.code());
    codes.into_iter().chain(once(residence)).chain(case.probabilities.iter().copied().map(Cell::Number)).collect()
}

fn score_cells(record: &CaseRecord<'_>, dimensions: &[String]) -> Vec<Cell> {
    let score = record.outcome.as_ref().and_then(|outcome| outcome.score());
    let of = |code: &String| score.and_then(|score| score.dimensions.iter().find(|d| d.code == *code));
    let mut cells = vec![Cell::number(score.map(|score| score.points.as_f64()))];
    cells.extend(dimensions.iter().map(|code| Cell::number(of(code).map(|d| d.points.as_f64()))));
    cells.push(Cell::text(score.and_then(|score| score.tier.as_deref())));
    cells.push(Cell::flag(record.literate()));
    cells.push(score.map_or(Cell::Missing, |score| score.n_dont_know.into()));
    cells
}

/// The rows that the plan reads; a case without a weight has no answers here.
fn cases(inputs: &SurveyInputs<'_>, indicator: &Indicator<'_>) -> Table {
    let columns = analysis_columns(inputs.questionnaire);
    let head = ["id", "district", "stratum", "psu", "residence"].map(str::to_owned).into_iter();
    let mut table = Table::new(
        head.chain(inputs.sample.stages.iter().cloned())
            .chain(
                [
                    RESERVE_RANK,
                    plan::STATUS,
                    plan::DISPOSITION,
                    plan::WEIGHTING_CLASS,
                    plan::PERSON_FACTOR,
                    plan::LITERATE,
                ]
                .map(str::to_owned),
            )
            .chain(columns.iter().cloned()),
    );
    for record in &indicator.records {
        let used = record.is_used();
        let mut cells = design_cells(record);
        cells.push(record.case.reserve_rank.map_or(Cell::Missing, |rank| Cell::from(u64::from(rank))));
        cells.extend([record.status(), record.disposition.code].map(Cell::from));
        cells.push(record.weighting_class.as_str().into());
        cells.push(Cell::number(record.person_factor.filter(|_| used)));
        cells.push(Cell::flag(record.literate().filter(|_| used)));
        cells.extend(columns.iter().map(|column| Cell::text(record.category(column).filter(|_| used))));
        table.push(cells);
    }
    table
}

fn domains(results: &results::Results) -> Table {
    let targets = &results.targets;
    let fixed = [
        "table",
        "variable_1",
        "level_1",
        "label_1",
        "variable_2",
        "level_2",
        "label_2",
        "n",
        "population",
        "estimate",
        "se",
        "df",
        "ci_lower",
        "ci_upper",
        "deff",
        "effective_n",
        "p_value",
        "model_estimate",
        "model_rmse",
        "model_ci_lower",
        "model_ci_upper",
        "model_share",
        "not_estimable",
    ];
    let verdicts = |target: &crate::indicator::files::Target| {
        let id = &target.id;
        [format!("verdict_{id}"), format!("probability_met_{id}")]
    };
    let mut table = Table::new(
        fixed.map(str::to_owned).into_iter().chain(targets.iter().flat_map(verdicts)).chain(once("profile".to_owned())),
    );
    let profile = format!("{} {}", results.profile.id, results.profile.version);
    for of in &results.tables {
        for row in &of.rows {
            let mut cells = vec![Cell::from(of.id.as_str())];
            cells.extend((0..2).flat_map(|at| domain_cells(of, row, at)));
            cells.extend(estimate_cells(row));
            for target in targets {
                let verdict = row.verdicts.iter().find(|verdict| verdict.target == target.id);
                cells.push(Cell::text(verdict.map(|verdict| verdict.verdict.code())));
                cells.push(Cell::number(verdict.and_then(|verdict| verdict.probability_met)));
            }
            cells.push(profile.as_str().into());
            table.push(cells);
        }
    }
    let blank = vec![Cell::Missing; 2 * targets.len()];
    for row in compared_rows(results) {
        table.push(row.into_iter().chain(blank.iter().cloned()).chain(once(profile.as_str().into())).collect());
    }
    table
}

/// Differences between groups and changes since the earlier wave: the difference stands where an estimate does.
fn compared_rows(results: &results::Results) -> Vec<Vec<Cell>> {
    let difference = |of: &results::Difference| {
        let level = |level: &results::Level| {
            [of.variable.as_str().into(), level.code.as_str().into(), level.label.zh.as_str().into()]
        };
        let head = once(Cell::from(format!("difference_{}", of.variable).as_str()));
        head.chain(level(&of.first)).chain(level(&of.second)).chain(compared_cells(&of.of)).collect()
    };
    let change = |of: &results::Change| {
        let head = once(Cell::from(format!("change_{}", of.table).as_str()));
        let level = of.domain.iter().next().map_or([Cell::Missing, Cell::Missing], |(variable, level)| {
            [variable.as_str().into(), level.as_str().into()]
        });
        let label = Cell::text(of.labels.first().map(|label| label.zh.as_str()));
        let blank = [Cell::Missing, Cell::Missing, Cell::Missing];
        head.chain(level).chain(once(label)).chain(blank).chain(compared_cells(&of.of)).collect()
    };
    let changes = results.changes.iter().flat_map(|changes| &changes.rows).map(change);
    results.differences.iter().map(difference).chain(changes).collect()
}

fn compared_cells(of: &results::Compared) -> Vec<Cell> {
    let (lower, upper) = (of.ci.map(|ci| ci[0]), of.ci.map(|ci| ci[1]));
    let mut cells = vec![Cell::Missing, Cell::Missing];
    cells.extend([of.estimate, of.se, of.df, lower, upper].map(Cell::number));
    cells.extend([Cell::Missing, Cell::Missing, Cell::number(of.p_value)]);
    cells.extend(std::iter::repeat_n(Cell::Missing, 5));
    cells.push(Cell::text(of.not_estimable.as_ref().map(|reason| reason.en.as_str())));
    cells
}

fn domain_cells(table: &results::ResultTable, row: &results::ResultRow, at: usize) -> [Cell; 3] {
    let Some(variable) = table.by.get(at) else { return [Cell::Missing, Cell::Missing, Cell::Missing] };
    let level = row.domain.get(variable).map(String::as_str);
    let label = row.labels.get(at).map(|label| label.zh.as_str());
    [variable.as_str().into(), Cell::text(level), Cell::text(label)]
}

fn estimate_cells(row: &results::ResultRow) -> Vec<Cell> {
    let mut cells = vec![row.n.map_or(Cell::Missing, Cell::from)];
    let (lower, upper) = (row.ci.map(|ci| ci[0]), row.ci.map(|ci| ci[1]));
    let numbers = [row.population, row.estimate, row.se, row.df, lower, upper, row.deff, row.effective_n];
    cells.extend(numbers.map(Cell::number));
    let model = row.model.as_ref();
    let of_model = [
        None,
        model.map(|model| model.estimate),
        model.map(|model| model.rmse),
        model.map(|model| model.ci[0]),
        model.map(|model| model.ci[1]),
        model.map(|model| model.model_share),
    ];
    cells.extend(of_model.map(Cell::number));
    cells.push(Cell::text(row.not_estimable.as_ref().map(|reason| reason.en.as_str())));
    cells
}

fn response_rates(results: &results::Results) -> Table {
    let mut table = Table::new([
        "table",
        "district",
        "label",
        "cases",
        "complete",
        "partial",
        "refusal",
        "non_contact",
        "other",
        "unknown_household",
        "unknown_other",
        "not_eligible",
        "e",
        "rr1",
        "rr3",
        "coop1",
        "ref1",
        "con1",
        "planned",
        "completion",
    ]);
    for row in &results.response_rates {
        let (counts, rates) = (&row.counts, &row.rates);
        let kind = if row.district.is_some() { "district" } else { "city" };
        let mut cells = vec![kind.into(), Cell::text(row.district.as_deref()), row.label.zh.as_str().into()];
        let counted = [
            row.cases,
            counts.complete,
            counts.partial,
            counts.refusal,
            counts.non_contact,
            counts.other,
            counts.unknown_household,
            counts.unknown_other,
            counts.not_eligible,
        ];
        cells.extend(counted.map(Cell::from));
        cells.extend([rates.e, rates.rr1, rates.rr3, rates.coop1, rates.ref1, rates.con1].map(Cell::number));
        cells.extend([row.planned.into(), Cell::number(row.completion)]);
        table.push(cells);
    }
    table
}

fn weights_log(indicator: &Indicator<'_>) -> Table {
    let mut table = Table::new([
        "step",
        "variable",
        "level",
        "n",
        "sum_before",
        "sum_after",
        "target",
        "factor",
        "weight_min",
        "weight_max",
        "kish_deff",
    ]);
    let mut before: Option<f64> = None;
    for step in &indicator.steps {
        let about = &step.diagnostics;
        let name = step_name(&step.name).0;
        let mut whole = vec![name.into(), Cell::Missing, Cell::Missing, about.n.into()];
        whole.extend([before, Some(about.sum), None, before.map(|sum| about.sum / sum)].map(Cell::number));
        whole.extend([about.weight_min, about.weight_max, about.kish_deff].map(Cell::Number));
        table.push(whole);
        for line in &about.margins {
            let factor = line.factor.or_else(|| (line.before > 0.0).then(|| line.after / line.before));
            let mut cells =
                vec![name.into(), line.margin.as_str().into(), line.category.as_str().into(), line.n.into()];
            cells.extend([Some(line.before), Some(line.after), line.target, factor].map(Cell::number));
            cells.extend([Cell::Missing, Cell::Missing, Cell::Missing]);
            table.push(cells);
        }
        before = Some(about.sum);
    }
    table
}
