//! The rows that the statistics read: one a case of the sample.

use super::{cases::CaseRecord, files::Sample, plan};
use crate::{instrument::questionnaire::Questionnaire, statistics::data::DataTable};

/// Lays the records out as columns; the table says the same as `cases.csv`.
pub(super) fn table(sample: &Sample, questionnaire: &Questionnaire, records: &[CaseRecord<'_>]) -> DataTable {
    let text = |cell: fn(&CaseRecord<'_>) -> Option<String>| records.iter().map(cell).collect::<Vec<_>>();
    let mut table = DataTable::new(plan::CASES_FILE, records.len())
        .with_text(plan::ID, &text(|record| Some(record.id.clone())))
        .with_text("district", &text(|record| Some(record.case.district.clone())))
        .with_text("stratum", &text(|record| Some(record.case.stratum.clone())))
        .with_text("psu", &text(|record| Some(record.case.psu.clone())))
        .with_text("residence", &text(|record| Some(record.case.residence.code().to_owned())))
        .with_text(plan::STATUS, &text(|record| Some(record.status().to_owned())))
        .with_text(plan::WEIGHTING_CLASS, &text(|record| Some(record.weighting_class.clone())))
        .with_numbers(plan::PERSON_FACTOR, used(records, |record| record.person_factor))
        .with_numbers(plan::LITERATE, used(records, |record| record.literate().map(f64::from)));
    for (stage, name) in sample.stages.iter().enumerate() {
        let probabilities = records.iter().map(|record| record.case.probabilities[stage]).collect();
        table = table.with_numbers(name, probabilities);
    }
    for column in super::tables::classifications(questionnaire) {
        let cells: Vec<_> = (records.iter())
            .map(|record| if record.is_used() { record.category(&column.id).map(str::to_owned) } else { None })
            .collect();
        table = table.with_text(&column.id, &cells);
    }
    table
}

fn used(records: &[CaseRecord<'_>], number: fn(&CaseRecord<'_>) -> Option<f64>) -> Vec<f64> {
    records.iter().map(|record| if record.is_used() { number(record).unwrap_or(f64::NAN) } else { f64::NAN }).collect()
}
