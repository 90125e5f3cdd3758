//! Other forms of the weighted responses, read by programs that are not ours.

use std::{io::Cursor, path::Path, process::Command};

use calamine::{Data, Range, Reader, Xlsx};
use scilit::{
    evidence::sha256_hex,
    export::formats::{Format, FormatSources, write_format},
    server::{Role, Settings, archive, jobs::indicator},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{SAMPLE, TABLET, TestApp, submission},
    on_every_backend,
};

const MACHINE: &str = "responses_weighted.csv";
const REGIONS: &str =
    "code,name_zh,name_en,parent\n230100,某市,City,\n230102,道里区,Daoli,230100\n230103,南岗区,Nangang,230100\n";

/// A run of three responses; one lives in a unit whose name a spreadsheet would take for a formula.
struct Done {
    app: TestApp,
    path: String,
}

impl Done {
    fn new(test: &TestDatabase) -> Self {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        assert_eq!(app.put_file(&survey, "sample", &SAMPLE.replace(",p1,", ",=1+1,")).status, 201);
        let put = app.put_file(&survey, "regions", REGIONS);
        assert_eq!(put.status, 201, "{}", put.text());
        for (n, case) in ["c1", "c2", "c3"].into_iter().enumerate() {
            let id = format!("{}{n}", &TABLET[..TABLET.len() - 1]);
            let answers = submission(&id, &hash, case).to_string();
            let answers = if n == 0 { answers } else { answers.replace("\"true\"", "\"false\"") };
            assert_eq!(app.submit(&id, 1, answers.as_bytes()).status, 201);
        }
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        Self { path: format!("/api/v1/runs/{}", run["id"].as_str().expect("an id")), app }
    }

    fn file(&self, name: &str) -> Vec<u8> {
        let answer = self.app.get(Role::Auditor, &format!("{}/files/{name}?purpose=audit", self.path));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("x-content-sha256"), Some(sha256_hex(&answer.body).as_str()), "{name}");
        answer.body
    }

    fn form(&self, format: Format) -> Vec<u8> {
        self.file(format.file_name())
    }

    fn machine(&self) -> Table {
        Table::read(&self.file(MACHINE))
    }

    fn results(&self) -> Value {
        self.app.get(Role::Analyst, &format!("{}/results", self.path)).json()
    }
}

/// A CSV's cells by the plain reader.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(bytes: &[u8]) -> Self {
        let mut reader = csv::Reader::from_reader(bytes);
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let header = cells(reader.headers().expect("a header"));
        Self { header, rows: reader.records().map(|record| cells(&record.expect("a row"))).collect() }
    }

    fn at(&self, column: &str) -> usize {
        self.header.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"))
    }

    fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        let at = self.at(column);
        self.rows.iter().map(|row| row[at].parse().ok()).collect()
    }
}

#[test]
fn acc067_the_csv_for_excel_has_its_mark_and_runs_nothing_and_the_machines_form_is_untouched() {
    on_every_backend(|test| {
        let done = Done::new(test);
        let (machine, bytes) = (done.machine(), done.form(Format::ExcelCsv));
        assert!(bytes.starts_with(b"\xef\xbb\xbf"), "without the mark Excel takes it for GBK");
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        assert!(text.lines().all(|line| !line.is_empty()) && text.contains("\r\n"));
        let people = Table::read(&bytes[3..]);
        assert_eq!((people.header.len(), people.rows.len()), (machine.header.len(), machine.rows.len()));
        assert_eq!(people.header[machine.at("weight")], "最终权数（weight）");
        assert_eq!(people.header[machine.at("district")], "区、县（市）（district）");
        for (shown, exact) in people.rows.iter().zip(&machine.rows) {
            for column in ["weight", "weight_base", "prob_psu", "score", "score_one", "dont_know", "literate"] {
                let at = machine.at(column);
                assert_eq!(shown[at], exact[at], "{column}: numbers are unchanged");
            }
            let unit = machine.at("psu");
            let expected = if exact[unit] == "=1+1" { "'=1+1" } else { &exact[unit] };
            assert_eq!(shown[unit], expected);
            let district = if exact[machine.at("district")] == "230102" { "道里区" } else { "南岗区" };
            assert_eq!(shown[machine.at("district")], district);
        }
        assert!(machine.rows.iter().any(|row| row[machine.at("psu")] == "=1+1"), "there is something to neutralise");
        let exact = done.file(MACHINE);
        assert!(exact.starts_with(b"id,district,stratum,psu,") && !exact.contains(&b'\r') && !exact.contains(&b'\''));
    });
}

fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Range<Data> {
    book.worksheet_range(name).unwrap_or_else(|error| panic!("{name}: {error} in {:?}", Vec::<String>::new()))
}

#[test]
fn acc065_the_workbook_is_read_by_another_reader_has_no_formula_and_adds_up_to_the_indicator() {
    on_every_backend(|test| {
        let done = Done::new(test);
        let machine = done.machine();
        let mut book = Xlsx::new(Cursor::new(done.form(Format::Xlsx))).expect("a workbook");
        assert_eq!(book.sheet_names(), ["数据（临时结果）", "编码簿", "说明"], "interim results say so");
        for name in book.sheet_names() {
            assert!(book.worksheet_formula(&name).expect("a sheet").cells().all(|(.., formula)| formula.is_empty()));
        }
        let data = sheet(&mut book, "数据（临时结果）");
        assert_eq!(data.get_size(), (machine.rows.len() + 1, machine.header.len()));
        let column = |name: &str| {
            let at = u32::try_from(machine.at(name)).expect("a column");
            (1..=machine.rows.len())
                .map(|row| data.get_value((u32::try_from(row).expect("a row"), at)).cloned())
                .collect::<Vec<_>>()
        };
        let numbers = |name: &str| -> Vec<Option<f64>> {
            column(name)
                .into_iter()
                .map(|cell| {
                    cell.and_then(|cell| match cell {
                        Data::Float(number) => Some(number),
                        Data::Int(number) => Some(number as f64),
                        Data::Empty => None,
                        other => panic!("{name}: {other:?} is no number"),
                    })
                })
                .collect()
        };
        for name in ["weight", "weight_base", "prob_psu", "prob_household", "person_factor", "score"] {
            assert_eq!(numbers(name), machine.numbers(name), "{name}: bit for bit");
        }
        assert!(column("psu").contains(&Some(Data::String("=1+1".to_owned()))), "a text stays a text");
        assert!(column("district").contains(&Some(Data::String("南岗区".to_owned()))));
        let weights = numbers("weight");
        let sum: f64 = weights.iter().flatten().sum();
        let city = &done.results()["tables"][0]["rows"][0];
        let population = city["population"].as_f64().expect("a number");
        assert!((sum / population - 1.0).abs() < 1e-9, "{sum} and {population}");
        let scores: f64 =
            weights.iter().zip(numbers("score")).filter_map(|(weight, score)| Some((*weight)? * score?)).sum();
        // One item of ten points.
        let share = scores / 10.0 / sum;
        assert!((share / city["estimate"].as_f64().expect("a share") - 1.0).abs() < 1e-9, "{share}");
        let codebook = sheet(&mut book, "编码簿");
        let has = |code: &str, zh: &str| {
            codebook.rows().any(|row| row[4] == Data::String(code.into()) && row[5] == Data::String(zh.into()))
        };
        assert!(has("230103", "南岗区") && has("rural", "农村") && has("literate", "具备"));
        let notes = sheet(&mut book, "说明");
        let digest = sha256_hex(&done.file(MACHINE));
        assert!(notes.rows().any(|row| row[1] == Data::String("临时结果，示例数据".into())));
        assert!(notes.rows().any(|row| row[1] == Data::String(digest.clone())), "it names what it was made from");
    });
}

#[test]
fn acc065_a_form_is_made_once_and_is_the_same_from_a_bundle_without_a_server() {
    on_every_backend(|test| {
        let done = Done::new(test);
        let listed = || done.app.get(Role::Auditor, &format!("{}/files", done.path)).json()["files"].clone();
        let head = |name: &str| listed().as_array().expect("files").iter().find(|file| file["name"] == name).cloned();
        let bundle = done.app.get(Role::Auditor, &format!("{}/bundle?purpose=audit", done.path)).body;
        let files = archive::unpack(&bundle).expect("a bundle");
        let digest = sha256_hex(&files[MACHINE]);
        let sources = FormatSources {
            questionnaire: &files["questionnaire.json"],
            profile: &files["profile.toml"],
            regions: files.get("regions.csv").map(Vec::as_slice),
            results: &files["results.json"],
            persons_sha256: &digest,
        };
        for format in Format::ALL {
            let name = format.file_name();
            let before = head(name).expect("it is listed before it is made");
            assert_eq!((&before["sha256"], &before["form_of"]), (&json!(null), &json!(MACHINE)), "{name}");
            let (first, second) = (done.form(format), done.form(format));
            assert!(first == second, "{name}");
            assert_eq!(head(name).expect("a file")["sha256"], sha256_hex(&first));
            let mut offline = Vec::new();
            let mut open = || Ok(Box::new(Cursor::new(files[MACHINE].clone())) as Box<dyn std::io::Read + Send>);
            write_format(format, &sources, &mut open, &mut offline).expect("a form");
            assert!(offline == first, "{name}: another place gives the same bytes");
            let object = format!("{}/{name}", done.path.trim_start_matches("/api/v1/").replacen("runs/", "run/", 1));
            let log = done.app.get(Role::Auditor, &format!("/api/v1/audit/entries?object={object}&limit=50")).json();
            let actions: Vec<_> =
                log["entries"].as_array().expect("entries").iter().map(|entry| entry["action"].clone()).collect();
            let count = |action: &str| actions.iter().filter(|found| **found == action).count();
            assert_eq!((count("format.create"), count("download.intent")), (1, 2), "{name}: {actions:?}");
        }
        assert!(!files.contains_key(Format::Xlsx.file_name()), "a bundle stays what was signed");
    });
}

#[test]
fn acc066_a_form_goes_on_where_a_download_broke_off_and_is_for_those_who_may_see_persons() {
    on_every_backend(|test| {
        let done = Done::new(test);
        for format in Format::ALL {
            let path = format!("{}/files/{}?purpose=audit", done.path, format.file_name());
            for (role, status) in
                [(Role::Admin, 403), (Role::Supervisor, 403), (Role::Surveyor, 403), (Role::Analyst, 200)]
            {
                assert_eq!(done.app.get(role, &path).status, status, "{role:?} {path}");
            }
            assert_eq!(done.app.send(None, "GET", &path, &[], b"").status, 401);
            let whole = done.app.get(Role::Auditor, &path);
            let tag = whole.header("etag").expect("a tag").to_owned();
            let at = whole.body.len() * 7 / 10;
            let range = [("Range", format!("bytes={at}-")), ("If-Range", tag)];
            let range = range.each_ref().map(|(name, value)| (*name, value.as_str()));
            let rest = done.app.send(Some(Role::Auditor), "GET", &path, &range, b"");
            assert_eq!((rest.status, [&whole.body[..at], &rest.body].concat() == whole.body), (206, true), "{path}");
        }
        let names = done.app.get(Role::Supervisor, &format!("{}/files", done.path)).text();
        assert!(!names.contains("responses_weighted"), "{names}");
        assert_eq!(
            done.app.get(Role::Auditor, &format!("{}/files/responses_weighted.docx?purpose=audit", done.path)).status,
            404
        );
    });
}

fn run_pspp(folder: &Path, syntax: &[u8]) -> String {
    std::fs::write(folder.join("run.sps"), syntax).expect("a file");
    let output = Command::new("pspp").args(["run.sps", "-O", "format=csv"]).current_dir(folder).output();
    let output = output.expect("pspp runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

#[test]
fn the_spss_syntax_reads_the_machines_csv_in_pspp_with_chinese_names_and_the_same_sums() {
    if Command::new("pspp").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI must run the SPSS syntax, but pspp was not found");
        eprintln!("SKIPPED: pspp was not found");
        return;
    }
    on_every_backend(|test| {
        let done = Done::new(test);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(MACHINE), done.file(MACHINE)).expect("a file");
        let mut syntax = done.form(Format::Spss);
        syntax.extend(b"\nFORMATS weight (F24.12).\nDESCRIPTIVES weight score /STATISTICS=SUM.\nFREQUENCIES district residence literate.\nLIST psu.\n");
        let told = run_pspp(folder.path(), &syntax);
        let expected: f64 = done.machine().numbers("weight").iter().flatten().sum();
        let line = told.lines().find(|line| line.starts_with("最终权数")).unwrap_or_else(|| panic!("{told}"));
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[1], "3", "{line}");
        let sum: f64 = cells[2].parse().unwrap_or_else(|_| panic!("{line}"));
        assert!((sum / expected - 1.0).abs() < 1e-9, "{line}: {expected}");
        for name in ["区、县（市）", "道里区", "南岗区", "农村", "不具备", "=1+1"] {
            assert!(told.contains(name), "{name} in {told}");
        }
    });
}

#[test]
fn a_run_whose_files_are_not_those_of_this_version_has_no_other_forms() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey);
        let path = format!("/api/v1/runs/{}", run["id"].as_str().expect("an id"));
        for format in Format::ALL {
            assert_eq!(
                app.get(Role::Auditor, &format!("{path}/files/{}?purpose=audit", format.file_name())).problem(),
                "not-found"
            );
        }
        assert_eq!(app.get(Role::Auditor, &format!("{path}/files")).json()["files"].as_array().map(Vec::len), Some(3));
    });
}

#[test]
fn the_stata_commands_name_every_column_and_lose_no_code() {
    on_every_backend(|test| {
        let done = Done::new(test);
        let text = String::from_utf8(done.form(Format::Stata)).expect("UTF-8");
        let machine = done.machine();
        for (n, name) in machine.header.iter().enumerate() {
            let n = n + 1;
            assert!(text.contains(&format!("rename __column{n} {name}\n")), "{name}");
            assert!(text.contains(&format!("label variable {name} `\"")), "{name}");
        }
        assert!(text.starts_with("* 调查，临时结果，示例数据\n"), "{text}");
        assert!(text.contains("destring weight, replace\n") && !text.contains("destring id,"));
        assert!(text.contains("replace __value = 2 if district == `\"230103\"'\n"));
        assert!(text.contains("label define district_lbl 2 `\"南岗区\"', modify\n"));
        assert!(text.contains("assert __value != . if district != \"\"\n"), "a code without a name stops the commands");
        assert!(text.contains("label define literate_lbl 1 `\"具备\"', modify\n"));
    });
}

#[test]
fn the_ddi_codebook_describes_every_column_of_both_files_with_its_missing_answers() {
    use quick_xml::{Reader as XmlReader, events::Event};
    on_every_backend(|test| {
        let done = Done::new(test);
        let text = String::from_utf8(done.form(Format::Ddi)).expect("UTF-8");
        let (mut reader, mut names, mut missing) = (XmlReader::from_str(&text), Vec::new(), 0);
        loop {
            match reader.read_event().expect("XML") {
                Event::Eof => break,
                Event::Start(start) if start.name().as_ref() == "var" => {
                    let attributes = start.attributes().map(|one| one.expect("an attribute"));
                    let of = |key: &str| {
                        attributes.clone().find(|one| one.key.as_ref() == key).map(|one| one.value.into_owned())
                    };
                    names.push((of("files").expect("a file"), of("name").expect("a name")));
                }
                Event::Start(start) if start.name().as_ref() == "catgry" => {
                    missing += usize::from(start.attributes().flatten().any(|one| one.key.as_ref() == "missing"));
                }
                _ => {}
            }
        }
        let of =
            |file: &str| names.iter().filter(|(of, _)| of == file).map(|(_, name)| name.clone()).collect::<Vec<_>>();
        assert_eq!(of("F1"), done.machine().header);
        assert_eq!(of("F2"), Table::read(&done.file("answers.csv")).header);
        assert!(missing >= 6, "two items with at least three words each: {missing}");
        assert!(
            text.contains("<caseQnty>3</caseQnty>") && text.contains("临时结果") && text.contains("地球围着太阳转")
        );
        assert!(text.contains("wgt=\"wgt\""));
    });
}
