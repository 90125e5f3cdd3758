//! The regions file: names of the districts and counties by code.

use super::{Faults, FileFaults, rows};
use crate::indicator::Label;
use std::collections::BTreeMap;

/// A district, county or city.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Statistical region code: the first six digits are GB/T 2260.
    pub code: String,
    /// Its name.
    pub name: Label,
    /// Code of the region that contains it; absent for the survey's own place.
    pub parent: Option<String>,
    /// What is known of it beside the survey, by column: covariates of the area model.
    pub covariates: BTreeMap<String, f64>,
}

/// Columns of covariates begin so, such as `x_urban_share` or `x_science_spending`.
const COVARIATE: &str = "x_";

/// A checked regions file, by code.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regions {
    /// The regions.
    pub regions: BTreeMap<String, Region>,
}

impl Regions {
    /// Reads a regions file with the columns `code, name_zh, name_en, parent`, and covariates in columns whose names
    /// begin with `x_`, and checks it whole. An empty cell is a covariate that is not known.
    ///
    /// # Errors
    /// Every fault with its line: a code that is not 6 or 12 digits or appears twice, a parent that is not in the
    /// file, a missing Chinese name, a covariate that is not a number.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileFaults> {
        let mut faults = Faults::of(file);
        let mut regions: BTreeMap<String, Region> = BTreeMap::new();
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        rows::read(
            text,
            &["code", "name_zh", "name_en", "parent"],
            |column| column.starts_with(COVARIATE),
            &mut faults,
            |row, faults| {
                let code = row.require("code", faults).map(str::to_owned);
                let zh = row.require("name_zh", faults).map(str::to_owned);
                let (Some(code), Some(zh)) = (code, zh) else { return };
                if !matches!(code.len(), 6 | 12) || !code.bytes().all(|b| b.is_ascii_digit()) {
                    let en = format!("`{code}` is not a code of 6 or 12 digits");
                    faults.add(row.line, Some("code"), "bad-code", format!("“{code}”不是 6 位或 12 位区划代码"), en);
                }
                if let Some(before) = lines.insert(code.clone(), row.line) {
                    let en = format!("code `{code}` already stands in line {before}");
                    faults.add(row.line, Some("code"), "duplicate", format!("代码“{code}”已在第 {before} 行出现"), en);
                }
                let en = row.get("name_en").unwrap_or(&zh).to_owned();
                let parent = row.get("parent").map(str::to_owned);
                let known: Vec<&str> =
                    row.columns().filter(|column| column.starts_with(COVARIATE) && row.get(column).is_some()).collect();
                let number = |column: &str| row.number(column, faults).map(|value| (column.to_owned(), value));
                let covariates = known.into_iter().filter_map(number).collect();
                regions.insert(code.clone(), Region { code, name: Label { zh, en }, parent, covariates });
            },
        );
        for region in regions.values() {
            let Some(parent) = region.parent.as_ref().filter(|parent| !regions.contains_key(*parent)) else { continue };
            let line = lines.get(&region.code).copied().unwrap_or(1);
            let en = format!("parent `{parent}` is not in the file");
            faults.add(line, Some("parent"), "unknown-parent", format!("上级“{parent}”不在文件中"), en);
        }
        faults.or(Self { regions })
    }

    /// The region that contains the others: the first without a parent.
    #[must_use]
    pub fn root(&self) -> Option<&Region> {
        self.regions.values().find(|region| region.parent.is_none())
    }

    /// The name of a region, or its code where the file does not name it.
    #[must_use]
    pub fn name(&self, code: &str) -> Label {
        self.regions.get(code).map_or_else(|| Label::same(code), |region| region.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_code_and_an_unknown_code_names_itself() {
        let text = "code,name_zh,name_en,parent\n230100,哈尔滨市,Harbin,\n230102,道里区,Daoli,230100\n";
        let regions = Regions::parse("regions.csv", text).expect("a sound file");
        assert_eq!(regions.name("230102").zh, "道里区");
        assert_eq!(regions.name("999999").zh, "999999");
        assert_eq!(regions.root().map(|root| root.code.as_str()), Some("230100"));
    }

    #[test]
    fn covariates_are_read_by_name_and_a_bad_one_is_a_fault() {
        let text = "code,name_zh,name_en,parent,x_urban_share\n230100,哈尔滨市,,,\n230102,道里区,,230100,0.75\n";
        let regions = Regions::parse("regions.csv", text).expect("a sound file");
        assert!(regions.regions["230100"].covariates.is_empty(), "an empty cell is not 0");
        assert_eq!(regions.regions["230102"].covariates["x_urban_share"], 0.75);
        let error = Regions::parse("regions.csv", &text.replace("0.75", "n/a")).expect_err("a faulty file");
        assert_eq!((error.faults[0].line, error.faults[0].code), (3, "not-a-number"));
        let error = Regions::parse("regions.csv", &text.replace("x_urban_share", "urban")).expect_err("a faulty file");
        assert_eq!(error.faults[0].code, "unknown-column");
    }

    #[test]
    fn bad_codes_duplicates_and_unknown_parents_are_faults() {
        let text = "code,name_zh,name_en,parent\n23010,道里区,Daoli,\n230103,南岗区,,230199\n230103,南岗区,,\n";
        let error = Regions::parse("regions.csv", text).expect_err("a faulty file");
        let codes: Vec<_> = error.faults.iter().map(|f| (f.line, f.code)).collect();
        assert_eq!(codes, [(2, "bad-code"), (4, "duplicate")]);
        let text = "code,name_zh,name_en,parent\n230103,南岗区,,230199\n";
        assert_eq!(Regions::parse("r.csv", text).expect_err("faulty").faults[0].code, "unknown-parent");
    }
}
