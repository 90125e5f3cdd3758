//! An answer's rows as one flat table: domain columns, then every number under its own name.

use serde_json::Value;

use crate::export::{Cell, Table, to_csv};

/// The rows of an answer as CSV; columns in the order in which rows first name them, absent values empty.
pub fn rows_to_csv(rows: &Value) -> Vec<u8> {
    let lines: Vec<Vec<(String, Cell)>> = rows.as_array().into_iter().flatten().map(line).collect();
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in lines.iter().flatten() {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let domain: Vec<&String> = rows
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| row["domain"].as_object())
        .flat_map(|d| d.keys())
        .collect();
    columns.sort_by_key(|name| (!domain.contains(&name), rank(name)));
    let mut table = Table::new(columns.clone());
    for line in lines {
        let cell =
            |name: &String| line.iter().find(|(have, _)| have == name).map_or(Cell::Missing, |(_, cell)| cell.clone());
        table.push(columns.iter().map(cell).collect());
    }
    to_csv(&table)
}

/// The numbers that people look for first, then the rest; the reason why something is absent stands last.
fn rank(name: &str) -> usize {
    const FIRST: [&str; 8] = ["n", "n_hat", "estimate", "difference", "se", "df", "deff", "deff_wr"];
    let last = if name == "note" { FIRST.len() + 1 } else { FIRST.len() };
    FIRST.iter().position(|first| *first == name).unwrap_or(last)
}

fn line(row: &Value) -> Vec<(String, Cell)> {
    let mut cells = Vec::new();
    for (name, value) in row.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) if name == "domain" => {
                cells.extend(inner.iter().map(|(column, label)| (column.clone(), cell(label))));
            }
            Value::Object(inner) => {
                for (method, ends) in inner {
                    cells.push((format!("{name}_{method}_low"), cell(&ends[0])));
                    cells.push((format!("{name}_{method}_high"), cell(&ends[1])));
                }
            }
            Value::Array(values) => {
                cells.extend(values.iter().enumerate().map(|(at, v)| (format!("{name}{}", at + 1), cell(v))));
            }
            value => cells.push((name.clone(), cell(value))),
        }
    }
    cells
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::String(text) => Cell::text(Some(text)),
        Value::Bool(flag) => Cell::flag(Some(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cell::Integer(whole),
            None => Cell::number(number.as_f64()),
        },
        _ => Cell::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn intervals_and_domains_become_columns_and_absent_numbers_stay_empty() {
        let rows = json!([
            {"domain": {"区": "南岗"}, "n": 3, "estimate": 0.5, "ci": {"logit": [0.25, 0.75]}},
            {"domain": {"区": "道里"}, "n": 0, "note": "nobody is in the domain"}
        ]);
        let csv = String::from_utf8(rows_to_csv(&rows)).expect("UTF-8");
        let lines: Vec<&str> = csv.lines().map(|line| line.trim_start_matches('\u{feff}')).collect();
        assert_eq!(lines[0], "区,n,estimate,ci_logit_low,ci_logit_high,note");
        assert_eq!(lines[1], "南岗,3,0.5,0.25,0.75,");
        assert_eq!(lines[2], "道里,0,,,,nobody is in the domain");
    }
}
