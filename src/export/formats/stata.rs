//! Stata commands that read the machine's CSV: numbers as numbers, codes as labelled numbers.

use std::io::Write;

use super::{
    Column, ColumnKind, Dictionary, FormatError, OpenPersons,
    names::{NameRule, cut},
    rows::Rows,
};
use crate::export::PERSONS_FILE;

const NAMES: NameRule = NameRule {
    // 32, less the ending of a label's name.
    bytes_max: 28,
    reserved: &["byte", "double", "float", "if", "in", "int", "long", "str", "strl", "using", "with"],
    ignores_case: false,
};

/// Limit of the program, in characters of up to four bytes each; fewer are easier to read in tables.
const LABEL_BYTES_MAX: usize = 240;

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    mut out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    let columns = Rows::open(dictionary, open)?.columns;
    let study = dictionary.study();
    let variables: Vec<(&Column, String)> = columns.iter().zip(NAMES.names(&columns)).collect();
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    writeln!(out, "* {}，{}", one_line(&study.title), study.standing().zh)?;
    writeln!(out, "* 读取 {PERSONS_FILE}，SHA-256 {}", study.persons_sha256)?;
    writeln!(out, "* 请先用 cd 转到 {PERSONS_FILE} 所在的文件夹，再运行本文件")?;
    writeln!(out, "version 14\nclear")?;
    // Names come from here and not from the header, which the program would cut; all texts first, so that no code
    // such as 0123 loses a digit.
    writeln!(
        out,
        "import delimited using {}, delimiters(\",\") varnames(nonames) rowrange(2) stringcols(_all) bindquote(strict) encoding(\"UTF-8\")",
        quoted(PERSONS_FILE)
    )?;
    // A column may be called v3 itself: in two steps no name meets another.
    for at in 1..=variables.len() {
        writeln!(out, "rename v{at} __column{at}")?;
    }
    for (at, (column, name)) in (1..).zip(&variables) {
        writeln!(out, "rename __column{at} {name}")?;
        match column.kind {
            ColumnKind::Integer | ColumnKind::Number => number(&mut out, column, name)?,
            ColumnKind::Category if !column.values.is_empty() => category(&mut out, column, name)?,
            ColumnKind::Category | ColumnKind::Text => {}
        }
        writeln!(out, "label variable {name} {}", quoted(cut(&column.label.zh, LABEL_BYTES_MAX)))?;
    }
    let order: Vec<&str> = variables.iter().map(|(_, name)| name.as_str()).collect();
    writeln!(out, "order {}", order.join(" "))?;
    writeln!(
        out,
        "label data {}",
        quoted(cut(&format!("{}：{}", study.standing().zh, one_line(&study.title)), LABEL_BYTES_MAX))
    )?;
    writeln!(out, "* weight 是抽样权数：svyset psu [pweight = weight], strata(stratum)")?;
    Ok(())
}

fn number(out: &mut impl Write, column: &Column, name: &str) -> Result<(), FormatError> {
    writeln!(out, "destring {name}, replace")?;
    if !column.values.is_empty() {
        let values = column.values.iter().map(|value| (value.code.as_str(), value.label.zh.as_str()));
        define(out, name, values)?;
    }
    Ok(())
}

/// Labels stand on numbers only: 1 for the first code, and so on; which code is which stands in the notes.
fn category(out: &mut impl Write, column: &Column, name: &str) -> Result<(), FormatError> {
    writeln!(out, "generate int __value = .")?;
    for (n, value) in (1..).zip(&column.values) {
        writeln!(out, "replace __value = {n} if {name} == {}", quoted(&value.code))?;
    }
    // A code without a name must not turn into a missing value in silence.
    writeln!(out, "assert __value != . if {name} != \"\"")?;
    writeln!(out, "drop {name}\nrename __value {name}")?;
    for (n, value) in (1..).zip(&column.values) {
        writeln!(out, "notes {name}: {n} = {}", value.code)?;
    }
    let numbers: Vec<String> = (1..=column.values.len()).map(|n| n.to_string()).collect();
    define(out, name, numbers.iter().map(String::as_str).zip(column.values.iter().map(|value| value.label.zh.as_str())))
}

fn define<'a>(
    out: &mut impl Write,
    name: &str,
    values: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), FormatError> {
    for (code, label) in values {
        writeln!(out, "label define {name}_lbl {code} {}, modify", quoted(cut(label, LABEL_BYTES_MAX)))?;
    }
    writeln!(out, "label values {name} {name}_lbl")?;
    Ok(())
}

/// Compound quotes hold every sign; what would end or open them, or expand, is replaced.
fn quoted(text: &str) -> String {
    let plain = text.replace(['\n', '\r'], " ").replace('`', "‘").replace("\"'", "”").replace('$', "＄");
    format!("`\"{plain}\"'")
}
