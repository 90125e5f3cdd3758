//! From text to a plan, part by part, so that a fault says where it stands.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Plan;
use crate::statistics::StatisticsError;

const KEYS: [&str; 12] = [
    "id",
    "title",
    "data",
    "pre_adjustments",
    "design",
    "adjustments",
    "weight_decimals",
    "variance",
    "where",
    "estimator",
    "expect_error",
    "expect_weights",
];

impl Plan {
    /// Reads a plan from JSON.
    ///
    /// # Errors
    /// [`StatisticsError::Plan`] with the place: broken JSON, an unknown key, a value of the wrong kind.
    pub fn from_json(text: &str) -> Result<Self, StatisticsError> {
        let value = serde_json::from_str(text).map_err(|error| StatisticsError::plan("its text", error.to_string()))?;
        Self::from_value(value)
    }

    /// Reads a plan from TOML with the same keys.
    ///
    /// # Errors
    /// As [`Plan::from_json`].
    pub fn from_toml(text: &str) -> Result<Self, StatisticsError> {
        let value: Value =
            toml::from_str(text).map_err(|error| StatisticsError::plan("its text", error.to_string()))?;
        Self::from_value(value)
    }

    /// Reads a plan from a JSON value.
    ///
    /// # Errors
    /// As [`Plan::from_json`].
    pub fn from_value(value: Value) -> Result<Self, StatisticsError> {
        let Value::Object(mut parts) = value else {
            return Err(StatisticsError::plan("the top", "a plan is an object"));
        };
        if let Some(unknown) = parts.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(StatisticsError::plan(
                "the top",
                format!("unknown key `{unknown}`, expected {}", KEYS.join(", ")),
            ));
        }
        let plan = Self {
            id: part(&mut parts, "id")?,
            title: part(&mut parts, "title")?,
            data: part(&mut parts, "data")?,
            pre_adjustments: list(&mut parts, "pre_adjustments")?,
            design: part(&mut parts, "design")?,
            adjustments: list(&mut parts, "adjustments")?,
            weight_decimals: decimals(&mut parts)?,
            variance: part(&mut parts, "variance")?.unwrap_or_default(),
            filters: list(&mut parts, "where")?,
            estimator: part(&mut parts, "estimator")?,
            expect_error: part(&mut parts, "expect_error")?.unwrap_or_default(),
            expect_weights: part(&mut parts, "expect_weights")?.unwrap_or_default(),
        };
        Ok(plan)
    }
}

/// A double holds fifteen digits: more decimals than that say nothing.
const DECIMALS_MAX: u8 = 15;

fn decimals(parts: &mut Map<String, Value>) -> Result<Option<u8>, StatisticsError> {
    match part(parts, "weight_decimals")? {
        Some(decimals) if decimals > DECIMALS_MAX => {
            Err(StatisticsError::plan("weight_decimals", format!("{decimals} is more than {DECIMALS_MAX}")))
        }
        decimals => Ok(decimals),
    }
}

fn part<T: DeserializeOwned>(parts: &mut Map<String, Value>, key: &str) -> Result<Option<T>, StatisticsError> {
    match parts.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value, key).map(Some),
    }
}

fn list<T: DeserializeOwned>(parts: &mut Map<String, Value>, key: &str) -> Result<Vec<T>, StatisticsError> {
    match parts.remove(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.into_iter().enumerate().map(|(at, item)| read(item, &format!("{key}[{at}]"))).collect()
        }
        Some(_) => Err(StatisticsError::plan(key, "expected a list")),
    }
}

fn read<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, StatisticsError> {
    serde_json::from_value(value).map_err(|error| StatisticsError::plan(place, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"data":{"file":"a.csv"},
        "design":{"kind":"stages","stages":[{"unit":"psu","stratum":["a","b"],"population_units":null}],"weight":"w"},
        "estimator":{"type":"proportion","variable":"y","by":null,"ci":{"methods":["logit"],"level":0.9}}}"#;

    #[test]
    fn the_same_plan_reads_from_json_and_toml() {
        let json = Plan::from_json(SMALL).expect("a plan");
        let toml = Plan::from_toml(
            r#"
            [data]
            file = "a.csv"
            [design]
            kind = "stages"
            weight = "w"
            [[design.stages]]
            unit = "psu"
            stratum = ["a", "b"]
            [estimator]
            type = "proportion"
            variable = "y"
            ci = { methods = ["logit"], level = 0.9 }
            "#,
        );
        assert_eq!(json, toml.expect("the same plan"));
        assert_eq!(json.columns(), ["a", "b", "psu", "w", "y"]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let faults = [
            (SMALL.replace("\"weight\"", "\"wieght\""), "design", "wieght"),
            (SMALL.replace("\"level\"", "\"levle\""), "estimator", "levle"),
            (SMALL.replace("\"estimator\"", "\"estimtor\""), "the top", "estimtor"),
            (SMALL.replace("logit", "logitt"), "estimator", "logitt"),
            (SMALL.replace("proportion", "propotion"), "estimator", "propotion"),
        ];
        for (text, place, key) in faults {
            let error = Plan::from_json(&text).expect_err("a fault").to_string();
            assert!(error.contains(place) && error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_plan_survives_being_written_and_read() {
        let plan = Plan::from_json(SMALL).expect("a plan");
        let text = serde_json::to_string(&plan).expect("text");
        assert_eq!(Plan::from_json(&text).expect("the same plan"), plan);
    }
}
