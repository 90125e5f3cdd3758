//! The first page in sentences: did we reach the target, how sure are we, what changed.

use super::{Language, format};
use crate::indicator::results::{Change, Difference, ResultRow, Results, TargetVerdict, Verdict, verdict_label};

/// The row of the whole place.
pub(super) fn whole(results: &Results) -> Option<&ResultRow> {
    results.tables.iter().find(|table| table.id == "city")?.rows.first()
}

/// The change of the whole place since the earlier wave.
pub(super) fn whole_change(results: &Results) -> Option<&Change> {
    results.changes.as_ref()?.rows.iter().find(|row| row.table == "city")
}

/// The answer first, then what it rests on.
pub(super) fn summary(results: &Results, language: Language) -> Vec<String> {
    let Some(row) = whole(results) else {
        return vec![
            language.pick("这次计算没有给出全市的估计值。", "This run has no estimate of the whole.").to_owned(),
        ];
    };
    let mut sentences = vec![headline(results, row, language)];
    sentences.extend(row.verdicts.iter().filter_map(|verdict| against(results, verdict, language)));
    sentences.extend(whole_change(results).and_then(|change| changed(results, change, language)));
    let residence = results.differences.iter().find(|one| one.variable == "residence");
    sentences.extend(residence.and_then(|gap| gap_sentence(gap, results, language)));
    sentences.push(basis(results, language));
    sentences
}

fn headline(results: &Results, row: &ResultRow, language: Language) -> String {
    let place = row.labels.first().map_or(results.survey.place.as_str(), |label| language.say(label));
    let (estimate, interval) = (format::share(row.estimate), format::interval(row.ci));
    let level = format::set_share(results.method.level);
    match (row.estimate, language) {
        (None, Language::Chinese) => format!("{place}公民具备科学素质的比例没有估计值。"),
        (None, Language::English) => format!("There is no estimate of the share of {place}."),
        (Some(_), Language::Chinese) => {
            format!("{place}公民具备科学素质的比例为{estimate}（{level}置信区间{interval}）。")
        }
        (Some(_), Language::English) => {
            format!("In {place}, {estimate} of residents are scientifically literate ({level} interval {interval}).")
        }
    }
}

fn against(results: &Results, verdict: &TargetVerdict, language: Language) -> Option<String> {
    let target = results.targets.iter().find(|target| target.id == verdict.target)?;
    let (year, value) = (target.year, format::set_share(target.value));
    let (name, said) = (language.say(&target.label), verdict_label(verdict.verdict));
    let said = language.say(&said);
    let why = verdict_reason(verdict.verdict, language);
    Some(match language {
        Language::Chinese => format!("与{year}年{value}的目标（{name}）相比：{said}。{why}"),
        Language::English => format!("Against the target of {value} for {year} ({name}): {said}. {why}"),
    })
}

/// What a verdict means.
pub(super) fn verdict_reason(verdict: Verdict, language: Language) -> &'static str {
    match verdict {
        Verdict::Met => language.pick("置信区间全部不低于目标。", "The whole interval is at or above it."),
        Verdict::NotMet => language.pick("置信区间全部低于目标。", "The whole interval is below it."),
        Verdict::Undetermined => language.pick(
            "目标落在置信区间之内，现有样本不足以说明达到或没有达到。",
            "It lies within the interval; the sample cannot tell.",
        ),
    }
}

/// 增速 is the change over the earlier value.
pub(super) fn growth(change: &Change) -> Option<f64> {
    let earlier = change.earlier.filter(|earlier| *earlier > 0.0)?;
    Some(change.of.estimate? / earlier)
}

fn changed(results: &Results, change: &Change, language: Language) -> Option<String> {
    let earlier = &results.changes.as_ref()?.survey.title;
    let (by, of) = (change.of.estimate?, format::share(change.earlier));
    let (points, interval) = (format::points(by), format::points_interval(change.of.ci));
    let rate = format::share(growth(change));
    let sure = match (change.of.ci, language) {
        (Some([low, high]), Language::Chinese) if low <= 0.0 && high >= 0.0 => "变化在抽样误差之内",
        (Some(_), Language::Chinese) => "变化超出抽样误差",
        (None, Language::Chinese) => "没有区间，不作判断",
        (Some([low, high]), Language::English) if low <= 0.0 && high >= 0.0 => "within sampling error",
        (Some(_), Language::English) => "beyond sampling error",
        (None, Language::English) => "without an interval, so nothing is said of it",
    };
    Some(match language {
        Language::Chinese => {
            let verb = if by < 0.0 { "下降" } else { "提高" };
            format!("与“{earlier}”的{of}相比{verb}{points}个百分点（区间{interval}），增速{rate}；{sure}。")
        }
        Language::English => {
            let verb = if by < 0.0 { "down" } else { "up" };
            format!(
                "Compared with {of} in “{earlier}”: {verb} {points} percentage points (interval {interval}), {rate} of the earlier value; {sure}."
            )
        }
    })
}

fn gap_sentence(gap: &Difference, results: &Results, language: Language) -> Option<String> {
    let points = format::signed_points(Some(gap.of.estimate?));
    let (interval, level) = (format::points_interval(gap.of.ci), format::set_share(results.method.level));
    let (first, second) = (language.say(&gap.first.label), language.say(&gap.second.label));
    Some(match language {
        Language::Chinese => format!("{first}减{second}：{points}个百分点（{level}置信区间{interval}）。"),
        Language::English => {
            format!("{first} minus {second}: {points} percentage points ({level} interval {interval}).")
        }
    })
}

fn basis(results: &Results, language: Language) -> String {
    let sample = &results.sample;
    let (cases, used) = (format::count(sample.cases), format::count(sample.used));
    let rate = format::share(results.response_rates.first().and_then(|city| city.rates.rr1));
    let profile = language.say(&results.profile.title);
    match language {
        Language::Chinese => format!("依据：{cases}个样本户，{used}份参与计算的答卷，应答率（RR1）{rate}；{profile}。"),
        Language::English => {
            format!("Basis: {cases} cases, {used} responses used, response rate (RR1) {rate}; {profile}.")
        }
    }
}
