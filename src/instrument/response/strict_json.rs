//! JSON as strictly as a record of evidence needs it.
//!
//! serde keeps the last of two equal keys, reads arrays where objects are meant and lets U+0000 through to a database
//! that refuses it. Here two equal keys, a NUL and deep nesting are errors, and the rest of this room takes values
//! from the tree by hand, so that an array is never an object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A submission nests five levels; more than this is an attack or a mistake.
const DEPTH_MAX: usize = 16;

/// Parses one JSON document.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn without_nul<E: Error>(text: String) -> Result<String, E> {
    if text.contains('\0') { Err(E::custom("a NUL character in a text")) } else { Ok(text) }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        without_nul(text.to_owned()).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = array.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inside = self.deeper()?;
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let key = without_nul(key)?;
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format!("the key \"{key}\" stands twice")));
            }
            fields.insert(key, object.next_value_seed(inside)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        parse(json.as_bytes()).expect_err("a refusal").to_string()
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        assert!(refusal(r#"{"a":1,"a":1}"#).contains("\"a\" stands twice"));
        assert!(refusal(r#"[{"b":{"c":1,"c":2}}]"#).contains("\"c\" stands twice"));
    }

    #[test]
    fn nul_characters_are_refused_in_texts_and_keys() {
        assert!(refusal(r#"{"a":"x\u0000y"}"#).contains("NUL"));
        assert!(refusal(r#"{"\u0000":1}"#).contains("NUL"));
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        assert!(refusal(&"[".repeat(100_000)).contains("nested deeper"));
        assert!(parse("[".repeat(16).as_bytes()).expect_err("open").to_string().contains("EOF"));
    }

    #[test]
    fn what_json_itself_forbids_stays_forbidden() {
        for bad in ["", "{", "01", "1e400", "NaN", "[1,]", "{} {}", "\u{feff}{}", "\"\\ud800\"", "'a'"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"{\"note\":\"\xff\xfe\"}").is_err());
    }
}
