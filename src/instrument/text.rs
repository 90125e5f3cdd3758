//! Texts in several languages; simplified Chinese is always there.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The language every text has.
pub const MAIN_LANGUAGE: &str = "zh-CN";

/// One text in the languages of its questionnaire, by language tag (`zh-CN`, `en`, `mn`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// The text in a language, or in simplified Chinese where that language is absent.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        self.0.get(language).or_else(|| self.0.get(MAIN_LANGUAGE)).map_or("", String::as_str)
    }

    /// Language tag and text, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(language, text)| (language.as_str(), text.as_str()))
    }

    /// Whether there is a text in this very language.
    #[must_use]
    pub fn has(&self, language: &str) -> bool {
        self.0.contains_key(language)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Texts {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Texts {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(language, text)| (language.to_owned(), text.to_owned())).collect())
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text by language tag; zh-CN is required, the others must be declared in `languages`.",
            "type": "object",
            "required": [MAIN_LANGUAGE],
            "propertyNames": { "pattern": "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$" },
            "additionalProperties": { "type": "string", "minLength": 1 }
        })
    }
}

/// Whether a language tag has the form `zh`, `zh-CN`, `mn-Mong` or `mn-Mong-CN`.
pub(crate) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
    let mut rest: Vec<&str> = parts.collect();
    if rest.first().is_some_and(|p| is_script(p)) {
        rest.remove(0);
    }
    if rest.first().is_some_and(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_uppercase())) {
        rest.remove(0);
    }
    language && rest.is_empty()
}

fn is_script(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() == 4 && bytes[0].is_ascii_uppercase() && bytes[1..].iter().all(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_are_told_from_other_words() {
        for good in ["zh-CN", "en", "mn", "mn-Mong", "mn-Mong-CN", "kk-CN"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["", "z", "ZH", "zh_CN", "zh-cn", "zh-CN-x", "chinese", "zh-"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }

    #[test]
    fn a_language_that_is_absent_falls_back_to_chinese() {
        let texts = Texts::from([("zh-CN", "男"), ("en", "Male")]);
        assert_eq!((texts.get("en"), texts.get("mn")), ("Male", "男"));
    }
}
