//! Faults of questionnaire files: each with its line and item, all of them at once.

use proptest::prelude::*;
use scilit::instrument::{FaultCode, Questionnaire};

use crate::shipped;

/// A tiny questionnaire; the tests break one thing of it.
const TINY: &str = r#"format = 1
id = "tiny"
version = "1"
languages = ["zh-CN", "en"]
title = { zh-CN = "小问卷", en = "Tiny" }

[header]
form_number = "T1"
issued_by = { zh-CN = "示例机构", en = "Example body" }
approval_number = "none"
valid_until = "2030-12-31"

[[schemes]]
id = "parts"
label = { zh-CN = "部分", en = "Parts" }
dimensions = [{ code = "one", label = { zh-CN = "一", en = "One" } }]

[[sections]]
id = "main"
title = { zh-CN = "主体", en = "Main" }

[[sections.items]]
id = "sex"
type = "single_choice"
text = { zh-CN = "性别", en = "Sex" }
options = [
  { code = "male", label = { zh-CN = "男", en = "Male" } },
  { code = "female", label = { zh-CN = "女", en = "Female" } },
]

[[sections.items]]
id = "age"
type = "number"
text = { zh-CN = "年龄", en = "Age" }
min = 18
max = 69

[[sections.items]]
id = "K01"
type = "true_false"
text = { zh-CN = "题", en = "Item" }
relevant_when = 'age >= 18'
dimensions = { parts = "one" }
key = ["true"]
points = 2.5

[[classifications]]
id = "older"
label = { zh-CN = "老年人", en = "Older" }
categories = [
  { code = "1", label = { zh-CN = "是", en = "Yes" }, when = 'age >= 60' },
  { code = "0", label = { zh-CN = "否", en = "No" }, when = 'age < 60' },
]
"#;

fn faults(source: &str) -> Vec<(usize, String, String)> {
    let faults = Questionnaire::from_toml("tiny.toml", source).expect_err("a fault");
    faults.iter().map(|f| (f.line.expect("a line"), f.item.clone().unwrap_or_default(), f.message.clone())).collect()
}

/// One replacement, one fault: its line, its item, a part of its message.
#[track_caller]
fn one_fault(old: &str, new: &str, line: usize, item: &str, part: &str) {
    assert!(TINY.contains(old), "{old} is in the questionnaire");
    let found = faults(&TINY.replacen(old, new, 1));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1.as_str()), (line, item), "{found:?}");
    assert!(found[0].2.contains(part), "{part} in {found:?}");
}

#[test]
fn the_tiny_questionnaire_is_sound() {
    let questionnaire = Questionnaire::from_toml("tiny.toml", TINY).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(questionnaire.items().len(), 3);
}

#[test]
fn every_fault_of_meaning_has_its_line_and_item() {
    one_fault("format = 1", "format = 9", 1, "", "format 9 is unknown");
    one_fault("id = \"tiny\"", "id = \"微\"", 2, "", "cannot be an id");
    one_fault("[\"zh-CN\", \"en\"]", "[\"zh-CN\", \"en\", \"EN\"]", 4, "", "not a language tag");
    one_fault("id = \"K01\"", "id = \"age\"", 39, "age", "already used by an earlier item");
    one_fault("code = \"female\"", "code = \"male\"", 28, "sex", "stands twice");
    one_fault("code = \"female\"", "code = \"女\"", 28, "sex", "cannot be a code");
    one_fault("min = 18", "min = 80", 35, "age", "min 80 is above max 69");
    one_fault("min = 18", "min = 18\nlength_max = 5", 36, "age", "no meaning for type number");
    one_fault("key = [\"true\"]", "key = [\"yes\"]", 44, "K01", "\"yes\" is not an option");
    one_fault("points = 2.5\n", "", 38, "K01", "a key without points");
    one_fault("points = 2.5", "points = 0", 45, "K01", "points must be above 0");
    one_fault("key = [\"true\"]", "key = [\"true\", \"false\"]", 44, "K01", "no answer could be wrong");
    one_fault("parts = \"one\"", "parts = \"two\"", 43, "K01", "no dimension \"two\"");
    one_fault("parts = \"one\"", "other = \"one\"", 43, "K01", "no scheme \"other\"");
    one_fault("points = 2.5", "points = 2.5\nbenchmarks = [27]", 46, "K01", "benchmark 27");
    one_fault("id = \"K01\"", "id = \"in\"", 39, "in", "cannot be an id");
    one_fault(
        "type = \"single_choice\"",
        "type = \"multiple_choice\"\nchoices_max = 5",
        22,
        "sex",
        "do not fit 2 options",
    );
    one_fault("min = 18", "min = -1e300", 35, "age", "min must be a number between");
}

#[test]
fn texts_must_stand_in_every_declared_language_and_in_no_other() {
    one_fault("{ zh-CN = \"年龄\", en = \"Age\" }", "{ en = \"Age\" }", 34, "age", "the text in zh-CN is missing");
    one_fault("{ zh-CN = \"年龄\", en = \"Age\" }", "{ zh-CN = \"年龄\" }", 34, "age", "the text in en is missing");
    one_fault(
        "en = \"Age\" }",
        "en = \"Age\", mn = \"Нас\" }",
        34,
        "age",
        "\"mn\" is not one of the declared languages",
    );
    one_fault("en = \"Age\" }", "en = \" \" }", 34, "age", "the text in en is empty");
    one_fault("en = \"Age\" }", "en = \"A\\u0000\" }", 34, "age", "control character");
    let without_chinese = TINY.replacen("[\"zh-CN\", \"en\"]", "[\"en\"]", 1);
    assert!(faults(&without_chinese).iter().any(|(line, _, m)| *line == 4 && m.contains("zh-CN must be among")));
}

#[test]
fn rules_must_name_what_exists_and_compare_what_can_be_compared() {
    let cases = [
        ("age >= 18", "ages >= 18", "there is no item \"ages\""),
        ("age >= 18", "sex == \"robot\"", "sex has no option \"robot\""),
        ("age >= 18", "sex in [\"male\", \"robot\"]", "sex has no option \"robot\""),
        ("age >= 18", "sex > \"male\"", "codes and texts have no order"),
        ("age >= 18", "sex == 1", "different types"),
        ("age >= 18", "age == \"18\"", "different types"),
        ("age >= 18", "1 == 1", "two constants"),
        ("age >= 18", "count(age) > 1", "needs a multiple-choice item"),
        ("age >= 18", "includes(sex, \"male\")", "needs a multiple-choice item"),
        ("age >= 18", "age.row == \"x\"", "not a matrix"),
        ("age >= 18", "sex == true", "sex has no option \"true\""),
    ];
    for (old, new, part) in cases {
        one_fault(old, new, 42, "K01", part);
    }
    one_fault("age >= 60", "ages >= 60", 51, "", "there is no item \"ages\"");
}

#[test]
fn a_rule_outside_the_grammar_is_refused_with_its_column() {
    one_fault("'age >= 18'", "'age => 18'", 42, "K01", "column 5: expected ==");
}

#[test]
fn looking_ahead_is_refused_and_a_circle_is_called_one() {
    let ahead = "id = \"sex\"\nrelevant_when = 'age > 20'";
    one_fault("id = \"sex\"", ahead, 24, "sex", "asked later");
    let own = "id = \"sex\"\nrelevant_when = 'answered(sex)'";
    one_fault("id = \"sex\"", own, 24, "sex", "a circle");
    let chain = TINY.replacen("id = \"sex\"", "id = \"sex\"\nrelevant_when = 'answered(K01)'", 1);
    let circle = chain.replacen("id = \"age\"", "id = \"age\"\nrelevant_when = 'answered(sex)'", 1);
    let found = faults(&circle);
    assert_eq!((found.len(), found[0].0, found[0].1.as_str()), (1, 24, "sex"), "{found:?}");
    assert!(found[0].2.contains("a circle"), "{found:?}");
}

#[test]
fn a_check_may_look_at_its_own_item_but_not_ahead() {
    let check = |rule: &str| {
        format!(
            "max = 69\nchecks = [{{ severity = \"soft\", fails_when = '{rule}', message = {{ zh-CN = \"核实\", en = \"Check\" }} }}]"
        )
    };
    assert!(Questionnaire::from_toml("a", &TINY.replacen("max = 69", &check("age > 65"), 1)).is_ok());
    one_fault("max = 69", &check("K01 == true"), 37, "age", "asked later");
}

#[test]
fn structural_faults_and_faults_of_meaning_come_together() {
    let broken = TINY
        .replacen("version = \"1\"", "version = \"1\"\ncolour = \"red\"", 1)
        .replacen("{ code = \"male\", label", "{ label", 1)
        .replacen("type = \"number\"", "type = \"integer\"", 1)
        .replacen("parts = \"one\"", "parts = \"two\"", 1)
        .replacen("'age < 60'", "'age < '", 1)
        .replacen("'age >= 60'", "'sexes == \"male\"'", 1);
    let found = faults(&broken);
    let parts = [
        (4, "unknown field `colour`"),
        (28, "missing field `code`"),
        (34, "unknown variant `integer`"),
        (44, "no dimension \"two\""),
        (52, "there is no item \"sexes\""),
        (53, "expected an item or a value"),
    ];
    for (line, part) in parts {
        assert!(found.iter().any(|(at, _, m)| *at == line && m.contains(part)), "{line} {part} in {found:#?}");
    }
    // The rules that name "age" are not at fault: the item is there, only its type is not.
    assert!(!found.iter().any(|(_, _, m)| m.contains("no item \"age\"")), "{found:#?}");
}

#[test]
fn syntax_errors_have_lines_and_the_display_names_the_file() {
    let faults = Questionnaire::from_toml("tiny.toml", "format = \nid = 'x\n").expect_err("a fault");
    assert!(faults.iter().all(|fault| fault.code == FaultCode::Syntax && fault.line.is_some()));
    assert!(faults.to_string().starts_with("tiny.toml:1: "), "{faults}");
    assert!(Questionnaire::from_toml("a", "").is_err());
    assert!(Questionnaire::from_toml("a", "x = 1").is_err());
}

#[test]
fn a_language_that_is_declared_must_be_complete_also_for_true_and_false() {
    let source = TINY.replacen("[\"zh-CN\", \"en\"]", "[\"zh-CN\", \"en\", \"mn\"]", 1);
    let found = faults(&source);
    assert!(found.iter().all(|(_, _, m)| m == "the text in mn is missing"), "{found:?}");
    assert_eq!(found.iter().filter(|(_, item, _)| item == "K01").count(), 3, "text and two options: {found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_file_is_read_or_refused_with_faults(at in 0_usize..20_000, length in 0_usize..60, noise in "[\\[\\]{}=\"'a-z0-9\n]{0,6}") {
        let mut source = shipped("csl-demo.toml");
        let mut from = at.min(source.len());
        while !source.is_char_boundary(from) { from -= 1; }
        let mut to = (from + length).min(source.len());
        while !source.is_char_boundary(to) { to += 1; }
        source.replace_range(from..to, &noise);
        if let Err(faults) = Questionnaire::from_toml("damaged.toml", &source) {
            prop_assert!(faults.len() > 0);
        }
    }
}
