//! The frame a sample is drawn from: one row a 居/村委会, with the households it has.

use std::collections::BTreeMap;

/// Longest identifier: case identifiers are made of them, and a sample file allows 64 characters.
const IDENTIFIER_LENGTH_MAX: usize = 40;

const REQUIRED: [&str; 5] = ["district", "stratum", "psu", "residence", "households"];
const OPTIONAL: [&str; 2] = ["ssu", "size"];

/// One listed unit.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameUnit {
    /// Region code of the district or county.
    pub district: String,
    /// Stratum, drawn from on its own.
    pub stratum: String,
    /// First-stage unit.
    pub psu: String,
    /// Second-stage unit inside the first-stage unit; `None` where the frame has two stages only.
    pub ssu: Option<String>,
    /// `urban` or `rural`.
    pub residence: String,
    /// Households listed, at least one.
    pub households: u64,
    /// Measure of size of the draw; the households where the frame gives none.
    pub size: u64,
    /// What the units are ordered by before the systematic draw, the first key first.
    pub order: Vec<OrderKey>,
    /// Line of the file.
    pub line: u64,
}

/// A value to order by: numbers before texts, numbers by value, texts by bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderKey {
    /// A number.
    Number(f64),
    /// Anything else.
    Text(String),
}

impl OrderKey {
    fn of(cell: &str) -> Self {
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            _ => Self::Text(cell.to_owned()),
        }
    }

    /// Total order of keys.
    pub fn compare(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => std::cmp::Ordering::Less,
            (Self::Text(_), Self::Number(_)) => std::cmp::Ordering::Greater,
        }
    }
}

/// One fault of a frame file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}{}: {message}", column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default())]
pub struct FrameFault {
    /// The file.
    pub file: String,
    /// The line, the header being line 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// A checked frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The units in the order of the file.
    pub units: Vec<FrameUnit>,
    /// Whether the frame names second-stage units.
    pub has_ssus: bool,
}

struct Reading<'a> {
    file: &'a str,
    columns: BTreeMap<String, usize>,
    faults: Vec<FrameFault>,
}

impl Reading<'_> {
    fn fault(&mut self, line: u64, column: Option<&str>, message: impl Into<String>) {
        let (file, column) = (self.file.to_owned(), column.map(str::to_owned));
        self.faults.push(FrameFault { file, line, column, message: message.into() });
    }

    fn cell<'r>(&mut self, record: &'r csv::StringRecord, line: u64, column: &str) -> Option<&'r str> {
        let cell = record.get(*self.columns.get(column)?).unwrap_or_default().trim();
        if cell.is_empty() {
            self.fault(line, Some(column), "is empty");
            return None;
        }
        Some(cell)
    }

    fn identifier(&mut self, record: &csv::StringRecord, line: u64, column: &str) -> Option<String> {
        let cell = self.cell(record, line, column)?;
        let fine = cell.chars().count() <= IDENTIFIER_LENGTH_MAX && !cell.chars().any(|c| c.is_control() || c == '/');
        if !fine {
            let wanted =
                format!("an identifier has at most {IDENTIFIER_LENGTH_MAX} characters, no `/`, no control character");
            self.fault(line, Some(column), wanted);
            return None;
        }
        Some(cell.to_owned())
    }

    fn count(&mut self, record: &csv::StringRecord, line: u64, column: &str) -> Option<u64> {
        let cell = self.cell(record, line, column)?;
        // A hundred million is more than any city has; above it sums could not be trusted either.
        match cell.parse::<u64>() {
            Ok(count) if (1..=100_000_000).contains(&count) => Some(count),
            _ => {
                self.fault(line, Some(column), format!("{cell:?} is not a whole number from 1 to 100,000,000"));
                None
            }
        }
    }

    fn header(&mut self, header: &csv::StringRecord, order: &[String]) {
        for (at, name) in header.iter().enumerate() {
            let name = name.trim();
            let known = REQUIRED.contains(&name) || OPTIONAL.contains(&name) || order.iter().any(|o| o == name);
            if !known {
                self.fault(1, Some(name), "unknown column; columns to order by are named with the order");
            } else if self.columns.insert(name.to_owned(), at).is_some() {
                self.fault(1, Some(name), "the column stands twice");
            }
        }
        let wanted = REQUIRED.iter().map(|c| (*c).to_owned()).chain(order.iter().cloned());
        let missing: Vec<String> = wanted.filter(|c| !self.columns.contains_key(c)).collect();
        for column in missing {
            self.fault(1, Some(&column), "the column is missing");
        }
    }

    fn unit(&mut self, record: &csv::StringRecord, line: u64, order: &[String]) -> Option<FrameUnit> {
        let has = |column: &str, this: &Self| this.columns.contains_key(column);
        let district = self.identifier(record, line, "district");
        let stratum = self.identifier(record, line, "stratum");
        let psu = self.identifier(record, line, "psu");
        let ssu = if has("ssu", self) { Some(self.identifier(record, line, "ssu")) } else { None };
        let residence = self.residence(record, line);
        let households = self.count(record, line, "households");
        let size = if has("size", self) { self.count(record, line, "size") } else { households };
        let keys: Vec<Option<OrderKey>> =
            order.iter().map(|column| self.cell(record, line, column).map(OrderKey::of)).collect();
        Some(FrameUnit {
            district: district?,
            stratum: stratum?,
            psu: psu?,
            ssu: match ssu {
                Some(ssu) => Some(ssu?),
                None => None,
            },
            residence: residence?,
            households: households?,
            size: size?,
            order: keys.into_iter().collect::<Option<_>>()?,
            line,
        })
    }

    fn residence(&mut self, record: &csv::StringRecord, line: u64) -> Option<String> {
        let cell = self.cell(record, line, "residence")?;
        if !["urban", "rural"].contains(&cell) {
            self.fault(line, Some("residence"), format!("{cell:?} is not urban or rural"));
            return None;
        }
        Some(cell.to_owned())
    }

    /// Faults between rows: a unit listed twice, a first-stage unit in two strata or districts.
    fn across(&mut self, units: &[FrameUnit]) {
        let mut listed: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
        let mut psus: BTreeMap<&str, &FrameUnit> = BTreeMap::new();
        let mut found = Vec::new();
        for unit in units {
            if let Some(before) = listed.insert((&unit.psu, unit.ssu.as_deref()), unit.line) {
                let column = if unit.ssu.is_some() { "ssu" } else { "psu" };
                found.push((unit.line, column, format!("the unit already stands in line {before}")));
            }
            let first = psus.entry(&unit.psu).or_insert(unit);
            if first.stratum != unit.stratum || first.district != unit.district {
                let message = format!("the unit is in another stratum or district in line {}", first.line);
                found.push((unit.line, "psu", message));
            }
        }
        for (line, column, message) in found {
            self.fault(line, Some(column), message);
        }
    }
}

impl Frame {
    /// Reads a frame and checks it whole.
    ///
    /// Columns: `district, stratum, psu, residence, households`; `ssu` where a second stage is to be drawn inside the
    /// first; `size` where the measure of size is not the number of households; and the columns named in `order`, by
    /// which units are sorted before the systematic draw (numbers by value). No others.
    ///
    /// **Shapes and units**: CSV with a header, with or without a byte order mark; counts are whole numbers.
    ///
    /// **Errors**: every fault with file, line and column: an unknown, missing or repeated column, an empty cell, a
    /// number that is none, a residence that is neither `urban` nor `rural`, a unit listed twice, a first-stage unit in
    /// two strata.
    ///
    /// **Source**: the shape of the sample file that a survey imports.
    ///
    /// **Example**
    /// ```
    /// use scilit::statistics::sampling::Frame;
    /// let text = "district,stratum,psu,residence,households\n230102,A,P1,urban,320\n";
    /// assert_eq!(Frame::parse("frame.csv", text, &[]).unwrap().units[0].size, 320);
    /// let faults = Frame::parse("frame.csv", &text.replace("320", "many"), &[]).unwrap_err();
    /// assert!(faults[0].to_string().starts_with("frame.csv, line 2, column households: \"many\" is not"));
    /// ```
    pub fn parse(file: &str, text: &str, order: &[String]) -> Result<Self, Vec<FrameFault>> {
        let mut reading = Reading { file, columns: BTreeMap::new(), faults: Vec::new() };
        let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        match reader.headers().cloned() {
            Ok(header) => reading.header(&header, order),
            Err(error) => reading.fault(1, None, error.to_string()),
        }
        if !reading.faults.is_empty() {
            return Err(reading.faults);
        }
        let mut units = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    units.extend(reading.unit(&record, line, order));
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    reading.fault(line, None, error.to_string());
                }
            }
        }
        reading.across(&units);
        if units.is_empty() && reading.faults.is_empty() {
            reading.fault(1, None, "the frame has no units");
        }
        let has_ssus = reading.columns.contains_key("ssu");
        if reading.faults.is_empty() { Ok(Self { units, has_ssus }) } else { Err(reading.faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        Frame::parse("f.csv", text, &[]).unwrap_err().iter().map(ToString::to_string).collect()
    }

    const HEADER: &str = "district,stratum,psu,residence,households\n";

    #[test]
    fn every_fault_is_named_at_once() {
        let found = faults(&format!("{HEADER}1,A,P1,urban,0\n1,A,P2,city,5\n1,,P3,rural,5\n1,A,P2,urban\n"));
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("f.csv, line 2, column households: \"0\""));
        assert!(found[1].starts_with("f.csv, line 3, column residence"));
        assert_eq!(found[2], "f.csv, line 4, column stratum: is empty");
        assert!(found[3].starts_with("f.csv, line 5"), "{}", found[3]);
    }

    #[test]
    fn a_unit_stands_once_and_in_one_stratum() {
        assert!(faults(&format!("{HEADER}1,A,P1,urban,9\n1,A,P1,urban,9\n"))[0].contains("already stands in line 2"));
        let text = "district,stratum,psu,ssu,residence,households\n1,A,P1,a,urban,9\n1,B,P1,b,urban,9\n";
        assert!(faults(text)[0].contains("line 3, column psu: the unit is in another stratum"));
    }

    #[test]
    fn unknown_missing_and_repeated_columns_are_faults() {
        let found = faults("district,stratum,psu,psu,residence,colour\n");
        assert!(found.iter().any(|f| f.contains("column colour: unknown column")));
        assert!(found.iter().any(|f| f.contains("column psu: the column stands twice")));
        assert!(found.iter().any(|f| f.contains("column households: the column is missing")));
        assert!(faults(HEADER)[0].contains("no units"));
    }

    #[test]
    fn an_order_column_is_read_as_numbers_or_texts() {
        let text =
            "\u{feff}district,stratum,psu,residence,households,income\r\n1,A,P1,urban,9,100\r\n1,A,P2,urban,9,9\r\n";
        let frame = Frame::parse("f.csv", text, &["income".to_owned()]).unwrap();
        assert!(frame.units[1].order[0].compare(&frame.units[0].order[0]).is_lt());
        assert!(OrderKey::Text("a".into()).compare(&OrderKey::Number(1.0)).is_gt());
    }
}
