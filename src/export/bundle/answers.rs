//! `answers.csv`: what every response answered, as codes.

use csv::{ByteRecord, Writer};

use crate::{
    indicator::{Indicator, SurveyInputs},
    instrument::coded_columns,
};

/// One row a response in the order of the persons' file: id, the person's selection probability, the answers.
///
/// Written row by row and not through a table: it is as wide as the questionnaire.
pub(crate) fn answers_csv(inputs: &SurveyInputs<'_>, indicator: &Indicator<'_>) -> Vec<u8> {
    let mut writer = Writer::from_writer(Vec::new());
    let mut record = ByteRecord::new();
    record.push_field(b"id");
    record.push_field(b"selection_probability");
    coded_columns(inputs.questionnaire).iter().for_each(|name| record.push_field(name.as_bytes()));
    write(&mut writer, &record);
    for row in &indicator.records {
        let Some(response) = row.response else { continue };
        record.clear();
        record.push_field(row.id.as_bytes());
        let probability = response.person_probability().map(|probability| probability.to_string());
        record.push_field(probability.unwrap_or_default().as_bytes());
        response.coded(inputs.questionnaire).iter().for_each(|cell| record.push_field(cell.as_bytes()));
        write(&mut writer, &record);
    }
    writer.into_inner().expect("writing to memory does not fail")
}

fn write(writer: &mut Writer<Vec<u8>>, record: &ByteRecord) {
    writer.write_byte_record(record).expect("every row has as many cells as the header, and memory does not fail");
}
