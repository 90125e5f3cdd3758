//! Faults of profiles, and what may be compared.

use scilit::instrument::ScoringProfile;

use crate::{profile, questionnaire, shipped};

fn faults(source: &str) -> String {
    ScoringProfile::from_toml("p.toml", source).expect_err("a fault").to_string()
}

#[test]
fn a_profile_that_cannot_reach_its_maximum_is_at_fault_with_its_line() {
    let source = shipped("profiles/A-2024.toml")
        .replace("maximum = 40", "maximum = 50")
        .replace("maximum = 100", "maximum = 110");
    let profile = ScoringProfile::from_toml("p.toml", &source).expect("sound in itself");
    let faults = profile.check_fit(&questionnaire("csl-demo")).expect_err("no fit").to_string();
    assert!(faults.contains("p.toml:11: profile A-2024 with questionnaire csl-demo 1.0.0: the total cannot reach its maximum of 110: the items give 100"), "{faults}");
    assert!(faults.contains("dimension knowledge cannot reach its maximum of 50: the items give 40"), "{faults}");
}

#[test]
fn a_profile_whose_dimensions_do_not_add_up_is_at_fault() {
    let source = shipped("profiles/A-2024.toml").replacen("maximum = 20", "maximum = 25", 1);
    assert!(faults(&source).contains("the dimensions give 105 points, the maximum is 100"));
}

#[test]
fn a_profile_says_every_fault_at_once() {
    let source = shipped("profiles/A-2024.toml")
        .replace("format = 1", "format = 2")
        .replace("missing_share_max = 0.2", "missing_share_max = 1.5\ncolour = 1")
        .replace("cut = 85", "cut = 60");
    let faults = faults(&source);
    for part in ["format 2 is unknown", "missing_share_max 1.5", "unknown field `colour`", "cut 60"] {
        assert!(faults.contains(part), "{part} in\n{faults}");
    }
}

#[test]
fn verdict_rules_need_what_they_decide_by() {
    let miller = shipped("profiles/A-Miller.toml");
    assert!(faults(&miller.replacen("cut = 12\n", "", 1)).contains("needs a cut of its own"));
    assert!(faults(&miller.replace("every_dimension", "total")).contains("exactly one tier must be marked literate"));
    assert!(faults(&miller.replace("cut = 24", "cut = 41")).contains("cut 41 is out of reach of 40"));
    let above = shipped("profiles/A-2020.toml").replace("cut = 70", "cut = 100");
    assert!(faults(&above).contains("within reach of the maximum"));
}

#[test]
fn items_points_and_benchmarks_of_form_b_are_checked() {
    let profile = profile("B-2016");
    let source = shipped("benchmark-50.toml")
        .replacen("points = 2\n", "points = 3\n", 1)
        .replace("benchmarks = [9]", "benchmarks = [8]");
    let changed = scilit::instrument::Questionnaire::from_toml("q.toml", &source).expect("sound in itself");
    let faults = profile.check_fit(&changed).expect_err("no fit").to_string();
    for part in [
        "item Q01",
        "it gives 3 points, every item must give 2",
        "no item covers benchmark 9",
        "passes its maximum of 100: the items give 101",
    ] {
        assert!(faults.contains(part), "{part} in\n{faults}");
    }
    let faults = profile.check_fit(&questionnaire("csl-demo")).expect_err("no fit").to_string();
    assert!(faults.contains("50 items must count, 36 do"), "{faults}");
}

#[test]
fn profiles_are_compared_over_a_declared_link_only() {
    let (new, old, miller, b) = (profile("A-2024"), profile("A-2020"), profile("A-Miller"), profile("B-2016"));
    assert!(new.comparable_with(&new).is_ok());
    assert!(new.comparable_with(&old).is_ok() && old.comparable_with(&new).is_ok());
    for other in [&miller, &b] {
        let refusal = new.comparable_with(other).expect_err("no link").to_string();
        assert!(refusal.contains("A-2024 1") && refusal.contains("must not be compared"), "{refusal}");
        assert!(other.comparable_with(&new).is_err());
    }
}

#[test]
fn the_same_id_and_version_with_another_rule_is_not_the_same_profile() {
    let source = shipped("profiles/B-2016.toml").replace("cut = 60", "cut = 59");
    let other = ScoringProfile::from_toml("p.toml", &source).expect("a profile");
    assert!(profile("B-2016").comparable_with(&other).is_err());
}
