//! The shares: the whole place against its targets, the districts, the groups.

use super::{At, Block, Column, Section, figures, format, table};
use crate::{
    indicator::results::{ResultRow, ResultTable, verdict_label},
    report::{Language, summary},
};

/// The whole place and what it says of each target.
pub(super) fn whole(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    if let Some(row) = summary::whole(at.results) {
        let whole = at.results.tables.iter().find(|table| table.id == "city");
        blocks.extend(whole.map(|whole| share_table(at, whole, false)));
        blocks.extend(verdicts(at, row));
    }
    at.section("whole", "总体结果与目标", "The whole and its targets", blocks)
}

fn verdicts(at: &At<'_>, row: &ResultRow) -> Option<Block> {
    let line = |verdict: &crate::indicator::results::TargetVerdict| {
        let target = at.results.targets.iter().find(|target| target.id == verdict.target)?;
        Some(vec![
            at.language.say(&target.label).to_owned(),
            target.year.to_string(),
            format::set_share(target.value),
            at.language.say(&verdict_label(verdict.verdict)).to_owned(),
            verdict.probability_met.map_or_else(|| format::ABSENT.to_owned(), |p| probability(p, at.language)),
            target.source.clone(),
        ])
    };
    let rows: Vec<_> = row.verdicts.iter().filter_map(line).collect();
    let columns = vec![
        at.name("目标", "Target"),
        at.number("年份", "Year"),
        at.number("目标值", "Value"),
        at.name("判断", "Verdict"),
        at.number("达到的概率", "Probability met"),
        at.name("出处", "Source"),
    ];
    let caption = at.pick("与目标相比", "Against the targets").to_owned();
    (!rows.is_empty()).then(|| table("targets", caption, columns, rows))
}

/// Whole percent: more digits would promise what a sample cannot keep.
fn probability(p: f64, language: Language) -> String {
    match p {
        p if p < 0.01 => language.pick("不到1%", "below 1%").to_owned(),
        p if p > 0.99 => language.pick("99%以上", "over 99%").to_owned(),
        p => format!("{}%", format::fixed(p * 100.0, 0)),
    }
}

/// The districts, ranked in the chart and by code in the table.
pub(super) fn districts(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    if let Some(districts) = at.results.tables.iter().find(|table| table.id == "district") {
        blocks.extend(figures::districts(at, districts));
        blocks.push(at.note(
            "浅色底的行：该地区的置信区间包含全市估计值，不能据此说它高于或低于全市。名次相近的地区，先后次序未必真实。",
            "Rows on a light ground: the interval holds the estimate of the whole, so the district cannot be told from it. Neighbouring ranks may not be real.",
        ));
        blocks.push(share_table(at, districts, true));
        blocks.push(model_note(at));
    }
    at.section("districts", "各区、县（市）", "Districts", blocks)
}

fn model_note(at: &At<'_>) -> Block {
    match (&at.results.small_area.not_fitted, at.language) {
        (Some(why), Language::Chinese) => Block::Note(format!("没有模型估计：{}。", why.zh)),
        (Some(why), Language::English) => Block::Note(format!("No model-based estimates: {}.", why.en)),
        (None, _) => at.note(
            "直接估计只用本区、县（市）的样本；模型估计还借用其他区、县（市）的规律，样本小时更稳，但也更向平均靠拢。判断目标只用直接估计。",
            "Direct estimates use the district's own sample; model-based ones borrow from the others and are pulled towards the mean. Targets are judged by direct estimates only.",
        ),
    }
}

/// Sex, age, education, residence and key groups.
pub(super) fn groups(at: &At<'_>) -> Section {
    let one_way = |table: &&ResultTable| table.by.len() == 1 && table.id != "district";
    let tables: Vec<&ResultTable> = at.results.tables.iter().filter(one_way).collect();
    let mut blocks = Vec::new();
    for table in &tables {
        blocks.extend(figures::group(at, table, &tables));
        blocks.push(share_table(at, table, false));
        if table.id == "key_group" {
            blocks.push(at.note("重点人群之间可以重叠。", "Key groups may overlap."));
        }
    }
    at.section("groups", "各类人群", "Groups", blocks)
}

/// One row a cell: n, share, interval, design effect; of districts the model-based estimate beside it.
pub(super) fn share_table(at: &At<'_>, of: &ResultTable, with_model: bool) -> Block {
    let has_model = with_model && of.rows.iter().any(|row| row.model.is_some());
    let mut columns = vec![
        Column::text(at.language.say(&of.label)),
        at.number("样本量", "n"),
        at.number("比例", "Share"),
        at.interval(),
        at.number("设计效应", "Deff"),
    ];
    if has_model {
        columns.push(at.number("模型估计", "Model-based"));
        columns.push(at.number("模型估计的区间", "Its interval"));
    }
    let line = |row: &ResultRow| {
        let mut cells = vec![
            at.row_name(row),
            row.n.map_or_else(|| format::share(None), format::count),
            format::share(row.estimate),
            format::interval(row.ci),
            format::decimal(row.deff, 2),
        ];
        if has_model {
            cells.push(format::share(row.model.as_ref().map(|model| model.estimate)));
            cells.push(format::interval(row.model.as_ref().map(|model| model.ci)));
        }
        cells
    };
    table(&of.id, at.language.say(&of.label), columns, of.rows.iter().map(line).collect())
}
