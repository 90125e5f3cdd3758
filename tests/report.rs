//! The report of a run, read back: what it says is what the files say, on paper and on the screen.

#[path = "indicator/survey.rs"]
mod survey;

use std::{collections::BTreeMap, io::Write as _, process::Command, sync::LazyLock, time::Instant};

use scilit::{
    export::run_files,
    indicator::{SurveyInputs, compute, results::Status},
    report::{Language, format},
    server::report::{Format, make},
};
use survey::SURVEY;

const RUN: &str = "019abcde-0000-7000-8000-0000000000aa";

struct Made {
    results: Vec<u8>,
    /// Rows of `indicator.csv` by column.
    indicator: Vec<BTreeMap<String, String>>,
    scores: Vec<BTreeMap<String, String>>,
    rates: Vec<BTreeMap<String, String>>,
}

static INTERIM: LazyLock<Made> = LazyLock::new(|| made(Status::Interim));

fn made(status: Status) -> Made {
    let inputs = SurveyInputs { status, ..SURVEY.inputs(&SURVEY.responses) };
    let files = run_files(&inputs, &compute(&inputs).expect("an indicator"));
    let bytes = |name: &str| files.iter().find(|file| file.name == name).expect("the file").bytes.clone();
    let rows = |name: &str| {
        let bytes = bytes(name);
        csv::Reader::from_reader(bytes.as_slice()).deserialize().map(|row| row.expect("a row")).collect()
    };
    Made {
        results: bytes("results.json"),
        indicator: rows("indicator.csv"),
        scores: rows("scores.csv"),
        rates: rows("response_rates.csv"),
    }
}

fn report(made: &Made, language: Language, format: Format) -> Vec<u8> {
    make(RUN, &made.results, Some("https://survey.example"), language, format).expect("a report")
}

fn html(made: &Made, language: Language) -> String {
    String::from_utf8(report(made, language, Format::Html)).expect("UTF-8")
}

/// The pages of a PDF as text, by a reader that knows nothing of us.
fn pages(pdf: &[u8]) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(pdf).expect("room");
    let output = Command::new("pdftotext").arg("-layout").arg(file.path()).arg("-").output();
    let output = output.expect("pdftotext of poppler-utils is needed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split('\u{c}').filter(|page| !page.trim().is_empty()).map(str::to_owned).collect()
}

/// The cells of a table of the HTML report.
fn cells(html: &str, table: &str) -> Vec<Vec<String>> {
    let from = html.find(&format!("<table id=\"{table}\">")).unwrap_or_else(|| panic!("no {table}"));
    let body = &html[from..from + html[from..].find("</table>").expect("an end")];
    let body = body.split("<tbody>").nth(1).expect("a body");
    let text = |cell: &str| {
        let inner = &cell[cell.find('>').expect("a tag") + 1..];
        inner[..inner.find('<').unwrap_or(inner.len())].to_owned()
    };
    let row = |row: &str| row.replace("<th", "<td").split("<td").skip(1).map(text).collect();
    body.split("<tr>").skip(1).map(row).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

fn ci(row: &BTreeMap<String, String>) -> Option<[f64; 2]> {
    Some([number(row, "ci_lower")?, number(row, "ci_upper")?])
}

/// What a row of `indicator.csv` must look like: name, n, share, interval.
fn expected(row: &BTreeMap<String, String>, place: &str) -> [String; 4] {
    let name = if row["label_1"].is_empty() { place } else { &row["label_1"] };
    let n: usize = row["n"].parse().expect("a count");
    [name.to_owned(), format::count(n), format::share(number(row, "estimate")), format::interval(ci(row))]
}

/// Tables of one variable, with the section of the report that shows them.
fn one_way(made: &Made) -> BTreeMap<String, (&'static str, Vec<[String; 4]>)> {
    let mut tables = BTreeMap::new();
    let is_one_way = |row: &&BTreeMap<String, String>| {
        row["variable_2"].is_empty() && !row["table"].contains("difference") && !row["table"].contains("change")
    };
    for row in made.indicator.iter().filter(is_one_way) {
        let section = match row["table"].as_str() {
            "city" => "whole",
            "district" => "districts",
            _ => "groups",
        };
        let table = tables.entry(row["table"].clone()).or_insert((section, Vec::new()));
        table.1.push(expected(row, "哈尔滨市（示例数据）"));
    }
    tables
}

#[test]
fn acc064_the_html_report_says_what_the_files_say_in_both_languages() {
    let (zh, en) = (html(&INTERIM, Language::Chinese), html(&INTERIM, Language::English));
    let tables = one_way(&INTERIM);
    assert!(tables.len() >= 7, "{:?}", tables.keys());
    for (table, (section, rows)) in &tables {
        let id = format!("table-{section}-{table}");
        let shown = cells(&zh, &id);
        assert_eq!(shown.iter().map(|row| row[..4].to_vec()).collect::<Vec<_>>(), *rows, "{table}");
        let numbers = |rows: &[Vec<String>]| rows.iter().map(|row| row[1..4].to_vec()).collect::<Vec<_>>();
        assert_eq!(numbers(&cells(&en, &id)), numbers(&shown), "{table} in English");
    }
    for row in INTERIM.indicator.iter().filter(|row| row["table"] == "difference_residence") {
        let shown = &cells(&zh, "table-differences-difference_residence")[0];
        assert_eq!(shown[1], format::signed_points(number(row, "estimate")));
        assert_eq!(shown[2], format::points_interval(ci(row)));
    }
    let shown = cells(&zh, "table-response-response_rates");
    assert_eq!(shown.len(), INTERIM.rates.len());
    for (row, shown) in INTERIM.rates.iter().zip(shown) {
        let rates = ["rr1", "rr3", "coop1", "ref1", "con1", "completion"].map(|rate| format::share(number(row, rate)));
        assert_eq!((&shown[0], &shown[3..]), (&row["label"], rates.as_slice()));
    }
    let tiers = cells(&zh, "table-scores-tier");
    let of_file = INTERIM.scores.iter().filter(|row| row["table"] == "tier");
    for (row, shown) in of_file.zip(tiers) {
        assert_eq!(shown[2..4], [format::share(number(row, "estimate")), format::interval(ci(row))]);
    }
}

#[test]
fn acc064_the_pdf_says_what_the_files_say_and_marks_interim_results_on_every_page() {
    let pages = pages(&report(&INTERIM, Language::Chinese, Format::Pdf));
    assert!(pages.len() >= 4, "{} pages", pages.len());
    for (at, page) in pages.iter().enumerate() {
        assert!(page.contains("临时结果") && page.contains("示例数据"), "page {}: {page}", at + 1);
        assert!(page.contains(&format!("第 {} 页，共 {} 页", at + 1, pages.len())), "page {}: {page}", at + 1);
    }
    // Between words of one line the reader puts as many blanks as it likes.
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = pages.iter().flat_map(|page| page.lines().map(squeeze)).collect();
    for (table, (_, rows)) in one_way(&INTERIM) {
        for [name, n, share, interval] in rows {
            // Of a name that takes two lines the first stands beside the numbers.
            let numbers = format!("{n} {share} {interval}");
            let is_row =
                |line: &String| line.contains(&numbers) && name.chars().take(3).all(|sign| line.contains(sign));
            assert!(lines.iter().any(is_row), "{table} {name}: no line `{numbers}`");
        }
    }
    let english = self::pages(&report(&INTERIM, Language::English, Format::Pdf)).concat();
    assert!(english.contains("Interim results") && english.contains("Response rates"), "{english}");
}

/// The structure that software for readers sees: one line a part, deeper parts further in.
fn structure(pdf: &[u8], with: &str) -> String {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(pdf).expect("written");
    let told = Command::new("pdfinfo").arg(with).arg(file.path()).output().expect("poppler-utils is installed");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    // The titles of headings come in UTF-16 as they are.
    String::from_utf8_lossy(&told.stdout).into_owned()
}

#[test]
fn acc075_the_pdf_tells_a_reader_what_is_a_heading_a_cell_and_what_a_chart_says() {
    let pdf = report(&INTERIM, Language::Chinese, Format::Pdf);
    let parts = structure(&pdf, "-struct");
    // A part with attributes has a colon behind its name.
    let name = |line: &str| line.split_whitespace().next().map(|name| name.trim_end_matches(':').to_owned());
    let count = |part: &str| parts.lines().filter(|line| name(line).as_deref() == Some(part)).count();
    let html = html(&INTERIM, Language::Chinese);
    let of_html = |tag: &str| html.matches(tag).count();
    assert_eq!((count("H1"), count("H2")), (1, of_html("<h2")));
    assert_eq!(
        (count("Table"), count("THead"), count("TBody")),
        (of_html("<table"), of_html("<thead"), of_html("<tbody"))
    );
    assert_eq!(count("TR"), of_html("<tr"), "a head that is repeated on a page is not read again");
    assert_eq!(count("TH") + count("TD"), of_html("<th ") + of_html("<th>") + of_html("<td"));
    assert!(count("Figure") > 3 && count("P") > 20, "{parts}");
    let words = structure(&pdf, "-struct-text");
    let first = &INTERIM.indicator[0];
    assert!(
        words.contains(&format!("\"{}\"", format::share(number(first, "estimate")))),
        "a share is a cell of its own"
    );
    assert!(!words.contains("第 1 页"), "page numbers are not read aloud");
}

#[test]
fn acc064_a_final_report_is_not_called_interim_and_leads_to_its_verification() {
    let made = made(Status::Final);
    let html = html(&made, Language::Chinese);
    assert!(html.contains("最终结果") && !html.contains("临时结果"));
    let sha256 = scilit::evidence::sha256_hex(&made.results);
    assert!(html.contains(&format!("https://survey.example/?run={RUN}&#38;sha256={sha256}")), "the address in words");
    assert!(html.contains("scilit verify BUNDLE --recompute"));
    let alone = make(RUN, &made.results, None, Language::Chinese, Format::Html).expect("a report");
    let alone = String::from_utf8(alone).expect("UTF-8");
    assert!(alone.contains("二维码内容是结果摘要") && !alone.contains("https://"), "nothing is made up");
    let pages = pages(&report(&made, Language::Chinese, Format::Pdf));
    assert!(pages.iter().all(|page| !page.contains("临时结果") && page.contains("最终结果")));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures how long a report takes")]
fn acc064_the_same_run_gives_the_same_report_in_less_than_ten_seconds() {
    for format in [Format::Html, Format::Pdf] {
        let began = Instant::now();
        let first = report(&INTERIM, Language::Chinese, format);
        let seconds = began.elapsed().as_secs_f64();
        assert!(first == report(&INTERIM, Language::Chinese, format), "{format:?}");
        assert!(seconds < 10.0, "{format:?}: {seconds} s");
    }
}

#[test]
fn a_survey_can_put_no_markup_into_a_report() {
    let mut results: serde_json::Value = serde_json::from_slice(&INTERIM.results).expect("JSON");
    results["survey"]["title"] = "<script>alert(1)</script> & \"甲\"".into();
    results["tables"][0]["rows"][0]["labels"][0]["zh-CN"] = "<img src=x onerror=alert(1)>".into();
    let results = serde_json::to_vec(&results).expect("JSON");
    let html = make(RUN, &results, None, Language::Chinese, Format::Html).expect("a report");
    let html = String::from_utf8(html).expect("UTF-8");
    assert!(!html.contains("<script") && !html.contains("<img"), "everything is escaped");
    let pdf = make(RUN, &results, None, Language::Chinese, Format::Pdf).expect("a report");
    assert!(pages(&pdf)[0].contains("<script>alert(1)</script>"), "as words");
}
