//! Response rates of the whole and of each district, by what became of the cases.

use std::collections::BTreeMap;

use super::{
    Label, SurveyInputs,
    cases::CaseRecord,
    results::{OutcomeCounts, ResponseRates},
};
use crate::instrument::{Disposition, DispositionGroup};

/// The whole, then the districts in the order of their codes.
pub(super) fn response_rates(inputs: &SurveyInputs<'_>, records: &[CaseRecord<'_>]) -> Vec<ResponseRates> {
    let mut districts: BTreeMap<&str, Vec<&CaseRecord<'_>>> = BTreeMap::new();
    for record in records {
        districts.entry(&record.case.district).or_default().push(record);
    }
    let region = inputs.survey.region.as_ref();
    let whole = region.map_or_else(|| Label::same(&inputs.survey.place), |code| inputs.regions.name(code));
    let all: Vec<&CaseRecord<'_>> = records.iter().collect();
    let mut rows = vec![of(None, whole, &all)];
    rows.extend(
        districts.into_iter().map(|(code, records)| of(Some(code.to_owned()), inputs.regions.name(code), &records)),
    );
    rows
}

fn of(district: Option<String>, label: Label, records: &[&CaseRecord<'_>]) -> ResponseRates {
    let counts = count_outcomes(records.iter().map(|record| record.disposition));
    let cases = records.len() as u64;
    let planned = records.iter().filter(|record| record.case.reserve_rank.is_none()).count() as u64;
    let interviews = counts.complete + counts.partial;
    let completion = (planned > 0).then(|| interviews as f64 / planned as f64);
    ResponseRates { district, label, cases, counts, rates: counts.rates(), planned, completion }
}

/// Final dispositions counted as the letters of the AAPOR's formulas.
#[must_use]
pub fn count_outcomes(dispositions: impl IntoIterator<Item = &'static Disposition>) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for disposition in dispositions {
        let count = match disposition.group() {
            DispositionGroup::Interview => &mut counts.complete,
            DispositionGroup::Partial => &mut counts.partial,
            DispositionGroup::Refusal => &mut counts.refusal,
            DispositionGroup::NonContact => &mut counts.non_contact,
            DispositionGroup::Other => &mut counts.other,
            DispositionGroup::UnknownHousehold => &mut counts.unknown_household,
            DispositionGroup::UnknownOther => &mut counts.unknown_other,
            DispositionGroup::NotEligible => &mut counts.not_eligible,
        };
        *count += 1;
    }
    counts
}
