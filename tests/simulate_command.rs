//! `scilit simulate coverage`, the way a user runs it.

use assert_cmd::Command;

fn scilit(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
    command.args(["simulate", "coverage"]).args(arguments);
    command
}

fn printed(arguments: &[&str]) -> String {
    let output = scilit(arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("UTF-8")
}

#[test]
fn the_csv_has_one_line_a_domain_and_method_and_repeats_bit_for_bit() {
    let arguments = ["--surveys", "4", "--seed", "7", "--format", "csv"];
    let csv = printed(&arguments);
    assert!(csv.trim_start_matches('\u{feff}').starts_with("domain,method,levels,intervals,coverage,coverage_se,"));
    assert_eq!(csv.lines().count(), 1 + 6 * 7);
    assert_eq!(csv, printed(&[&arguments[..], &["--threads", "1"]].concat()));
}

#[test]
fn the_json_tells_what_was_asked_and_what_came_out() {
    let text = printed(&["--surveys", "4", "--persons", "900", "--psus-per-district", "4", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["design"]["surveys"], 4);
    assert_eq!(json["design"]["persons"], 900);
    assert_eq!(json["design"]["psus_per_district"], 4);
    assert_eq!(json["domains"][0]["domain"], "city");
    assert_eq!(json["domains"][0]["methods"][0]["method"], "logit");
    // One domain in each survey, and df of 18 districts with 4 居/村委会.
    assert_eq!(json["domains"][0]["mean_df"].as_f64(), Some(54.0));
}

#[test]
fn the_table_says_that_its_data_are_made_up() {
    let table = printed(&["--surveys", "2"]);
    assert!(table.starts_with("示例数据"), "{table}");
    for word in ["city", "district", "wilson", "coverage %", "s.e. / spread"] {
        assert!(table.contains(word), "{word} is not in {table}");
    }
}

#[test]
fn one_survey_or_an_impossible_design_is_an_error_with_its_reason() {
    scilit(&["--surveys", "1"]).assert().failure();
    let output = scilit(&["--surveys", "2", "--psus-per-district", "900"]).assert().failure().get_output().clone();
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(message.contains("900 居/村委会"), "{message}");
}
