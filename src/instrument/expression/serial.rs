//! A rule in files: text where a person writes it, a tree in the canonical form.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Expression, Literal, Node};

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTree)
    }
}

struct TextOrTree;

impl<'de> Visitor<'de> for TextOrTree {
    type Value = Expression;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Expression, E> {
        Expression::parse(text).map_err(|error| E::custom(format!("rule `{text}`, {error}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expression, A::Error> {
        let node = Node::deserialize(MapAccessDeserializer::new(map))?;
        // Through the grammar once more, so that its limits hold for trees as well.
        let printed = node.to_string();
        match Expression::parse(&printed) {
            Ok(Expression(parsed)) if parsed == node => Ok(Expression(node)),
            _ => Err(A::Error::custom(format!("the tree of `{printed}` is not one that a rule can have"))),
        }
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A rule, for instance all(age >= 60, not(occupation == \"student\")). A comparison with an item that is missing, unanswered or irrelevant is false.",
            "type": "string",
            "minLength": 1
        })
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Bool(value) => serializer.serialize_bool(*value),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Constant)
    }
}

struct Constant;

impl Visitor<'_> for Constant {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Literal, E> {
        Ok(Literal::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Literal, E> {
        Ok(Literal::Bool(value))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Literal, E> {
        Ok(Literal::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Literal, E> {
        Ok(Literal::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Literal, E> {
        Ok(Literal::Number(number as f64))
    }
}
