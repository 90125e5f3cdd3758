//! SPSS syntax that reads the machine's CSV and names what is in it. GNU PSPP runs it, too.

use std::io::Write;

use super::{
    Column, ColumnKind, Dictionary, FormatError, OpenPersons,
    names::{NameRule, cut},
    rows::Extent,
};
use crate::export::PERSONS_FILE;

const NAMES: NameRule = NameRule {
    bytes_max: 64,
    reserved: &["all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"],
    ignores_case: true,
};

/// Limits of the program, in bytes.
const LABEL_BYTES_MAX: usize = 255;
const VALUE_LABEL_BYTES_MAX: usize = 120;

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    mut out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    let extent = Extent::of(dictionary, open)?;
    let study = dictionary.study();
    let variables: Vec<(&Column, String)> = extent.columns.iter().zip(NAMES.names(&extent.columns)).collect();
    // The mark makes the program read the Chinese below, whatever its locale.
    writeln!(out, "\u{feff}* Encoding: UTF-8.")?;
    comment(&mut out, &format!("{}，{}", study.title, study.standing().zh))?;
    comment(&mut out, &format!("读取 {PERSONS_FILE}，SHA-256 {}", study.persons_sha256))?;
    comment(&mut out, &format!("请先用 CD 转到 {PERSONS_FILE} 所在的文件夹，再运行本文件"))?;
    writeln!(out, "\nGET DATA\n  /TYPE=TXT\n  /FILE={}\n  /ENCODING=\"UTF8\"", quoted(PERSONS_FILE))?;
    writeln!(out, "  /ARRANGEMENT=DELIMITED\n  /DELCASE=LINE\n  /FIRSTCASE=2\n  /DELIMITERS=\",\"\n  /QUALIFIER='\"'")?;
    write!(out, "  /VARIABLES=")?;
    for ((column, name), width) in variables.iter().zip(&extent.widths) {
        let format = if column.kind.is_number() { "F40.0".to_owned() } else { format!("A{}", (*width).max(1)) };
        write!(out, "\n    {name} {format}")?;
    }
    writeln!(out, ".\n")?;
    names(&mut out, &variables)?;
    values(&mut out, &variables)?;
    levels(&mut out, &variables)?;
    let standing = study.standing();
    writeln!(out, "FILE LABEL {}.", quoted(cut(&format!("{}：{}", standing.zh, study.title), 60)))?;
    if study.interim {
        writeln!(out, "TITLE {}.", quoted("临时结果"))?;
    }
    writeln!(out, "EXECUTE.\n")?;
    comment(&mut out, "weight 是抽样权数：标准误请用“复杂抽样”（strata stratum，cluster psu），不要只用 WEIGHT BY")?;
    Ok(())
}

fn names(out: &mut impl Write, variables: &[(&Column, String)]) -> Result<(), FormatError> {
    let shown = |column: &Column| match column.kind {
        ColumnKind::Number => "F20.9",
        _ => "F8.0",
    };
    write!(out, "FORMATS")?;
    for (column, name) in variables.iter().filter(|(column, _)| column.kind.is_number()) {
        write!(out, "\n  {name} ({})", shown(column))?;
    }
    write!(out, ".\nVARIABLE LABELS")?;
    for (column, name) in variables {
        write!(out, "\n  {name} {}", quoted(cut(&column.label.zh, LABEL_BYTES_MAX)))?;
    }
    writeln!(out, ".\n")?;
    Ok(())
}

fn values(out: &mut impl Write, variables: &[(&Column, String)]) -> Result<(), FormatError> {
    for (column, name) in variables.iter().filter(|(column, _)| !column.values.is_empty()) {
        write!(out, "VALUE LABELS {name}")?;
        for value in &column.values {
            let code = if column.kind.is_number() { value.code.clone() } else { quoted(&value.code) };
            write!(out, "\n  {code} {}", quoted(cut(&value.label.zh, VALUE_LABEL_BYTES_MAX)))?;
        }
        writeln!(out, ".")?;
    }
    writeln!(out)?;
    Ok(())
}

/// An empty text is a value like any other unless the program is told.
fn levels(out: &mut impl Write, variables: &[(&Column, String)]) -> Result<(), FormatError> {
    let texts: Vec<&str> =
        variables.iter().filter(|(column, _)| !column.kind.is_number()).map(|(_, name)| name.as_str()).collect();
    for name in &texts {
        writeln!(out, "MISSING VALUES {name} ('').")?;
    }
    write!(out, "VARIABLE LEVEL")?;
    for name in &texts {
        write!(out, "\n  {name}")?;
    }
    writeln!(out, " (NOMINAL).")?;
    Ok(())
}

/// A comment ends with a full stop at the end of a line: none may stand there before.
fn comment(out: &mut impl Write, text: &str) -> Result<(), FormatError> {
    let line = text.replace(['\n', '\r'], " ");
    writeln!(out, "* {}.", line.trim_end_matches('.'))?;
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
