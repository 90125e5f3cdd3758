//! The score behind the indicator and the items behind the score, held against sums made here in another way.

#[path = "indicator/survey.rs"]
mod survey;

use std::collections::BTreeMap;

use scilit::{
    export::run_files,
    indicator::{Indicator, SurveyInputs, compute},
    instrument::Questionnaire,
};
use survey::{SURVEY, table};

/// Rows of a CSV by column name.
fn rows(inputs: &SurveyInputs<'_>, indicator: &Indicator<'_>, name: &str) -> Vec<BTreeMap<String, String>> {
    let files = run_files(inputs, indicator);
    let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}"));
    csv::Reader::from_reader(file.bytes.as_slice()).deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * b.abs().max(1.0)
}

#[test]
fn tiers_dimensions_and_bands_follow_from_the_persons_file() {
    let inputs = SURVEY.inputs(&SURVEY.responses);
    let indicator = compute(&inputs).expect("an indicator");
    let persons = rows(&inputs, &indicator, "responses_weighted.csv");
    let used: Vec<_> = persons.iter().filter(|row| !row["weight"].is_empty()).collect();
    let whole: f64 = used.iter().map(|row| number(row, "weight")).sum();
    let share = |is: &dyn Fn(f64) -> bool| {
        let of = used.iter().filter(|row| is(number(row, "score"))).map(|row| number(row, "weight"));
        of.sum::<f64>() / whole
    };
    let mean = |column: &str| used.iter().map(|row| number(row, "weight") * number(row, column)).sum::<f64>() / whole;
    let expected = |row: &BTreeMap<String, String>| match (row["table"].as_str(), row["level"].as_str()) {
        ("score", _) => mean("score"),
        ("dimension", code) => mean(&format!("score_{code}")),
        ("tier", "basic") => share(&|score| score >= 55.0),
        ("tier", "literate") => share(&|score| score >= 70.0),
        ("tier", "advanced") => share(&|score| score >= 85.0),
        ("score_band", "9") => share(&|score| score >= 90.0),
        ("score_band", band) => {
            let from = 10.0 * band.parse::<f64>().expect("a band");
            share(&|score| from <= score && score < from + 10.0)
        }
        other => panic!("an unknown row {other:?}"),
    };
    let file = rows(&inputs, &indicator, "scores.csv");
    assert_eq!(file.len(), 1 + 4 + 3 + 10);
    for row in &file {
        assert!(close(number(row, "estimate"), expected(row)), "{row:?} is not {}", expected(row));
        assert_eq!(row["n"], used.len().to_string(), "{row:?}");
        let is_inside = row["ci_lower"].is_empty()
            || (number(row, "ci_lower") <= number(row, "estimate")
                && number(row, "estimate") <= number(row, "ci_upper"));
        assert!(is_inside, "{row:?}");
    }
}

#[test]
fn the_literate_tier_is_the_indicator_itself_bit_for_bit() {
    let indicator = compute(&SURVEY.inputs(&SURVEY.responses)).expect("an indicator");
    let city = &table(&indicator, "city").rows[0];
    let tier = indicator.results.scores.tiers.rows.iter().find(|row| row.domain["tier"] == "literate");
    let tier = tier.expect("the tier");
    assert_eq!((tier.estimate, tier.se, tier.ci, tier.n), (city.estimate, city.se, city.ci, city.n));
    let bands: f64 = indicator.results.scores.distribution.rows.iter().filter_map(|row| row.estimate).sum();
    assert!(close(bands, 1.0), "{bands}");
}

/// Pearson's correlation with weights, by its definition.
fn correlation(rows: &[(f64, f64, f64)]) -> f64 {
    let whole: f64 = rows.iter().map(|(weight, _, _)| weight).sum();
    let mean = |of: fn(&(f64, f64, f64)) -> f64| rows.iter().map(|row| row.0 * of(row)).sum::<f64>() / whole;
    let (x, y) = (mean(|row| row.1), mean(|row| row.2));
    let product = |f: &dyn Fn(f64, f64) -> f64| rows.iter().map(|(w, a, b)| w * f(a - x, b - y)).sum::<f64>();
    product(&|a, b| a * b) / (product(&|a, _| a * a) * product(&|_, b| b * b)).sqrt()
}

#[test]
fn items_are_told_by_weighted_shares_and_their_correlation_with_the_rest() {
    let inputs = SURVEY.inputs(&SURVEY.responses);
    let indicator = compute(&inputs).expect("an indicator");
    let persons = rows(&inputs, &indicator, "responses_weighted.csv");
    let answers = rows(&inputs, &indicator, "answers.csv");
    let by_id: BTreeMap<&str, &BTreeMap<String, String>> =
        answers.iter().map(|row| (row["id"].as_str(), row)).collect();
    let items = rows(&inputs, &indicator, "items.csv");
    assert!(items.len() > 20, "{}", items.len());
    for row in &items {
        let item = SURVEY.questionnaire.item(&row["item"]).expect("an item");
        let points = item.points.expect("points").as_f64();
        let mut asked = Vec::new();
        let (mut dont_know, mut refused) = (0.0, 0.0);
        for person in persons.iter().filter(|person| !person["weight"].is_empty()) {
            let cell = by_id[person["id"].as_str()][&item.id].as_str();
            let weight = number(person, "weight");
            match cell {
                "" | ":irrelevant" | ":not_asked" | ":not_reached" | ":not_applicable" => continue,
                ":dont_know" => dont_know += weight,
                ":refused" => refused += weight,
                _ => {}
            }
            let mut chosen: Vec<&str> = cell.split(' ').collect();
            let mut key: Vec<&str> = item.key.iter().map(String::as_str).collect();
            chosen.sort_unstable();
            key.sort_unstable();
            // One option of several right ones is enough unless all must be chosen.
            let is_right = if item.kind.as_str() == "multiple_choice" { chosen == key } else { key.contains(&cell) };
            let right = f64::from(is_right);
            asked.push((weight, right, number(person, "score") - right * points));
        }
        let whole: f64 = asked.iter().map(|row| row.0).sum();
        let right = asked.iter().map(|row| row.0 * row.1).sum::<f64>() / whole;
        assert_eq!(row["n"], asked.len().to_string(), "{row:?}");
        assert!(close(number(row, "right"), right), "{row:?}: {right}");
        assert!(close(number(row, "dont_know"), dont_know / whole), "{row:?}");
        assert!(close(number(row, "refused"), refused / whole), "{row:?}");
        assert!(close(number(row, "discrimination"), correlation(&asked)), "{row:?}: {}", correlation(&asked));
    }
    assert!(items.iter().any(|row| number(row, "dont_know") > 0.0), "somebody does not know something");
}

#[test]
fn no_key_is_in_the_results_and_a_real_questionnaires_words_stay_inside() {
    let inputs = SURVEY.inputs(&SURVEY.responses);
    let indicator = compute(&inputs).expect("an indicator");
    assert!(indicator.results.items.iter().all(|item| item.text.is_some()), "an example may be shown");
    let json = serde_json::to_string(&indicator.results).expect("JSON");
    assert!(!json.contains("\"key\"") && !json.contains("\"points\""), "no key and no points of an item");

    let source = include_str!("../questionnaires/csl-demo.toml").replace("\nexample = true\n", "\n");
    let real = Questionnaire::from_toml("real.toml", &source).expect("a questionnaire");
    assert!(!real.is_example());
    let mut responses = SURVEY.responses.clone();
    responses.iter_mut().for_each(|response| response.questionnaire = real.hash().to_owned());
    let inputs = SurveyInputs { questionnaire: &real, ..SURVEY.inputs(&responses) };
    let of_real = compute(&inputs).expect("an indicator").results;
    assert!(of_real.items.iter().all(|item| item.text.is_none()));
    let words = SURVEY.questionnaire.item(&of_real.items[0].item).expect("the item").text.get("zh-CN");
    assert!(json.contains(words), "the control: they are there to be found");
    assert!(!serde_json::to_string(&of_real).expect("JSON").contains(words));
}

#[test]
fn weighting_steps_say_what_became_of_each_class_and_margin() {
    let inputs = SURVEY.inputs(&SURVEY.responses);
    let indicator = compute(&inputs).expect("an indicator");
    let steps = &indicator.results.weights.steps;
    let rake = steps.iter().find(|step| step.id == "rake").expect("raking");
    let levels: usize = SURVEY.margins.margins.iter().map(|margin| margin.levels.len()).sum();
    assert_eq!(rake.margins.len(), levels);
    for margin in &rake.margins {
        assert!(close(margin.after, margin.target.expect("a target")), "{margin:?}");
        assert!(close(margin.factor.expect("a factor") * margin.before, margin.after), "{margin:?}");
        assert_ne!(margin.label.zh, margin.variable, "a name and no code");
        assert_ne!(margin.level.label.zh, margin.level.code, "a name and no code");
    }
    let classes = &steps.iter().find(|step| step.id == "nonresponse").expect("the step").margins;
    assert!(classes.iter().any(|class| class.level.label.zh.contains("城镇")), "{classes:?}");
    assert!(classes.iter().all(|class| class.factor.is_some_and(|factor| factor >= 1.0 - 1e-12)));
}
