use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

struct Answers(BTreeMap<&'static str, Fact>);

enum Fact {
    Text(&'static str),
    Number(f64),
    Codes(Vec<String>),
    Missing(MissingKind),
}

impl Facts for Answers {
    fn known(&self, item: &Reference) -> Option<Known<'_>> {
        Some(match self.0.get(item.to_string().as_str())? {
            Fact::Text(text) => Known::Text(text),
            Fact::Number(number) => Known::Number(*number),
            Fact::Codes(codes) => Known::Codes(codes),
            Fact::Missing(kind) => Known::Missing(*kind),
        })
    }
}

fn holds(rule: &str) -> bool {
    let facts = Answers(BTreeMap::from([
        ("age", Fact::Number(60.0)),
        ("sex", Fact::Text("male")),
        ("K01", Fact::Text("true")),
        ("day", Fact::Text("2025-03-08")),
        ("views.science", Fact::Text("agree")),
        ("channels", Fact::Codes(vec!["tv".to_owned(), "internet".to_owned()])),
        ("income", Fact::Missing(MissingKind::Refused)),
    ]));
    Expression::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}")).holds(&facts)
}

#[test]
fn rules_mean_what_they_say() {
    for rule in [
        "age >= 60",
        "60 <= age",
        "not(age < 60)",
        "sex == 'male'",
        "sex != \"female\"",
        "K01 == true",
        "day < '2025-03-09'",
        "views.science in ['agree', \"undecided\"]",
        "includes(channels, 'tv')",
        "count(channels) == 2",
        "all(age > 18, any(sex == 'female', answered(day)))",
        "missing(income)",
        "missing(income, 'refused')",
    ] {
        assert!(holds(rule), "{rule}");
    }
}

#[test]
fn what_is_missing_or_unanswered_compares_as_false_in_every_way() {
    for rule in ["income < 5", "income >= 5", "income == 5", "income != 5", "income in [5]", "absent != 'x'"] {
        assert!(!holds(rule), "{rule}");
        assert!(holds(&format!("not({rule})")), "{rule}");
    }
    for rule in
        ["answered(income)", "answered(absent)", "missing(absent)", "missing(income, 'dont_know')", "missing(age)"]
    {
        assert!(!holds(rule), "{rule}");
    }
}

#[test]
fn a_rule_outside_the_grammar_is_refused_with_its_column() {
    let cases = [
        ("", 1, "expected an item or a value"),
        ("age >= ", 8, "expected an item or a value"),
        ("age = 5", 5, "expected == != < <= > >= or in"),
        ("all()", 5, "expected an item or a value"),
        ("some(age > 1)", 1, "unknown function \"some\""),
        ("age > 1 age", 9, "expected the end of the rule"),
        ("sex == 'male", 8, "a text without its closing quote"),
        ("missing(age, 'bored')", 13, "\"bored\" is not a missing kind"),
        ("年龄 > 1", 1, "expected an item or a value"),
        ("age > 1234567890123456", 7, "expected a number of at most 15 digits"),
        ("age > 1.", 7, "expected one to six digits after the decimal point"),
        ("not(all)", 5, "expected the id of an item"),
    ];
    for (rule, column, reason) in cases {
        let error = Expression::parse(rule).expect_err(rule);
        assert_eq!((error.column, error.reason.as_str()), (column, reason), "{rule}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}age > 1{}", "not(".repeat(depth), ")".repeat(depth));
    assert!(Expression::parse(&nested(24)).is_ok());
    assert!(Expression::parse(&nested(25)).is_err());
    assert!(Expression::parse(&"not(".repeat(900)).is_err());
}

#[test]
fn the_tree_in_json_is_the_documented_one() {
    let rule =
        Expression::parse("all(age >= 18.5, not(missing(income, 'refused')), v.a in ['x', 2, true])").expect("a rule");
    let json = serde_json::to_value(&rule).expect("JSON");
    let expected = serde_json::json!({"op": "all", "of": [
        {"op": "compare", "left": {"item": {"id": "age"}}, "how": ">=", "right": {"value": 18.5}},
        {"op": "not", "of": {"op": "missing", "item": {"id": "income"}, "kind": "refused"}},
        {"op": "in", "left": {"item": {"id": "v", "row": "a"}}, "values": ["x", 2.0, true]},
    ]});
    assert_eq!(json, expected);
}

#[test]
fn a_tree_that_no_text_has_is_refused() {
    for json in [
        r#"{"op":"all","of":[]}"#,
        r#"{"op":"answered","item":{"id":"not"}}"#,
        r#"{"op":"answered","item":{"id":"a b"}}"#,
        r#"{"op":"answered","item":{"id":"a"},"more":1}"#,
        r#"{"op":"compare","left":{"value":1e300},"how":"==","right":{"item":{"id":"a"}}}"#,
    ] {
        assert!(serde_json::from_str::<Expression>(json).is_err(), "{json}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,8}".prop_filter("no word of the rules", |word| !is_reserved(word))
}

fn reference() -> impl Strategy<Value = Reference> {
    (name(), proptest::option::of(name())).prop_map(|(id, row)| Reference { id, row })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        "[^\\p{Cc}]{0,12}".prop_map(Literal::Text),
        (-999_999_i32..999_999).prop_map(|n| Literal::Number(f64::from(n) / 100.0)),
        any::<bool>().prop_map(Literal::Bool),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof![reference().prop_map(Term::Item), reference().prop_map(Term::Count), literal().prop_map(Term::Value)]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, AtMost, Greater, AtLeast])
}

fn node() -> impl Strategy<Value = Node> {
    let kind = || proptest::option::of(proptest::sample::select(MissingKind::ALL.to_vec()));
    let leaf = prop_oneof![
        reference().prop_map(|item| Node::Answered { item }),
        (reference(), kind()).prop_map(|(item, kind)| Node::Missing { item, kind }),
        (term(), comparison(), term()).prop_map(|(left, how, right)| Node::Compare { left, how, right }),
        (term(), proptest::collection::vec(literal(), 1..4)).prop_map(|(left, values)| Node::In { left, values }),
        (reference(), "[a-z\"\\\\]{1,6}").prop_map(|(item, code)| Node::Includes { item, code }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|of| Node::All { of }),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|of| Node::Any { of }),
            inner.prop_map(|of| Node::Not { of: Box::new(of) }),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn parsing_words_of_the_grammar_never_panics(
        words in proptest::collection::vec(
            proptest::sample::select(vec!["all(", "any(", "not(", "count(", "missing(", ")", ",", "in", "[", "]", "a", ".",
                "'", "\"", "\\", "==", "<", "=", "-", "1", "2.5", "true", " ", "男"]), 0..30),
    ) {
        let _ = Expression::parse(&words.concat());
    }

    #[test]
    fn what_is_printed_parses_to_the_same_tree(node in node()) {
        let printed = node.to_string();
        let parsed = Expression::parse(&printed);
        prop_assert_eq!(parsed.as_ref().map(Expression::node), Ok(&node), "{}", printed);
    }

    #[test]
    fn the_tree_survives_json(node in node()) {
        let json = serde_json::to_string(&node).expect("JSON");
        let read: Expression = serde_json::from_str(&json).expect("a tree");
        prop_assert_eq!(read.node(), &node);
    }
}
