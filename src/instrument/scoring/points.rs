//! Points as whole hundredths, so that a score is exact and the same on every machine.

use std::{borrow::Cow, fmt, iter::Sum, ops::Add};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// More points than any questionnaire gives; keeps every sum far from overflow.
const POINTS_MAX: f64 = 1_000_000.0;

/// A number of points with at most two decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Points(u32);

impl Points {
    /// From whole hundredths: 250 are 2.5 points.
    #[must_use]
    pub const fn from_hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// In whole hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }

    /// As a double, for the edge: statistics, CSV, JSON.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    fn from_f64(points: f64) -> Option<Self> {
        let hundredths = (points * 100.0).round();
        // 2.5 and 0.07 are not exact as doubles, but the nearest double to them is what a file holds.
        let exact = (0.0..=POINTS_MAX * 100.0).contains(&hundredths) && hundredths / 100.0 == points;
        exact.then_some(Self(hundredths as u32))
    }
}

impl Add for Points {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self(0), Add::add)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_f64().fmt(f)
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let points = f64::deserialize(deserializer)?;
        Self::from_f64(points).ok_or_else(|| {
            D::Error::custom(format!("points must be 0 or more with at most two decimals, not {points}"))
        })
    }
}

impl JsonSchema for Points {
    fn schema_name() -> Cow<'static, str> {
        "Points".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Points, at most two decimals.",
            "type": "number",
            "minimum": 0,
            "maximum": POINTS_MAX
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_exact_hundredths() {
        assert_eq!(Points::from_f64(2.5), Some(Points(250)));
        assert_eq!(Points::from_f64(0.07), Some(Points(7)));
        assert_eq!(Points::from_f64(1.13), Some(Points(113)));
        for bad in [-1.0, 0.001, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Points::from_f64(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_number_of_points_survives_the_way_through_json() {
        for hundredths in (0..20_000).chain([99_999_999, 100_000_000]) {
            let json = serde_json::to_string(&Points(hundredths)).expect("JSON");
            assert_eq!(serde_json::from_str::<Points>(&json).expect("points"), Points(hundredths));
        }
    }
}
