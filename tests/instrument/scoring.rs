//! Scores, tiers, verdicts.

use proptest::prelude::*;
use scilit::instrument::{NotScoredReason, Outcome, Points, Questionnaire, Response, Score, ScoringProfile, score_all};
use serde_json::{Value, json};

use crate::{accepted, answer, body, profile, questionnaire, shipped};

fn score(questionnaire: &Questionnaire, profile: &ScoringProfile, body: &Value) -> Outcome {
    score_all(questionnaire, profile, &[accepted(questionnaire, body)]).remove(0)
}

fn scored(questionnaire: &Questionnaire, profile: &ScoringProfile, body: &Value) -> Score {
    match score(questionnaire, profile, body) {
        Outcome::Scored(score) => score,
        Outcome::NotScored(reason) => panic!("{reason}"),
    }
}

fn points(points: f64) -> Points {
    Points::from_hundredths((points * 100.0) as u32)
}

/// A response of the demo with exactly these points, from the first items that do not pass them.
fn with_points(questionnaire: &Questionnaire, total: f64) -> Value {
    let mut sum = 0.0;
    let mut right = Vec::new();
    for item in questionnaire.items().filter(|item| item.is_scored()) {
        let points = item.points.expect("points").as_f64();
        if sum + points <= total {
            sum += points;
            right.push(item.id.clone());
        }
    }
    body(questionnaire, |item| right.contains(&item.id))
}

#[test]
fn everything_right_is_the_maximum_and_everything_wrong_is_nothing() {
    for (id, name, maximum) in
        [("csl-demo", "A-2024", 100.0), ("csl-demo", "A-Miller", 80.0), ("benchmark-50", "B-2016", 100.0)]
    {
        let (questionnaire, profile) = (questionnaire(id), profile(name));
        let best = scored(&questionnaire, &profile, &body(&questionnaire, |_| true));
        let worst = scored(&questionnaire, &profile, &body(&questionnaire, |_| false));
        assert_eq!((best.points, best.literate, best.n_wrong), (points(maximum), true, 0), "{name}");
        assert_eq!((worst.points, worst.literate, worst.n_right), (points(0.0), false, 0), "{name}");
    }
}

#[test]
fn the_tiers_of_2024_begin_at_their_cuts() {
    let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-2024"));
    for (total, tier, literate) in [
        (52.5, None, false),
        (55.0, Some("basic"), false),
        (67.5, Some("basic"), false),
        (70.0, Some("literate"), true),
        (82.5, Some("literate"), true),
        (85.0, Some("advanced"), true),
    ] {
        let score = scored(&questionnaire, &profile, &with_points(&questionnaire, total));
        assert_eq!((score.points, score.tier.as_deref(), score.literate), (points(total), tier, literate));
    }
}

#[test]
fn tiers_are_cumulative() {
    let profile = profile("A-2024");
    let reached: Vec<&str> = profile.tiers_reached(points(72.5)).map(|tier| tier.code.as_str()).collect();
    assert_eq!(reached, ["basic", "literate"]);
}

#[test]
fn above_and_at_least_differ_at_the_cut_alone() {
    let questionnaire = questionnaire("csl-demo");
    let source = shipped("profiles/A-2020.toml");
    let at_least = source.replace("comparison = \"gt\"", "comparison = \"ge\"");
    let at_least = ScoringProfile::from_toml("p.toml", &at_least).expect("a profile");
    for (sum, above, ge) in [(67.5, false, false), (70.0, false, true), (72.5, true, true)] {
        let body = with_points(&questionnaire, sum);
        assert_eq!(scored(&questionnaire, &profile("A-2020"), &body).literate, above, "{sum}");
        assert_eq!(scored(&questionnaire, &at_least, &body).literate, ge, "{sum}");
    }
}

#[test]
fn miller_needs_every_dimension() {
    let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-Miller"));
    let all_but_method = body(&questionnaire, |item| !item.id.starts_with('M'));
    let score = scored(&questionnaire, &profile, &all_but_method);
    let passed: Vec<_> = score.dimensions.iter().map(|d| (d.code.as_str(), d.passed)).collect();
    assert_eq!((score.points, score.literate), (points(60.0), false));
    assert_eq!(passed, [("knowledge", Some(true)), ("method", Some(false)), ("society", Some(true))]);
    // 10 of 16 statements give 25, 3 of 4 method items 15, 5 of 8 others 12.5: each above its cut.
    let enough = [
        "K01", "K02", "K03", "K04", "K05", "K06", "K07", "K08", "K09", "K10", "M01", "M02", "M03", "S01", "S02", "S03",
        "S04", "S05",
    ];
    let score = scored(&questionnaire, &profile, &body(&questionnaire, |item| enough.contains(&item.id.as_str())));
    assert!(score.literate && score.tier.is_none());
}

#[test]
fn form_b_passes_at_thirty_of_fifty() {
    let (questionnaire, profile) = (questionnaire("benchmark-50"), profile("B-2016"));
    for (n, literate) in [(29, false), (30, true)] {
        let right =
            |id: &str| id.strip_prefix('Q').is_some_and(|number| number.parse::<usize>().expect("a number") <= n);
        let score = scored(&questionnaire, &profile, &body(&questionnaire, |item| right(&item.id)));
        assert_eq!((score.n_right, score.literate), (n, literate));
    }
}

#[test]
fn not_knowing_scores_as_wrong_and_stays_visible() {
    let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-2024"));
    let mut body = body(&questionnaire, |_| true);
    for n in 1..=16 {
        answer(&mut body, &format!("K{n:02}"), Some(json!({"m": "dont_know"})));
    }
    let score = scored(&questionnaire, &profile, &body);
    assert_eq!((score.points, score.n_dont_know, score.n_wrong, score.n_missing), (points(60.0), 16, 0, 0));
}

#[test]
fn too_many_missing_answers_give_a_reason_and_no_number() {
    let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-2024"));
    let mut body = body(&questionnaire, |_| true);
    let kinds = ["refused", "not_reached", "not_asked"];
    // 7 of 36 are below a fifth, 8 are above.
    for n in 1..=7 {
        answer(&mut body, &format!("K{n:02}"), Some(json!({"m": kinds[n % 3]})));
    }
    assert_eq!(scored(&questionnaire, &profile, &body).n_missing, 7);
    answer(&mut body, "K08", Some(json!({"m": "refused"})));
    let expected = NotScoredReason::TooManyMissing { missing: 8, items: 36 };
    assert_eq!(score(&questionnaire, &profile, &body), Outcome::NotScored(expected));
}

#[test]
fn an_inactive_answer_is_never_scored() {
    let rule = "relevant_when = 'sex == \"male\"'\nkey = [\"true\"]";
    let source = shipped("csl-demo.toml").replacen("key = [\"true\"]", rule, 1);
    let questionnaire = Questionnaire::from_toml("q.toml", &source).unwrap_or_else(|faults| panic!("{faults}"));
    let mut body = body(&questionnaire, |_| true);
    assert_eq!(scored(&questionnaire, &profile("A-2024"), &body).points, points(100.0));
    answer(&mut body, "sex", Some(json!({"v": "female"})));
    let score = scored(&questionnaire, &profile("A-2024"), &body);
    assert_eq!((score.points, score.n_missing), (points(97.5), 1));
}

#[test]
fn a_multiple_choice_is_right_when_it_is_the_whole_key() {
    let source = shipped("csl-demo.toml").replace(
        "choices_max = 3\n",
        "choices_max = 3\nkey = [\"official\", \"news\"]\npoints = 5\ndimensions = { framework-2024 = \"ability\" }\n",
    );
    let questionnaire = Questionnaire::from_toml("q.toml", &source).unwrap_or_else(|faults| panic!("{faults}"));
    let adapted = shipped("profiles/A-2024.toml").replace("maximum = 100", "maximum = 105");
    let adapted = adapted.replace("code = \"ability\"\nmaximum = 20", "code = \"ability\"\nmaximum = 25");
    let profile = ScoringProfile::from_toml("p.toml", &adapted).unwrap_or_else(|faults| panic!("{faults}"));
    for (codes, total) in
        [(json!(["news", "official"]), 105.0), (json!(["news"]), 100.0), (json!(["news", "official", "video"]), 100.0)]
    {
        let mut body = body(&questionnaire, |_| true);
        answer(&mut body, "channels", Some(json!({"v": ["internet"]})));
        answer(&mut body, "internet_sources", Some(json!({"v": codes})));
        assert_eq!(scored(&questionnaire, &profile, &body).points, points(total), "{codes}");
    }
}

#[test]
fn what_cannot_be_scored_says_why() {
    let (demo, other) = (questionnaire("csl-demo"), questionnaire("benchmark-50"));
    let response = accepted(&demo, &body(&demo, |_| true));
    let reasons = |questionnaire, profile: &str| {
        score_all(questionnaire, &crate::profile(profile), std::slice::from_ref(&response))
    };
    assert_eq!(reasons(&other, "B-2016"), [Outcome::NotScored(NotScoredReason::WrongQuestionnaire)]);
    assert_eq!(reasons(&demo, "B-2016"), [Outcome::NotScored(NotScoredReason::ProfileDoesNotFit)]);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-2024"));
    let one = |n: usize| accepted(&questionnaire, &body(&questionnaire, |item| (n + item.id.len() * 7) % 5 < n % 6));
    let few: Vec<Response> = (0..12).map(one).collect();
    let responses: Vec<Response> = few.iter().cycle().take(5000).cloned().collect();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| score_all(&questionnaire, &profile, &responses))
    };
    let alone = with(1);
    assert_eq!(alone.len(), 5000);
    // Each response scores as it does by itself, wherever it stands.
    let by_themselves = score_all(&questionnaire, &profile, &few);
    assert!(alone.iter().zip(by_themselves.iter().cycle()).all(|(among, by_itself)| among == by_itself));
    assert!([2, 3, 8].into_iter().all(|threads| with(threads) == alone));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_score_is_within_its_bounds_and_the_sum_of_its_parts(pattern in proptest::collection::vec(0_u8..4, 36)) {
        let (questionnaire, profile) = (questionnaire("csl-demo"), profile("A-2024"));
        let scored_items: Vec<_> = questionnaire.items().filter(|item| item.is_scored()).collect();
        let given = |id: &str| scored_items.iter().position(|item| item.id == id).map(|at| pattern[at]);
        let mut body = body(&questionnaire, |item| given(&item.id) == Some(0));
        for item in &scored_items {
            match given(&item.id) {
                Some(2) => answer(&mut body, &item.id, Some(json!({"m": "dont_know"}))),
                Some(3) => answer(&mut body, &item.id, Some(json!({"m": "refused"}))),
                _ => {}
            }
        }
        let refused = pattern.iter().filter(|p| **p == 3).count();
        match score(&questionnaire, &profile, &body) {
            Outcome::NotScored(reason) => {
                prop_assert!(refused > 7);
                prop_assert_eq!(reason, NotScoredReason::TooManyMissing { missing: refused, items: 36 });
            }
            Outcome::Scored(score) => {
                let expected: Points = (scored_items.iter().zip(&pattern))
                    .filter(|(_, p)| **p == 0).map(|(item, _)| item.points.expect("points")).sum();
                prop_assert_eq!(score.points, expected);
                prop_assert_eq!(score.dimensions.iter().map(|d| d.points).sum::<Points>(), expected);
                prop_assert_eq!(score.points.hundredths() % 250, 0);
                prop_assert_eq!(score.literate, score.points.hundredths() >= 7000);
                prop_assert_eq!(score.n_right + score.n_wrong + score.n_dont_know + score.n_missing, 36);
            }
        }
    }
}
