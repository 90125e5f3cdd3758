//! A workbook: the data under their Chinese names, the codebook, and what it was made from.

use std::io::Write;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as CellFormat, Workbook, Worksheet};

use super::{Column, ColumnKind, Dictionary, FormatError, OpenPersons, dictionary::Study, rows::Rows};
use crate::export::PERSONS_FILE;

/// Rows of responses on one sheet, below the heading.
const ROWS_MAX: u32 = 1_048_575;

/// A column of this width shows most names whole.
const WIDTH: f64 = 14.0;

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    write_in_sheets(dictionary, open, out, ROWS_MAX)
}

/// Responses beyond what one sheet holds go on in another one under the same heading.
fn write_in_sheets(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
    rows_max: u32,
) -> Result<(), FormatError> {
    let mut rows = Rows::open(dictionary, open)?;
    let study = dictionary.study();
    let mut workbook = Workbook::new();
    // A time of making would give other bytes each time.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let properties = DocProperties::new().set_title(&study.title).set_status(&study.standing().zh);
    workbook.set_properties(&properties.set_creation_datetime(&made));
    let heading = CellFormat::new().set_bold();
    // In this mode rows go to a temporary file at once, and texts stand in their cells and are never formulas.
    let mut sheets = 0;
    loop {
        sheets += 1;
        let number = if sheets == 1 { String::new() } else { sheets.to_string() };
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(format!("数据{number}{}", if study.interim { "（临时结果）" } else { "" }))?;
        if !data(sheet, &mut rows, &heading, study, rows_max)? {
            break;
        }
    }
    codebook(workbook.add_worksheet_with_constant_memory()?.set_name("编码簿")?, &rows.columns, &heading)?;
    notes(workbook.add_worksheet_with_constant_memory()?.set_name("说明")?, study)?;
    workbook.save_to_writer(out)?;
    Ok(())
}

/// Fills one sheet; whether there is more for another one.
fn data(
    sheet: &mut Worksheet,
    rows: &mut Rows,
    heading: &CellFormat,
    study: &Study,
    rows_max: u32,
) -> Result<bool, FormatError> {
    sheet.set_freeze_panes(1, 1)?;
    if study.interim {
        // Printed on every page.
        sheet.set_header("&C临时结果");
    }
    for (at, column) in (0..).zip(&rows.columns) {
        sheet.set_column_width(at, WIDTH)?;
        sheet.write_string_with_format(0, at, column.heading(), heading)?;
    }
    let mut n = 0;
    while let Some(row) = rows.next()? {
        if n == rows_max {
            rows.put_back();
            return Ok(true);
        }
        n += 1;
        for (at, (column, cell)) in (0..).zip(row.cells()).filter(|(_, (_, cell))| !cell.is_empty()) {
            match column.kind {
                ColumnKind::Text | ColumnKind::Category => sheet.write_string(n, at, column.shown(cell))?,
                ColumnKind::Integer | ColumnKind::Number => match row.number::<f64>(column, cell)? {
                    Some(number) => sheet.write_number(n, at, number)?,
                    None => continue,
                },
            };
        }
    }
    Ok(false)
}

/// One row a column, then one row for each of its codes.
fn codebook(sheet: &mut Worksheet, columns: &[Column], heading: &CellFormat) -> Result<(), FormatError> {
    for (at, (name, width)) in (0..).zip([
        ("列名", 20.0),
        ("含义", 30.0),
        ("Meaning", 40.0),
        ("类型", 10.0),
        ("代码", 16.0),
        ("代码含义", 30.0),
        ("Code", 30.0),
    ]) {
        sheet.set_column_width(at, width)?;
        sheet.write_string_with_format(0, at, name, heading)?;
    }
    let mut n = 0;
    for column in columns {
        n += 1;
        let kind = match column.kind {
            ColumnKind::Text => "文本",
            ColumnKind::Category => "分类",
            ColumnKind::Integer => "整数",
            ColumnKind::Number => "数值",
        };
        for (at, text) in (0..).zip([&column.name, &column.label.zh, &column.label.en, kind]) {
            sheet.write_string(n, at, text)?;
        }
        for value in &column.values {
            n += 1;
            sheet.write_string(n, 0, &column.name)?;
            for (at, text) in (4..).zip([&value.code, &value.label.zh, &value.label.en]) {
                sheet.write_string(n, at, text)?;
            }
        }
    }
    Ok(())
}

fn notes(sheet: &mut Worksheet, study: &Study) -> Result<(), FormatError> {
    sheet.set_column_width(0, 16)?;
    sheet.set_column_width(1, 90)?;
    let standing = study.standing();
    let lines = [
        ("调查", study.title.as_str()),
        ("地区", &study.place),
        ("结果状态", &standing.zh),
        ("问卷", &study.questionnaire),
        ("计分方案", &study.profile),
        ("计算程序", &study.engine),
        ("来源文件", PERSONS_FILE),
        ("来源文件 SHA-256", &study.persons_sha256),
        ("用途", "供查看和制表；核对与重算请用来源文件"),
    ];
    for (at, (name, text)) in (0..).zip(lines) {
        sheet.write_string(at, 0, name)?;
        sheet.write_string(at, 1, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;
    use crate::{
        indicator::files::Regions,
        instrument::{Questionnaire, ScoringProfile},
    };

    const ROWS: &str = "id,district,weight\nr1,230102,1.5\nr2,230102,2\nr3,230103,0.25\nr4,230103,4\nr5,230103,5\n";

    fn dictionary(interim: bool) -> Dictionary {
        let source = include_str!("../../../questionnaires/csl-demo.toml");
        let questionnaire = Questionnaire::from_toml("q.toml", source).expect("a questionnaire");
        let profile = include_str!("../../../questionnaires/profiles/A-2020.toml");
        let profile = ScoringProfile::from_toml("p.toml", profile).expect("a profile");
        let text = || "x".to_owned();
        let study = Study {
            code: text(),
            title: text(),
            place: text(),
            example: true,
            interim,
            engine: text(),
            questionnaire: text(),
            profile: text(),
            persons_sha256: text(),
        };
        Dictionary::new(&questionnaire, &profile, &Regions::default()).about(study)
    }

    fn sheets(interim: bool, rows_max: u32) -> Vec<(String, Vec<Vec<Data>>)> {
        let mut bytes = Vec::new();
        let mut open = || Ok(Box::new(ROWS.as_bytes()) as Box<dyn std::io::Read + Send>);
        write_in_sheets(&dictionary(interim), &mut open, &mut bytes, rows_max).expect("a workbook");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
        let names = book.sheet_names();
        let rows = |name: &String, book: &mut Xlsx<Cursor<Vec<u8>>>| {
            let range = book.worksheet_range(name).expect("a sheet");
            range.rows().map(<[Data]>::to_vec).collect()
        };
        names.iter().map(|name| (name.clone(), rows(name, &mut book))).collect()
    }

    #[test]
    fn more_responses_than_a_sheet_holds_go_on_in_the_next_one_and_none_is_lost() {
        let split = sheets(true, 2);
        let names: Vec<&str> = split.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["数据（临时结果）", "数据2（临时结果）", "数据3（临时结果）", "编码簿", "说明"]);
        let (_, one) = &sheets(true, ROWS_MAX)[0];
        assert_eq!(one.len(), 6, "the control: one sheet");
        assert!(split[..3].iter().all(|(_, rows)| rows[0] == one[0]), "each under the same heading");
        let joined: Vec<_> = split[..3].iter().flat_map(|(_, rows)| rows[1..].to_vec()).collect();
        assert_eq!(joined, one[1..]);
    }

    #[test]
    fn a_sheet_that_is_just_full_is_the_last() {
        let names: Vec<String> = sheets(false, 5).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["数据", "编码簿", "说明"]);
        assert_eq!(sheets(false, 4)[1].1.len(), 2, "one more goes on");
    }
}
