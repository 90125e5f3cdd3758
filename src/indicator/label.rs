use serde::{Deserialize, Serialize};

/// A name that people see, in both languages of the screens.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub zh: String,
    /// English.
    pub en: String,
}

impl Label {
    /// A label from its two texts.
    #[must_use]
    pub fn new(zh: &str, en: &str) -> Self {
        Self { zh: zh.to_owned(), en: en.to_owned() }
    }

    /// A name that is the same in both languages, such as a code.
    #[must_use]
    pub fn same(text: &str) -> Self {
        Self::new(text, text)
    }
}
