//! The shipped files check clean, fit each other, and change only when someone means it.

use std::collections::{BTreeMap, BTreeSet};

use scilit::instrument::{
    Expression, ItemKind, Points, Questionnaire, ScoringProfile, definition_schema, scoring::profile_schema,
};
use serde_json::Value;

use crate::{QUESTIONNAIRES, profile, questionnaire, shipped};

/// A published version never changes: whoever edits a shipped file gives it a new version and its new hash here.
const HASHES: [(&str, &str); 3] = [
    ("benchmark-50 1.0.0", "554948f5b9162c8b4916d6de3f819667e8716acf24356a75d670153315b436bc"),
    ("csl-demo 1.0.0", "a365ad487bb85f29f02a0cc3df0e772afc2bccc55f94a9e8912b9ddb89fdce3e"),
    ("youth-demo 1.0.0", "48aefe015371c06197393bd8525d2bfeae2d3bcf5bb25b55d91633c72bdb4e00"),
];
const PROFILE_HASHES: [(&str, &str); 4] = [
    ("A-2020 1", "ed206569cd6f147aecdca190e8eff3f34dc1033b3e35cb11699ead6d06cd1956"),
    ("A-2024 1", "455a68cb25f6a7e8b7078bfea5e71809c5e2a3a406796274c2f00828851151dc"),
    ("A-Miller 1", "bd6375209e6c56a7f729ddcd5696f1078d3e196c8ff03d75304f6c7262811f81"),
    ("B-2016 1", "f72bd61b6b04fba6f24626ef6b5c45efb32bb7f4838c51cb7d3d3da9a787cb63"),
];

#[test]
fn the_hashes_of_the_shipped_questionnaires_stay() {
    let found: Vec<(String, String)> = (QUESTIONNAIRES.iter())
        .map(|id| questionnaire(id))
        .map(|q| (format!("{} {}", q.id(), q.version()), q.hash().to_owned()))
        .collect();
    let expected: Vec<(String, String)> = HASHES.map(|(id, hash)| (id.to_owned(), hash.to_owned())).to_vec();
    assert_eq!(found, expected);
}

#[test]
fn the_hashes_of_the_shipped_profiles_stay() {
    let found: Vec<(String, String)> = (PROFILE_HASHES.iter())
        .map(|(name, _)| profile(name.split_once(' ').expect("id and version").0))
        .map(|p| (format!("{} {}", p.id(), p.version()), p.hash().to_owned()))
        .collect();
    let expected: Vec<(String, String)> = PROFILE_HASHES.map(|(id, hash)| (id.to_owned(), hash.to_owned())).to_vec();
    assert_eq!(found, expected);
}

#[test]
fn each_profile_fits_its_questionnaire_and_no_other() {
    let fits = |profile: &ScoringProfile, id: &str| profile.check_fit(&questionnaire(id)).is_ok();
    for (name, expected) in [("A-2024", "csl-demo"), ("A-Miller", "csl-demo"), ("B-2016", "benchmark-50")] {
        let profile = profile(name);
        for id in QUESTIONNAIRES {
            assert_eq!(fits(&profile, id), id == expected, "{name} with {id}");
        }
    }
    assert!(fits(&profile("A-2020"), "csl-demo"));
}

#[test]
fn the_demo_questionnaire_gives_a_hundred_points_in_steps_of_two_and_a_half() {
    let questionnaire = questionnaire("csl-demo");
    let mut by_dimension: BTreeMap<&str, (u32, usize)> = BTreeMap::new();
    for item in questionnaire.items().filter(|item| item.is_scored()) {
        let points = item.points.expect("points").hundredths();
        assert_eq!(points % 250, 0, "{}", item.id);
        let sum = by_dimension.entry(&item.dimensions["framework-2024"]).or_default();
        *sum = (sum.0 + points, sum.1 + 1);
    }
    let expected = [("ability", (2000, 8)), ("knowledge", (4000, 16)), ("method", (2000, 4)), ("spirit", (2000, 8))];
    assert_eq!(by_dimension, BTreeMap::from(expected));
}

#[test]
fn the_sixteen_statements_carry_the_published_keys() {
    let questionnaire = questionnaire("csl-demo");
    let wrong = [5, 7, 12, 13, 15, 16];
    for n in 1..=16 {
        let item = questionnaire.item(&format!("K{n:02}")).expect("a statement");
        assert_eq!(item.key, [if wrong.contains(&n) { "false" } else { "true" }], "K{n:02}");
    }
}

#[test]
fn the_benchmark_questionnaire_covers_all_twenty_six() {
    let questionnaire = questionnaire("benchmark-50");
    let scored: Vec<_> = questionnaire.items().filter(|item| item.is_scored()).collect();
    let covered: BTreeSet<u8> = scored.iter().flat_map(|item| item.benchmarks.iter().copied()).collect();
    assert_eq!(scored.len(), 50);
    assert!(scored.iter().all(|item| item.points == Some(Points::from_hundredths(200))));
    assert_eq!(covered, (1..=26).collect());
}

#[test]
fn every_shipped_questionnaire_says_that_it_is_an_example() {
    for id in QUESTIONNAIRES {
        let questionnaire = questionnaire(id);
        assert!(questionnaire.is_example(), "{id}");
        assert!(questionnaire.title("zh-CN").contains("示例"), "{id}");
        assert!(questionnaire.title("en").contains("example"), "{id}");
    }
}

#[test]
fn the_demo_questionnaire_has_every_item_type_a_soft_and_a_hard_check_and_routing() {
    let questionnaire = questionnaire("csl-demo");
    let kinds: BTreeSet<&str> = questionnaire.items().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds.len(), 7);
    let checks: BTreeSet<String> =
        questionnaire.items().flat_map(|item| &item.checks).map(|check| format!("{:?}", check.severity)).collect();
    assert_eq!(checks.len(), 2);
    assert!(questionnaire.items().filter(|item| item.relevant_when.is_some()).count() >= 3);
}

#[test]
fn the_form_tells_nothing_about_right_answers() {
    for id in QUESTIONNAIRES {
        let form = questionnaire(id).form_json();
        for secret in
            ["\"key\"", "\"points\"", "\"dimensions\"", "\"benchmarks\"", "\"schemes\"", "\"classifications\""]
        {
            assert!(!form.contains(secret), "{id}: {secret}");
        }
    }
}

#[test]
fn forms_that_differ_in_their_keys_only_are_equal_but_for_the_hash() {
    let source = shipped("csl-demo.toml");
    let turned = source.replace("key = [\"true\"]", "key = [\"false\"]").replace("points = 5\n", "points = 7.5\n");
    let form = |source: &str| {
        let questionnaire = Questionnaire::from_toml("a.toml", source).unwrap_or_else(|faults| panic!("{faults}"));
        let mut form: Value = serde_json::from_str(&questionnaire.form_json()).expect("JSON");
        assert_eq!(form.as_object_mut().expect("an object").remove("hash"), Some(Value::from(questionnaire.hash())));
        form
    };
    assert_ne!(source, turned);
    assert_eq!(form(&source), form(&turned));
}

#[test]
fn the_form_has_what_a_tablet_needs() {
    let form: Value = serde_json::from_str(&questionnaire("csl-demo").form_json()).expect("JSON");
    let first = &form["sections"][3]["items"][0];
    assert_eq!(form["header"]["form_number"], "示例01表");
    assert_eq!((&first["id"], &first["text"]["zh-CN"]), (&Value::from("K01"), &Value::from("地心的温度非常高")));
    assert_eq!(first["options"][0]["label"]["zh-CN"], "对");
    assert_eq!(form["sections"][1]["items"][1]["relevant_when"]["op"], "includes");
}

#[test]
fn the_canonical_form_reads_back_to_the_same_hash() {
    for id in QUESTIONNAIRES {
        let questionnaire = questionnaire(id);
        let again = Questionnaire::from_canonical_json(questionnaire.canonical_json()).expect("a questionnaire");
        assert_eq!(again.hash(), questionnaire.hash());
        assert_eq!(again.definition(), questionnaire.definition());
    }
    for (name, _) in PROFILE_HASHES {
        let profile = profile(name.split_once(' ').expect("id and version").0);
        let again = ScoringProfile::from_canonical_json(profile.canonical_json()).expect("a profile");
        assert_eq!(again.hash(), profile.hash());
    }
}

#[test]
fn the_hash_does_not_depend_on_the_layout_of_the_file() {
    let source = shipped("youth-demo.toml");
    let spaced = source.replace(" = ", "   =   ").replace("\n\n", "\n\n# a remark\n\n");
    let hash = |source: &str| Questionnaire::from_toml("a.toml", source).expect("a questionnaire").hash().to_owned();
    assert_eq!(hash(&source), hash(&spaced));
    assert_ne!(hash(&source), hash(&source.replace("version = \"1.0.0\"", "version = \"1.0.1\"")));
}

#[test]
fn canonical_json_that_is_not_canonical_is_refused() {
    let json = questionnaire("youth-demo").canonical_json().replace(",\"version\"", ", \"version\"");
    let faults = Questionnaire::from_canonical_json(&json).expect_err("a refusal");
    assert!(faults.to_string().contains("not the canonical form"), "{faults}");
    assert!(Questionnaire::from_canonical_json("{").is_err());
}

#[test]
fn the_schema_files_are_those_of_the_code_and_the_shipped_files_follow_them() {
    for (name, schema) in [("schema.json", definition_schema()), ("profiles/schema.json", profile_schema())] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name);
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &schema).expect("the schema is written");
        }
        assert_eq!(shipped(name), schema, "{name} is stale: run this test with UPDATE_SCHEMA=1");
    }
    let follows = |schema: &str, file: &str| {
        let schema: Value = serde_json::from_str(&shipped(schema)).expect("a schema");
        let document: Value = toml::from_str(&shipped(file)).expect("TOML");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
    };
    QUESTIONNAIRES.iter().for_each(|id| follows("schema.json", &format!("{id}.toml")));
    for (name, _) in PROFILE_HASHES {
        follows("profiles/schema.json", &format!("profiles/{}.toml", name.split_once(' ').expect("id").0));
    }
}

#[test]
fn the_schema_refuses_what_the_format_does_not_have() {
    let schema: Value = serde_json::from_str(&definition_schema()).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let mut document: Value = toml::from_str(&shipped("csl-demo.toml")).expect("TOML");
    document["sections"][0]["items"][0]["colour"] = Value::from("red");
    assert!(!validator.is_valid(&document));
}

#[test]
fn matrix_rows_and_options_have_texts_in_both_languages() {
    for id in QUESTIONNAIRES {
        for item in questionnaire(id).items() {
            let labels = item.options.iter().map(|o| &o.label).chain(item.rows.iter().map(|r| &r.label));
            assert!(labels.chain([&item.text]).all(|text| text.has("zh-CN") && text.has("en")), "{id} {}", item.id);
            assert_eq!(item.kind == ItemKind::Matrix, !item.rows.is_empty(), "{id} {}", item.id);
        }
    }
}

/// The fenced blocks of the page, by the word behind the fence.
fn blocks(language: &str) -> Vec<String> {
    let page = shipped("README.md");
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

#[test]
fn the_rules_on_the_page_of_the_format_are_rules() {
    let block = blocks("").into_iter().next().expect("a block of rules");
    let rules = block.lines().skip(1).flat_map(|line| line.split("   ").map(str::trim)).filter(|rule| !rule.is_empty());
    let parsed: Vec<Expression> =
        rules.map(|rule| Expression::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}"))).collect();
    assert_eq!(parsed.len(), 11);
}

#[test]
fn the_files_on_the_page_of_the_format_are_sound() {
    let item = "[[sections]]\nid = \"s\"\ntitle = { zh-CN = \"一\", en = \"One\" }\n[[sections.items]]\nid = \"age\"\n\
                type = \"number\"\ntext = { zh-CN = \"年龄\", en = \"Age\" }\n";
    let [head, columns] = blocks("toml").try_into().expect("two blocks");
    let source = format!("{head}\n{item}\n{columns}");
    let questionnaire = Questionnaire::from_toml("README.md", &source).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(questionnaire.classifications()[0].id, "key_older");
}
