//! Contact data from outside: in by file, out one case at a time, in plain text nowhere, and gone when they must be.

#[path = "vault/notes.rs"]
mod notes;
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use scilit::{
    evidence::Frontier,
    server::{Role, Settings, vault::Vault},
    storage::{AuditEntry, Author},
};
use serde_json::{Value, json};
use support::{
    TestDatabase,
    app::{SAMPLE, TestApp, counting},
    http::Answer,
    on_every_backend,
};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

fn put(app: &TestApp, role: Role, survey: &str, content: &str) -> Answer {
    let path = format!("/api/v1/surveys/{survey}/files/contacts");
    app.send(Some(role), "PUT", &path, &[("Content-Type", "text/csv")], content.as_bytes())
}

fn at_case(app: &TestApp, role: Role, survey: &str, case: &str, what: &str, reason: &str) -> Answer {
    let path = format!("/api/v1/cases/{survey}/{case}/{what}");
    app.send(Some(role), "POST", &path, &JSON, json!({ "reason": reason }).to_string().as_bytes())
}

fn read(app: &TestApp, role: Role, survey: &str, case: &str) -> Answer {
    at_case(app, role, survey, case, "contact", "电话复核")
}

fn confirm(app: &TestApp, role: Role, survey: &str, case: &str) -> Answer {
    app.send(Some(role), "POST", &format!("/api/v1/cases/{survey}/{case}/erasure/confirm"), &[], b"")
}

fn log(app: &TestApp, action: &str) -> Vec<AuditEntry> {
    let all = app.database().audit_entries(0, 100_000).expect("entries");
    all.into_iter().filter(|entry| entry.action == action).collect()
}

fn detail(entry: &AuditEntry) -> Value {
    serde_json::from_str(entry.detail.as_deref().expect("a detail")).expect("JSON")
}

const THREE: &str = "case_id,address,name,phone,note\n\
c1,和平路 1 号,李先生,13800001234,\nc2,和平路 2 号,,0451-86412345,白天在\nc3,和平路 3 号,王女士,,\n";

#[test]
fn contact_data_come_out_one_case_at_a_time_with_a_reason_that_is_logged() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let put = put(&app, Role::Supervisor, &survey, THREE);
        assert_eq!((put.status, put.json()["cases"].clone()), (200, json!(3)), "{}", put.text());
        let answer = read(&app, Role::Supervisor, &survey, "c1");
        let contact = json!({ "case": "c1", "address": "和平路 1 号", "name": "李先生", "phone": "13800001234",
            "phone_masked": "138****1234", "note": "" });
        assert_eq!((answer.status, answer.json()), (200, contact));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let [entry] = log(&app, "identity.read").try_into().expect("one entry");
        assert_eq!((entry.role.as_str(), entry.object.clone()), ("supervisor", format!("case/{survey}/c1")));
        assert_eq!(detail(&entry), json!({ "reason": "电话复核", "frequent": false }));
        for reason in ["", "  a ", "看看"] {
            let refused = at_case(&app, Role::Supervisor, &survey, "c1", "contact", reason);
            assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"), "{reason:?}");
        }
        assert_eq!(read(&app, Role::Supervisor, &survey, "c7").problem(), "not-found");
        assert_eq!(read(&app, Role::Supervisor, &survey, "c%00").problem(), "not-found");
        assert_eq!(log(&app, "identity.read").len(), 1, "what was refused was not read");
    });
}

#[test]
fn a_case_outside_the_region_is_as_if_it_were_not_there() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        assert_eq!(put(&app, Role::Supervisor, &survey, THREE).status, 200);
        app.person("elsewhere", &[(Role::Supervisor, "2302")]);
        app.person("here", &[(Role::Supervisor, "2301")]);
        let (elsewhere, here) = (app.sit_down("elsewhere"), app.sit_down("here"));
        let ask = |desk, case: &str, what: &str| {
            let path = format!("/api/v1/cases/{survey}/{case}/{what}");
            app.at(desk, "POST", &path, Some(&json!({ "reason": "电话复核" })))
        };
        let (outside, unknown) = (ask(&elsewhere, "c1", "contact"), ask(&elsewhere, "c7", "contact"));
        assert_eq!((outside.status, outside.problem()), (404, unknown.problem()));
        assert_eq!(outside.json()["detail"], unknown.json()["detail"], "the answers tell nothing apart");
        assert_eq!(ask(&elsewhere, "c1", "erasure").status, 404);
        assert_eq!(ask(&here, "c1", "contact").status, 200, "the control: it is there for whoever it belongs to");
    });
}

#[test]
fn analysts_auditors_and_admins_see_no_contact_data() {
    let app_on = TestDatabase::sqlite();
    let app = TestApp::start(&app_on);
    let (survey, _) = app.survey("调查");
    assert_eq!(put(&app, Role::Supervisor, &survey, THREE).status, 200);
    for role in [Role::Analyst, Role::Auditor, Role::Admin] {
        assert_eq!(read(&app, role, &survey, "c1").problem(), "forbidden-role", "{role:?}");
        assert_eq!(put(&app, role, &survey, THREE).problem(), "forbidden-role", "{role:?}");
        assert_eq!(at_case(&app, role, &survey, "c1", "erasure", "本人要求").problem(), "forbidden-role", "{role:?}");
    }
    assert!(log(&app, "identity.read").is_empty());
}

#[test]
fn a_faulty_file_changes_nothing_and_its_faults_do_not_quote_it() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let faulty = format!("{}c9,机密地址,机密姓名,12345678901234,\n", THREE.replace("和平路 2 号", ""));
        let refused = put(&app, Role::Supervisor, &survey, &faulty);
        assert_eq!(refused.problem(), "invalid");
        let errors = refused.json()["errors"].clone();
        let places: Vec<_> =
            errors.as_array().expect("faults").iter().map(|e| (e["line"].clone(), e["code"].clone())).collect();
        let expected =
            [(3, "missing"), (5, "unknown-case"), (5, "phone")].map(|(line, code)| (json!(line), json!(code)));
        assert_eq!(places, expected);
        assert!(!refused.text().contains("机密") && !refused.text().contains("123456"), "{}", refused.text());
        assert_eq!(read(&app, Role::Supervisor, &survey, "c1").status, 404, "not even the good rows came in");
    });
}

#[test]
fn more_than_twenty_reads_an_hour_are_marked_in_the_log() {
    let test = TestDatabase::sqlite();
    let app = TestApp::start(&test);
    let (survey, _) = app.survey("调查");
    assert_eq!(put(&app, Role::Supervisor, &survey, THREE).status, 200);
    for _ in 0..21 {
        assert_eq!(read(&app, Role::Supervisor, &survey, "c2").status, 200);
    }
    let marks: Vec<bool> = log(&app, "identity.read").iter().map(|entry| detail(entry)["frequent"] == true).collect();
    assert_eq!((marks.iter().filter(|mark| **mark).count(), marks.last()), (1, Some(&true)));
    app.now_ms.fetch_add(3_600_001, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(read(&app, Role::Supervisor, &survey, "c2").status, 200);
    assert_eq!(detail(log(&app, "identity.read").last().expect("it"))["frequent"], false, "an hour later it is not");
}

/// The folder whose files hold the database: SQLite's own, or the cluster that the URL's socket lies in.
fn data_folder(test: &TestDatabase) -> PathBuf {
    match test.file() {
        Some(file) => file.parent().expect("a folder").to_owned(),
        None => {
            let host = test.url.split_once("host=").expect("a socket").1;
            PathBuf::from(host.split('&').next().expect("a folder"))
        }
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

/// The files that hold any of the byte strings.
fn files_with(folder: &Path, wanted: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_below(folder, &mut files);
    assert!(files.len() > 1, "there is something to search");
    // One pass a file: only where some mark may begin are the marks compared.
    let mut begins = [false; 256];
    wanted.iter().for_each(|mark| begins[usize::from(mark[0])] = true);
    let holds = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        let candidates = bytes.iter().enumerate().filter(|(_, byte)| begins[usize::from(**byte)]);
        candidates.map(|(at, _)| &bytes[at..]).any(|rest| wanted.iter().any(|mark| rest.starts_with(mark)))
    };
    files.into_iter().filter(holds).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// 200 cases; every name, address, note and number carries a mark of its kind.
fn many() -> (String, String) {
    let sample = (0..200).map(|n| format!("m{n},230102,s1,p{},urban,0.5,0.1\n", n % 2));
    let contact =
        (0..200).map(|n| format!("m{n},标记路口甲{n:03}号,标记姓名乙{n:03},1389988{n:04},标记备注丙{n:03}\n"));
    let header = SAMPLE.lines().next().expect("a header");
    let sample = format!("{header}\n{}", sample.collect::<String>());
    (sample, format!("case_id,address,name,phone,note\n{}", contact.collect::<String>()))
}

fn marks() -> Vec<Vec<u8>> {
    let texts = ["标记路口甲", "标记姓名乙", "1389988", "标记备注丙"];
    texts.iter().flat_map(|text| [text.as_bytes().to_vec(), utf16(text)]).collect()
}

#[test]
fn rel_p2_nothing_of_the_contact_data_lies_on_the_disk_in_plain_text() {
    on_every_backend(|test| {
        let settings = Settings { log: Some("trace".to_owned()), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let (survey, _) = app.survey("调查");
        let (sample, contacts) = many();
        assert_eq!(app.put_file(&survey, "sample", &sample).status, 201);
        assert_eq!(put(&app, Role::Supervisor, &survey, &contacts).json()["cases"], 200);
        assert_eq!(put(&app, Role::Supervisor, &survey, &contacts).json()["cases"], 200, "again, over the old rows");
        for n in [0, 7, 199] {
            let answer = read(&app, Role::Supervisor, &survey, &format!("m{n}")).json();
            assert_eq!(answer["name"], format!("标记姓名乙{n:03}"));
        }
        checkpoint(test);
        let folder = data_folder(test);
        assert_eq!(files_with(&folder, &marks()), Vec::<PathBuf>::new());
        // The control: the same search finds a mark that a plain table holds, while the server runs.
        let plain =
            app.publish(&support::app::QUESTIONNAIRE.replace("小问卷", "标记路口甲").replace("\"tiny\"", "\"mark\""));
        assert!(plain.status < 300, "{}", plain.text());
        checkpoint(test);
        assert!(!files_with(&folder, &marks()).is_empty(), "the search finds plain text");
    });
}

/// PostgreSQL keeps fresh pages in memory; a checkpoint puts them where the search looks.
fn checkpoint(test: &TestDatabase) {
    if test.file().is_none() {
        support::postgres::server().expect("a server").sql(&test.url, "CHECKPOINT");
    }
}

fn operator() -> Author {
    Author { id: "operator".to_owned(), role: "system".to_owned() }
}

#[test]
fn rel_p3_after_a_rotation_everything_opens_and_the_old_key_opens_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        let (sample, contacts) = many();
        assert_eq!(app.put_file(&survey, "sample", &sample).status, 201);
        assert_eq!(put(&app, Role::Supervisor, &survey, &contacts).status, 200);
        let file = test.key_dir().join("vault.keys");
        let old = fs::read(&file).expect("the key file");
        let database = app.database();
        let vault = Vault { database, key_dir: &test.key_dir() };
        let taken = |case: &str| database.take_contact(&survey, case, &operator(), "test", 1).expect("it").expect("it");
        let before = taken("m5");
        assert_eq!(vault.rotate(&operator(), 5).expect("rotated"), 200);
        let after = taken("m5");
        assert_ne!((&before.case.case_key, &before.survey.data_key), (&after.case.case_key, &after.survey.data_key));
        assert_eq!(before.fields, after.fields, "only keys are sealed anew");
        assert_eq!(before.case.phone_index, after.case.phone_index);
        assert_eq!(
            read(&app, Role::Supervisor, &survey, "m5").json()["phone"],
            "13899880005",
            "the running server goes on"
        );
        assert_eq!(log(&app, "vault.rotate").len(), 1);
        // A case that comes in after it is sealed under the new keys, too.
        assert_eq!(put(&app, Role::Supervisor, &survey, &contacts).status, 200);
        let new = fs::read(&file).expect("the key file");
        fs::write(&file, old).expect("the old key");
        assert_eq!(read(&app, Role::Supervisor, &survey, "m5").problem(), "internal");
        fs::write(&file, new).expect("the new key");
        assert_eq!(read(&app, Role::Supervisor, &survey, "m5").status, 200);
    });
}

#[test]
fn rel_p4_an_erasure_takes_two_persons_and_leaves_neither_key_nor_field_while_the_log_verifies() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, _) = app.survey("调查");
        assert_eq!(put(&app, Role::Supervisor, &survey, THREE).status, 200);
        let database = app.database();
        let taken = database.take_contact(&survey, "c1", &operator(), "李先生来电", 1).expect("it").expect("it");
        let key = taken.case.case_key.clone().expect("a key");
        let secrets: Vec<Vec<u8>> = taken.fields.iter().map(|field| field.ciphertext.clone()).chain([key]).collect();
        assert!(!files_with(&data_folder(test), &secrets).is_empty(), "before, the search finds them");

        assert_eq!(confirm(&app, Role::Admin, &survey, "c1").problem(), "not-found", "nobody asked yet");
        assert_eq!(at_case(&app, Role::Supervisor, &survey, "c1", "erasure", "本人要求").status, 202);
        assert_eq!(confirm(&app, Role::Supervisor, &survey, "c1").problem(), "second-person");
        assert_eq!(read(&app, Role::Supervisor, &survey, "c1").status, 200, "not yet");
        let done = confirm(&app, Role::Admin, &survey, "c1");
        assert_eq!((done.status, done.json()["state"].clone()), (200, json!("erased")), "{}", done.text());

        assert_eq!(read(&app, Role::Supervisor, &survey, "c1").problem(), "not-found");
        assert_eq!(read(&app, Role::Supervisor, &survey, "c2").status, 200, "others stay");
        assert_eq!(put(&app, Role::Supervisor, &survey, THREE).json()["errors"][0]["code"], "erased");
        // PostgreSQL's own log keeps old pages until it is recycled; there the destroyed key is what protects.
        if test.file().is_some() {
            assert_eq!(files_with(&data_folder(test), &secrets), Vec::<PathBuf>::new());
            assert_eq!(files_with(&data_folder(test), &["李先生来电".as_bytes().to_vec()]), Vec::<PathBuf>::new());
        }
        let entries = database.audit_entries(0, 1000).expect("entries");
        let about: Vec<_> = entries.iter().filter(|entry| entry.object == format!("case/{survey}/c1")).collect();
        let told = |entry: &&&AuditEntry| entry.detail.is_some() && entry.action != "identity.erase";
        assert!(about.len() >= 5 && !about.iter().any(|entry| told(&entry)), "{about:?}");
        let mut tree = Frontier::new();
        entries.iter().for_each(|entry| tree.push(entry.header().leaf()));
        let head = database.audit_head().expect("a head");
        assert_eq!(tree.to_bytes(), head.frontier, "the log verifies without the details");
    });
}
