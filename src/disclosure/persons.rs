//! From the rows of a run to the cells of its tables: counts, weights, primary units, and which cells hold the same
//! persons under different names.

use std::collections::BTreeMap;

use super::{
    Cell, Lattice,
    lattice::{Block, Line},
    release::ReleasedCell,
};
use crate::indicator::results::{ResultRow, ResultTable, Results};

/// Prefix of the columns of key groups, and the table that holds one row for each.
const KEY_PREFIX: &str = "key_";
const KEY_GROUP: &str = "key_group";

/// Most levels of a variable whose unions are compared with key groups: two to the power of it are looked at.
const UNION_LEVELS_MAX: usize = 12;

/// Why a run cannot be released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseFault {
    /// It is no CSV file, or lacks a column.
    #[error("read the rows of the run: {0}")]
    Csv(String),
    /// A number that is none.
    #[error("read the rows of the run: row {row}, column {column}: `{value}` is no number")]
    Number {
        /// Row, from 1.
        row: usize,
        /// Column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// The rows do not belong to the results.
    #[error("hold the rows against the results: {cell} has {rows} rows and n = {results}")]
    Differ {
        /// The cell.
        cell: String,
        /// Its rows.
        rows: u64,
        /// What the results say.
        results: u64,
    },
    /// Too few rows to be told apart by nobody.
    #[error("de-identify the rows: {rows} are too few")]
    TooFew {
        /// Rows with a weight.
        rows: usize,
    },
    /// A cell that must be withheld follows from the whole.
    #[error("release the run: {cell} must be withheld, and the whole tells it")]
    Exposed {
        /// The cell.
        cell: String,
    },
}

/// One row with a weight, by the places of its columns.
pub(super) struct Rows {
    columns: BTreeMap<String, usize>,
    /// The records with their weights, in the order of the file.
    pub(super) rows: Vec<(csv::ByteRecord, f64)>,
}

impl Rows {
    pub(super) fn read(csv: &[u8]) -> Result<Self, ReleaseFault> {
        let fault = |error: csv::Error| ReleaseFault::Csv(error.to_string());
        let mut reader = csv::Reader::from_reader(csv);
        let head = reader.headers().map_err(fault)?.clone();
        let columns: BTreeMap<String, usize> =
            head.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
        let mut read = Self { columns, rows: Vec::new() };
        let weight = read.column("weight")?;
        for (row, record) in reader.byte_records().enumerate() {
            let record = record.map_err(fault)?;
            let text = String::from_utf8_lossy(&record[weight]);
            if text.is_empty() {
                continue;
            }
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            let wrong = || ReleaseFault::Number { row: row + 1, column: "weight".to_owned(), value: text.to_string() };
            let number = number.ok_or_else(wrong)?;
            read.rows.push((record, number));
        }
        Ok(read)
    }

    pub(super) fn column(&self, name: &str) -> Result<usize, ReleaseFault> {
        self.columns.get(name).copied().ok_or_else(|| ReleaseFault::Csv(format!("there is no column {name}")))
    }
}

/// What is counted of a cell.
#[derive(Debug, Clone, Default)]
struct Tally {
    n: u64,
    literate: u64,
    weight: f64,
    literate_weight: f64,
    units: BTreeMap<u32, f64>,
    /// Equal for equal sets of persons: the sum of a number of each, which adds up over unions.
    persons: u64,
}

impl Tally {
    fn add(&mut self, weight: f64, literate: bool, unit: u32, person: u64) {
        self.n += 1;
        self.weight += weight;
        if literate {
            self.literate += 1;
            self.literate_weight += weight;
        }
        *self.units.entry(unit).or_default() += weight;
        self.persons = self.persons.wrapping_add(person);
    }

    fn unit_share(&self) -> f64 {
        let most = self.units.values().copied().fold(0.0, f64::max);
        if self.weight > 0.0 { most / self.weight } else { 0.0 }
    }
}

/// A number for a row that no sum of others is likely to equal (the finalizer of SplitMix64).
fn person_number(row: usize) -> u64 {
    let mut z = (row as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The name of a cell, the same in every run of a survey: the table and the levels of its variables.
#[must_use]
pub fn key_of(table: &ResultTable, row: &ResultRow) -> String {
    let levels = table.by.iter().map(|variable| row.domain.get(variable).map_or("", String::as_str));
    std::iter::once(table.id.as_str()).chain(levels).collect::<Vec<_>>().join("/")
}

/// The cells of a run by name, and the lattice they make.
#[derive(Debug, Clone, Default)]
pub struct RunCells {
    /// Cells and sums.
    pub lattice: Lattice,
    /// Where each cell of a table stands; two names may be one cell.
    pub places: BTreeMap<String, usize>,
}

impl RunCells {
    /// The cells of a run, from its results and its rows (`responses_weighted.csv`), with what earlier releases of the same
    /// survey showed.
    ///
    /// # Errors
    /// Rows that cannot be read, or that are not those of the results.
    pub fn of(
        results: &Results,
        rows: &[u8],
        earlier: &[BTreeMap<String, ReleasedCell>],
    ) -> Result<Self, ReleaseFault> {
        let rows = Rows::read(rows)?;
        let mut cells = Self::default();
        let mut persons: Vec<u64> = Vec::new();
        for table in &results.tables {
            let tallies = tallies(table, &rows)?;
            for row in &table.rows {
                let key = key_of(table, row);
                let levels: Vec<String> =
                    table.by.iter().map(|variable| row.domain.get(variable).cloned().unwrap_or_default()).collect();
                let tally = tallies.get(&levels).cloned().unwrap_or_default();
                let said = row.n.unwrap_or(0) as u64;
                if tally.n != said {
                    return Err(ReleaseFault::Differ { cell: key, rows: tally.n, results: said });
                }
                cells.add(key, row, &tally, table.by.len() < 2, &mut persons, earlier);
            }
        }
        cells.tie(results, &mut persons);
        Ok(cells)
    }

    fn add(
        &mut self,
        key: String,
        row: &ResultRow,
        tally: &Tally,
        may_be_same: bool,
        persons: &mut Vec<u64>,
        earlier: &[BTreeMap<String, ReleasedCell>],
    ) {
        // The same persons under another name are the same cell, or one name would tell what the other hides.
        let same = persons.iter().position(|of| may_be_same && *of == tally.persons && tally.n > 0);
        if let Some(at) = same {
            self.places.insert(key, at);
            return;
        }
        let mut cell = Cell {
            key: key.clone(),
            n: tally.n,
            literate: tally.literate,
            weight: tally.weight,
            literate_weight: tally.literate_weight,
            unit_share: tally.unit_share(),
            relative_error: row.se.zip(row.estimate).map(|(error, share)| error / share),
            ..Cell::default()
        };
        for shown in earlier.iter().filter_map(|release| release.get(&key)).filter(|cell| cell.shown) {
            cell.compare([shown.n, shown.literate], [shown.weight, shown.literate_weight]);
        }
        self.places.insert(key, self.lattice.cells.len());
        self.lattice.cells.push(cell);
        persons.push(tally.persons);
    }

    /// The sums among the cells.
    fn tie(&mut self, results: &Results, persons: &mut Vec<u64>) {
        let mut first = Block::default();
        let mut rest = Vec::new();
        let Some(&whole) = self.places.get("city") else { return };
        for table in &results.tables {
            let keys: Vec<String> = table.rows.iter().map(|row| key_of(table, row)).collect();
            let cells: Vec<usize> = keys.iter().map(|key| self.places[key]).collect();
            match table.by.len() {
                0 => {}
                1 if table.id == KEY_GROUP => {
                    for cell in cells.into_iter().filter(|cell| *cell != whole) {
                        let others = self.others(whole, cell);
                        persons.push(persons[whole].wrapping_sub(persons[cell]));
                        first.cells.extend([cell, others]);
                        first.lines.push(Line { parent: whole, children: vec![cell, others] });
                        first.lines.extend(self.unions(results, cell, persons));
                    }
                }
                1 => {
                    first.cells.extend(cells.iter().copied().filter(|cell| *cell != whole));
                    if !cells.contains(&whole) {
                        first.lines.push(Line { parent: whole, children: cells });
                    }
                }
                _ => rest.push(self.crossing(table, &cells)),
            }
        }
        first.cells.sort_unstable();
        first.cells.dedup();
        self.lattice.blocks = std::iter::once(first).chain(rest).collect();
    }

    /// All who are not in the group: nobody publishes them, and everybody can subtract.
    fn others(&mut self, whole: usize, cell: usize) -> usize {
        let (all, some) = (&self.lattice.cells[whole], &self.lattice.cells[cell]);
        let others = Cell {
            key: format!("{}/others", some.key),
            n: all.n - some.n,
            literate: all.literate - some.literate,
            weight: all.weight - some.weight,
            literate_weight: all.literate_weight - some.literate_weight,
            implied: true,
            ..Cell::default()
        };
        self.lattice.cells.push(others);
        self.lattice.cells.len() - 1
    }

    /// Levels of a variable that together are the group, such as ages of 60 and more.
    fn unions(&self, results: &Results, group: usize, persons: &[u64]) -> Vec<Line> {
        let mut lines = Vec::new();
        let tables = results.tables.iter().filter(|table| table.by.len() == 1 && table.id != KEY_GROUP);
        for table in tables.filter(|table| table.rows.len() <= UNION_LEVELS_MAX) {
            let cells: Vec<usize> = table.rows.iter().map(|row| self.places[&key_of(table, row)]).collect();
            let cells: Vec<usize> = cells.into_iter().filter(|&at| self.lattice.cells[at].n > 0).collect();
            let union = (1_u32..1 << cells.len()).map(|set| {
                (0..cells.len()).filter(|at| set >> at & 1 == 1).map(|at| cells[at]).collect::<Vec<usize>>()
            });
            let is_group = |union: &Vec<usize>| {
                let sum = union.iter().fold(0_u64, |sum, &at| sum.wrapping_add(persons[at]));
                sum == persons[group] && union != &[group]
            };
            lines.extend(union.into_iter().find(is_group).map(|children| Line { parent: group, children }));
        }
        lines
    }

    fn crossing(&self, table: &ResultTable, cells: &[usize]) -> Block {
        let mut sums: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (row, &cell) in table.rows.iter().zip(cells) {
            for variable in &table.by {
                let level = row.domain.get(variable).map_or("", String::as_str);
                sums.entry(format!("{variable}/{level}")).or_default().push(cell);
            }
        }
        let line =
            |(parent, children): (String, Vec<usize>)| Some(Line { parent: *self.places.get(&parent)?, children });
        Block { cells: cells.to_vec(), lines: sums.into_iter().filter_map(line).collect() }
    }
}

fn tallies(table: &ResultTable, rows: &Rows) -> Result<BTreeMap<Vec<String>, Tally>, ReleaseFault> {
    let (literate, stratum, psu) = (rows.column("literate")?, rows.column("stratum")?, rows.column("psu")?);
    let mut units: BTreeMap<(Vec<u8>, Vec<u8>), u32> = BTreeMap::new();
    let mut all: BTreeMap<Vec<String>, Tally> = BTreeMap::new();
    // A key group is the level 1 of a column of its own.
    let columns: Vec<(Vec<usize>, Option<String>)> = if table.id == KEY_GROUP {
        let codes = table.rows.iter().filter_map(|row| row.domain.get(KEY_GROUP));
        codes
            .map(|code| Ok((vec![rows.column(&format!("{KEY_PREFIX}{code}"))?], Some(code.clone()))))
            .collect::<Result<_, _>>()?
    } else {
        vec![(table.by.iter().map(|variable| rows.column(variable)).collect::<Result<_, _>>()?, None)]
    };
    for (row, (record, weight)) in rows.rows.iter().enumerate() {
        let next = units.len() as u32;
        let unit = *units.entry((record[stratum].to_vec(), record[psu].to_vec())).or_insert(next);
        for (columns, code) in &columns {
            let levels: Vec<String> = match code {
                Some(code) if &record[columns[0]] == b"1" => vec![code.clone()],
                Some(_) => continue,
                None => columns.iter().map(|&at| String::from_utf8_lossy(&record[at]).into_owned()).collect(),
            };
            all.entry(levels).or_default().add(*weight, &record[literate] == b"1", unit, person_number(row));
        }
    }
    Ok(all)
}
