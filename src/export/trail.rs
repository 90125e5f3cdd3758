//! Which interviews stand behind one cell of a run's tables, from the run's own files: for each its weight and what it adds
//! to the figure, so that the figure can be made again by hand.

use std::{collections::BTreeMap, io::Read};

use csv::{ByteRecord, Reader};

use super::PERSONS_FILE;
use crate::{
    export::bundle::ANSWERS_FILE,
    indicator::{
        Label, band_of,
        plan::{LITERATE, WEIGHT},
        results::{PointsMean, ResultTable, Results},
    },
    instrument::{
        Questionnaire, Response, ScoringProfile,
        scoring::{Mark, Points},
    },
};

/// The table of overlapping groups, whose level is a column of its own.
const KEY_GROUP: &str = "key_group";

/// The cell of a table that has one only.
pub const WHOLE: &str = "all";

/// The files of a run that tell it. The large ones are read from their beginning, once.
pub struct TrailFiles<'a> {
    /// `results.json`.
    pub results: &'a Results,
    /// `profile.toml`.
    pub profile: &'a ScoringProfile,
    /// `questionnaire.json`.
    pub questionnaire: &'a Questionnaire,
    /// `responses_weighted.csv`.
    pub persons: Box<dyn Read + 'a>,
    /// `answers.csv`; needed for items only.
    pub answers: Box<dyn Read + 'a>,
}

/// One interview of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// Its pseudonymous id.
    pub id: String,
    /// Its final weight.
    pub weight: f64,
    /// What it adds: 1 or 0 where the figure is a share, points where it is a mean.
    pub value: f64,
}

/// A cell with the interviews behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    /// The names of its levels.
    pub labels: Vec<Label>,
    /// Interviews, as the results tell.
    pub n: usize,
    /// Estimated persons, as the results tell, where they do.
    pub population: Option<f64>,
    /// The figure, as the results tell.
    pub estimate: Option<f64>,
    /// The interviews in the order of their ids.
    pub interviews: Vec<Traced>,
}

impl Trail {
    /// Σ weight of the interviews, in their order.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.interviews.iter().fold(0.0, |sum, one| sum + one.weight)
    }

    /// Σ weight × value over Σ weight.
    #[must_use]
    pub fn figure(&self) -> Option<f64> {
        let weight = self.weight();
        let sum = self.interviews.iter().fold(0.0, |sum, one| sum + one.weight * one.value);
        (weight > 0.0).then(|| sum / weight)
    }
}

/// Why a cell cannot be traced.
#[derive(Debug, thiserror::Error)]
pub enum TrailFault {
    /// The run has no such table or cell.
    #[error("find the cell: the run has none of this name")]
    NoCell,
    /// A file of the run cannot be read.
    #[error("read {file}: {why}")]
    File {
        /// The file.
        file: &'static str,
        /// Why.
        why: String,
    },
}

/// A file of rows that can be asked for cells by name.
struct Rows<'a> {
    file: &'static str,
    columns: BTreeMap<String, usize>,
    reader: Reader<Box<dyn Read + 'a>>,
}

impl<'a> Rows<'a> {
    fn open(file: &'static str, from: Box<dyn Read + 'a>) -> Result<Self, TrailFault> {
        let mut reader = Reader::from_reader(from);
        let header = reader.headers().map_err(|error| wrong(file, error))?;
        let columns = header.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
        Ok(Self { file, columns, reader })
    }

    fn column(&self, name: &str) -> Result<usize, TrailFault> {
        self.columns.get(name).copied().ok_or_else(|| wrong(self.file, format!("there is no column {name}")))
    }

    fn next(&mut self, row: &mut ByteRecord) -> Result<bool, TrailFault> {
        self.reader.read_byte_record(row).map_err(|error| wrong(self.file, error))
    }
}

fn wrong(file: &'static str, why: impl ToString) -> TrailFault {
    TrailFault::File { file, why: why.to_string() }
}

fn number(row: &ByteRecord, at: usize) -> Result<Option<f64>, TrailFault> {
    let text = std::str::from_utf8(&row[at]).map_err(|error| wrong(PERSONS_FILE, error))?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| wrong(PERSONS_FILE, format!("`{text}`: {error}")))
}

/// What each interview adds to a figure, read off its row.
enum Value {
    Column(usize),
    Reaches(usize, Points),
    InBand(usize, u32),
}

impl Value {
    fn of(&self, row: &ByteRecord, profile: &ScoringProfile) -> Result<f64, TrailFault> {
        let definition = profile.definition();
        let points = |at: usize| Ok(Points::from_hundredths((number(row, at)?.unwrap_or(0.0) * 100.0).round() as u32));
        Ok(match self {
            Self::Column(at) => number(row, *at)?.unwrap_or(0.0),
            Self::Reaches(at, cut) => f64::from(definition.comparison.reaches(points(*at)?, *cut)),
            Self::InBand(at, band) => f64::from(band_of(points(*at)?, definition.maximum) == *band),
        })
    }
}

/// The interviews behind a cell: `table` as the results call it, `cell` its levels with commas between, [`WHOLE`] for none.
///
/// # Errors
/// `NoCell`; `File` when a file is not what a run writes.
pub fn trail(files: TrailFiles<'_>, table: &str, cell: &str) -> Result<Trail, TrailFault> {
    let results = files.results;
    if let Some(found) = results.tables.iter().find(|one| one.id == table) {
        return of_table(files, found, cell);
    }
    match table {
        "tier" | "score_band" => of_score_table(files, table, cell),
        "score" | "dimension" => of_mean(files, table, cell),
        "item" => of_item(files, cell),
        _ => Err(TrailFault::NoCell),
    }
}

/// A cell's name in an address.
#[must_use]
pub fn cell_name(table: &ResultTable, domain: &BTreeMap<String, String>) -> String {
    let levels: Vec<&str> = table.by.iter().filter_map(|by| domain.get(by)).map(String::as_str).collect();
    if levels.is_empty() { WHOLE.to_owned() } else { levels.join(",") }
}

fn of_table(files: TrailFiles<'_>, table: &ResultTable, cell: &str) -> Result<Trail, TrailFault> {
    let row = table.rows.iter().find(|row| cell_name(table, &row.domain) == cell).ok_or(TrailFault::NoCell)?;
    let rows = Rows::open(PERSONS_FILE, files.persons)?;
    let wanted: Vec<(usize, String)> = match row.domain.get(KEY_GROUP) {
        Some(code) => vec![(rows.column(&format!("key_{code}"))?, "1".to_owned())],
        None => (row.domain.iter())
            .map(|(variable, level)| Ok((rows.column(variable)?, level.clone())))
            .collect::<Result<_, TrailFault>>()?,
    };
    let value = Value::Column(rows.column(LITERATE)?);
    let interviews = gather(rows, files.profile, &wanted, &value)?;
    let (n, population, estimate) = (row.n.unwrap_or(0), row.population, row.estimate);
    Ok(Trail { labels: row.labels.clone(), n, population, estimate, interviews })
}

/// Shares of all used responses: tiers and bands.
fn of_score_table(files: TrailFiles<'_>, table: &str, cell: &str) -> Result<Trail, TrailFault> {
    let scores = &files.results.scores;
    let found = if table == "tier" { &scores.tiers } else { &scores.distribution };
    let row = found.rows.iter().find(|row| cell_name(found, &row.domain) == cell).ok_or(TrailFault::NoCell)?;
    let rows = Rows::open(PERSONS_FILE, files.persons)?;
    let score = rows.column("score")?;
    let value = match files.profile.tiers().iter().find(|tier| table == "tier" && tier.code == cell) {
        Some(tier) => Value::Reaches(score, tier.cut),
        None => Value::InBand(score, cell.parse().map_err(|_| TrailFault::NoCell)?),
    };
    let interviews = gather(rows, files.profile, &[], &value)?;
    let (n, population, estimate) = (row.n.unwrap_or(0), row.population, row.estimate);
    Ok(Trail { labels: row.labels.clone(), n, population, estimate, interviews })
}

/// Means of all used responses: the score and its dimensions.
fn of_mean(files: TrailFiles<'_>, table: &str, cell: &str) -> Result<Trail, TrailFault> {
    let scores = &files.results.scores;
    let found: Option<&PointsMean> = match table {
        "score" => scores.mean.as_ref().filter(|_| cell == WHOLE),
        _ => scores.dimensions.iter().find(|dimension| dimension.code == cell),
    };
    let mean = found.ok_or(TrailFault::NoCell)?;
    let rows = Rows::open(PERSONS_FILE, files.persons)?;
    let name = if table == "score" { "score".to_owned() } else { format!("score_{cell}") };
    let value = Value::Column(rows.column(&name)?);
    let interviews = gather(rows, files.profile, &[], &value)?;
    let labels = mean.label.iter().cloned().collect();
    Ok(Trail { labels, n: mean.n, population: None, estimate: mean.estimate, interviews })
}

/// Who was put an item, and whether the answer was right.
fn of_item(files: TrailFiles<'_>, cell: &str) -> Result<Trail, TrailFault> {
    let TrailFiles { results, profile, questionnaire, persons, answers } = files;
    let told = results.items.iter().find(|item| item.item == cell).ok_or(TrailFault::NoCell)?;
    let items = profile.scored_items(questionnaire);
    let item = items.iter().find(|item| item.item.id == cell).ok_or(TrailFault::NoCell)?;
    let rows = Rows::open(PERSONS_FILE, persons)?;
    let all = Value::Column(rows.column(LITERATE)?);
    let used: BTreeMap<String, f64> =
        gather(rows, profile, &[], &all)?.into_iter().map(|one| (one.id, one.weight)).collect();
    let mut answers = Rows::open(ANSWERS_FILE, answers)?;
    let mut row = ByteRecord::new();
    let mut interviews = Vec::new();
    while answers.next(&mut row)? {
        let cells: Vec<&str> = row
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(ANSWERS_FILE, error))?;
        let [id, _, cells @ ..] = cells.as_slice() else { return Err(wrong(ANSWERS_FILE, "a row is too short")) };
        let Some(weight) = used.get(*id) else { continue };
        let response = Response::from_coded(questionnaire, id, None, cells);
        let mark = item.mark(&response.map_err(|error| wrong(ANSWERS_FILE, error))?);
        if mark.is_of_one_asked() {
            let value = f64::from(mark == Mark::Right);
            interviews.push(Traced { id: (*id).to_owned(), weight: *weight, value });
        }
    }
    let labels = vec![told.text.clone().unwrap_or_else(|| Label::same(cell))];
    Ok(Trail { labels, n: told.n, population: None, estimate: told.right, interviews })
}

fn gather(
    mut rows: Rows<'_>,
    profile: &ScoringProfile,
    wanted: &[(usize, String)],
    value: &Value,
) -> Result<Vec<Traced>, TrailFault> {
    let (id, weight) = (rows.column("id")?, rows.column(WEIGHT)?);
    let mut row = ByteRecord::new();
    let mut found = Vec::new();
    while rows.next(&mut row)? {
        let Some(weight) = number(&row, weight)? else { continue };
        if wanted.iter().all(|(at, level)| &row[*at] == level.as_bytes()) {
            let id = String::from_utf8_lossy(&row[id]).into_owned();
            found.push(Traced { id, weight, value: value.of(&row, profile)? });
        }
    }
    Ok(found)
}
