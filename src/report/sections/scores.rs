//! The score behind the share: tiers, dimensions, distribution; and the items behind the score.

use super::{At, Section, figures, format, shares::share_table, table};
use crate::{
    indicator::results::{ItemStatistics, PointsMean},
    report::Language,
};

/// Tiers, dimensions and distribution.
pub(super) fn levels(at: &At<'_>) -> Section {
    let scores = &at.results.scores;
    let mut blocks = Vec::new();
    if !scores.tiers.rows.is_empty() {
        blocks.push(share_table(at, &scores.tiers, false));
        blocks.push(at.note(
            "层级是累计的：达到较高层级的人也计入较低层级。",
            "Tiers are cumulative: who reaches a higher one counts in the lower ones, too.",
        ));
    }
    let means: Vec<&PointsMean> = scores.dimensions.iter().chain(&scores.mean).collect();
    if !means.is_empty() {
        let columns = vec![
            at.name("维度", "Dimension"),
            at.number("满分", "Maximum"),
            at.number("平均分", "Mean"),
            at.interval(),
            at.number("得分率", "Share of maximum"),
        ];
        let rows = means.into_iter().map(|mean| points(at, mean)).collect();
        blocks.push(table("dimensions", at.pick("各维度平均分", "Mean score by dimension"), columns, rows));
    }
    if !scores.distribution.rows.is_empty() {
        let finding = at.pick("得分分布（加权）", "Distribution of the score (weighted)");
        blocks.extend(figures::plain(at, &scores.distribution, finding));
        blocks.push(share_table(at, &scores.distribution, false));
    }
    at.section("scores", "素质层级、维度与得分分布", "Tiers, dimensions and the score", blocks)
}

fn points(at: &At<'_>, mean: &PointsMean) -> Vec<String> {
    let interval = mean.ci.map(|[low, high]| format!("{}–{}", format::fixed(low, 2), format::fixed(high, 2)));
    vec![
        mean.label.as_ref().map_or_else(String::new, |label| at.language.say(label).to_owned()),
        format::decimal(Some(mean.maximum), 0),
        format::decimal(mean.estimate, 2),
        interval.unwrap_or_else(|| format::ABSENT.to_owned()),
        format::share(mean.estimate.filter(|_| mean.maximum > 0.0).map(|points| points / mean.maximum)),
    ]
}

/// How the items were answered; the right answers are not told.
pub(super) fn items(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    let items = &at.results.items;
    if !items.is_empty() {
        let columns = vec![
            at.name("题目", "Item"),
            at.name("维度", "Dimension"),
            at.number("样本量", "n"),
            at.number("答对", "Right"),
            at.number("不知道", "Don't know"),
            at.number("拒答", "Refused"),
            at.number("区分度", "Discrimination"),
        ];
        let rows = items.iter().map(|item| line(at, item)).collect();
        blocks.push(table("items", at.pick("计分题目的作答情况", "How the scored items were answered"), columns, rows));
        blocks.push(at.note(
            "各项比例为加权比例，分母是问到该题的人；“不知道”和拒答不算答对。区分度是该题答对与否同其余题目得分的加权相关系数，低于 0.20 的题目宜复核。不公布答案。",
            "Weighted shares of those who were asked; don't know and refusals are not right. Discrimination is the weighted correlation of being right with the points of all other items; look again at items below 0.20. Right answers are not told.",
        ));
        if items.iter().any(|item| item.text.is_none()) {
            blocks.push(at.note("题目内容保密，只列题号。", "The items are confidential and named by number only."));
        }
    }
    at.section("items", "题目", "Items", blocks)
}

fn line(at: &At<'_>, item: &ItemStatistics) -> Vec<String> {
    let number = item.number;
    let name = match (&item.text, at.language) {
        (Some(text), _) => format!("{number}. {}", at.language.say(text)),
        (None, Language::Chinese) => format!("第{number}题"),
        (None, Language::English) => format!("Item {number}"),
    };
    let dimension = item.dimension_label.as_ref().map_or(format::ABSENT, |label| at.language.say(label));
    vec![
        name,
        dimension.to_owned(),
        format::count(item.n),
        format::share(item.right),
        format::share(item.dont_know),
        format::share(item.refused),
        format::decimal(item.discrimination, 2),
    ]
}
