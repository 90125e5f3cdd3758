//! What the demo let out, read back from its database, and its de-identified file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use assert_cmd::Command;
use scilit::{
    disclosure::{K, KEYS, deidentified},
    indicator::results::{ResultRow, ResultTable, Results},
    storage::{Database, DatabaseUrl, PoolSettings, StoredRelease},
};

/// The folder of one demo, made once in each process. Every test is one, so that there are few of them here.
fn demo() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let parent = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
        command.args([
            "demo",
            "--waves",
            "2",
            "--persons",
            "1200",
            "--seed",
            "5",
            "--listen",
            "127.0.0.1:0",
            "--no-serve",
        ]);
        command.arg("--dir").arg(parent.path().join("demo")).assert().success();
        parent
    });
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| folder.path().join("demo"))
}

fn released() -> Vec<(StoredRelease, Results)> {
    let url: DatabaseUrl = format!("sqlite:{}", demo().join("scilit.db").display()).parse().expect("a URL");
    let database = Database::open(&url, PoolSettings::default()).expect("the demo's database");
    let mut runs = database.released_runs("g", 10).expect("runs");
    runs.reverse();
    let of = |run: scilit::storage::Run| {
        let release = database.release(&run.id).expect("an answer").expect("a release");
        assert!(release.is_public() && release.confirmed_by.as_ref() != Some(&release.requested_by));
        let results = serde_json::from_slice(&release.results).expect("the public document");
        (release, results)
    };
    runs.into_iter().map(of).collect()
}

fn rows(results: &Results) -> impl Iterator<Item = (&ResultTable, &ResultRow)> {
    results.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)))
}

#[test]
fn rel_p7_acc070_what_the_demo_released_holds_the_rules() {
    the_public_tables_hold_their_rules_and_no_number_of_a_withheld_cell();
    no_difference_or_change_tells_a_withheld_share();
    groups_of_the_same_persons_are_withheld_together();
    the_public_csv_says_what_the_public_document_says();
}

fn the_public_tables_hold_their_rules_and_no_number_of_a_withheld_cell() {
    let releases = released();
    assert_eq!(releases.len(), 2, "each wave is released");
    let public = &releases[1].1;
    let office: Results =
        serde_json::from_slice(&fs::read(demo().join("results.json")).expect("results")).expect("JSON");
    let (mut shown, mut reasons) = (0, BTreeSet::new());
    for ((table, row), (_, exact)) in rows(public).zip(rows(&office)) {
        let n = exact.n.expect("an exact base");
        assert_eq!((row.n, row.deff, row.effective_n), (None, None, None));
        if let Some(reason) = &row.withheld {
            reasons.insert(reason.as_str());
            let words = &row.not_estimable.as_ref().expect("a reason").zh;
            assert!(words.starts_with('✱'), "{words}");
            assert_eq!(
                (row.estimate, row.population, row.se, row.ci, row.model.is_some()),
                (None, None, None, None, false)
            );
            assert!(row.base.is_none() && row.verdicts.is_empty());
            continue;
        }
        shown += 1;
        assert!(n >= 30, "{} {:?} is shown with n = {n}", table.id, row.domain);
        assert_eq!(row.caution, n < 60 || exact.se.zip(exact.estimate).is_none_or(|(se, share)| se / share >= 0.3));
        let (told, exact) = (row.estimate.expect("a share"), exact.estimate.expect("a share"));
        assert!((told - exact).abs() <= 0.000_5 + 1e-12 && ((told * 1000.0).round() - told * 1000.0).abs() < 1e-9);
        assert!(row.population.expect("persons").rem_euclid(100.0) < 1e-6);
    }
    assert!(shown > 20 && reasons.contains("base") && reasons.contains("side"), "{shown} {reasons:?}");
    assert_eq!(
        rows(public).filter(|(table, _)| table.by.is_empty()).filter(|(_, row)| row.withheld.is_some()).count(),
        0
    );
    assert!(public.response_rates.iter().all(|row| row.district.is_none()), "bases of districts stay inside");
}

fn no_difference_or_change_tells_a_withheld_share() {
    let releases = released();
    let hidden = |results: &Results| -> BTreeSet<String> {
        let key = |table: &ResultTable, row: &ResultRow| format!("{}/{:?}", table.id, row.domain);
        rows(results).filter(|(_, row)| row.withheld.is_some()).map(|(table, row)| key(table, row)).collect()
    };
    let (then, now) = (hidden(&releases[0].1), hidden(&releases[1].1));
    let changes = releases[1].1.changes.as_ref().expect("changes since the wave before, which is released");
    let (mut told, mut kept) = (0, 0);
    for row in &changes.rows {
        let key = format!("{}/{:?}", row.table, row.domain);
        let secret = then.contains(&key) || now.contains(&key);
        let numbers = row.of.estimate.is_some() || row.earlier.is_some() || row.later.is_some();
        assert!(!(secret && numbers), "{key}");
        told += usize::from(!secret && numbers);
        kept += usize::from(secret);
    }
    assert!(told > 5, "{told} {kept}");
    for difference in &releases[1].1.differences {
        let of =
            |level: &str| now.iter().any(|key| *key == format!("{0}/{{\"{0}\": \"{level}\"}}", difference.variable));
        let secret = of(&difference.first.code) || of(&difference.second.code);
        assert!(!(secret && difference.of.estimate.is_some()), "{} {:?}", difference.variable, difference.first);
    }
}

fn groups_of_the_same_persons_are_withheld_together() {
    let public = &released()[1].1;
    let row = |table: &str, level: &str| {
        let mut found =
            rows(public).filter(|(of, row)| of.id == table && row.domain.values().any(|code| code == level));
        found.next().map(|(_, row)| row.withheld.clone()).expect("the row")
    };
    // 老年人 are those of 60 and more, 农民 those with that occupation.
    assert_eq!(row("key_group", "older").is_some(), row("age_group", "60-69").is_some());
    assert_eq!(row("key_group", "official").is_some(), row("occupation", "official").is_some());
}

fn the_public_csv_says_what_the_public_document_says() {
    let releases = released();
    let (release, results) = &releases[1];
    let mut reader = csv::Reader::from_reader(release.indicator.as_slice());
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    let at = |name: &str| head.iter().position(|column| column == name).expect("the column");
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a record")).collect();
    for ((table, row), record) in rows(results).zip(&records) {
        assert_eq!(&record[at("table")], table.id);
        match (&row.withheld, row.estimate) {
            (Some(reason), _) => {
                assert_eq!((&record[at("estimate")], &record[at("withheld")]), ("✱", reason.as_str()));
            }
            (None, Some(share)) => {
                assert_eq!(record[at("estimate")].parse(), Ok(share));
                assert_eq!(record[at("base")], *row.base.as_deref().expect("a band"));
                assert_eq!(&record[at("flag")], if row.caution { "仅供参考" } else { "" });
            }
            (None, None) => {}
        }
    }
    assert!(!head.iter().any(|column| ["n", "deff", "effective_n", "se", "df"].contains(&column.as_str())), "{head:?}");
}

#[test]
fn acc071_rel_p6_the_deidentified_file_has_five_persons_to_every_combination_of_keys_and_weight() {
    let source = fs::read(demo().join("responses_weighted.csv")).expect("the rows");
    let file = deidentified(&source).expect("a file");
    assert_eq!(deidentified(&source).expect("a file"), file, "the same bytes each time");
    let read = |bytes: &[u8]| -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_reader(bytes);
        let head = reader.headers().expect("a head").clone();
        let row =
            |record: csv::StringRecord| head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
        reader.records().map(|record| row(record.expect("a record"))).collect()
    };
    let (rows, all) = (read(&file), read(&source));
    let used: Vec<_> = all.iter().filter(|row| !row["weight"].is_empty()).collect();
    assert_eq!(rows.len(), used.len());
    let columns: Vec<&String> = rows[0].keys().collect();
    let allowed = ["age_group", "district", "education", "literate", "residence", "score", "sex", "tier", "weight"];
    assert_eq!(columns, allowed, "no ids, units, strata, times or texts");
    let mut combinations: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for row in &rows {
        let key = KEYS.iter().chain(&["weight"]).map(|column| row[*column].as_str()).collect();
        *combinations.entry(key).or_default() += 1;
    }
    let few: Vec<_> = combinations.iter().filter(|(_, n)| **n < K).collect();
    assert!(few.is_empty(), "{few:?}");
    // The control: the rows it was made from are told apart by far.
    let mut before: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for row in &used {
        *before.entry(KEYS.iter().map(|column| row[*column].as_str()).collect()).or_default() += 1;
    }
    assert!(before.values().filter(|n| **n < K).count() > 50);
    assert_eq!(
        rows.iter()
            .filter(|row| !row["education"].is_empty())
            .map(|row| row["education"].as_str())
            .collect::<BTreeSet<_>>()
            .len(),
        4
    );
    // It can still be described with: nearly all keep sex and residence, and the weights add up.
    let keeps = |column: &str| rows.iter().filter(|row| !row[column].is_empty()).count() as f64 / rows.len() as f64;
    assert!(keeps("sex") > 0.95 && keeps("residence") > 0.95 && keeps("district") > 0.5, "{}", keeps("district"));
    let sum = |rows: &mut dyn Iterator<Item = &BTreeMap<String, String>>| -> f64 {
        rows.map(|row| row["weight"].parse::<f64>().expect("a weight")).sum()
    };
    let (told, exact) = (sum(&mut rows.iter()), sum(&mut used.iter().copied()));
    assert!((told / exact - 1.0).abs() < 0.03, "{told} {exact}");
    // The order tells nothing of the sample's: neighbours are of the same district no more often than by chance.
    let neighbours = rows.windows(2).filter(|pair| pair[0]["district"] == pair[1]["district"]).count();
    assert!((neighbours as f64) < 0.35 * rows.len() as f64, "{neighbours}");
}
