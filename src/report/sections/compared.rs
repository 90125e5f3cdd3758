//! Differences between groups and changes since the earlier wave.

use super::{At, Block, Column, Section, format, table};
use crate::{
    indicator::{
        SampleRelation,
        results::{Change, Compared, Difference},
    },
    report::{Language, summary},
};

/// Each pair of groups of each variable.
pub(super) fn differences(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    let all = &at.results.differences;
    for of_variable in all.chunk_by(|a, b| a.variable == b.variable) {
        let Some(first) = of_variable.first() else { continue };
        let rows = of_variable.iter().map(|one| difference(at, one)).collect();
        let label = at.language.say(&first.label);
        blocks.push(table(
            &format!("difference_{}", first.variable),
            label,
            columns(at, &[("比较", "Compared")]),
            rows,
        ));
    }
    if !blocks.is_empty() {
        blocks.push(at.note(
            "差距按整个抽样设计计算，两组来自同样的村（居）时一并考虑。显著性概率没有按比较的次数调整：比较得多，总会有几个碰巧很小。",
            "Gaps are computed under the whole design, so groups from the same places are accounted for. P-values are not adjusted for how many are looked at: among many some are small by chance.",
        ));
    }
    at.section("differences", "群体之间的差距", "Gaps between groups", blocks)
}

fn columns(at: &At<'_>, names: &[(&str, &str)]) -> Vec<Column> {
    let mut columns: Vec<Column> = names.iter().map(|(zh, en)| at.name(zh, en)).collect();
    columns.extend([
        at.number("相差（百分点）", "Difference (points)"),
        at.interval(),
        at.number("显著性概率", "p-value"),
        at.name("结论", "Reading"),
    ]);
    columns
}

fn difference(at: &At<'_>, one: &Difference) -> Vec<String> {
    let (first, second) = (at.language.say(&one.first.label), at.language.say(&one.second.label));
    let pair = match at.language {
        Language::Chinese => format!("{first} 减 {second}"),
        Language::English => format!("{first} minus {second}"),
    };
    std::iter::once(pair).chain(compared(at, &one.of)).collect()
}

fn compared(at: &At<'_>, of: &Compared) -> [String; 4] {
    let reading = match of.ci {
        Some([low, _]) if low > 0.0 => at.pick("前者更高", "the first is higher"),
        Some([_, high]) if high < 0.0 => at.pick("后者更高", "the second is higher"),
        Some(_) => at.pick("分不出高低", "cannot be told apart"),
        None => of.not_estimable.as_ref().map_or(format::ABSENT, |why| at.language.say(why)),
    };
    [
        format::signed_points(of.estimate),
        format::points_interval(of.ci),
        format::p_value(of.p_value),
        reading.to_owned(),
    ]
}

/// Each domain that both waves estimate.
pub(super) fn changes(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    if let Some(changes) = at.results.changes.as_ref().filter(|changes| !changes.rows.is_empty()) {
        blocks.push(Block::Text(match at.language {
            Language::Chinese => format!("与“{}”相比，这一次减上一次。", changes.survey.title),
            Language::English => format!("Compared with “{}”, this wave minus the earlier.", changes.survey.title),
        }));
        let mut head =
            vec![at.name("地区或群体", "Domain"), at.number("上一次", "Earlier"), at.number("这一次", "This wave")];
        head.extend(columns(at, &[]));
        head.insert(5, at.number("增速", "Growth"));
        let rows = changes.rows.iter().map(|row| change(at, row)).collect();
        blocks.push(table("change", at.pick("变化", "Changes"), head, rows));
        blocks.push(match changes.samples {
            SampleRelation::Independent => at.note(
                "两次样本各自独立抽取；结论一栏“前者”指这一次。增速 = 变化 ÷ 上一次的比例。",
                "Independent samples; in the readings “the first” is this wave. Growth is the change over the earlier share.",
            ),
            SampleRelation::SharedPsus => at.note(
                "两次调查了同样的村（居），共同的波动已扣除；结论一栏“前者”指这一次。增速 = 变化 ÷ 上一次的比例。",
                "The waves share places, and what they have in common is taken off; “the first” is this wave. Growth is the change over the earlier share.",
            ),
        });
    }
    at.section("changes", "与上一次调查相比的变化", "Changes since the earlier wave", blocks)
}

fn change(at: &At<'_>, row: &Change) -> Vec<String> {
    let label = row.labels.iter().map(|label| at.language.say(label)).collect::<Vec<_>>().join(" · ");
    let mut cells = vec![label, format::share(row.earlier), format::share(row.later)];
    cells.extend(compared(at, &row.of));
    cells.insert(5, format::share(summary::growth(row)));
    cells
}
