//! The synthetic city keeps its promises: published figures within the stated error, the same bytes from the same
//! seed, and surveys whose probabilities and weights add up.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{Timestamp, tz::TimeZone};
use scilit::indicator::files::{Margins, Regions, Sample, Targets};
use scilit::instrument::{Outcome, Questionnaire, Response, ScoringProfile, Submission, score_all};
use scilit::simulate::{
    AGE_2023, City, CityParameters, DISTRICTS, DrawnSurvey, EDUCATION_2023, Gradients, KeyGroup, OVERALL_2023,
    RESIDENCE_2023, SEX_2023, SimulateError, SurveyDesign, TIERS_2024, Truth,
};

/// Furthest that a published rate may be from the population's, in shares: 0.3 points as `docs/simulation.md` states.
const RATE_ERROR: f64 = 0.003;
/// The same for the two tiers of the score: 0.8 points.
const TIER_ERROR: f64 = 0.008;

static CITY: LazyLock<City> = LazyLock::new(|| City::generate(&CityParameters::demo(20_250_510)).expect("a city"));
static SMALL: LazyLock<City> = LazyLock::new(|| City::generate(&CityParameters::small(7)).expect("a city"));

fn small_survey(seed: u64) -> DrawnSurvey<'static> {
    DrawnSurvey::draw(&SMALL, &SurveyDesign::wave_2025(seed, 600)).expect("a survey")
}

static DEMO: LazyLock<Questionnaire> = LazyLock::new(|| {
    Questionnaire::from_toml("csl-demo.toml", include_str!("../questionnaires/csl-demo.toml"))
        .expect("the shipped file")
});
static PROFILE: LazyLock<ScoringProfile> = LazyLock::new(|| {
    let source = include_str!("../questionnaires/profiles/A-2024.toml");
    ScoringProfile::from_toml("A-2024.toml", source).expect("the shipped file")
});

fn responses(survey: &DrawnSurvey<'_>) -> Vec<Response> {
    let accept = |(id, body): (uuid::Uuid, Vec<u8>)| {
        let submission = Submission::parse(&body).unwrap_or_else(|faults| panic!("{id}: {faults:?}"));
        assert_eq!(submission.id, id);
        Response::accept(&DEMO, &submission).unwrap_or_else(|faults| panic!("{id}: {faults:?}"))
    };
    survey.submissions(&DEMO).map(accept).collect()
}

fn rate(truth: &Truth, variable: &str, level: &str) -> f64 {
    truth.group(variable, level).and_then(|group| group.share()).expect("a group with members")
}

fn furthest(truth: &Truth, expected: &Gradients) -> f64 {
    let by_variable: [(&str, &[f64]); 4] = [
        ("sex", &expected.sex),
        ("age_group", &expected.age_group),
        ("education", &expected.education),
        ("residence", &expected.residence),
    ];
    by_variable
        .into_iter()
        .flat_map(|(variable, rates)| {
            let groups = truth.groups.iter().filter(move |group| group.variable == variable);
            groups.zip(rates).map(|(group, rate)| (group.share().expect("members") - rate).abs())
        })
        .fold((truth.overall() - expected.overall).abs(), f64::max)
}

#[test]
fn the_published_rates_of_2023_come_out_of_the_population() {
    let truth = CITY.truth();
    assert!((truth.overall() - OVERALL_2023).abs() < RATE_ERROR);
    for (level, published) in ["male", "female"].iter().zip(SEX_2023) {
        assert!((rate(&truth, "sex", level) - published).abs() < RATE_ERROR, "{level}");
    }
    for (level, published) in ["urban", "rural"].iter().zip(RESIDENCE_2023) {
        assert!((rate(&truth, "residence", level) - published).abs() < RATE_ERROR, "{level}");
    }
    for (level, published) in ["18-29", "30-39", "40-49", "50-59", "60-69"].iter().zip(AGE_2023) {
        assert!((rate(&truth, "age_group", level) - published).abs() < RATE_ERROR, "{level}");
    }
    for (level, published) in ["primary", "junior", "senior", "college", "bachelor"].iter().zip(EDUCATION_2023) {
        assert!((rate(&truth, "education", level) - published).abs() < RATE_ERROR, "{level}");
    }
}

#[test]
fn the_published_tiers_come_out_of_the_population() {
    let truth = CITY.truth();
    assert!((truth.at_least_55 - TIERS_2024[0]).abs() < TIER_ERROR, "{}", truth.at_least_55);
    assert!((truth.at_least_85 - TIERS_2024[1]).abs() < TIER_ERROR, "{}", truth.at_least_85);
}

#[test]
fn the_table_of_the_documentation_is_the_city_of_seed_1() {
    let page = include_str!("../docs/simulation.md");
    let truth = City::generate(&CityParameters::demo(1)).expect("a city").truth();
    let published = Gradients::published();
    let groups: [(&str, &[f64], &[&str]); 5] = [
        ("city", &[published.overall], &["overall"]),
        ("sex", &published.sex, &["male", "female"]),
        ("residence", &published.residence, &["urban", "rural"]),
        ("age_group", &published.age_group, &["18–29", "30–39", "40–49", "50–59", "60–69"]),
        ("education", &published.education, &["小学及以下", "初中", "高中", "大学专科", "大学本科及以上"]),
    ];
    let row = |label: &str, published: f64, found: f64| {
        format!("| {label} | {:.2} | {:.2} |", published * 100.0, found * 100.0)
    };
    let mut rows = vec![
        row("≥ 55 points (2024)", TIERS_2024[0], truth.at_least_55),
        row("≥ 85 points (2024)", TIERS_2024[1], truth.at_least_85),
    ];
    for (variable, rates, labels) in groups {
        let found = truth.groups.iter().filter(|group| group.variable == variable);
        rows.extend(
            found.zip(rates).zip(labels).map(|((g, rate), label)| row(label, *rate, g.share().expect("members"))),
        );
    }
    let missing: Vec<_> = rows.into_iter().filter(|row| !page.contains(row)).collect();
    assert!(missing.is_empty(), "docs/simulation.md lacks {missing:#?}");
}

#[test]
fn the_population_has_the_shares_that_the_published_rates_imply() {
    let truth = CITY.truth();
    let persons = |variable: &str, level: &str| f64::from(truth.group(variable, level).expect("a group").persons);
    assert!((persons("sex", "male") / 300_000.0 - 0.514).abs() < 0.001);
    assert!((persons("residence", "urban") / 300_000.0 - 0.616).abs() < 0.001);
    assert_eq!(persons("city", "all"), 300_000.0);
}

#[test]
fn another_wave_has_its_own_level_and_gap() {
    let parameters = CityParameters { overall: 0.155, residence_gap: 0.8, ..CityParameters::demo(3) };
    let city = City::generate(&parameters).expect("a city");
    let truth = city.truth();
    assert!(furthest(&truth, city.gradients()) < RATE_ERROR);
    let ratio = rate(&truth, "residence", "urban") / rate(&truth, "residence", "rural");
    assert!(ratio < RESIDENCE_2023[0] / RESIDENCE_2023[1] - 0.2, "{ratio}");
}

#[test]
fn far_levels_and_gaps_can_be_had_too() {
    for (overall, residence_gap) in [(0.03, 2.0), (0.06, 1.0), (0.4, 0.0)] {
        let city =
            City::generate(&CityParameters { overall, residence_gap, ..CityParameters::small(2) }).expect("a city");
        // 40,000 persons: the noise of a group of 4,000 is larger than the demo's.
        assert!(furthest(&city.truth(), city.gradients()) < 0.01, "{overall} {residence_gap}");
    }
}

#[test]
fn core_districts_are_ahead_of_counties() {
    let truth = CITY.truth();
    assert_eq!(truth.groups.iter().filter(|group| group.variable == "district").count(), DISTRICTS.len());
    assert!(rate(&truth, "district", "230103") > rate(&truth, "district", "230126") + 0.08);
}

#[test]
fn the_same_seed_makes_the_same_city_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| City::generate(&CityParameters::small(7)).expect("a city"))
    };
    let one = on(1);
    assert!(one == on(2));
    assert!(one == on(5));
    assert!(one != City::generate(&CityParameters::small(8)).expect("a city"));
}

#[test]
fn the_same_seed_draws_the_same_files_and_another_seed_draws_others() {
    let (one, again, other) = (small_survey(1), small_survey(1), small_survey(2));
    assert_eq!(one.sample_csv(), again.sample_csv());
    assert_ne!(one.sample_csv(), other.sample_csv());
    assert_eq!(one.margins_csv(), other.margins_csv());
}

#[test]
fn the_files_are_accepted_by_their_readers() {
    let survey = small_survey(1);
    let sample = Sample::parse("sample.csv", &survey.sample_csv()).expect("a sound sample");
    assert_eq!(sample.cases.len(), survey.cases().len());
    let margins = Margins::parse("margins.csv", &survey.margins_csv()).expect("sound margins");
    let variables: Vec<_> = margins.margins.iter().map(|margin| margin.variable.as_str()).collect();
    assert_eq!(variables, ["sex", "age_group", "education", "residence", "district"]);
    let regions = Regions::parse("regions.csv", &survey.regions_csv()).expect("sound regions");
    assert_eq!(regions.regions.len(), 19);
    assert!(regions.name("230100").zh.contains("示例数据"));
    let targets = Targets::parse("targets.toml", &survey.targets_toml()).expect("sound targets");
    assert_eq!(targets.targets.iter().map(|target| target.value).collect::<Vec<_>>(), [0.15, 0.155]);
}

#[test]
fn inclusion_probabilities_sum_to_the_number_of_units_drawn() {
    let survey = small_survey(1);
    for (at, district) in DISTRICTS.iter().enumerate() {
        let psus: Vec<_> = SMALL.psus().iter().filter(|psu| psu.district == at).collect();
        let households: usize = psus.iter().map(|psu| psu.households.len()).sum();
        let mut drawn: Vec<(u32, f64)> = Vec::new();
        for case in survey.cases().iter().filter(|case| survey.psu(case).district == at) {
            let size = survey.psu(case).households.len() as f64;
            assert!((case.prob_psu - 7.0 * size / households as f64).abs() < 1e-12, "{}", district.code);
            drawn.push((case.psu, case.prob_household * size));
        }
        // Given its 居/村委会, the household probabilities sum to the households drawn there.
        for (psu, sum) in &drawn {
            let taken = drawn.iter().filter(|(other, _)| other == psu).count();
            assert!((sum - taken as f64).abs() < 1e-9);
        }
        drawn.dedup_by_key(|(psu, _)| *psu);
        assert_eq!(drawn.len(), 7, "{}", district.code);
    }
}

#[test]
fn base_weights_estimate_the_population_size_without_bias() {
    let draws = 200;
    let sums: Vec<f64> = (0..draws).map(|seed| small_survey(seed).columns().base_weight.iter().sum()).collect();
    let mean = sums.iter().sum::<f64>() / draws as f64;
    let variance = sums.iter().map(|sum| (sum - mean) * (sum - mean)).sum::<f64>() / (draws - 1) as f64;
    let standard_error = (variance / draws as f64).sqrt();
    // Four standard errors: a right program fails once in 16,000 seeds; the seeds here are fixed.
    assert!((mean - 40_000.0).abs() < 4.0 * standard_error, "{mean} ± {standard_error}");
    assert!(standard_error < 100.0, "{standard_error}");
}

#[test]
fn about_as_many_respond_as_were_asked_for_and_towns_respond_less() {
    let survey = DrawnSurvey::draw(&CITY, &SurveyDesign::wave_2025(9, 1200)).expect("a survey");
    let completes = survey.respondents().count();
    assert!((1100..=1300).contains(&completes), "{completes}");
    let rate = |residence: &str| {
        let columns = survey.columns();
        let of: Vec<bool> = columns
            .residence
            .iter()
            .zip(&columns.responds)
            .filter(|(r, _)| **r == residence)
            .map(|(_, y)| *y)
            .collect();
        of.iter().filter(|responds| **responds).count() as f64 / of.len() as f64
    };
    assert!(rate("urban") + 0.03 < rate("rural"), "{} {}", rate("urban"), rate("rural"));
}

#[test]
fn a_city_or_survey_that_cannot_be_is_refused_with_its_reason() {
    let tiny = CityParameters { persons: 5_000, ..CityParameters::demo(1) };
    assert!(matches!(City::generate(&tiny), Err(SimulateError::CityTooSmall { needed: 80_000, .. })));
    let nobody = CityParameters { overall: 0.0, ..CityParameters::demo(1) };
    assert!(matches!(City::generate(&nobody), Err(SimulateError::Parameter { name: "overall", .. })));
    let draw = |design: SurveyDesign| DrawnSurvey::draw(&SMALL, &design).map(|_| ());
    let design = SurveyDesign::wave_2025(1, 600);
    let many = SurveyDesign { psus_per_district: 40, ..design.clone() };
    assert!(matches!(draw(many), Err(SimulateError::TooManyPsus { asked: 40, .. })));
    assert!(matches!(draw(SurveyDesign { persons: 20, ..design.clone() }), Err(SimulateError::Persons { .. })));
    assert!(matches!(draw(SurveyDesign { response_rate: 1.0, ..design }), Err(SimulateError::Parameter { .. })));
}

#[test]
fn every_submission_is_accepted_and_scores_as_intended() {
    let survey = DrawnSurvey::draw(&CITY, &SurveyDesign::wave_2025(5, 4000)).expect("a survey");
    let responses = responses(&survey);
    assert_eq!(responses.len(), survey.respondents().count());
    let outcomes = score_all(&DEMO, &PROFILE, &responses);
    for ((case, response), outcome) in survey.respondents().zip(&responses).zip(&outcomes) {
        let person = survey.person(case);
        let Outcome::Scored(score) = outcome else { panic!("{}: {outcome:?}", case.case_id) };
        assert_eq!(score.points.as_f64(), person.score(), "{}", case.case_id);
        assert_eq!(score.literate, person.is_literate(), "{}", case.case_id);
        assert_eq!(response.case, case.case_id);
        assert_eq!(response.person_probability(), Some(1.0 / f64::from(case.n_eligible)));
    }
    assert!(outcomes.iter().filter_map(Outcome::score).any(|score| score.points.as_f64() >= 85.0));
}

#[test]
fn the_questionnaire_sorts_each_respondent_into_the_groups_of_the_city() {
    let survey = small_survey(3);
    for (case, response) in survey.respondents().zip(responses(&survey)) {
        let person = survey.person(case);
        let columns = DEMO.classify(&response);
        let mut expected = BTreeMap::from([
            ("sex", person.sex.code()),
            ("age_group", person.age_group().code()),
            ("education", person.education.code()),
        ]);
        let flags = KeyGroup::ALL.iter().zip(person.key_groups());
        expected.extend(flags.map(|(group, member)| (group.code(), if member { "1" } else { "0" })));
        for (column, level) in expected {
            assert_eq!(columns[column].as_deref(), Some(level), "{column} of {}", case.case_id);
        }
    }
}

#[test]
fn the_same_survey_sends_the_same_bytes_on_any_number_of_threads() {
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let city = City::generate(&CityParameters::small(11)).expect("a city");
            let survey = DrawnSurvey::draw(&city, &SurveyDesign::wave_2025(4, 300)).expect("a survey");
            survey.submissions(&DEMO).collect::<Vec<_>>()
        })
    };
    assert!(bytes(1) == bytes(3));
}

#[test]
fn a_person_asked_in_two_surveys_gives_the_same_answers() {
    let (one, other) = (small_survey(1), small_survey(2));
    let answers = |survey: &DrawnSurvey<'_>| -> BTreeMap<u32, (f64, Vec<String>)> {
        let of = |(case, response): (&scilit::simulate::DrawnCase, Response)| {
            let given: Vec<_> =
                response.answers_by_place().iter().map(|a| format!("{:?}", a.as_ref().map(|a| &a.given))).collect();
            (case.person, (survey.person(case).score(), given))
        };
        survey.respondents().zip(responses(survey)).map(of).collect()
    };
    let (one, other) = (answers(&one), answers(&other));
    let both: Vec<_> = one.iter().filter(|(person, _)| other.contains_key(person)).collect();
    assert!(!both.is_empty());
    assert!(both.into_iter().all(|(person, given)| other[person] == *given));
}

#[test]
fn interviews_take_place_in_the_daytime_and_never_two_at_once_on_one_tablet() {
    let survey = DrawnSurvey::draw(&CITY, &SurveyDesign::wave_2025(5, 1200)).expect("a survey");
    let mut by_tablet: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    let mut ids = Vec::new();
    for (id, body) in survey.submissions(&DEMO) {
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let [started, finished] =
            ["started_ms", "finished_ms"].map(|key| body["timing"][key].as_i64().expect("a time"));
        let (seconds, nanos) = id.get_timestamp().expect("a UUIDv7").to_unix();
        assert_eq!(seconds as i64 * 1000 + i64::from(nanos) / 1_000_000, started);
        for ms in [started, finished] {
            let local = Timestamp::from_millisecond(ms).expect("a time").to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
            assert!((9..21).contains(&local.hour()), "{local}");
            assert!(local.date() >= jiff::civil::date(2025, 5, 10) && local.date() < jiff::civil::date(2025, 7, 9));
        }
        let minutes = (finished - started) / 60_000;
        assert!((6..40).contains(&minutes), "{minutes}");
        by_tablet.entry(body["client"]["device"].to_string()).or_default().push((started, finished));
        ids.push(id);
    }
    for times in by_tablet.values_mut() {
        times.sort_unstable();
        assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), survey.respondents().count());
}

#[test]
fn easy_items_are_answered_right_more_often_than_hard_ones() {
    let survey = DrawnSurvey::draw(&CITY, &SurveyDesign::wave_2025(5, 4000)).expect("a survey");
    let responses = responses(&survey);
    let share = |item: &str, right: &str| {
        let is_right = |response: &&Response| {
            let given = &response.answer(&DEMO, item).expect("an answer").given;
            *given == scilit::instrument::Given::Choice(right.to_owned())
        };
        responses.iter().filter(is_right).count() as f64 / responses.len() as f64
    };
    let (sun, laser) = (share("K02", "true"), share("K05", "false"));
    assert!(sun > 0.65 && laser < 0.45 && laser > 0.05, "{sun} {laser}");
}
