//! The sample file: one row a case, with its place in the design and its selection probabilities.

use super::{Faults, FileFaults, rows, rows::Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const REQUIRED: [&str; 5] = ["case_id", "district", "stratum", "psu", "residence"];

/// Column: the place of a reserve.
pub(crate) const RESERVE_RANK: &str = "reserve_rank";
const RESERVE_RANK_MAX: u32 = 9999;

/// Longest identifier a sample file may use; keeps file names, logs and screens readable.
const IDENTIFIER_LENGTH_MAX: usize = 64;

/// Where a household lives, by the urban-rural code of its village or neighbourhood committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residence {
    /// 城镇
    Urban,
    /// 农村
    Rural,
}

impl Residence {
    /// The code used in files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Urban => "urban",
            Self::Rural => "rural",
        }
    }

    fn parse(code: &str) -> Option<Self> {
        match code {
            "urban" => Some(Self::Urban),
            "rural" => Some(Self::Rural),
            _ => None,
        }
    }
}

/// One sampled unit.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleCase {
    /// The case's identifier, unique in the survey.
    pub case_id: String,
    /// Region code of the district or county (区、县（市）).
    pub district: String,
    /// Stratum: sampled independently of the others.
    pub stratum: String,
    /// Primary sampling unit, nested in its stratum.
    pub psu: String,
    /// Urban or rural.
    pub residence: Residence,
    /// Selection probability of each stage, in the order of [`Sample::stages`], each in (0, 1].
    pub probabilities: Vec<f64>,
    /// Its place among the reserves of its PSU, from 1; none of an original case.
    pub reserve_rank: Option<u32>,
}

/// A checked sample file; cases are sorted by the bytes of their identifiers.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Names of the probability columns, `prob_psu` first.
    pub stages: Vec<String>,
    /// The cases.
    pub cases: Vec<SampleCase>,
}

impl Sample {
    /// Reads a sample file and checks it whole.
    ///
    /// Columns: `case_id, district, stratum, psu, residence` and one `prob_*` column a stage, `prob_psu` among them;
    /// `reserve_rank` may stand beside them: empty for an original case, and for a reserve its place in its PSU.
    ///
    /// # Errors
    /// Every fault with its line: an unknown or missing column, an empty cell, a case that appears twice, a
    /// probability outside (0, 1], a PSU in two strata or with two probabilities.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileFaults> {
        let mut faults = Faults::of(file);
        let mut cases = Vec::new();
        let stages = stages_of(text);
        if !stages.iter().any(|stage| stage == "prob_psu") {
            faults.add(1, Some("prob_psu"), "missing-column", "缺少此列", "column is missing");
        }
        let mut seen = Seen::default();
        rows::read(
            text,
            &REQUIRED,
            |name| name.starts_with("prob_") || name == RESERVE_RANK,
            &mut faults,
            |row, faults| {
                if let Some(case) = case_of(row, &stages, faults) {
                    seen.check(&case, row.line, faults);
                    cases.push(case);
                }
            },
        );
        if cases.is_empty() && !faults.any() {
            faults.add(1, None, "no-rows", "样本文件没有数据行", "the file has no cases");
        }
        cases.sort_by(|a, b| a.case_id.cmp(&b.case_id));
        faults.or(Self { stages, cases })
    }

    /// The case of an identifier.
    #[must_use]
    pub fn case(&self, case_id: &str) -> Option<&SampleCase> {
        let at = self.cases.binary_search_by(|case| case.case_id.as_str().cmp(case_id)).ok()?;
        self.cases.get(at)
    }
}

fn stages_of(text: &str) -> Vec<String> {
    let header = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(header.as_bytes());
    let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
    record.iter().filter(|name| name.starts_with("prob_")).map(str::to_owned).collect()
}

fn case_of(row: &Row<'_>, stages: &[String], faults: &mut Faults) -> Option<SampleCase> {
    let case_id = identifier(row, "case_id", faults);
    let district = identifier(row, "district", faults);
    let stratum = identifier(row, "stratum", faults);
    let psu = identifier(row, "psu", faults);
    let residence = row.require("residence", faults).and_then(|code| {
        let residence = Residence::parse(code);
        if residence.is_none() {
            let zh = format!("“{code}”应为 urban 或 rural");
            faults.add(row.line, Some("residence"), "unknown-code", zh, format!("`{code}` is not urban or rural"));
        }
        residence
    });
    let reserve_rank = reserve_rank(row, faults);
    let probabilities: Vec<_> = stages.iter().map(|stage| probability(row, stage, faults)).collect();
    Some(SampleCase {
        case_id: case_id?,
        district: district?,
        stratum: stratum?,
        psu: psu?,
        residence: residence?,
        probabilities: probabilities.into_iter().collect::<Option<_>>()?,
        reserve_rank: reserve_rank?,
    })
}

fn identifier(row: &Row<'_>, column: &str, faults: &mut Faults) -> Option<String> {
    let cell = row.require(column, faults)?;
    let fine = cell.chars().count() <= IDENTIFIER_LENGTH_MAX && !cell.chars().any(|c| c.is_control() || c == '/');
    if !fine {
        let zh = format!("标识最长 {IDENTIFIER_LENGTH_MAX} 个字符，不能含控制字符或“/”");
        let en = format!("an identifier has at most {IDENTIFIER_LENGTH_MAX} characters, no control character, no `/`");
        faults.add(row.line, Some(column), "bad-identifier", zh, en);
        return None;
    }
    Some(cell.to_owned())
}

/// None inside where the cell is empty; none outside where it is wrong.
fn reserve_rank(row: &Row<'_>, faults: &mut Faults) -> Option<Option<u32>> {
    let Some(cell) = row.get(RESERVE_RANK) else { return Some(None) };
    let rank = cell.parse().ok().filter(|rank| (1..=RESERVE_RANK_MAX).contains(rank) && rank.to_string() == cell);
    if rank.is_none() {
        let zh = format!("备用次序“{cell}”应为1至{RESERVE_RANK_MAX}的整数，正式样本留空");
        let en = format!("`{cell}` is no rank of a reserve: 1 to {RESERVE_RANK_MAX}, empty for an original case");
        faults.add(row.line, Some(RESERVE_RANK), "reserve-rank", zh, en);
    }
    rank.map(Some)
}

fn probability(row: &Row<'_>, column: &str, faults: &mut Faults) -> Option<f64> {
    let number = row.number(column, faults)?;
    if number > 0.0 && number <= 1.0 {
        return Some(number);
    }
    let zh = format!("入样概率 {number} 应大于 0 且不超过 1");
    let en = format!("a selection probability lies in (0, 1], not {number}");
    faults.add(row.line, Some(column), "probability-range", zh, en);
    None
}

/// What earlier rows said, to find the rows that contradict them.
#[derive(Default)]
struct Seen {
    cases: BTreeMap<String, u64>,
    psus: BTreeMap<String, (String, f64, u64)>,
    ranks: BTreeMap<(String, u32), u64>,
}

impl Seen {
    fn check(&mut self, case: &SampleCase, line: u64, faults: &mut Faults) {
        if let Some(before) = self.cases.insert(case.case_id.clone(), line) {
            let zh = format!("样本户“{}”已在第 {before} 行出现", case.case_id);
            let en = format!("case `{}` already stands in line {before}", case.case_id);
            faults.add(line, Some("case_id"), "duplicate", zh, en);
        }
        let rank = case.reserve_rank.map(|rank| (case.psu.clone(), rank));
        if let Some(before) = rank.and_then(|rank| self.ranks.insert(rank, line)) {
            let zh = format!("备用次序与第 {before} 行相同");
            faults.add(line, Some(RESERVE_RANK), "reserve-rank", zh, format!("line {before} has the same rank"));
        }
        let first = case.probabilities.first().copied().unwrap_or(1.0);
        let (stratum, probability, before) =
            self.psus.entry(case.psu.clone()).or_insert_with(|| (case.stratum.clone(), first, line));
        if *stratum != case.stratum {
            let zh = format!("初级单元“{}”在第 {before} 行属于层“{stratum}”", case.psu);
            let en = format!("PSU `{}` is in stratum `{stratum}` in line {before}", case.psu);
            faults.add(line, Some("psu"), "psu-in-two-strata", zh, en);
        } else if probability.to_bits() != first.to_bits() {
            let zh = format!("初级单元“{}”的入样概率与第 {before} 行不同", case.psu);
            let en = format!("PSU `{}` has another probability in line {before}", case.psu);
            faults.add(line, Some("prob_psu"), "psu-probability-differs", zh, en);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "case_id,district,stratum,psu,residence,prob_psu,prob_household\n";

    fn faults_of(rows: &str) -> Vec<(u64, &'static str)> {
        let error = Sample::parse("sample.csv", &format!("{HEADER}{rows}")).expect_err("a faulty file");
        error.faults.iter().map(|fault| (fault.line, fault.code)).collect()
    }

    #[test]
    fn cases_come_sorted_by_identifier_whatever_the_order_of_rows() {
        let text = format!("\u{feff}{HEADER}b,230102,S1,P1,urban,0.5,0.25\r\na,230102,S1,P1,rural,0.5,1\r\n");
        let sample = Sample::parse("sample.csv", &text).expect("a sound file");
        assert_eq!(sample.stages, ["prob_psu", "prob_household"]);
        assert_eq!(sample.cases.iter().map(|c| c.case_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(sample.case("b").expect("case b").probabilities, [0.5, 0.25]);
        assert!(sample.case("c").is_none());
    }

    #[test]
    fn every_fault_is_reported_with_its_line() {
        let rows = "a,230102,S1,P1,urban,0,0.5\n\
                    b,230102,S1,P1,suburb,1.5,0.5\n\
                    b,230102,S1,P2,urban,0.5,nan\n\
                    c,230102,S1\n\
                    ,230102,S1,P1,urban,0.5,0.5\n";
        assert_eq!(
            faults_of(rows),
            [
                (2, "probability-range"),
                (3, "unknown-code"),
                (3, "probability-range"),
                (4, "not-a-number"),
                (5, "row-length"),
                (6, "empty")
            ]
        );
    }

    #[test]
    fn lines_are_counted_the_same_with_windows_line_ends() {
        let rows = "a,230102,S1,P1,urban,0.5,0.5\r\nb,230102,S1,P1,urban,2,0.5\r\nc,230102,S1,P1,urban,3,0.5\r\n";
        let error =
            Sample::parse("sample.csv", &format!("{}\r\n{rows}", HEADER.trim_end())).expect_err("a faulty file");
        assert_eq!(error.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn rows_that_contradict_each_other_are_faults() {
        let rows = "a,230102,S1,P1,urban,0.5,0.5\n\
                    a,230102,S1,P1,urban,0.5,0.5\n\
                    b,230102,S2,P1,urban,0.5,0.5\n\
                    c,230102,S1,P1,urban,0.25,0.5\n";
        assert_eq!(faults_of(rows), [(3, "duplicate"), (4, "psu-in-two-strata"), (5, "psu-probability-differs")]);
    }

    #[test]
    fn a_header_with_an_unknown_or_missing_column_is_refused_at_once() {
        let error = Sample::parse("s.csv", "case_id,district,stratum,psu,weight,prob_psu\n").expect_err("faulty");
        let codes: Vec<_> = error.faults.iter().map(|f| (f.column.as_deref(), f.code)).collect();
        assert_eq!(codes, [(Some("residence"), "missing-column"), (Some("weight"), "unknown-column")]);
        assert!(Sample::parse("s.csv", "").is_err());
        assert!(Sample::parse("s.csv", HEADER).is_err());
    }
}
