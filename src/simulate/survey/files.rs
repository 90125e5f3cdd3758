//! The files that set a survey up: sample, margins, regions and targets. All of it is 示例数据.

use super::draw::DrawnSurvey;
use crate::simulate::category::{AgeGroup, Education, Residence, Sex};
use crate::simulate::place::{CITY_CODE, CITY_NAME, DISTRICTS};

impl DrawnSurvey<'_> {
    /// One row a case, respondents and others, in the order of their ids.
    pub fn sample_csv(&self) -> String {
        let header = ["case_id", "district", "stratum", "psu", "residence", "prob_psu", "prob_household"];
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by(|one, other| one.case_id.cmp(&other.case_id));
        let rows = cases.into_iter().map(|case| {
            let psu = self.psu(case);
            let district = DISTRICTS[psu.district].code.to_owned();
            vec![
                case.case_id.clone(),
                district.clone(),
                district,
                psu.code.clone(),
                psu.residence.code().to_owned(),
                case.prob_psu.to_string(),
                case.prob_household.to_string(),
            ]
        });
        csv_text(&header, rows)
    }

    /// Population totals of the variables that weights are raked to: sex, age band, education, residence, district.
    pub fn margins_csv(&self) -> String {
        let truth = self.city.truth();
        let raked = [Sex::VARIABLE, AgeGroup::VARIABLE, Education::VARIABLE, Residence::VARIABLE, "district"];
        let rows =
            raked.iter().flat_map(|variable| truth.groups.iter().filter(move |group| group.variable == *variable));
        let rows = rows.map(|group| vec![group.variable.to_owned(), group.level.to_owned(), group.persons.to_string()]);
        csv_text(&["variable", "level", "total"], rows)
    }

    /// The city and its districts, with the registered share of urban residents.
    pub fn regions_csv(&self) -> String {
        let shares = self.urban_shares();
        let city = [CITY_CODE, CITY_NAME, "Harbin (example data)", "", ""].map(str::to_owned).to_vec();
        let districts = DISTRICTS.iter().zip(shares).map(|(district, share)| {
            let names = [district.code, district.name_zh, district.name_en, CITY_CODE].map(str::to_owned);
            names.into_iter().chain([format!("{share:.4}")]).collect()
        });
        let header = ["code", "name_zh", "name_en", "parent", "x_urban_share"];
        csv_text(&header, std::iter::once(city).chain(districts))
    }

    fn urban_shares(&self) -> Vec<f64> {
        let mut persons = vec![[0usize; 2]; DISTRICTS.len()];
        for psu in self.city.psus() {
            let here = self.city.persons_of(psu).len();
            persons[psu.district][0] += here;
            persons[psu.district][1] += if psu.residence == Residence::Urban { here } else { 0 };
        }
        persons.into_iter().map(|[all, urban]| urban as f64 / all as f64).collect()
    }

    /// The two targets of the municipal plan for 2021 to 2025, which contradicts itself: both, with their place.
    pub fn targets_toml(&self) -> String {
        TARGETS.to_owned()
    }
}

const TARGETS: &str = r#"# 示例数据：两个目标值取自同一份规划的两处，按出处分别保留，不作取舍。
# Example data: the plan names two values in two places; both are kept, each with its place.

[[target]]
id = "goals-2025"
region = "230100"
year = 2025
value = 0.15
label_zh = "2025年目标（目标章节，示例）"
label_en = "2025 target (goals section, example)"
source = "哈尔滨市全民科学素质行动规划纲要实施方案（2021—2025年），目标章节：15%"

[[target]]
id = "preamble-2025"
region = "230100"
year = 2025
value = 0.155
label_zh = "2025年目标（前言，示例）"
label_en = "2025 target (preamble, example)"
source = "哈尔滨市全民科学素质行动规划纲要实施方案（2021—2025年），前言：15.5%"
"#;

fn csv_text(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect("memory takes every row");
    for row in rows {
        writer.write_record(row).expect("rows are as wide as the header");
    }
    String::from_utf8(writer.into_inner().expect("memory takes every row")).expect("fields are UTF-8")
}
