//! How the numbers came about: sample, weights, errors; and how many of the cases answered.

use super::{At, Block, Section, format, table};
use crate::{
    indicator::results::{ResponseRates, Results},
    report::Language,
};

/// The method in sentences, and the facts.
pub(super) fn method(at: &At<'_>) -> Section {
    let weighting = at.text(
        "总体为18至69周岁常住居民。样本按分层多阶段概率抽样抽取；每份答卷的权数由各阶段入样概率的倒数、无应答调整、户内抽选和人口边际校准相乘得到。",
        "The population is residents aged 18 to 69. The sample is a stratified multi-stage probability sample; a response's weight is the product of the inverse selection probabilities, the nonresponse adjustment, the selection within the household and raking to population margins.",
    );
    let scoring = at.text(
        "比例是达到计分方案所定标准者的加权比例；“不知道”按答错计分。误差按抽样设计（层和初级抽样单元）估计，区间用对数几率变换和 t 分位数。",
        "The share is the weighted share of those who reach the standard of the scoring profile; don't know scores as wrong. Errors follow the design (strata and primary sampling units); intervals are logit intervals with t quantiles.",
    );
    at.section("method", "方法", "Method", vec![weighting, scoring, Block::Facts(facts(at))])
}

fn facts(at: &At<'_>) -> Vec<(String, String)> {
    let Results { sample, weights, method, profile, questionnaire, .. } = at.results;
    let named = |of: &crate::indicator::results::VersionHead| {
        let (title, id, version) = (at.language.say(&of.title), &of.id, &of.version);
        match at.language {
            Language::Chinese => format!("{title}（{id}，第{version}版）"),
            Language::English => format!("{title} ({id}, version {version})"),
        }
    };
    let variance = match method.variance.as_str() {
        "taylor" => at.pick("泰勒线性化，按层和初级抽样单元", "Taylor linearization by strata and primary units"),
        "jkn" => at.pick("刀切法重复权数（每次去掉一个初级抽样单元）", "Jackknife, one primary unit at a time"),
        "bootstrap" => at.pick("自助法重复权数", "Bootstrap replicate weights"),
        other => other,
    };
    let replicates = method.replicates.map_or_else(String::new, |n| match at.language {
        Language::Chinese => format!("，{n} 组"),
        Language::English => format!(", {n} replicates"),
    });
    let not_used = sample.not_used.values().sum::<usize>();
    let fact = |zh: &str, en: &str, value: String| (at.pick(zh, en).to_owned(), value);
    vec![
        fact("层", "Strata", format::count(sample.strata)),
        fact("初级抽样单元", "Primary sampling units", format::count(sample.psus)),
        fact("样本户", "Cases", format::count(sample.cases)),
        fact("回收答卷", "Responses", format::count(sample.responses)),
        fact("参与计算", "Used", format::count(sample.used)),
        fact("未用", "Not used", format::count(not_used)),
        fact("权数合计", "Sum of weights", format::count_of(weights.sum)),
        fact("不等权设计效应", "Kish's design effect", format::decimal(Some(weights.kish_deff), 2)),
        fact("有效样本量（不等权）", "Effective n (unequal weights)", format::count_of(weights.effective_n)),
        fact("方差", "Variance", format!("{variance}{replicates}")),
        fact("自由度", "Degrees of freedom", format::decimal(Some(method.df), 0)),
        fact("计分方案", "Scoring profile", named(profile)),
        fact("问卷", "Questionnaire", named(questionnaire)),
    ]
}

/// Response rates of every kind.
pub(super) fn response(at: &At<'_>) -> Section {
    let mut blocks = Vec::new();
    if !at.results.response_rates.is_empty() {
        let columns = vec![
            at.name("地区", "Place"),
            at.number("样本户", "Cases"),
            at.number("完成", "Complete"),
            at.number("应答率 RR1", "RR1"),
            at.number("应答率 RR3", "RR3"),
            at.number("合作率 COOP1", "COOP1"),
            at.number("拒访率 REF1", "REF1"),
            at.number("接触率 CON1", "CON1"),
            at.number("完成率", "Completion"),
        ];
        let rows = at.results.response_rates.iter().map(|row| line(at, row)).collect();
        blocks.push(table("response_rates", at.pick("应答率", "Response rates"), columns, rows));
        blocks.push(at.note(
            "按美国民意研究协会（AAPOR）标准定义，不加权。完成率是完成的访问数除以计划的样本数，不论访问的是原样本还是替换样本，因此不是应答率。",
            "By the AAPOR's Standard Definitions, unweighted. Completion is interviews over planned cases, whoever was interviewed in their place: it is not a response rate.",
        ));
    }
    at.section("response", "样本与应答", "Sample and response", blocks)
}

fn line(at: &At<'_>, row: &ResponseRates) -> Vec<String> {
    let rates = &row.rates;
    let mut cells = vec![
        at.language.say(&row.label).to_owned(),
        format::count(row.cases),
        format::count(row.counts.complete + row.counts.partial),
    ];
    let all = [rates.rr1, rates.rr3, rates.coop1, rates.ref1, rates.con1, row.completion];
    cells.extend(all.map(format::share));
    cells
}
