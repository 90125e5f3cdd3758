//! Two roads, one number: identities that hold whatever the data.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scilit::statistics::{
    Answer, DataTable, Plan, Prepared,
    plan::{
        Adjustment, Calibrate, CiPlan, Coefficient, Columns, Construct, Contrast, ContrastOf, Contrasts, DesignPlan,
        DfPlan, Distance, EstimatorPlan, IntervalMethod, LonelyPolicy, Margin, MarginCell, Moment, Rake, RakeVariance,
        Ratio, ReplicatesPlan, Stage, StagesDesign, VarianceMethod, VariancePlan,
    },
    prepare,
    waves::{covariance_between, proportion_totals},
};

/// One person: stratum 0..4, unit 0..3 in it, weight, sex, age, outcome.
type Person = (u8, u8, f64, bool, u8, bool);

fn persons() -> impl Strategy<Value = Vec<Person>> {
    let one = (0..4u8, 0..3u8, 1.0..50.0f64, any::<bool>(), 0..3u8, any::<bool>());
    proptest::collection::vec(one, 60..120)
}

/// Every stratum, unit and margin category is there, whatever was drawn.
fn completed(mut persons: Vec<Person>) -> Vec<Person> {
    for stratum in 0..4 {
        for unit in 0..3 {
            for (sex, age) in [(false, 0), (true, 1), (unit == 0, 2)] {
                persons.push((stratum, unit, 7.0 + f64::from(unit), sex, age, (stratum + unit + age) % 2 == 0));
            }
        }
    }
    persons
}

fn table(persons: &[Person]) -> DataTable {
    let text = |of: &dyn Fn(&Person) -> String| persons.iter().map(|p| Some(of(p))).collect::<Vec<_>>();
    let number = |of: &dyn Fn(&Person) -> f64| persons.iter().map(of).collect::<Vec<f64>>();
    DataTable::new("persons", persons.len())
        .with_text("id", &(0..persons.len()).map(|at| Some(format!("{at:05}"))).collect::<Vec<_>>())
        .with_text("h", &text(&|p| format!("h{}", p.0)))
        .with_text("psu", &text(&|p| format!("{}-{}", p.0, p.1)))
        .with_text("sex", &text(&|p| if p.3 { "M" } else { "F" }.to_owned()))
        .with_text("age", &text(&|p| format!("a{}", p.4)))
        .with_numbers("w", number(&|p| p.2))
        .with_numbers("y", number(&|p| f64::from(u8::from(p.5))))
        .with_numbers("one", number(&|_| 1.0))
}

fn margins(persons: &[Person]) -> Vec<Margin> {
    let total: f64 = persons.iter().map(|p| p.2).sum();
    let cell = |column: &str, label: &str, share: f64| MarginCell::new(column, label, (share * total).round());
    let rest = |column: &str, label: &str, of: &[MarginCell]| {
        let sum: f64 = of.iter().map(|c| c.total).sum();
        MarginCell::new(column, label, total.round() - sum)
    };
    let mut sex = vec![cell("sex", "F", 0.52)];
    sex.push(rest("sex", "M", &sex));
    let mut age = vec![cell("age", "a0", 0.3), cell("age", "a1", 0.4)];
    age.push(rest("age", "a2", &age));
    vec![Margin { by: Columns::one("sex"), cells: sex }, Margin { by: Columns::one("age"), cells: age }]
}

fn plan(adjustments: Vec<Adjustment>, construct: Option<Construct>) -> Plan {
    let stage = Stage { unit: Some("psu".into()), stratum: Columns::one("h"), population_units: None };
    let replicates =
        construct.map(|construct| ReplicatesPlan { construct: Some(construct), ..ReplicatesPlan::default() });
    Plan {
        data: Some(scilit::statistics::plan::DataPlan { file: "persons".into(), id: Some("id".into()) }),
        design: Some(DesignPlan::Stages(StagesDesign {
            stages: vec![stage],
            weight: Some("w".into()),
            unit_ids_nested_in_stratum: false,
        })),
        adjustments,
        variance: VariancePlan {
            method: if replicates.is_some() { VarianceMethod::Replicate } else { VarianceMethod::Taylor },
            replicates,
            ..VariancePlan::default()
        },
        ..Plan::default()
    }
}

fn prepared(plan: &Plan, table: &DataTable) -> Prepared {
    prepare(plan, table, &BTreeMap::new()).expect("a prepared sample")
}

fn moment(by: &[&str]) -> Moment {
    let ci = Some(CiPlan { methods: vec![IntervalMethod::T], level: 0.95, df: None });
    Moment { variable: "y".into(), by: Columns::of(by.iter().copied()), ci, deff: false }
}

fn close(a: &Answer, b: &Answer, tolerance: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.rows.len(), b.rows.len());
    for (a, b) in a.rows.iter().zip(&b.rows) {
        for (x, y) in [(a.estimate, b.estimate), (a.se, b.se)] {
            let (x, y) = (x.expect("a number"), y.expect("a number"));
            prop_assert!((x - y).abs() <= tolerance * (1.0 + x.abs()), "{} and {}", x, y);
        }
    }
    Ok(())
}

fn raking(margins: &[Margin]) -> Adjustment {
    Adjustment::Calibrate(Calibrate { distance: Distance::Raking, margins: margins.to_vec(), ..Calibrate::default() })
}

fn fitting(margins: &[Margin]) -> Adjustment {
    Adjustment::Rake(Rake {
        margins: margins.to_vec(),
        epsilon_relative_to_sum_of_weights: 1e-14,
        max_iterations: 2000,
        variance: RakeVariance::Residual,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn raking_is_calibration_with_the_raking_distance(drawn in persons()) {
        let persons = completed(drawn);
        let (table, margins) = (table(&persons), margins(&persons));
        let by_distance = prepared(&plan(vec![raking(&margins)], None), &table);
        let by_fitting = prepared(&plan(vec![fitting(&margins)], None), &table);
        for (a, b) in by_distance.weights().iter().zip(by_fitting.weights()) {
            prop_assert!((a - b).abs() <= 1e-9 * a, "{} and {}", a, b);
        }
        let mean = EstimatorPlan::Mean(moment(&["sex"]));
        close(&by_distance.estimate(&mean).expect("estimates"), &by_fitting.estimate(&mean).expect("estimates"), 1e-9)?;
    }

    #[test]
    fn a_calibrated_total_of_ones_has_no_variance(drawn in persons()) {
        let persons = completed(drawn);
        let (table, margins) = (table(&persons), margins(&persons));
        let sample = prepared(&plan(vec![raking(&margins)], None), &table);
        let ones = EstimatorPlan::Total(Moment { variable: "one".into(), ..moment(&["age"]) });
        for (row, target) in sample.estimate(&ones).expect("totals").rows.iter().zip(&margins[1].cells) {
            prop_assert!((row.estimate.expect("a total") - target.total).abs() < 1e-8 * target.total);
            prop_assert!(row.se.expect("a standard error") < 1e-5 * target.total);
        }
    }

    #[test]
    fn the_jackknife_of_a_total_is_the_linearized_variance(drawn in persons()) {
        let table = table(&completed(drawn));
        let total = EstimatorPlan::Total(moment(&["sex"]));
        let linearized = prepared(&plan(Vec::new(), None), &table).estimate(&total).expect("totals");
        let jackknifed = prepared(&plan(Vec::new(), Some(Construct::Jkn)), &table).estimate(&total).expect("totals");
        close(&linearized, &jackknifed, 1e-9)?;
    }

    #[test]
    fn the_jackknife_treats_a_lonely_unit_as_linearization_does(drawn in persons()) {
        let mut persons = completed(drawn);
        persons.extend([(7, 0, 31.0, false, 0, true), (7, 0, 5.0, true, 1, false), (8, 0, 12.0, true, 2, true)]);
        let table = table(&persons);
        let total = EstimatorPlan::Total(moment(&[]));
        for policy in [LonelyPolicy::Certainty, LonelyPolicy::Remove, LonelyPolicy::Adjust, LonelyPolicy::Average] {
            let of = |construct| {
                let mut plan = plan(Vec::new(), construct);
                plan.variance.lonely_psu = policy;
                // Deviations from the estimate itself: the replicates of lonely units are not centred at it.
                plan.variance.replicates.iter_mut().for_each(|replicates| replicates.mse = true);
                prepared(&plan, &table).estimate(&total).expect("totals")
            };
            close(&of(None), &of(Some(Construct::Jkn)), 1e-9)?;
        }
    }

    #[test]
    fn two_waves_over_the_same_units_change_as_one_stacked_design_says(now in persons(), then in persons()) {
        let (now, then) = (completed(now), completed(then));
        let share = moment(&[]);
        let of = |persons: &[Person]| {
            let sample = prepared(&plan(Vec::new(), None), &table(persons));
            let row = sample.estimate(&EstimatorPlan::Mean(share.clone())).expect("a mean").rows[0].clone();
            let totals = proportion_totals(&sample, &share, ["h", "psu"]).expect("totals")[&Vec::new()].clone();
            (row.estimate.expect("a mean"), row.se.expect("an error"), totals)
        };
        let ((later, se_now, z_now), (sooner, se_then, z_then)) = (of(&now), of(&then));
        let apart = (se_now * se_now + se_then * se_then - 2.0 * covariance_between(&z_now, &z_then)).sqrt();
        // Both waves in one table: a unit holds the persons of either wave, the waves are its domains.
        let all: Vec<Person> = now.iter().chain(&then).copied().collect();
        let wave = now.iter().map(|_| "now").chain(then.iter().map(|_| "then"));
        let stacked = table(&all).with_text("wave", &wave.map(|wave| Some(wave.to_owned())).collect::<Vec<_>>());
        let term = |key: &str, coefficient| Coefficient { key: key.to_owned(), coefficient };
        let contrast = Contrast::Linear {
            name: "change".to_owned(),
            coefficients: vec![term("now", 1.0), term("then", -1.0)],
        };
        let asked = Contrasts {
            variable: "y".into(),
            by: Columns::one("wave"),
            of: ContrastOf::Mean,
            contrasts: vec![contrast],
        };
        let sample = prepared(&plan(Vec::new(), None), &stacked);
        let row = sample.estimate(&EstimatorPlan::Contrasts(asked)).expect("a contrast").rows[0].clone();
        prop_assert!((row.estimate.expect("a change") - (later - sooner)).abs() < 1e-12);
        prop_assert!((row.se.expect("an error") - apart).abs() < 1e-10, "{:?} and {}", row.se, apart);
    }

    #[test]
    fn a_domain_mean_is_a_ratio(drawn in persons()) {
        let table = table(&completed(drawn));
        let sample = prepared(&plan(Vec::new(), None), &table);
        let ratio = Ratio { numerator: "y".into(), denominator: "one".into(), by: Columns::of(["sex", "age"]), ci: None };
        let mean = sample.estimate(&EstimatorPlan::Mean(moment(&["sex", "age"]))).expect("means");
        close(&mean, &sample.estimate(&EstimatorPlan::Ratio(ratio)).expect("ratios"), 1e-12)?;
    }

    #[test]
    fn shares_do_not_depend_on_the_weights_unit(drawn in persons(), unit in 0.001..1000.0f64) {
        let persons = completed(drawn);
        let scaled: Vec<Person> = persons.iter().map(|p| (p.0, p.1, p.2 * unit, p.3, p.4, p.5)).collect();
        let mean = EstimatorPlan::Mean(moment(&["age"]));
        let of = |persons: &[Person]| prepared(&plan(Vec::new(), None), &table(persons)).estimate(&mean).expect("means");
        close(&of(&persons), &of(&scaled), 1e-10)?;
    }

    #[test]
    fn the_order_of_rows_does_not_move_a_bit(drawn in persons(), turn in 1..50usize) {
        let persons = completed(drawn);
        let (table, margins) = (table(&persons), margins(&persons));
        let mut order: Vec<usize> = (0..persons.len()).collect();
        order.rotate_left(turn);
        order.reverse();
        let plan = plan(vec![raking(&margins)], Some(Construct::Jkn));
        let mean = EstimatorPlan::Mean(moment(&["sex"]));
        let of = |table: &DataTable| prepared(&plan, table).estimate(&mean).expect("means");
        prop_assert_eq!(of(&table), of(&table.take(&order)));
    }
}

/// Persons by a fixed rule, in no order of strata or units.
fn scattered(many: u32) -> Vec<Person> {
    let person = |i: u32| {
        let code = i.wrapping_mul(31) ^ (i >> 2);
        let weight = 1.0 + f64::from(i % 17) / 7.0;
        ((code % 4) as u8, (code / 4 % 3) as u8, weight, i.is_multiple_of(3), (i % 5 % 3) as u8, code % 7 < 3)
    };
    completed((0..many).map(person).collect())
}

/// The answers after raking by both methods, with the calibration's residuals and with re-raked replicates.
fn answers_on(threads: usize, table: &DataTable, margins: &[Margin]) -> Vec<Answer> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let rake = Adjustment::Rake(Rake {
        margins: margins.to_vec(),
        epsilon_relative_to_sum_of_weights: 1e-10,
        max_iterations: 100,
        variance: RakeVariance::Residual,
    });
    let mut answers = Vec::new();
    for step in [raking(margins), rake] {
        for construct in [None, Some(Construct::Bootstrap)] {
            let mut plan = plan(vec![step.clone()], construct);
            if let Some(replicates) = &mut plan.variance.replicates {
                (replicates.replicates, replicates.seed) = (Some(50), Some(7));
            }
            let mean = EstimatorPlan::Mean(moment(&["sex", "age"]));
            answers.push(pool.install(|| prepared(&plan, table).estimate(&mean).expect("means")));
        }
    }
    answers
}

#[test]
fn the_number_of_threads_does_not_move_a_bit() {
    // The second is large enough for several chunks of rows.
    for many in [200, 200_000] {
        let persons = scattered(many);
        let (table, margins) = (table(&persons), margins(&persons));
        let one = answers_on(1, &table, &margins);
        for threads in [2, 8] {
            assert_eq!(one, answers_on(threads, &table, &margins), "{many} persons on {threads} threads");
        }
    }
}

#[test]
fn a_fault_of_the_margins_names_margin_and_category() {
    let persons = completed(Vec::new());
    let (table, good) = (table(&persons), margins(&persons));
    let refused = |change: &dyn Fn(&mut Vec<Margin>)| {
        let mut margins = good.clone();
        change(&mut margins);
        prepare(&plan(vec![raking(&margins)], None), &table, &BTreeMap::new()).expect_err("a fault").to_string()
    };
    let absent = refused(&|m| m[0].cells.push(MarginCell::new("sex", "X", 5.0)));
    assert!(absent.contains("sex = X") && absent.contains("no respondent"), "{absent}");
    let unseen = refused(&|m| drop(m[1].cells.pop()));
    assert!(unseen.contains("age = a2") && unseen.contains("no total"), "{unseen}");
    let disagree = refused(&|m| m[1].cells[0].total += 5.0);
    assert!(disagree.contains("disagree") && disagree.contains("sex") && disagree.contains("age"), "{disagree}");
}

/// 4,000 replicates: the standard error of a bootstrap standard error is then about 1.1 %; 5 % is more than four of those.
#[test]
fn the_bootstrap_treats_a_lonely_unit_as_linearization_does() {
    let mut persons = completed(Vec::new());
    persons.extend([(7, 0, 310.0, false, 0, true), (8, 0, 120.0, true, 2, true)]);
    let table = table(&persons);
    let total = EstimatorPlan::Total(moment(&[]));
    let mut errors = Vec::new();
    for policy in [LonelyPolicy::Certainty, LonelyPolicy::Adjust, LonelyPolicy::Average] {
        let of = |construct| {
            let mut plan = plan(Vec::new(), construct);
            plan.variance.lonely_psu = policy;
            if let Some(replicates) = &mut plan.variance.replicates {
                (replicates.replicates, replicates.seed) = (Some(4000), Some(3));
            }
            prepared(&plan, &table).estimate(&total).expect("a total").rows[0].se.expect("a standard error")
        };
        let (linearized, bootstrap) = (of(None), of(Some(Construct::Bootstrap)));
        assert!((bootstrap / linearized - 1.0).abs() < 0.05, "{policy:?}: {bootstrap} and {linearized}");
        errors.push(linearized);
    }
    // The policies differ by far more than the tolerance, so that none can pass for another.
    assert!(errors[1] > 1.5 * errors[0] && errors[2] > 1.1 * errors[0] && errors[1] > 1.3 * errors[2], "{errors:?}");
}

#[test]
fn a_lonely_unit_without_a_policy_is_refused_by_every_construct() {
    let mut persons = completed(Vec::new());
    persons.push((7, 0, 31.0, false, 0, true));
    let table = table(&persons);
    for construct in [Construct::Jkn, Construct::Bootstrap] {
        let mut plan = plan(Vec::new(), Some(construct));
        if construct == Construct::Bootstrap {
            plan.variance.replicates.iter_mut().for_each(|r| (r.replicates, r.seed) = (Some(10), Some(1)));
        }
        let error = prepare(&plan, &table, &BTreeMap::new()).expect_err("a refusal").to_string();
        assert!(error.contains("h7"), "{construct:?}: {error}");
    }
}

#[test]
fn rounded_weights_are_the_printed_ones_and_replicates_keep_their_digits() {
    let persons: Vec<Person> =
        completed(Vec::new()).into_iter().map(|p| (p.0, p.1, p.2 / 7.0, p.3, p.4, p.5)).collect();
    let (table, margins) = (table(&persons), margins(&persons));
    let exact = prepared(&plan(vec![raking(&margins)], Some(Construct::Jkn)), &table);
    let mut plan = plan(vec![raking(&margins)], Some(Construct::Jkn));
    plan.weight_decimals = Some(3);
    let rounded = prepared(&plan, &table);
    for (of, was) in rounded.weights().iter().zip(exact.weights()) {
        let printed: f64 = format!("{was:.3}").parse().expect("a number");
        assert_eq!(of.to_bits(), printed.to_bits());
    }
    assert_ne!(rounded.weights(), exact.weights(), "three decimals do cut something off");
    let weights = |of: &Prepared| of.replicates().map(|replicates| replicates.weight(0, 1).to_bits());
    assert_eq!(weights(&rounded), weights(&exact));
    let too_many = Plan::from_json(r#"{"weight_decimals": 16}"#).expect_err("a fault").to_string();
    assert!(too_many.contains("weight_decimals"), "{too_many}");
}

#[test]
fn the_degrees_of_freedom_of_replicates_follow_the_rule_that_the_plan_names() {
    let persons = completed(Vec::new());
    let (table, margins) = (table(&persons), margins(&persons));
    let mean = EstimatorPlan::Mean(moment(&["sex"]));
    let df_of = |rule| {
        let mut plan = plan(vec![raking(&margins)], Some(Construct::Jkn));
        plan.variance.df = rule;
        let sample = prepared(&plan, &table);
        sample.estimate(&mean).expect("means").rows.iter().map(|row| row.df.expect("df")).collect::<Vec<_>>()
    };
    // Twelve units in four strata; raking again spreads each deletion over the other strata and raises the rank.
    assert_eq!(df_of(Some(DfPlan::Design)), [8.0; 2]);
    assert_eq!(df_of(None), df_of(Some(DfPlan::Rank)));
    assert_ne!(df_of(Some(DfPlan::Rank)), df_of(Some(DfPlan::Design)));
    let mut taylor = plan(Vec::new(), None);
    taylor.variance.df = Some(DfPlan::Rank);
    let error = prepare(&taylor, &table, &BTreeMap::new()).expect_err("a fault").to_string();
    assert!(error.contains("variance.df"), "{error}");
}

#[test]
fn a_bootstrap_needs_its_seed() {
    let table = table(&completed(Vec::new()));
    let plan = plan(Vec::new(), Some(Construct::Bootstrap));
    let error = prepare(&plan, &table, &BTreeMap::new()).expect_err("a fault").to_string();
    assert!(error.contains("`replicates` and `seed`"), "{error}");
}

/// Equal probabilities are simple random sampling: four roads to (1 - f) s² / n.
#[test]
fn unequal_probability_variances_agree_when_probabilities_are_equal() {
    use scilit::statistics::plan::{JointForm, PpsDesign, PpsMethod};
    let (values, population) = ([3.0, 5.0, 10.0, 2.0, 4.0], 20.0);
    let n = values.len() as f64;
    let chance = n / population;
    let both = n * (n - 1.0) / (population * (population - 1.0));
    let table = DataTable::new("t", 5).with_numbers("pi", vec![chance; 5]).with_numbers("y", values.to_vec());
    let mut joint = DataTable::new("joint", 5);
    for j in 0..5 {
        joint = joint.with_numbers(format!("c{j}"), (0..5).map(|i| if i == j { chance } else { both }).collect());
    }
    let files = BTreeMap::from([("joint.csv".to_owned(), joint)]);
    let mean = values.iter().sum::<f64>() / n;
    let spread = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    let expected = population * ((1.0 - chance) * spread / n).sqrt();
    let forms = [
        (PpsMethod::Brewer, None),
        (PpsMethod::Overton, None),
        (PpsMethod::Overton, Some(JointForm::YatesGrundy)),
        (PpsMethod::Joint, Some(JointForm::HorvitzThompson)),
        (PpsMethod::Joint, Some(JointForm::YatesGrundy)),
    ];
    for (method, form) in forms {
        let design = PpsDesign {
            unit: None,
            stratum: Columns::default(),
            inclusion_probability: "pi".into(),
            method,
            joint_probability_file: (method == PpsMethod::Joint).then(|| "joint.csv".into()),
            form,
        };
        let plan = Plan { design: Some(DesignPlan::Pps(design)), ..Plan::default() };
        let sample = prepare(&plan, &table, &files).expect("a prepared sample");
        let total = sample.estimate(&EstimatorPlan::Total(moment(&[]))).expect("a total");
        let se = total.rows[0].se.expect("a standard error");
        assert!((se / expected - 1.0).abs() < 1e-12, "{method:?} {form:?}: {se} for {expected}");
    }
}
