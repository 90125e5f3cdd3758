//! Regressions against R, and what is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

struct Table(Vec<BTreeMap<String, String>>);

impl Table {
    fn read(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        Self(reader.deserialize().map(|row| row.unwrap()).collect())
    }

    fn texts(&self, column: &str) -> Vec<&str> {
        self.0.iter().map(|r| r[column].as_str()).collect()
    }

    fn numbers(&self, column: &str) -> Vec<f64> {
        self.texts(column).iter().map(|v| v.parse().unwrap()).collect()
    }
}

/// A model under construction: an intercept, then factors with their first level as reference, then numbers.
struct Model {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    terms: Vec<(String, Vec<usize>)>,
}

impl Model {
    fn with_intercept(rows: usize) -> Self {
        Self { names: vec!["(Intercept)".into()], columns: vec![vec![1.0; rows]], terms: Vec::new() }
    }

    fn add(mut self, term: &str, columns: Vec<(String, Vec<f64>)>) -> Self {
        let first = self.columns.len();
        for (name, column) in columns {
            self.names.push(name);
            self.columns.push(column);
        }
        self.terms.push((term.to_owned(), (first..self.columns.len()).collect()));
        self
    }

    fn factor(self, name: &str, values: &[&str]) -> Self {
        let levels: std::collections::BTreeSet<_> = values.iter().copied().collect();
        let column = |level: &&str| values.iter().map(|v| f64::from(u8::from(v == level))).collect();
        self.add(name, levels.iter().skip(1).map(|l| (format!("{name}={l}"), column(l))).collect())
    }

    fn number(self, name: &str, values: &[f64]) -> Self {
        self.add(name, vec![(name.to_owned(), values.to_vec())])
    }

    fn all(&self) -> Regressors<'_> {
        Regressors { names: &self.names, columns: &self.columns }
    }
}

/// The ultimate-cluster covariance of totals, as the design will compute it.
fn covariance(strata: &[&str], psus: &[&str], columns: &[Vec<f64>]) -> DMatrix<f64> {
    let k = columns.len();
    let mut totals: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for i in 0..strata.len() {
        let total = totals.entry(strata[i]).or_default().entry(psus[i]).or_insert_with(|| vec![0.0; k]);
        for (t, c) in total.iter_mut().zip(columns) {
            *t += c[i];
        }
    }
    let mut v = DMatrix::zeros(k, k);
    for psus in totals.values() {
        let n = psus.len() as f64;
        let mean: Vec<f64> = (0..k).map(|a| psus.values().map(|t| t[a]).sum::<f64>() / n).collect();
        for t in psus.values() {
            for a in 0..k {
                for b in 0..k {
                    v[(a, b)] += n / (n - 1.0) * (t[a] - mean[a]) * (t[b] - mean[b]);
                }
            }
        }
    }
    v
}

fn close(got: f64, want: &Value, tolerance: f64) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= tolerance * want.abs(), "{got} against {want}");
}

/// R 4.2.2, survey 4.5: `svyglm(literate ~ sex + age + edu + urban, quasibinomial)` and `regTermTest` (S50).
#[test]
fn a_logistic_regression_with_its_tests_is_rs() {
    let case: Value = serde_json::from_str(include_str!("../../../tests/golden/cases/S50.json")).unwrap();
    let table = Table::read(include_str!("../../../tests/golden/data/litA.csv"));
    let mut model = Model::with_intercept(table.0.len());
    for factor in ["sex", "age", "edu"] {
        model = model.factor(factor, &table.texts(factor));
    }
    let model = model.number("urban", &table.numbers("urban"));
    let fit = logistic(model.all(), &table.numbers("literate"), &table.numbers("w_design")).unwrap();
    let v = covariance(&table.texts("stratum"), &table.texts("psu_id"), &fit.influence_columns(model.all()));
    let df = residual_df(180.0, model.columns.len());
    for (j, test) in coefficient_tests(&fit.coefficients, &v, df).iter().enumerate() {
        let row = &case["expected"]["rows"][j];
        assert_eq!(row["domain"]["term"], model.names[j]);
        close(test.estimate, &row["estimate"], 1e-9);
        close(test.standard_error, &row["se"], 1e-10);
        close(test.t, &row["t"], 1e-10);
        close(test.p_value, &row["p_value"], 1e-9);
    }
    for (j, (term, columns)) in model.terms.iter().enumerate() {
        let row = &case["expected"]["wald_tests"][j];
        assert_eq!(row["term"], *term);
        let test = wald_test(&fit.coefficients, &v, columns, df).unwrap();
        close(test.f, &row["F"], 1e-10);
        close(test.p_value, &row["p"], 1e-9);
        close(test.df2, &row["df2"], 0.0);
    }
}

/// R 4.2.2: the response propensity by `glm` on scaled weights (S42).
#[test]
fn a_response_propensity_is_rs() {
    let case: Value = serde_json::from_str(include_str!("../../../tests/golden/cases/S42.json")).unwrap();
    let table = Table::read(include_str!("../../../tests/golden/data/litA_nr.csv"));
    let mut model = Model::with_intercept(table.0.len());
    for factor in ["sex", "age", "edu", "urban"] {
        model = model.factor(factor, &table.texts(factor));
    }
    let responded: Vec<f64> = table.texts("status").iter().map(|s| f64::from(u8::from(*s == "respondent"))).collect();
    let fit = logistic(model.all(), &responded, &table.numbers("w_design")).unwrap();
    let expected = case["expected"]["propensity_coefficients"].as_object().unwrap();
    assert_eq!(expected.len(), model.columns.len());
    for (name, coefficient) in model.names.iter().zip(&fit.coefficients) {
        close(*coefficient, &expected[name], 1e-9);
    }
    let low = fit.fitted.iter().copied().fold(1.0, f64::min);
    let high = fit.fitted.iter().copied().fold(0.0, f64::max);
    close(low, &case["expected"]["propensity_range"][0], 1e-10);
    close(high, &case["expected"]["propensity_range"][1], 1e-10);
}

fn by_group(outcome: &[f64], weights: &[f64]) -> Result<Fit, RegressionError> {
    let model = Model::with_intercept(6).factor("group", &["a", "a", "a", "b", "b", "b"]);
    logistic(model.all(), outcome, weights)
}

#[test]
fn weights_in_the_millions_fit_like_weights_of_one() {
    let y = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let (one, many) = (by_group(&y, &[1.0; 6]).unwrap(), by_group(&y, &[3e6; 6]).unwrap());
    assert_eq!(one.coefficients, many.coefficients);
    assert!((one.coefficients[1] - libm::log(4.0)).abs() < 1e-12); // odds 2 against odds 1/2
}

#[test]
fn a_group_in_which_all_respond_is_an_error() {
    let separated = by_group(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], &[1.0; 6]);
    assert_eq!(separated, Err(RegressionError::Separated("group=b".into())));
}

#[test]
fn an_outcome_without_a_single_success_is_an_error() {
    assert!(matches!(by_group(&[0.0; 6], &[1.0; 6]), Err(RegressionError::Separated(_))));
}

#[test]
fn a_redundant_column_is_named() {
    let model = Model::with_intercept(4).number("x", &[1.0, 2.0, 3.0, 4.0]).number("twice x", &[2.0, 4.0, 6.0, 8.0]);
    let fit = logistic(model.all(), &[0.0, 1.0, 0.0, 1.0], &[1.0; 4]);
    assert_eq!(fit, Err(RegressionError::Redundant("twice x".into())));
}

#[test]
fn unusable_rows_are_named() {
    let fault = |y: [f64; 6], w: [f64; 6]| by_group(&y, &w).unwrap_err().to_string();
    assert!(fault([0.0, 1.0, 2.0, 0.0, 1.0, 0.0], [1.0; 6]).contains("row 2: the outcome is 2"));
    assert!(fault([0.0, 1.0, 0.0, 0.0, 1.0, 0.0], [1.0, -1.0, 1.0, 1.0, 1.0, 1.0]).contains("the weight is -1"));
    assert!(fault([0.0, 1.0, 0.0, 0.0, 1.0, 0.0], [0.0; 6]).contains("positive weight"));
}

#[test]
fn the_scores_of_a_fit_add_to_zero() {
    let model = Model::with_intercept(5).number("x", &[0.0, 1.0, 2.0, 3.0, 9.0]);
    let weights = [1.0, 2.0, 3.0, 4.0, 5.0];
    let fits = [
        logistic(model.all(), &[0.0, 1.0, 0.0, 1.0, 0.0], &weights),
        linear(model.all(), &[5.0, 1.0, 0.0, 7.0, 2.0], &weights),
    ];
    for fit in fits {
        for total in model.all().sum(&fit.unwrap().residuals).iter() {
            assert!(total.abs() < 1e-7, "{total}");
        }
    }
}

#[test]
fn rows_of_weight_zero_are_never_looked_at() {
    let model = Model::with_intercept(5).number("x", &[0.0, 1.0, 2.0, f64::NAN, 4.0]);
    let outcome = [0.0, 1.0, 0.0, f64::NAN, 1.0];
    for fit in [logistic, linear] {
        let all = fit(model.all(), &outcome, &[1.0, 2.0, 1.0, 0.0, 1.0]).unwrap();
        assert!(all.coefficients.iter().all(|c| c.is_finite()));
        assert!(all.influence_columns(model.all()).iter().all(|z| z[3] == 0.0));
        assert!(fit(model.all(), &outcome, &[1.0; 5]).is_err());
    }
}
