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
    let mut rows = Rows::open(dictionary, open)?;
    let study = dictionary.study();
    let mut workbook = Workbook::new();
    // A time of making would give other bytes each time.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let properties = DocProperties::new().set_title(&study.title).set_status(&study.standing().zh);
    workbook.set_properties(&properties.set_creation_datetime(&made));
    let heading = CellFormat::new().set_bold();
    // In this mode rows go to a temporary file at once, and texts stand in their cells and are never formulas.
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(if study.interim { "数据（临时结果）" } else { "数据" })?;
    data(sheet, &mut rows, &heading, study)?;
    codebook(workbook.add_worksheet_with_constant_memory()?.set_name("编码簿")?, &rows.columns, &heading)?;
    notes(workbook.add_worksheet_with_constant_memory()?.set_name("说明")?, study)?;
    workbook.save_to_writer(out)?;
    Ok(())
}

fn data(sheet: &mut Worksheet, rows: &mut Rows, heading: &CellFormat, study: &Study) -> Result<(), FormatError> {
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
        if n == ROWS_MAX {
            return Err(FormatError::TooManyRows { max: ROWS_MAX });
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
    Ok(())
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
