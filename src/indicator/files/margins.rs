//! The margins file: population totals that the weights must reproduce.

use super::{Faults, FileFaults, rows};
use std::collections::BTreeMap;

/// Relative difference that two margins of the same population may show: census tables are rounded to persons, so
/// totals of millions agree to about 1e-6; anything larger is a wrong file and would keep raking from converging.
const AGREEMENT_RELATIVE_MAX: f64 = 1e-6;

/// One category of a margin.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginLevel {
    /// Category code.
    pub level: String,
    /// Persons in the population.
    pub total: f64,
}

/// The population by one variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// The analysis column, such as `sex`.
    pub variable: String,
    /// Its categories, sorted by code.
    pub levels: Vec<MarginLevel>,
}

/// A checked margins file; variables in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// The margins.
    pub margins: Vec<Margin>,
}

impl Margins {
    /// Reads a margins file with the columns `variable, level, total` and checks it whole.
    ///
    /// # Errors
    /// Every fault with its line: a category that appears twice, a total that is not positive, a variable whose
    /// totals do not sum to the population of the first.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileFaults> {
        let mut faults = Faults::of(file);
        let mut margins: Vec<Margin> = Vec::new();
        let mut first_lines: BTreeMap<(String, String), u64> = BTreeMap::new();
        rows::read(
            text,
            &["variable", "level", "total"],
            |_| false,
            &mut faults,
            |row, faults| {
                let variable = row.require("variable", faults).map(str::to_owned);
                let level = row.require("level", faults).map(str::to_owned);
                let total = row.number("total", faults);
                let (Some(variable), Some(level), Some(total)) = (variable, level, total) else { return };
                if total <= 0.0 {
                    let en = format!("a population total is positive, not {total}");
                    faults.add(row.line, Some("total"), "total-range", format!("总体数 {total} 应大于 0"), en);
                }
                if let Some(before) = first_lines.insert((variable.clone(), level.clone()), row.line) {
                    let zh = format!("“{variable}”的类别“{level}”已在第 {before} 行出现");
                    let en = format!("category `{level}` of `{variable}` already stands in line {before}");
                    faults.add(row.line, Some("level"), "duplicate", zh, en);
                }
                match margins.iter_mut().find(|margin| margin.variable == variable) {
                    Some(margin) => margin.levels.push(MarginLevel { level, total }),
                    None => margins.push(Margin { variable, levels: vec![MarginLevel { level, total }] }),
                }
            },
        );
        for margin in &mut margins {
            margin.levels.sort_by(|a, b| a.level.cmp(&b.level));
        }
        let margins = Self { margins };
        margins.check_agreement(&first_lines, &mut faults);
        faults.or(margins)
    }

    /// Persons in the population, by the first margin.
    #[must_use]
    pub fn population(&self) -> f64 {
        self.margins.first().map_or(0.0, Margin::population)
    }

    fn check_agreement(&self, lines: &BTreeMap<(String, String), u64>, faults: &mut Faults) {
        let Some(first) = self.margins.first() else {
            if !faults.any() {
                faults.add(1, None, "no-rows", "边际文件没有数据行", "the file has no margins");
            }
            return;
        };
        let population = first.population();
        for margin in &self.margins[1..] {
            let total = margin.population();
            if (total - population).abs() <= AGREEMENT_RELATIVE_MAX * population {
                continue;
            }
            let line = lines.iter().filter(|((v, _), _)| *v == margin.variable).map(|(_, line)| *line).min();
            let (variable, base) = (&margin.variable, &first.variable);
            let zh = format!("“{variable}”合计 {total}，与“{base}”的合计 {population} 不一致");
            let en = format!("`{variable}` sums to {total}, but `{base}` sums to {population}");
            faults.add(line.unwrap_or(1), Some("total"), "margins-disagree", zh, en);
        }
    }
}

impl Margin {
    /// Persons in the population: the sum of the categories in the order of their codes.
    #[must_use]
    pub fn population(&self) -> f64 {
        self.levels.iter().map(|level| level.total).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_sorted_and_the_population_is_their_sum() {
        let text = "variable,level,total\nsex,male,514\nsex,female,486\nresidence,urban,616\nresidence,rural,384\n";
        let margins = Margins::parse("margins.csv", text).expect("a sound file");
        assert_eq!(margins.population(), 1000.0);
        assert_eq!(margins.margins[0].levels[0].level, "female");
    }

    #[test]
    fn margins_that_do_not_sum_to_one_population_are_refused_with_their_line() {
        let text = "variable,level,total\nsex,male,514\nsex,female,486\nresidence,urban,616\nresidence,rural,394\n";
        let error = Margins::parse("margins.csv", text).expect_err("a faulty file");
        assert_eq!(error.faults.len(), 1);
        assert_eq!((error.faults[0].line, error.faults[0].code), (4, "margins-disagree"));
    }

    #[test]
    fn a_category_twice_and_a_total_of_zero_are_faults() {
        let text = "variable,level,total\nsex,male,0\nsex,male,5\n";
        let error = Margins::parse("margins.csv", text).expect_err("a faulty file");
        let codes: Vec<_> = error.faults.iter().map(|f| (f.line, f.code)).collect();
        assert_eq!(codes, [(2, "total-range"), (3, "duplicate")]);
    }
}
