//! Cases in surveyors' hands: given, moved, drawn once, told to the tablets.

use scilit::{
    instrument::{Precommitted, SelectionMethod},
    server::Role,
};
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, submission},
    http::Answer,
    on_every_backend,
    people::{Desk, Tablet},
};

const SECOND: &str = "019abcde-0000-7000-8000-000000000002";

/// A supervisor at a desk, two surveyors with a tablet each, and a survey.
struct Field {
    desk: Desk,
    survey: String,
    hash: String,
    persons: [String; 2],
    tablets: [Tablet; 2],
}

fn field(app: &TestApp) -> Field {
    let (survey, hash) = app.survey("调查");
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let persons = ["li", "wang"].map(|login| app.person(login, &[(Role::Surveyor, "230102")]));
    let desk = app.sit_down("boss");
    let tablets = [0, 1].map(|n| app.tablet(&desk, &persons[n]));
    Field { desk, survey, hash, persons, tablets }
}

impl Field {
    fn assign(&self, app: &TestApp, body: &Value) -> Answer {
        app.at(&self.desk, "POST", &format!("/api/v1/surveys/{}/assignments", self.survey), Some(body))
    }

    fn give(&self, app: &TestApp, case: &str, to: usize) {
        let given = self.assign(app, &json!({ "assign": [{ "case": case, "user": self.persons[to] }] }));
        assert_eq!(given.status, 200, "{}", given.text());
    }

    fn changes(&self, app: &TestApp, of: usize, cursor: Option<&str>) -> Value {
        let path = cursor.map_or_else(
            || "/api/v1/sync/changes".to_owned(),
            |cursor| format!("/api/v1/sync/changes?cursor={cursor}"),
        );
        let answer = app.send_from(&self.tablets[of], "GET", &path, &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The submission of the only case a tablet holds, with the person selected whom the number selects.
    fn interview(&self, app: &TestApp, of: usize, id: &str) -> Value {
        let case = self.changes(app, of, None)["changes"][0].clone();
        let mut body = submission(id, &self.hash, case["case"].as_str().expect("a case"));
        body["selection"]["selected_no"] = selected(&case).into();
        body
    }
}

fn selected(change: &Value) -> u32 {
    let selection = &change["value"]["selection"];
    let u = selection["u_num"].as_str().expect("digits").parse().expect("a number");
    let u = Precommitted::new(u).expect("below one");
    let method = SelectionMethod::named(selection["method"].as_str().expect("a method")).expect("a known method");
    u.selects(method, 2).expect("somebody")
}

fn cases(changes: &Value) -> Vec<(&str, &str)> {
    let all = changes["changes"].as_array().expect("changes");
    let of = |change| (change_text(change, "op"), change_text(change, "case"));
    all.iter().filter(|change| change["kind"] == "case").map(of).collect()
}

fn change_text<'a>(change: &'a Value, key: &str) -> &'a str {
    change[key].as_str().expect("a text")
}

#[test]
fn a_tablet_gets_its_cases_then_only_what_changed_and_loses_what_is_moved_away() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let all = field.changes(&app, 0, None);
        assert_eq!(cases(&all), [("put", "c1")]);
        let value = &all["changes"][0]["value"];
        assert_eq!((&value["instrument"], &value["state"]), (&json!(field.hash), &json!("open")));
        assert_eq!(value["draw"]["items"], json!(["sex", "K01"]));
        assert_eq!(cases(&field.changes(&app, 1, None)), []);

        let cursor = all["cursor"].as_str().expect("a cursor");
        let none = field.changes(&app, 0, Some(cursor));
        assert_eq!(cases(&none), [], "nothing changed");
        field.give(&app, "c2", 0);
        let more = field.changes(&app, 0, Some(cursor));
        assert_eq!(cases(&more), [("put", "c2")]);
        let cursor = more["cursor"].as_str().expect("a cursor");
        field.give(&app, "c1", 1);
        let gone = field.changes(&app, 0, Some(cursor));
        assert_eq!(cases(&gone), [("delete", "c1")]);
        let moved = field.changes(&app, 1, None);
        assert_eq!(cases(&moved), [("put", "c1")]);
        let [before, after] = [&all, &moved].map(|page| page["changes"][0]["value"].clone());
        assert_eq!(before["draw"], after["draw"], "what was drawn stays with the case");
        assert_eq!(before["selection"], after["selection"]);
        assert_ne!(before["assignment"], after["assignment"]);
        let assigned = app.logged().into_iter().filter(|(action, _)| action == "case.assign").count();
        assert_eq!(assigned, 3, "one entry a case");
    });
}

#[test]
fn acc027_a_cursor_of_another_database_asks_for_everything_again() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let cursor = field.changes(&app, 0, None)["cursor"].as_str().expect("a cursor").to_owned();
        for bad in ["", "x", "eyJsb2ciOjk5OSwibGVhZiI6IjAwIiwiYWZ0ZXIiOm51bGx9"] {
            let path = format!("/api/v1/sync/changes?cursor={bad}");
            let refused = app.send_from(&field.tablets[0], "GET", &path, &[], b"");
            assert_eq!((refused.status, refused.problem().as_str()), (410, "cursor-expired"), "{bad}");
        }
        assert_eq!(cases(&field.changes(&app, 0, Some(&cursor))), [], "the database's own cursor is good");
    });
}

#[test]
fn an_assignment_with_a_fault_changes_nothing_and_names_every_place() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        let far = app.person("far", &[(Role::Surveyor, "2302")]);
        let one = |case: &str, user: &str| json!({ "case": case, "user": user });
        let body = json!({ "assign": [
            one("c1", &field.persons[0]), one("c1", &field.persons[1]), one("c9", &field.persons[0]), one("c2", &far), one("c2", "nobody"),
        ] });
        let refused = field.assign(&app, &body);
        assert_eq!(refused.status, 422, "{}", refused.text());
        let errors = refused.json()["errors"].as_array().expect("errors").clone();
        let places: Vec<_> = errors.iter().map(|error| change_text(error, "pointer")).collect();
        assert_eq!(places, ["/assign/1/case", "/assign/2/case", "/assign/3/user", "/assign/4/case"]);
        assert_eq!(cases(&field.changes(&app, 0, None)), [], "not even the good one");
        let unknown = json!({ "assign": [one("c1", &field.persons[0])], "method": "kish" });
        assert_eq!(field.assign(&app, &unknown).status, 422, "an unknown option is an error");

        let other = app.person("other-boss", &[(Role::Supervisor, "2302")]);
        assert!(!other.is_empty());
        let desk = app.sit_down("other-boss");
        let path = format!("/api/v1/surveys/{}/assignments", field.survey);
        let outside = app.at(&desk, "POST", &path, Some(&json!({ "assign": [one("c1", &far)] })));
        assert_eq!(outside.status, 422, "the case lies outside the supervisor's region: {}", outside.text());
        field.give(&app, "c1", 0);
        assert_eq!(app.at(&desk, "GET", &path, None).json()["assignments"], json!([]), "and is not seen from there");
        let listed = app.at(&field.desk, "GET", &path, None).json();
        assert_eq!((&listed["assignments"][0]["case"], &listed["next"]), (&json!("c1"), &Value::Null));
    });
}

#[test]
fn acc042_a_person_whom_the_number_did_not_select_is_quarantined() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let good = field.interview(&app, 0, TABLET);
        let mut rolled = good.clone();
        rolled["selection"]["selected_no"] = (3 - good["selection"]["selected_no"].as_u64().expect("1 or 2")).into();
        let kept = app.hand_in(&field.tablets[0], TABLET, rolled.to_string().as_bytes());
        assert_eq!(kept.status, 202, "{}", kept.text());
        let notice = &kept.json()["notices"][0];
        assert_eq!(
            (&notice["code"], &notice["pointer"]),
            (&json!("selection-not-drawn"), &json!("/selection/selected_no"))
        );
        let mut other = good.clone();
        other["id"] = SECOND.into();
        assert_eq!(
            app.hand_in(&field.tablets[0], SECOND, other.to_string().as_bytes()).status,
            201,
            "the drawn one counts"
        );
    });
}

#[test]
fn acc048_a_moved_case_takes_what_the_old_tablet_still_has_and_refuses_strangers_to_a_supervisor() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let old = field.interview(&app, 0, TABLET);
        field.give(&app, "c1", 1);
        let new = field.interview(&app, 1, SECOND);
        assert_eq!(app.hand_in(&field.tablets[1], SECOND, new.to_string().as_bytes()).status, 201);
        let late = app.hand_in(&field.tablets[0], TABLET, old.to_string().as_bytes());
        assert_eq!(
            (late.status, &late.json()["state"]),
            (202, &json!("surplus")),
            "kept, for the supervisor to choose"
        );
        let body = json!({ "rev": 1, "reason": "先访" });
        let promoted = app.at(&field.desk, "POST", &format!("/api/v1/responses/{TABLET}/promote"), Some(&body));
        assert_eq!(promoted.status, 200, "{}", promoted.text());

        let stranger = app.person("stranger", &[(Role::Surveyor, "230102")]);
        let tablet = app.tablet(&field.desk, &stranger);
        let third = "019abcde-0000-7000-8000-000000000003";
        let mut body = new.clone();
        body["id"] = third.into();
        let kept = app.hand_in(&tablet, third, body.to_string().as_bytes());
        assert_eq!(kept.status, 202, "{}", kept.text());
        assert_eq!(kept.json()["notices"][0]["code"], "not-assigned");
    });
}

#[test]
fn acc050_work_sent_back_reaches_the_tablet_that_holds_the_case_until_it_is_acknowledged() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let body = field.interview(&app, 0, TABLET);
        assert_eq!(app.hand_in(&field.tablets[0], TABLET, body.to_string().as_bytes()).status, 201);
        let all = field.changes(&app, 0, None);
        assert_eq!(all["changes"][0]["value"]["state"], "done");
        let cursor = all["cursor"].as_str().expect("a cursor");
        let back = json!({ "rev": 1, "reason_code": "check", "comment": "请核对", "item_comments": [{ "item": "K01", "comment": "与备注不符" }] });
        let returned = app.at(&field.desk, "POST", &format!("/api/v1/responses/{TABLET}/return"), Some(&back));
        assert_eq!(returned.status, 200, "{}", returned.text());
        let told = field.changes(&app, 0, Some(cursor));
        assert_eq!(cases(&told), [("put", "c1")]);
        assert_eq!(told["changes"][0]["value"]["state"], "returned");
        let message = &told["changes"][1];
        assert_eq!((&message["kind"], &message["value"]["response"]), (&json!("message"), &json!(TABLET)));
        assert_eq!(message["value"]["payload"]["item_comments"][0]["item"], "K01");
        let seq = &message["seq"];
        let read = app.send_from(&field.tablets[0], "POST", &format!("/api/v1/inbox/{seq}/ack"), &[], b"");
        assert_eq!(read.status, 204, "{}", read.text());
        let after = field.changes(&app, 0, Some(told["cursor"].as_str().expect("a cursor")));
        assert_eq!(after["changes"], json!([]));
    });
}

fn tell(app: &TestApp, tablet: &Tablet, events: &[Value]) -> Answer {
    let json = [("Content-Type", "application/json")];
    let body = json!({ "events": events }).to_string();
    app.send_from(tablet, "POST", "/api/v1/events:batch", &json, body.as_bytes())
}

#[test]
fn acc026_events_replayed_in_any_order_are_kept_once_and_gaps_are_named() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        let event = |seq: i64| json!({ "seq": seq, "kind": "paradata", "name": "resume", "mono_ms": seq * 10 });
        let batches: [Vec<Value>; 3] = [(1..=3), (4..=6), (9..=10)].map(|range| range.map(event).collect());
        let mut last = Value::Null;
        for at in [1, 0, 2, 2, 1, 0, 0, 2, 1] {
            let told = tell(&app, &field.tablets[0], &batches[at]);
            assert_eq!(told.status, 200, "{}", told.text());
            last = told.json();
            if at == 1 && last["accepted_through"] == 0 {
                assert_eq!(last["gaps"], json!([[1, 3]]), "the first batch is missing");
            }
        }
        assert_eq!((&last["accepted_through"], &last["gaps"]), (&json!(6), &json!([[7, 8]])));
        let filled = tell(&app, &field.tablets[0], &[event(8), event(7)]).json();
        assert_eq!((&filled["accepted_through"], &filled["gaps"]), (&json!(10), &json!([])));
        let mut other = event(2);
        other["name"] = "pause".into();
        assert_eq!(tell(&app, &field.tablets[0], &[other]).json()["conflicts"], json!([2]), "the first is kept");
        let kept = app.logged().into_iter().filter(|(action, _)| action == "events.keep").count();
        assert_eq!(kept, 4, "an entry for each batch that brought something");
        assert_eq!(tell(&app, &field.tablets[1], &[event(1)]).json()["accepted_through"], 1, "each tablet for itself");
        let refused = tell(&app, &field.tablets[1], &[event(2), json!({ "seq": 0, "kind": "paradata" })]);
        assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/events/1/seq")));
    });
}

#[test]
fn acc044_contact_attempts_reach_the_office_and_a_bad_one_holds_up_no_other() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        field.give(&app, "c1", 0);
        let attempt = |seq: i64, outcome: &str| {
            json!({ "seq": seq, "kind": "contact_attempt", "id": format!("019abcde-0000-7000-8000-00000000010{seq}"),
                "survey": field.survey, "case": "c1", "outcome": outcome, "mode": "visit", "note": "", "gps": null,
                "wall_ms": 1_763_700_000_000_i64 + seq })
        };
        let told = tell(&app, &field.tablets[0], &[attempt(1, "2.24"), attempt(2, "9.99"), attempt(3, "1.1")]);
        assert_eq!((told.status, told.json()["accepted_through"].clone()), (200, json!(3)), "{}", told.text());
        assert_eq!(told.json()["notices"][0]["pointer"], "/events/1/outcome");
        let path = format!("/api/v1/cases/{}/c1/attempts", field.survey);
        let seen = app.at(&field.desk, "GET", &path, None).json();
        let outcomes: Vec<_> =
            seen["attempts"].as_array().expect("attempts").iter().map(|one| &one["outcome_zh"]).collect();
        assert_eq!(outcomes, ["无人在家", "完成"]);
        assert_eq!(app.send_from(&field.tablets[0], "GET", &path, &[], b"").status, 200);
        assert_eq!(app.send_from(&field.tablets[1], "GET", &path, &[], b"").status, 404, "not the holder");
    });
}

#[test]
fn a_surveyor_reads_the_contact_of_the_cases_they_hold_and_of_no_other() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let field = field(&app);
        let contacts = "case_id,address,name,phone,note\nc1,示例街1号,张三,13800000000,\n";
        let path = format!("/api/v1/surveys/{}/files/contacts", field.survey);
        let headers = [
            ("Cookie", field.desk.cookie.as_str()),
            ("X-CSRF-Token", field.desk.csrf.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", "text/csv"),
        ];
        let put = crate::support::http::send(app.address, "PUT", &path, &headers, contacts.as_bytes());
        assert!(put.status < 300, "{}", put.text());
        field.give(&app, "c1", 0);
        let path = format!("/api/v1/cases/{}/c1/contact", field.survey);
        let body = json!({ "reason": "上门访问被选户" }).to_string();
        let json = [("Content-Type", "application/json")];
        let statuses = [0, 1].map(|n| app.send_from(&field.tablets[n], "POST", &path, &json, body.as_bytes()).status);
        assert_eq!(statuses, [200, 404]);
    });
}
