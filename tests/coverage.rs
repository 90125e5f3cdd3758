//! The promise behind every printed interval: over many surveys of a city whose truth is known, 95 % intervals hold
//! the truth about 95 times in 100. `scilit simulate coverage` prints the same figures for any number of surveys.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use scilit::simulate::coverage::{Coverage, CoverageDesign, CoverageError, DOMAINS, DomainCoverage, coverage, methods};
use scilit::simulate::{City, CityParameters};

const SURVEYS: u32 = 200;
/// With a true coverage of 95 % the share of 200 intervals that hold the truth has a standard deviation of
/// √(.95 · .05 / 200) = 1.5 points: 91 to 98 % are about two and a half of them down and two up.
const PROMISE: std::ops::RangeInclusive<f64> = 0.91..=0.98;

static CITY: LazyLock<City> = LazyLock::new(|| City::generate(&CityParameters::demo(2025)).expect("a city"));
static EVIDENCE: LazyLock<Coverage> = LazyLock::new(|| measured(&design(SURVEYS)));

fn design(surveys: u32) -> CoverageDesign {
    CoverageDesign { surveys, persons: 1200, psus_per_district: 7, seed: 2025 }
}

fn measured(design: &CoverageDesign) -> Coverage {
    coverage(&CITY, design, &|| ()).expect("a city that can be surveyed")
}

fn domain(name: &str) -> &'static DomainCoverage {
    EVIDENCE.domains.iter().find(|domain| domain.domain == name).expect("a kind of domain")
}

fn held(domain: &DomainCoverage, method: &str) -> f64 {
    let method = domain.methods.iter().find(|found| found.method == method).expect("a method");
    method.coverage.expect("intervals")
}

#[test]
fn intervals_of_the_city_hold_its_truth_about_95_times_in_100() {
    let city = domain("city");
    for method in methods() {
        let coverage = held(city, method);
        assert!(PROMISE.contains(&coverage), "{method}: {coverage}");
    }
    // Three standard errors of the mean of 200 surveys: a bias of a third of a point would show.
    let (bias, spread) = (city.bias.expect("estimates"), city.spread.expect("estimates"));
    assert!(bias.abs() < 3.0 * spread / f64::from(SURVEYS).sqrt(), "{bias} with a spread of {spread}");
    // The standard errors tell the spread that the surveys really have, within a fifth.
    let ratio = city.se_ratio.expect("standard errors");
    assert!((ratio - 1.0).abs() < 0.2, "{ratio}");
}

#[test]
fn intervals_of_sex_and_residence_hold_their_truth_as_often() {
    for name in ["sex", "residence"] {
        let logit = held(domain(name), "logit");
        assert!(PROMISE.contains(&logit), "{name}: {logit}");
        assert_eq!(domain(name).methods[0].intervals, 2 * SURVEYS as usize);
    }
}

#[test]
fn every_cell_is_counted_once_with_an_interval_or_without() {
    for domain in &EVIDENCE.domains {
        for method in &domain.methods {
            let cells = (domain.levels * (SURVEYS as usize - EVIDENCE.refused)) as f64;
            let missing = method.not_estimable * cells;
            assert!((method.intervals as f64 + missing - cells).abs() < 1e-6, "{} {}", domain.domain, method.method);
            let parts = [method.coverage, method.truth_below, method.truth_above].map(|part| part.expect("intervals"));
            assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{} {}", domain.domain, method.method);
        }
    }
}

#[test]
fn the_plain_interval_misses_small_districts_from_below() {
    let district = domain("district");
    let mean = district.methods.iter().find(|found| found.method == "mean").expect("a method");
    // Where the share is rare, a low estimate comes with a small standard error: the truth escapes upwards.
    assert!(mean.truth_above > mean.truth_below, "{mean:?}");
    assert!(mean.coverage < Some(held(district, "beta")), "{mean:?}");
}

#[test]
fn twenty_surveys_give_the_same_evidence_on_one_thread_and_on_three() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| measured(&design(20)))
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one, three);
    assert_eq!(one.domains.iter().map(|domain| domain.domain).collect::<Vec<_>>(), DOMAINS);
    assert_eq!(one.domains.iter().map(|domain| domain.levels).collect::<Vec<_>>(), [1, 2, 2, 5, 5, 18]);
}

#[test]
fn each_survey_is_told_to_who_watches() {
    let drawn = AtomicU32::new(0);
    let count = || {
        drawn.fetch_add(1, Ordering::Relaxed);
    };
    coverage(&CITY, &design(3), &count).expect("three surveys");
    assert_eq!(drawn.into_inner(), 3);
}

#[test]
fn one_survey_is_no_evidence_and_a_sample_beyond_the_city_is_refused() {
    assert_eq!(coverage(&CITY, &design(1), &|| ()), Err(CoverageError::TooFewSurveys(1)));
    let beyond = CoverageDesign { persons: 300_000, ..design(2) };
    let refused = coverage(&CITY, &beyond, &|| ()).expect_err("too many persons").to_string();
    assert!(refused.contains("300000 persons"), "{refused}");
    let too_many = CoverageDesign { psus_per_district: 1000, ..design(2) };
    let refused = coverage(&CITY, &too_many, &|| ()).expect_err("too many units").to_string();
    assert!(refused.contains("1000 居/村委会"), "{refused}");
}
