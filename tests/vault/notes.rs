//! What surveyors write about visits and where they stood: sealed like the rest of the vault, read one by one.

use super::*;
use support::people::{Desk, Tablet};

/// A tablet, the desk of its supervisor and a survey with cases `m0` to `m199`.
struct Field {
    survey: String,
    tablet: Tablet,
    desk: Desk,
}

fn field(app: &TestApp) -> Field {
    let (survey, _) = app.survey("调查");
    assert_eq!(app.put_file(&survey, "sample", &many().0).status, 201);
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let desk = app.sit_down("boss");
    let tablet = app.tablet(&desk, &app.person("li", &[(Role::Surveyor, "2301")]));
    Field { survey, tablet, desk }
}

fn attempt_id(n: u64) -> String {
    format!("019abcde-0000-7000-8000-{n:012}")
}

impl Field {
    fn visit(&self, n: u64) -> Value {
        json!({ "seq": n, "kind": "contact_attempt", "id": attempt_id(n), "survey": self.survey, "case": format!("m{n}"),
            "outcome": "2.24", "mode": "visit", "note": format!("标记走访丁{n:03}"),
            "gps": { "lat": 45.765_432_1, "lon": 126.654_321_7, "acc": 8 }, "wall_ms": 1_763_700_000_000_u64 + n })
    }

    fn tell(&self, app: &TestApp, events: &[Value]) -> Value {
        let body = json!({ "events": events }).to_string();
        let answer = app.send_from(&self.tablet, "POST", "/api/v1/events:batch", &JSON, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    fn notes(&self, app: &TestApp, n: u64) -> Answer {
        let path = format!("/api/v1/cases/{}/m{n}/attempts/{}/notes", self.survey, attempt_id(n));
        app.at(&self.desk, "POST", &path, Some(&json!({ "reason": "核对走访" })))
    }
}

fn marks_of_visits() -> Vec<Vec<u8>> {
    let texts = ["标记走访丁", "45.7654321", "126.6543217", "标记付款戊"];
    texts.iter().flat_map(|text| [text.as_bytes().to_vec(), utf16(text)]).collect()
}

#[test]
fn rel_p2_words_and_positions_of_visits_lie_on_the_disk_sealed_and_come_out_one_by_one() {
    on_every_backend(|test| {
        let app =
            TestApp::start_with(test, Settings { log: Some("trace".to_owned()), ..Settings::default() }, counting);
        let field = field(&app);
        let visits: Vec<Value> = (1..=150).map(|n| field.visit(n)).collect();
        assert_eq!(field.tell(&app, &visits)["accepted_through"], 150);
        // What names no case, or no sound outcome, is sealed all the same.
        let lost = json!({ "seq": 151, "kind": "contact_attempt", "note": "标记付款戊" });
        assert_eq!(field.tell(&app, &[lost])["notices"].as_array().map(Vec::len), Some(1));
        let answer = field.notes(&app, 7);
        let told = json!({ "note": "标记走访丁007", "gps": { "lat": 45.765_432_1, "lon": 126.654_321_7, "acc": 8 } });
        assert_eq!((answer.status, answer.json()), (200, told), "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let [entry] = log(&app, "identity.read-attempt").try_into().expect("one entry");
        assert_eq!(entry.object, format!("case/{}/m7", field.survey));
        assert_eq!(detail(&entry), json!({ "reason": "核对走访", "attempt": attempt_id(7), "frequent": false }));
        checkpoint(test);
        let folder = data_folder(test);
        assert_eq!(files_with(&folder, &marks_of_visits()), Vec::<PathBuf>::new());
        // The control: in a field that is not sealed the same search finds it.
        let mut plain = field.visit(152);
        plain["outcome_text"] = json!("标记走访丁");
        field.tell(&app, &[plain]);
        checkpoint(test);
        assert!(!files_with(&folder, &marks_of_visits()).is_empty(), "the search finds plain text");
    });
}

#[test]
fn the_same_visit_again_is_the_same_though_it_is_sealed_and_another_note_is_a_conflict() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        for _ in 0..3 {
            let told = field.tell(&app, &[field.visit(1), field.visit(2)]);
            assert_eq!((&told["accepted_through"], &told["conflicts"]), (&json!(2), &json!([])));
        }
        let mut other = field.visit(2);
        other["note"] = json!("标记走访丁003");
        assert_eq!(field.tell(&app, &[other])["conflicts"], json!([2]));
        let mut elsewhere = field.visit(1);
        elsewhere["gps"]["lat"] = json!(45.0);
        assert_eq!(field.tell(&app, &[elsewhere])["conflicts"], json!([1]));
        assert_eq!(field.notes(&app, 2).json()["note"], "标记走访丁002", "the first stays");
    });
}

#[test]
fn notes_outlive_an_import_of_contacts_and_a_rotation_of_the_keys() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.tell(&app, &[field.visit(1)]);
        assert_eq!(read(&app, Role::Supervisor, &field.survey, "m1").problem(), "not-found", "a note is no address");
        for _ in 0..2 {
            let imported = put(&app, Role::Supervisor, &field.survey, &many().1);
            assert_eq!(imported.json()["cases"], 200, "{}", imported.text());
            assert_eq!(field.notes(&app, 1).json()["note"], "标记走访丁001");
            assert_eq!(read(&app, Role::Supervisor, &field.survey, "m1").json()["name"], "标记姓名乙001");
        }
        let vault = Vault { database: app.database(), key_dir: &test.key_dir() };
        vault.rotate(&operator(), 5).expect("rotated");
        assert_eq!(field.notes(&app, 1).json()["note"], "标记走访丁001");
        let told = field.tell(&app, &[field.visit(1), field.visit(2)]);
        assert_eq!((&told["accepted_through"], &told["conflicts"]), (&json!(2), &json!([])), "the same under new keys");
    });
}

#[test]
fn rel_p4_an_erasure_takes_the_notes_of_the_visits_too_and_their_events_stay_known() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.tell(&app, &[field.visit(1), field.visit(2)]);
        let taken = app.database().take_notes((&field.survey, "m1"), &attempt_id(1), &operator(), "test", 1);
        let (_, case, notes) = taken.expect("it").expect("it");
        let key = case.case_key.expect("a key");
        let secrets: Vec<Vec<u8>> = notes.iter().map(|note| note.ciphertext.clone()).chain([key]).collect();
        assert_eq!(secrets.len(), 3, "note, position and key");
        assert!(!files_with(&data_folder(test), &secrets).is_empty(), "before, the search finds them");
        assert_eq!(at_case(&app, Role::Supervisor, &field.survey, "m1", "erasure", "本人要求").status, 202);
        assert_eq!(confirm(&app, Role::Admin, &field.survey, "m1").status, 200);
        assert_eq!(field.notes(&app, 1).problem(), "not-found");
        assert_eq!(field.notes(&app, 2).status, 200, "others stay");
        if test.file().is_some() {
            assert_eq!(files_with(&data_folder(test), &secrets), Vec::<PathBuf>::new());
        }
        // The tablet sends again, and a new visit to an erased case leaves no words.
        let mut later = field.visit(3);
        later["case"] = json!("m1");
        let told = field.tell(&app, &[field.visit(1), field.visit(2), later]);
        assert_eq!((&told["accepted_through"], &told["conflicts"]), (&json!(3), &json!([])));
        assert_eq!(files_with(&data_folder(test), &["标记走访丁003".as_bytes().to_vec()]), Vec::<PathBuf>::new());
        let attempts = format!("/api/v1/cases/{}/m1/attempts", field.survey);
        let listed = app.at(&field.desk, "GET", &attempts, None).json();
        assert_eq!(listed["attempts"].as_array().map(Vec::len), Some(2), "that there were visits is still known");
        assert_eq!(app.database().audit_head().expect("a head").frontier, {
            let mut tree = Frontier::new();
            app.database()
                .audit_entries(0, 1000)
                .expect("entries")
                .iter()
                .for_each(|one| tree.push(one.header().leaf()));
            tree.to_bytes()
        });
    });
}
