//! Variable names for programs that take fewer than a CSV's header has: shorter, other signs, reserved words.

use std::collections::BTreeSet;

use super::Column;

/// What a program takes as a variable's name.
pub(super) struct NameRule {
    /// The most bytes.
    pub(super) bytes_max: usize,
    /// Words with a meaning of their own, in lower case.
    pub(super) reserved: &'static [&'static str],
    /// Whether `A` and `a` are one name.
    pub(super) ignores_case: bool,
}

impl NameRule {
    /// One name a column, in their order and all different; a name that fits stays as it is.
    pub(super) fn names(&self, columns: &[Column]) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let mut fitting = |column: &Column| {
            let plain = self.plain(&column.name);
            let mut name = plain.clone();
            for n in 2.. {
                if taken.insert(self.key(&name)) {
                    break;
                }
                let ending = format!("_{n}");
                name = format!("{}{ending}", &plain[..plain.len().min(self.bytes_max - ending.len())]);
            }
            name
        };
        columns.iter().map(&mut fitting).collect()
    }

    /// Letters, digits and underscores, a letter first; no underscore last.
    fn plain(&self, name: &str) -> String {
        let sign = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '_' };
        let mut plain: String = name.chars().map(sign).collect();
        if !plain.starts_with(|first: char| first.is_ascii_alphabetic())
            || self.reserved.contains(&plain.to_lowercase().as_str())
        {
            plain.insert_str(0, "v_");
        }
        plain.truncate(self.bytes_max);
        let kept = plain.trim_end_matches('_').len();
        plain.truncate(kept);
        plain
    }

    fn key(&self, name: &str) -> String {
        if self.ignores_case { name.to_lowercase() } else { name.to_owned() }
    }
}

/// A text of at most so many bytes, whole characters only: programs cut labels, and some cut within a character.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{export::formats::ColumnKind, indicator::Label};

    fn names(rule: &NameRule, columns: &[&str]) -> Vec<String> {
        let column = |name: &&str| Column::new(name, Label::same(name), ColumnKind::Text);
        rule.names(&columns.iter().map(column).collect::<Vec<_>>())
    }

    #[test]
    fn names_fit_the_program_and_stay_different() {
        let rule = NameRule { bytes_max: 8, reserved: &["by"], ignores_case: true };
        assert_eq!(names(&rule, &["id", "sex", "weight"]), ["id", "sex", "weight"]);
        assert_eq!(names(&rule, &["BY", "1st", "a.b", "性别", "x_"]), ["v_BY", "v_1st", "a_b", "v", "x"]);
        assert_eq!(names(&rule, &["weight_base", "weight_b", "WEIGHT_BASE"]), ["weight_b", "weight_2", "WEIGHT_3"]);
        let exact = NameRule { ignores_case: false, ..rule };
        assert_eq!(names(&exact, &["a", "A"]), ["a", "A"]);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("城镇人口", 7), "城镇");
        assert_eq!(cut("城镇", 6), "城镇");
        assert_eq!(cut("", 3), "");
    }
}
