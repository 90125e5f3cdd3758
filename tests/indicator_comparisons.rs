//! What a run says beyond shares: differences, changes, model-based districts, other variances, numbers from its files.

#[path = "indicator/survey.rs"]
mod survey;

use std::collections::BTreeMap;

use scilit::{
    export::run_files,
    indicator::{
        EarlierWave, Indicator, IndicatorError, RunOptions, SampleRelation, SurveyInputs, VarianceChoice, compute,
        files::Regions,
        results::{Change, Changes, Results},
    },
    statistics::{DataTable, Plan, analyse},
};
use survey::{SURVEY, Survey, table};

fn computed<'a>(survey: &'a Survey, options: &'a RunOptions) -> Indicator<'a> {
    compute(&SurveyInputs { options, ..survey.inputs(&survey.responses) }).expect("an indicator")
}

fn default() -> Indicator<'static> {
    compute(&SURVEY.inputs(&SURVEY.responses)).expect("an indicator")
}

/// The bytes of a file that the run makes.
fn file(indicator: &Indicator<'_>, name: &str) -> Vec<u8> {
    let files = run_files(&SURVEY.inputs(&SURVEY.responses), indicator);
    files.into_iter().find(|file| file.name == name).expect("the file").bytes
}

fn earlier(of: &Indicator<'_>, samples: SampleRelation) -> EarlierWave {
    let plan = Plan::from_json(std::str::from_utf8(&file(of, "plan.json")).expect("text")).expect("a plan");
    let cases = DataTable::from_csv("cases.csv", &file(of, "cases.csv"), None).expect("a table");
    EarlierWave { results: of.results.clone(), samples, sample: Some((plan, cases)) }
}

fn changes(results: &Results) -> &Changes {
    results.changes.as_ref().expect("changes")
}

fn city(changes: &Changes) -> &Change {
    changes.rows.iter().find(|row| row.table == "city").expect("the city")
}

#[test]
fn every_pair_of_groups_has_its_difference_with_an_interval_that_fits_its_p_value() {
    let indicator = default();
    let differences = &indicator.results.differences;
    let pairs = |variable: &str| differences.iter().filter(|d| d.variable == variable).count();
    assert_eq!((pairs("sex"), pairs("age_group"), pairs("education"), pairs("residence")), (1, 10, 10, 1));
    for difference in differences {
        let share = |code: &str| {
            let rows = &table(&indicator, &difference.variable).rows;
            rows.iter().find(|row| row.domain[&difference.variable] == code).and_then(|row| row.estimate)
        };
        let (Some(first), Some(second)) = (share(&difference.first.code), share(&difference.second.code)) else {
            assert!(difference.of.not_estimable.is_some(), "{difference:?}");
            continue;
        };
        let estimate = difference.of.estimate.expect("a difference");
        assert!((estimate - (first - second)).abs() < 1e-12, "{difference:?}");
        let ([low, high], p) = (difference.of.ci.expect("an interval"), difference.of.p_value.expect("a p-value"));
        assert!(low < estimate && estimate < high);
        assert_eq!(p < 0.05, low > 0.0 || high < 0.0, "{difference:?}");
    }
    let residence = differences.iter().find(|d| d.variable == "residence").expect("城乡");
    assert_eq!((residence.first.label.zh.as_str(), residence.second.label.zh.as_str()), ("城镇", "农村"));
}

#[test]
fn a_group_that_nobody_is_in_has_no_difference_and_says_why() {
    let mut survey_without = SURVEY.responses.clone();
    survey_without.retain(|response| {
        SURVEY.questionnaire.classify(response).get("education").is_none_or(|code| code.as_deref() != Some("primary"))
    });
    assert!(survey_without.len() < SURVEY.responses.len(), "somebody had primary education");
    let inputs = SurveyInputs { margins: None, ..SURVEY.inputs(&survey_without) };
    let indicator = compute(&inputs).expect("an indicator");
    let of_primary =
        |d: &&scilit::indicator::results::Difference| d.first.code == "primary" || d.second.code == "primary";
    let differences: Vec<_> = indicator.results.differences.iter().filter(of_primary).collect();
    assert_eq!(differences.len(), 4);
    assert!(differences.iter().all(|d| d.of.estimate.is_none() && d.of.not_estimable.is_some()));
}

#[test]
fn districts_have_a_model_based_estimate_beside_the_direct_one_that_adds_up_to_the_city() {
    let indicator = default();
    let small_area = &indicator.results.small_area;
    assert_eq!((small_area.areas, small_area.covariates.as_slice()), (18, ["x_urban_share".to_owned()].as_slice()));
    assert!(small_area.not_fitted.is_none() && small_area.between_variance.is_some_and(|a| a >= 0.0));
    let rows = &table(&indicator, "district").rows;
    let models: Vec<_> = rows.iter().map(|row| row.model.as_ref().expect("a model-based estimate")).collect();
    let population: Vec<f64> = rows.iter().map(|row| row.population.expect("persons")).collect();
    let total: f64 = population.iter().sum();
    let mean: f64 = models.iter().zip(&population).map(|(model, n)| model.estimate * n).sum::<f64>() / total;
    let whole = table(&indicator, "city").rows[0].estimate.expect("an estimate");
    assert!((mean / whole - 1.0).abs() < 1e-12, "{mean} and {whole}");
    for (row, model) in rows.iter().zip(&models) {
        assert!((0.0..=1.0).contains(&model.model_share) && model.rmse > 0.0, "{model:?}");
        assert!(model.ci[0] <= model.estimate && model.estimate <= model.ci[1]);
        // Before benchmarking the estimate lies between the direct one and what the model says.
        let raw = model.estimate / small_area.benchmark_factor.expect("a factor");
        let direct = row.estimate.expect("a direct estimate");
        let (low, high) = (direct.min(model.synthetic).max(0.0), direct.max(model.synthetic));
        assert!(raw >= low - 1e-12 && raw <= high + 1e-12, "{raw} of {direct} and {model:?}");
    }
    assert!(table(&indicator, "sex").rows.iter().all(|row| row.model.is_none()), "districts only");
}

#[test]
fn the_area_model_does_without_covariates_that_the_regions_file_does_not_know_for_all() {
    let text = "code,name_zh,name_en,parent,x_urban_share\n230100,哈尔滨市,,,\n230102,道里区,,230100,0.9\n";
    let regions = Regions::parse("regions.csv", text).expect("regions");
    let inputs = SurveyInputs { regions: &regions, ..SURVEY.inputs(&SURVEY.responses) };
    let results = compute(&inputs).expect("an indicator").results;
    assert_eq!((results.small_area.areas, results.small_area.covariates.len()), (18, 0));
}

#[test]
fn too_few_districts_have_no_model_and_the_results_say_so() {
    let mut sample = SURVEY.sample.clone();
    sample.cases.retain(|case| case.district.as_str() < "230109");
    let kept = |response: &&scilit::instrument::Response| sample.case(&response.case).is_some();
    let responses: Vec<_> = SURVEY.responses.iter().filter(kept).cloned().collect();
    let inputs = SurveyInputs { margins: None, sample: &sample, ..SURVEY.inputs(&responses) };
    let indicator = compute(&inputs).expect("an indicator");
    let small_area = &indicator.results.small_area;
    let why = small_area.not_fitted.as_ref().expect("a reason");
    assert!(why.en.contains("fewer than 8") && small_area.areas == 0, "{small_area:?}");
    assert!(table(&indicator, "district").rows.iter().all(|row| row.model.is_none()));
}

#[test]
fn the_variance_method_changes_errors_and_never_estimates() {
    let taylor = default();
    for (variance, replicates) in
        [(VarianceChoice::Jkn, None), (VarianceChoice::Bootstrap { replicates: 100, seed: 7 }, Some(100))]
    {
        let options = RunOptions { variance, ..RunOptions::default() };
        let other = computed(&SURVEY, &options);
        let method = &other.results.method;
        assert_eq!(method.variance, variance.name());
        assert!(replicates.is_none() || method.replicates == replicates, "{method:?}");
        assert_eq!(method.seed.is_some(), replicates.is_some());
        for (a, b) in taylor.results.tables.iter().zip(&other.results.tables) {
            for (a, b) in a.rows.iter().zip(&b.rows) {
                assert_eq!(a.estimate.map(f64::to_bits), b.estimate.map(f64::to_bits), "{a:?} and {b:?}");
                assert_eq!(a.df, b.df, "degrees of freedom come from the design: {a:?} and {b:?}");
            }
        }
        let se = |of: &Indicator<'_>| table(of, "city").rows[0].se.expect("a standard error");
        let ratio = se(&other) / se(&taylor);
        assert!((0.75..1.35).contains(&ratio), "{variance:?}: {ratio}");
        assert_ne!(se(&other), se(&taylor), "the method is really another");
    }
}

#[test]
fn a_change_between_independent_waves_has_both_their_errors() {
    let before = default();
    let now_survey = Survey::drawn(23, 500);
    let options = RunOptions { earlier: Some(earlier(&before, SampleRelation::Independent)), ..RunOptions::default() };
    let now = computed(&now_survey, &options);
    let all = changes(&now.results);
    assert_eq!((all.survey.code.as_str(), all.samples), ("test", SampleRelation::Independent));
    let change = city(all);
    let row = |of: &Indicator<'_>| {
        let row = table(of, "city").rows[0].clone();
        (row.estimate.expect("a share"), row.se.expect("an error"), row.df.expect("df"))
    };
    let ((later, se_now, df_now), (sooner, se_then, df_then)) = (row(&now), row(&before));
    assert_eq!(change.of.estimate, Some(later - sooner));
    assert_eq!((change.earlier, change.later), (Some(sooner), Some(later)));
    let se = change.of.se.expect("an error");
    assert!((se - se_now.hypot(se_then)).abs() < 1e-15);
    let df = change.of.df.expect("df");
    assert!(df > df_now.min(df_then) && df < df_now + df_then, "{df} of {df_now} and {df_then}");
    assert_eq!(all.rows.iter().filter(|row| row.table == "district").count(), 18);
    assert_eq!(all.rows.iter().filter(|row| row.table == "sex").count(), 2);
    assert!(all.rows.iter().all(|row| !row.table.contains("_by_")));
    let csv = String::from_utf8(file(&now, "indicator.csv")).expect("text");
    assert!(csv.lines().any(|line| line.starts_with("change_city,")), "{csv}");
    assert!(csv.lines().any(|line| line.starts_with("difference_sex,sex,male,男,sex,female,女,")), "{csv}");
}

#[test]
fn the_same_sample_over_shared_units_has_changed_by_nothing_without_error() {
    let before = default();
    let wave = |samples| RunOptions { earlier: Some(earlier(&before, samples)), ..RunOptions::default() };
    let (shared, apart) = (wave(SampleRelation::SharedPsus), wave(SampleRelation::Independent));
    let (shared, apart) = (computed(&SURVEY, &shared), computed(&SURVEY, &apart));
    let of = |indicator: &Indicator<'_>| city(changes(&indicator.results)).of.clone();
    assert_eq!(of(&shared).estimate, Some(0.0));
    let (se_shared, se_apart) = (of(&shared).se.expect("an error"), of(&apart).se.expect("an error"));
    assert!(se_shared < 1e-6 * se_apart, "{se_shared} of {se_apart}: the same places with the same answers");
}

#[test]
fn waves_under_different_profiles_are_never_compared() {
    let before = default();
    let mut wave = earlier(&before, SampleRelation::Independent);
    wave.results.profile.version = "2".to_owned();
    let options = RunOptions { earlier: Some(wave), ..RunOptions::default() };
    let refused =
        compute(&SurveyInputs { options: &options, ..SURVEY.inputs(&SURVEY.responses) }).expect_err("a refusal");
    assert!(matches!(refused, IndicatorError::OtherProfile { .. }), "{refused}");
    let options = RunOptions {
        variance: VarianceChoice::Jkn,
        earlier: Some(earlier(&before, SampleRelation::SharedPsus)),
        ..RunOptions::default()
    };
    let refused =
        compute(&SurveyInputs { options: &options, ..SURVEY.inputs(&SURVEY.responses) }).expect_err("a refusal");
    assert!(matches!(refused, IndicatorError::SharedPsus { .. }), "{refused}");
}

/// Cells of a CSV by column name.
fn rows(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().expect("a header").clone();
    let row =
        |record: csv::StringRecord| header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

#[test]
fn whoever_starts_from_the_published_weights_gets_the_published_shares() {
    let indicator = default();
    let persons = rows(&file(&indicator, "responses_weighted.csv"));
    for row in persons.iter().filter(|row| !row["weight"].is_empty()) {
        for column in ["weight_base", "weight_nonresponse", "weight_person", "weight"] {
            let decimals = row[column].split_once('.').map_or(0, |(_, decimals)| decimals.len());
            assert!(decimals <= 9, "{column} is {}", row[column]);
        }
    }
    let share = |keep: &dyn Fn(&BTreeMap<String, String>) -> bool| {
        let weighted = persons.iter().filter(|row| !row["weight"].is_empty() && keep(row));
        let (mut over, mut under) = (0.0, 0.0);
        for row in weighted {
            let weight: f64 = row["weight"].parse().expect("a weight");
            under += weight;
            over += if row["literate"] == "1" { weight } else { 0.0 };
        }
        over / under
    };
    let close =
        |found: f64, published: f64| assert!((found - published).abs() <= 1e-12 * published, "{found}, {published}");
    close(share(&|_| true), table(&indicator, "city").rows[0].estimate.expect("an estimate"));
    for of in ["sex", "district", "education", "residence"] {
        for row in table(&indicator, of).rows.iter().filter(|row| row.estimate.is_some()) {
            close(share(&|person| person[of] == row.domain[of]), row.estimate.expect("an estimate"));
        }
    }
}

#[test]
fn the_plan_and_the_cases_of_a_run_give_its_numbers_bit_for_bit() {
    let indicator = default();
    let plan = Plan::from_json(std::str::from_utf8(&file(&indicator, "plan.json")).expect("text")).expect("a plan");
    let cases = DataTable::from_csv("cases.csv", &file(&indicator, "cases.csv"), None).expect("a table");
    let answer = analyse(&plan, &cases, &BTreeMap::new()).expect("an answer");
    let (row, city) = (&answer["rows"][0], &table(&indicator, "city").rows[0]);
    let bits = |key: &str| row[key].as_f64().map(f64::to_bits);
    assert_eq!(bits("estimate"), city.estimate.map(f64::to_bits));
    assert_eq!(bits("se"), city.se.map(f64::to_bits));
    assert_eq!(row["ci"]["logit"][0].as_f64().map(f64::to_bits), city.ci.map(|ci| ci[0].to_bits()));
}
