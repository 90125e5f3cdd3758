//! From strict JSON to a request: only an object becomes a struct, and a refusal names the place, never the content.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor, value::StringDeserializer,
};
use serde_json::{Map, Value};

use super::{Problem, codes};
use crate::{
    instrument::strict_json::{self, LIMITS, Limits, StrictError, Wrong},
    server::{Fault, Text},
};

/// Fields that carry the text of a whole file; `body` is a submission's bytes in a batch, the last two are what a package seals.
const FILES: &[&str] = &["body", "profile", "data", "office_data"];

/// Reads a request's body: `malformed` when it is not JSON, `invalid` when it is too large in some part or not of the
/// request's form.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value = strict_json::parse(bytes, &Limits { files: FILES, ..LIMITS }).map_err(|error| refusal(&error))?;
    match value {
        Value::Object(_) => T::deserialize(Document(value)).map_err(|error| error.problem()),
        _ => Err(Problem::of(&codes::MALFORMED).because("应为 JSON 对象")),
    }
}

fn refusal(error: &StrictError) -> Problem {
    let place = format!("第{}行第{}列", error.line, error.column);
    let (zh, en) = match error.wrong {
        Wrong::Syntax => ("不是有效的 JSON", "not JSON"),
        Wrong::KeyTwice => ("同一字段出现两次", "a field stands twice"),
        Wrong::Nul => ("含有空字符（U+0000）", "a NUL character"),
        Wrong::MinusZero => ("含有负零", "a minus zero"),
        Wrong::TooDeep => ("嵌套过深", "nested too deep"),
        Wrong::TooManyItems => ("数组过长", "an array with too many items"),
        Wrong::TooManyFields => ("字段过多", "an object with too many fields"),
        Wrong::TooLong => ("文本过长", "a text that is too long"),
    };
    match error.wrong.is_limit() {
        false => Problem::of(&codes::MALFORMED).because(format!("{zh}（{place}）")),
        true => {
            let en = format!("{en} at line {} column {}", error.line, error.column);
            let fault = Fault::new("json-limit", Text::new(format!("{zh}（{place}）"), en));
            Problem::of(&codes::INVALID).with(vec![fault])
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Type,
    Value,
    Unknown,
    Missing,
}

/// One field that is not as it must be, and where.
#[derive(Debug)]
struct FieldError {
    what: What,
    pointer: String,
}

impl FieldError {
    fn new(what: What) -> Self {
        Self { what, pointer: String::new() }
    }

    /// The error seen from one step further out.
    fn under(self, step: &str) -> Self {
        let step = step.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("/{step}{}", self.pointer), ..self }
    }

    fn problem(self) -> Problem {
        let (code, zh, en) = match self.what {
            What::Type => ("type", "类型不对", "has the wrong type"),
            What::Value => ("value", "取值不对", "has a value that is not allowed"),
            What::Unknown => ("unknown-field", "未知字段", "is not a field of this request"),
            What::Missing => ("missing-field", "缺少字段", "is missing"),
        };
        // A name somebody made up is cut: a problem is no place for what was sent.
        let pointer: String = self.pointer.chars().take(120).collect();
        let text = Text::new(format!("{zh}：{pointer}"), format!("{pointer} {en}"));
        Problem::of(&codes::INVALID).with(vec![Fault::new(code, text).at(&pointer)])
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field is not as it must be")
    }
}

impl std::error::Error for FieldError {}

impl Error for FieldError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(What::Value)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(What::Type)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(What::Unknown).under(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::Missing).under(field)
    }
}

/// A value that only an object turns into a struct.
struct Document(Value);

impl<'de> IntoDeserializer<'de, FieldError> for Document {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Document {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(value) => value.deserialize_any(visitor).map_err(|_| FieldError::new(What::Type)),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { next: 0, items: items.into_iter() }),
            Value::Object(fields) => visitor.visit_map(Fields { fields: fields.into_iter(), value: None }),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(FieldError::new(What::Type)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        match self.0 {
            Value::String(name) => visitor.visit_enum::<StringDeserializer<FieldError>>(name.into_deserializer()),
            Value::Object(_) => {
                self.0.deserialize_enum(name, variants, visitor).map_err(|_| FieldError::new(What::Value))
            }
            _ => Err(FieldError::new(What::Type)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

struct Items {
    next: usize,
    items: std::vec::IntoIter<Value>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FieldError> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let place = self.next;
        self.next += 1;
        seed.deserialize(Document(value)).map(Some).map_err(|error| error.under(&place.to_string()))
    }
}

struct Fields {
    fields: <Map<String, Value> as IntoIterator>::IntoIter,
    value: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FieldError> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some((key.clone(), value));
        seed.deserialize(StringDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, FieldError> {
        let (key, value) = self.value.take().unwrap_or_default();
        seed.deserialize(Document(value)).map_err(|error| error.under(&key))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Phone,
        Visit,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        a: i32,
        b: Option<f64>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        list: Vec<Inner>,
        kind: Kind,
    }

    fn fault(json: &str) -> (String, String) {
        let problem = read::<Outer>(json.as_bytes()).expect_err("a refusal");
        let body: Value = serde_json::from_str(&problem.body("", "")).expect("JSON");
        let of = |key: &str| body["errors"][0][key].as_str().unwrap_or_default().to_owned();
        (of("code"), of("pointer"))
    }

    #[test]
    fn a_request_of_the_right_form_is_read() {
        let read: Outer =
            read(br#"{"name":"x","list":[{"a":1,"b":null},{"a":-2,"b":0.5}],"kind":"visit"}"#).expect("it");
        let list = vec![Inner { a: 1, b: None }, Inner { a: -2, b: Some(0.5) }];
        assert_eq!(read, Outer { name: "x".to_owned(), list, kind: Kind::Visit });
    }

    #[test]
    fn an_array_is_no_struct_at_any_depth() {
        assert_eq!(fault(r#"{"name":"x","list":[[1,2]],"kind":"visit"}"#), ("type".into(), "/list/0".into()));
        let outermost = read::<Outer>(br#"["x",[],"visit"]"#).expect_err("a refusal");
        assert_eq!(outermost.status(), 400);
    }

    #[test]
    fn a_fault_names_its_place_and_nothing_that_was_sent() {
        assert_eq!(fault(r#"{"name":7,"list":[],"kind":"visit"}"#), ("type".into(), "/name".into()));
        assert_eq!(
            fault(r#"{"name":"x","list":[{"a":"secret"}],"kind":"visit"}"#),
            ("type".into(), "/list/0/a".into())
        );
        assert_eq!(
            fault(r#"{"name":"x","list":[{"a":1,"c":2}],"kind":"visit"}"#),
            ("unknown-field".into(), "/list/0/c".into())
        );
        assert_eq!(fault(r#"{"list":[],"kind":"visit"}"#), ("missing-field".into(), "/name".into()));
        assert_eq!(fault(r#"{"name":"x","list":[],"kind":"secret"}"#), ("value".into(), "/kind".into()));
        assert_eq!(
            fault(r#"{"name":"x","list":[{"a":3000000000}],"kind":"visit"}"#),
            ("type".into(), "/list/0/a".into())
        );
        let problem = read::<Outer>(br#"{"name":"x","list":[],"kind":"secret"}"#).expect_err("a refusal");
        assert!(!problem.body("", "").contains("secret"));
    }
}
