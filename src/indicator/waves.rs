//! Changes between two waves of one place, scored by one profile.

use std::collections::BTreeMap;

use super::{
    EarlierWave, IndicatorError, Label, SampleRelation, plan,
    results::{Change, Changes, Compared, ResultRow, ResultTable, Results},
};
use crate::statistics::{
    self, Prepared,
    distribution::t_two_sided,
    interval::t_interval,
    waves::{UnitTotals, covariance_between},
};

/// Every domain of one variable that both waves have: the share now minus the share then.
pub(super) fn changes(
    results: &Results,
    prepared: &Prepared,
    earlier: &EarlierWave,
) -> Result<Changes, IndicatorError> {
    let then = &earlier.results;
    check(results, earlier)?;
    let shared = match (earlier.samples, &earlier.sample) {
        (SampleRelation::Independent, _) => None,
        (SampleRelation::SharedPsus, Some((plan, table))) => Some(
            Shared { now: prepared, then: &statistics::prepare(plan, table, &BTreeMap::new())? }
                .covariances(results)?,
        ),
        (SampleRelation::SharedPsus, None) => {
            return Err(shared_psus(then, "its plan and its cases are not there"));
        }
    };
    let mut rows = Vec::new();
    for table in results.tables.iter().filter(|table| table.by.len() < 2) {
        let Some(before) = then.tables.iter().find(|before| before.id == table.id) else { continue };
        rows.extend(table_changes(table, before, shared.as_ref()));
    }
    let survey = then.survey.clone();
    Ok(Changes { survey, input_digest: then.input_digest.clone(), samples: earlier.samples, rows })
}

fn check(results: &Results, earlier: &EarlierWave) -> Result<(), IndicatorError> {
    let then = &earlier.results;
    let (ours, theirs) = (&results.profile, &then.profile);
    if (&ours.id, &ours.version, &ours.hash) != (&theirs.id, &theirs.version, &theirs.hash) {
        return Err(IndicatorError::OtherProfile {
            earlier: then.survey.code.clone(),
            theirs: format!("{} {}", theirs.id, theirs.version),
            ours: format!("{} {}", ours.id, ours.version),
        });
    }
    let linearized = [&results.method.variance, &then.method.variance].iter().all(|method| *method == "taylor");
    if earlier.samples == SampleRelation::SharedPsus && !linearized {
        return Err(shared_psus(then, "both waves need the variance method taylor"));
    }
    Ok(())
}

fn shared_psus(then: &Results, reason: &'static str) -> IndicatorError {
    IndicatorError::SharedPsus { earlier: then.survey.code.clone(), reason }
}

/// Covariances between the waves by table and level.
type Covariances = BTreeMap<(String, Vec<String>), f64>;

/// Two samples over the same places.
struct Shared<'a> {
    now: &'a Prepared,
    then: &'a Prepared,
}

impl Shared<'_> {
    fn covariances(&self, results: &Results) -> Result<Covariances, IndicatorError> {
        let mut all = Covariances::new();
        for table in results.tables.iter().filter(|table| table.by.len() < 2) {
            // A key group is one level of a column of its own.
            let columns: Vec<(Vec<String>, Option<String>)> = match table.id.as_str() {
                super::tables::KEY_GROUP => (table.rows.iter())
                    .flat_map(|row| row.domain.values())
                    .map(|code| (vec![format!("{}{code}", super::tables::KEY_PREFIX)], Some(code.clone())))
                    .collect(),
                _ => vec![(table.by.clone(), None)],
            };
            for (by, code) in columns {
                self.add(&table.id, &by, code.as_deref(), &mut all)?;
            }
        }
        Ok(all)
    }

    fn add(&self, table: &str, by: &[String], code: Option<&str>, all: &mut Covariances) -> Result<(), IndicatorError> {
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let (now, then) = (totals(self.now, &by)?, totals(self.then, &by)?);
        for (levels, now) in &now {
            let Some(then) = then.get(levels) else { continue };
            let levels = match code {
                None => levels.clone(),
                Some(code) if levels == &["1"] => vec![code.to_owned()],
                Some(_) => continue,
            };
            all.insert((table.to_owned(), levels), covariance_between(now, then));
        }
        Ok(())
    }
}

fn totals(prepared: &Prepared, by: &[&str]) -> Result<BTreeMap<Vec<String>, UnitTotals>, IndicatorError> {
    Ok(statistics::waves::proportion_totals(prepared, &plan::share_moment(by), ["stratum", "psu"])?)
}

fn table_changes(table: &ResultTable, before: &ResultTable, shared: Option<&Covariances>) -> Vec<Change> {
    let change = |row: &ResultRow| {
        let then = before.rows.iter().find(|then| then.domain == row.domain)?;
        let levels: Vec<String> = row.domain.values().cloned().collect();
        let covariance = shared.map_or(0.0, |all| all.get(&(table.id.clone(), levels)).copied().unwrap_or(0.0));
        Some(Change {
            table: table.id.clone(),
            domain: row.domain.clone(),
            labels: row.labels.clone(),
            earlier: then.estimate,
            later: row.estimate,
            of: compared(row, then, covariance, shared.is_some()),
        })
    };
    table.rows.iter().filter_map(change).collect()
}

/// The later row minus the earlier.
pub(super) fn compared(now: &ResultRow, then: &ResultRow, covariance: f64, shared: bool) -> Compared {
    let wave = |row: &ResultRow| Some((row.estimate?, row.se?, row.df?));
    let (Some((later, se_now, df_now)), Some((sooner, se_then, df_then))) = (wave(now), wave(then)) else {
        let zh = "其中一个波次没有这一群体的估计";
        let why = Label::new(zh, "one of the waves has no estimate of this group");
        return Compared { not_estimable: Some(why), ..Compared::default() };
    };
    let (now, then) = (se_now * se_now, se_then * se_then);
    let se = (now + then - 2.0 * covariance).max(0.0).sqrt();
    // Welch and Satterthwaite where the samples are apart; over shared places neither wave has more than its own.
    let df = match shared {
        true => df_now.min(df_then),
        false => (now + then) * (now + then) / (now * now / df_now + then * then / df_then),
    };
    let estimate = later - sooner;
    let usable = se > 0.0 && df > 0.0 && df.is_finite();
    let why = || Label::new("误差不能估计，不能给出区间", "the error cannot be estimated, so there is no interval");
    let interval = if usable { t_interval(estimate, se, df, plan::LEVEL).ok() } else { None };
    Compared {
        estimate: Some(estimate),
        se: se.is_finite().then_some(se),
        df: df.is_finite().then_some(df),
        ci: interval.map(|ends| [ends.low, ends.high]),
        p_value: usable.then(|| t_two_sided(estimate / se, df)),
        not_estimable: interval.is_none().then(why),
    }
}
