//! A synthetic survey, read back from the files and bytes that a server would get.

#![allow(dead_code, reason = "each test file uses its part")]

use scilit::{
    indicator::{
        Indicator, RowIds, RunOptions, SurveyInputs,
        files::{Margins, Regions, Sample, Targets},
        results::{ResultTable, Status, SurveyHead},
    },
    instrument::{Disposition, Questionnaire, Response, ScoringProfile, Submission},
    simulate::{City, CityParameters, DrawnSurvey, SurveyDesign},
};
use std::{collections::BTreeMap, sync::LazyLock};

const QUESTIONNAIRE: &str = include_str!("../../questionnaires/csl-demo.toml");
const PROFILE: &str = include_str!("../../questionnaires/profiles/A-2024.toml");

/// A survey with everything that a run computes from.
pub struct Survey {
    pub questionnaire: Questionnaire,
    pub profile: ScoringProfile,
    pub sample: Sample,
    pub margins: Margins,
    pub regions: Regions,
    pub targets: Targets,
    pub responses: Vec<Response>,
    pub truth: f64,
}

static DEFAULTS: LazyLock<RunOptions> = LazyLock::new(RunOptions::default);

static NO_ATTEMPTS: BTreeMap<String, &'static Disposition> = BTreeMap::new();

/// About 600 persons.
pub static SURVEY: LazyLock<Survey> = LazyLock::new(|| Survey::drawn(11, 600));

impl Survey {
    /// A city and a survey of about as many persons, both from the seed.
    pub fn drawn(seed: u64, persons: u32) -> Self {
        let questionnaire =
            Questionnaire::from_toml("csl-demo.toml", QUESTIONNAIRE).expect("the shipped questionnaire");
        let city = City::generate(&CityParameters::small(seed)).expect("a city");
        let drawn = DrawnSurvey::draw(&city, &SurveyDesign::wave_2025(seed, persons)).expect("a survey");
        let accept = |(_, bytes): (uuid::Uuid, Vec<u8>)| {
            let submission = Submission::parse(&bytes).expect("a well-formed submission");
            Response::accept(&questionnaire, &submission).expect("an acceptable response")
        };
        Survey {
            responses: drawn.submissions(&questionnaire).map(accept).collect(),
            profile: ScoringProfile::from_toml("A-2024.toml", PROFILE).expect("the shipped profile"),
            sample: Sample::parse("sample.csv", &drawn.sample_csv()).expect("a sample"),
            margins: Margins::parse("margins.csv", &drawn.margins_csv()).expect("margins"),
            regions: Regions::parse("regions.csv", &drawn.regions_csv()).expect("regions"),
            targets: Targets::parse("targets.toml", &drawn.targets_toml()).expect("targets"),
            truth: city.truth().overall(),
            questionnaire,
        }
    }

    pub fn inputs<'a>(&'a self, responses: &'a [Response]) -> SurveyInputs<'a> {
        SurveyInputs {
            survey: SurveyHead {
                code: "test".to_owned(),
                title: "测试".to_owned(),
                place: "哈尔滨市".to_owned(),
                region: self.regions.root().map(|region| region.code.clone()),
                example: true,
            },
            status: Status::Interim,
            questionnaire: &self.questionnaire,
            profile: &self.profile,
            sample: &self.sample,
            margins: Some(&self.margins),
            regions: &self.regions,
            targets: &self.targets,
            responses,
            attempts: &NO_ATTEMPTS,
            options: &DEFAULTS,
            input_digest: "0".repeat(64),
            ids: RowIds::Derived,
        }
    }
}

pub fn table<'a>(indicator: &'a Indicator<'_>, id: &str) -> &'a ResultTable {
    indicator.results.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("no table {id}"))
}
