//! Counts and exact sums over `responses_weighted.csv`, from the digits in the file and nothing else.

use std::fmt;

use csv::{ByteRecord, Reader};

use crate::{
    evidence::{ControlTotals, Counts},
    indicator::plan,
};

/// Decimals of a weight and of a score in the file.
const WEIGHT_DECIMALS: usize = plan::WEIGHT_DECIMALS as usize;
const SCORE_DECIMALS: usize = 2;

/// Digits before the point at most: with them a billion products stay below the limit of the sums.
const DIGITS_MAX: usize = 9;

/// What the persons' file adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Rows.
    pub responses: u64,
    /// Rows with a weight.
    pub used: u64,
    weight: i128,
    weight_times_score: i128,
    weight_of_literate: i128,
}

impl Totals {
    /// The sums as decimals.
    #[must_use]
    pub fn control(&self) -> ControlTotals {
        ControlTotals {
            weight: Decimal(self.weight, WEIGHT_DECIMALS).to_string(),
            weight_times_score: Decimal(self.weight_times_score, WEIGHT_DECIMALS + SCORE_DECIMALS).to_string(),
            weight_of_literate: Decimal(self.weight_of_literate, WEIGHT_DECIMALS).to_string(),
        }
    }

    /// With the number of cases.
    #[must_use]
    pub fn counts(&self, cases: u64) -> Counts {
        Counts { cases, responses: self.responses, used: self.used }
    }
}

/// Adds the persons' file up.
///
/// # Errors
/// What about the file is not how a run writes it.
pub fn totals(persons: &[u8]) -> Result<Totals, &'static str> {
    let mut reader = Reader::from_reader(persons);
    let header = reader.byte_headers().map_err(|_| "it is no CSV")?.clone();
    let column = |name: &str| header.iter().position(|column| column == name.as_bytes());
    let columns = column(plan::WEIGHT).zip(column("score")).zip(column(plan::LITERATE));
    let ((weight, score), literate) = columns.ok_or("it has no columns weight, score and literate")?;
    let mut totals = Totals::default();
    let mut row = ByteRecord::new();
    while reader.read_byte_record(&mut row).map_err(|_| "its rows are not those of its header")? {
        totals.responses += 1;
        if row[weight].is_empty() {
            continue;
        }
        totals.used += 1;
        let weight = units(&row[weight], WEIGHT_DECIMALS).ok_or("a weight is no number of nine decimals")?;
        let score = units(&row[score], SCORE_DECIMALS).ok_or("a score is no number of two decimals")?;
        totals.weight += weight;
        totals.weight_times_score += weight * score;
        match &row[literate] {
            b"1" => totals.weight_of_literate += weight,
            b"0" => {}
            _ => return Err("a row with a weight is neither literate nor not"),
        }
    }
    Ok(totals)
}

/// A number as a whole number of its last decimal; none unless it is written as `12`, `-0.5` or `12.5`.
fn units(text: &[u8], decimals: usize) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) || part.len() > decimals || whole.len() > DIGITS_MAX {
        return None;
    }
    let units: i128 = format!("{whole}{part:0<decimals$}").parse().ok()?;
    Some(if negative { -units } else { units })
}

/// A whole number of units of so many decimals.
struct Decimal(i128, usize);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, digits) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs().to_string());
        let digits = format!("{digits:0>width$}", width = self.1 + 1);
        let (whole, part) = digits.split_at(digits.len() - self.1);
        write!(f, "{sign}{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_rows_without_a_weight_do_not_count() {
        let file = b"id,score,literate,weight\na,2.5,0,0.1\nb,10,1,0.2\nc,70.07,1,123456.789012345\nd,,,\n";
        let totals = totals(file).expect("a persons' file");
        assert_eq!((totals.responses, totals.used), (4, 3));
        let control = totals.control();
        assert_eq!(control.weight, "123457.089012345");
        assert_eq!(control.weight_of_literate, "123456.989012345");
        assert_eq!(control.weight_times_score, "8650619.45609501415");
    }

    #[test]
    fn what_no_run_writes_is_refused() {
        let with = |row: &str| totals(format!("score,literate,weight\n{row}\n").as_bytes());
        for bad in ["1,1,1e3", "1,1,+1", "1,1,.5", "1,1,1.", "1,1,0.1234567891", "1.001,1,1", "1,,1", "1,2,1", "1,1"] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert!(with("1,1,9999999999999999999").is_err());
        assert_eq!(with("0,0,-0.5").expect("a row").control().weight, "-0.500000000");
        assert!(totals(b"id,weight\n").is_err());
        assert!(totals(b"\xff").is_err());
    }
}
