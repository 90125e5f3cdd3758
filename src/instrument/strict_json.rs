//! JSON as strictly as a record of evidence needs it; the one reader of every JSON body.
//!
//! serde keeps the last of two equal keys, reads arrays where objects are meant and lets U+0000 through to a database
//! that refuses it. Here two equal keys, a NUL, a minus zero and whatever is larger than its limit are errors, and
//! readers take values from the tree by hand or field by field, so that an array is never an object.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How large a document and its parts may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects within one another.
    pub depth: usize,
    /// Items of an array.
    pub items: usize,
    /// Fields of an object.
    pub fields: usize,
    /// Characters of a text.
    pub characters: usize,
    /// Bytes of a text.
    pub bytes: usize,
    /// Fields of the outermost object that carry a whole file and are therefore limited by the body alone.
    pub files: &'static [&'static str],
}

/// A submission nests five levels and has a few hundred answers; more than this is an attack or a mistake.
pub const LIMITS: Limits =
    Limits { depth: 32, items: 1000, fields: 500, characters: 4000, bytes: 16 * 1024, files: &[] };

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is not JSON.
    Syntax,
    /// A key stands twice in one object.
    KeyTwice,
    /// A text or key has U+0000, which no database column takes.
    Nul,
    /// A minus zero: databases drop the sign, so that the digest of what they return would differ.
    MinusZero,
    /// Nested deeper than the limit.
    TooDeep,
    /// An array with more items than the limit.
    TooManyItems,
    /// An object with more fields than the limit.
    TooManyFields,
    /// A text longer than the limit.
    TooLong,
}

impl Wrong {
    /// Whether the document is JSON and merely too large in some part.
    pub fn is_limit(self) -> bool {
        matches!(self, Self::TooDeep | Self::TooManyItems | Self::TooManyFields | Self::TooLong)
    }
}

/// Why bytes were not read, without a word of what they say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StrictError {
    /// What is wrong.
    pub wrong: Wrong,
    /// The line, from 1; 0 when there is none.
    pub line: usize,
    /// The column, from 1; 0 when there is none.
    pub column: usize,
    message: String,
}

/// Parses one JSON document.
///
/// # Errors
/// The first fault, with its place.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, StrictError> {
    let wrong = Cell::new(Wrong::Syntax);
    let strict = Strict { depth: 0, limits, wrong: &wrong, is_file: false };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| StrictError {
        wrong: wrong.get(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    limits: &'a Limits,
    wrong: &'a Cell<Wrong>,
    /// Whether the value belongs to a field that carries a file.
    is_file: bool,
}

impl Strict<'_> {
    fn refuse<E: Error>(self, wrong: Wrong, message: impl fmt::Display) -> E {
        self.wrong.set(wrong);
        E::custom(message)
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        let Limits { depth, .. } = *self.limits;
        if self.depth == depth {
            return Err(self.refuse(Wrong::TooDeep, format_args!("nested deeper than {depth}")));
        }
        Ok(Self { depth: self.depth + 1, is_file: false, ..self })
    }

    fn text<E: Error>(self, text: &str) -> Result<(), E> {
        let Limits { characters, bytes, .. } = *self.limits;
        if text.contains('\0') {
            return Err(self.refuse(Wrong::Nul, "a NUL character in a text"));
        }
        if !self.is_file && (text.len() > bytes || text.chars().count() > characters) {
            let message = format_args!("a text longer than {characters} characters or {bytes} bytes");
            return Err(self.refuse(Wrong::TooLong, message));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        if value == 0.0 && value.is_sign_negative() {
            return Err(self.refuse(Wrong::MinusZero, "a minus zero"));
        }
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| self.refuse(Wrong::Syntax, "a number that is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let (inside, items_max) = (self.deeper()?, self.limits.items);
        let mut items = Vec::new();
        while let Some(item) = array.next_element_seed(inside)? {
            if items.len() == items_max {
                return Err(self.refuse(Wrong::TooManyItems, format_args!("an array with more than {items_max} items")));
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let (inside, fields_max) = (self.deeper()?, self.limits.fields);
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            inside.text(&key)?;
            if fields.contains_key(&key) {
                return Err(self.refuse(Wrong::KeyTwice, format_args!("the key \"{key}\" stands twice")));
            }
            if fields.len() == fields_max {
                let message = format_args!("an object with more than {fields_max} fields");
                return Err(self.refuse(Wrong::TooManyFields, message));
            }
            let is_file = self.depth == 0 && self.limits.files.contains(&key.as_str());
            let value = object.next_value_seed(Strict { is_file, ..inside })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &str) -> Wrong {
        parse(json.as_bytes(), &LIMITS).expect_err("a refusal").wrong
    }

    fn reads(json: &str) -> bool {
        parse(json.as_bytes(), &LIMITS).is_ok()
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        assert_eq!(wrong(r#"{"a":1,"a":1}"#), Wrong::KeyTwice);
        assert_eq!(wrong(r#"[{"b":{"c":1,"\u0063":2}}]"#), Wrong::KeyTwice);
        let error = parse(br#"{"a":1,"a":1}"#, &LIMITS).expect_err("a refusal");
        assert!(error.to_string().contains("\"a\" stands twice") && error.line == 1, "{error}");
    }

    #[test]
    fn nul_characters_and_minus_zeros_are_refused() {
        assert_eq!(wrong(r#"{"a":"x\u0000y"}"#), Wrong::Nul);
        assert_eq!(wrong(r#"{"\u0000":1}"#), Wrong::Nul);
        assert_eq!(
            (wrong("[-0.0]"), wrong("-0"), wrong("-0e5")),
            (Wrong::MinusZero, Wrong::MinusZero, Wrong::MinusZero)
        );
        assert!(reads("[0.0, 0, -1, -0.1]"));
    }

    #[test]
    fn each_limit_holds_and_the_limit_itself_is_allowed() {
        let array = |items: usize| format!("[{}]", vec!["0"; items].join(","));
        let object = |fields: usize| {
            let fields: Vec<_> = (0..fields).map(|i| format!("\"k{i}\":0")).collect();
            format!("{{{}}}", fields.join(","))
        };
        let text = |sign: &str, count: usize| format!("\"{}\"", sign.repeat(count));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(reads(&array(1000)) && reads(&object(500)) && reads(&text("中", 4000)) && reads(&nested(32)));
        assert_eq!(wrong(&array(1001)), Wrong::TooManyItems);
        assert_eq!(wrong(&object(501)), Wrong::TooManyFields);
        assert_eq!(wrong(&text("a", 4001)), Wrong::TooLong);
        assert_eq!(wrong(&nested(33)), Wrong::TooDeep);
        let bytes = Limits { bytes: 10, ..LIMITS };
        assert!(parse(text("中", 4).as_bytes(), &bytes).is_err_and(|error| error.wrong == Wrong::TooLong));
    }

    #[test]
    fn a_field_that_carries_a_file_is_as_long_as_it_is_but_only_at_the_top() {
        let limits = Limits { files: &["profile"], ..LIMITS };
        let long = "a".repeat(5000);
        assert!(parse(format!("{{\"profile\":\"{long}\"}}").as_bytes(), &limits).is_ok());
        assert!(parse(format!("{{\"x\":{{\"profile\":\"{long}\"}}}}").as_bytes(), &limits).is_err());
        assert!(parse(format!("{{\"profile\":[\"{long}\"]}}").as_bytes(), &limits).is_err());
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        assert_eq!(wrong(&"[".repeat(100_000)), Wrong::TooDeep);
        assert_eq!(wrong(&"[".repeat(32)), Wrong::Syntax);
    }

    #[test]
    fn what_json_itself_forbids_stays_forbidden() {
        for bad in ["", "{", "01", "1e400", "NaN", "[1,]", "{} {}", "\u{feff}{}", "\"\\ud800\"", "'a'"] {
            assert_eq!(wrong(bad), Wrong::Syntax, "{bad}");
        }
        assert!(parse(b"{\"note\":\"\xff\xfe\"}", &LIMITS).is_err());
    }
}
