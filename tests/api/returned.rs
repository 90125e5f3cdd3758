//! An interview that came back is handed to the tablet that it came from, and to nobody else.

use scilit::server::Role;
use serde_json::{Value, json};

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
    people::{Desk, Tablet},
};

struct Office {
    app: TestApp,
    desk: Desk,
    survey: String,
    body: String,
    person: String,
    tablet: Tablet,
}

/// A supervisor, a surveyor with a case, and an interview of it that the surveyor's tablet handed in.
fn office(test: &crate::support::TestDatabase) -> Office {
    let app = TestApp::start(test);
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let desk = app.sit_down("boss");
    let (survey, hash) = app.survey("调查");
    let person = app.person("li", &[(Role::Surveyor, "230102")]);
    let tablet = app.tablet(&desk, &person);
    let mut office = Office { app, desk, survey, body: String::new(), person, tablet };
    office.give_to(&office.person);
    // Of two eligible the number drawn for the case selects one.
    let told = office.app.send_from(&office.tablet, "GET", "/api/v1/sync/changes", &[], b"").json();
    let drawn = told["changes"][0]["value"]["selection"]["u_num"].as_str().expect("a number").to_owned();
    let mut body = submission(TABLET, &hash, "c1");
    body["selection"]["selected_no"] = json!(1 + ((drawn.parse::<u128>().expect("digits") * 2) >> 53));
    office.body = body.to_string();
    let kept = office.app.hand_in(&office.tablet, TABLET, office.body.as_bytes());
    assert_eq!(kept.status, 201, "{}", kept.text());
    office
}

impl Office {
    fn give_to(&self, person: &str) {
        let assign = json!({ "assign": [{ "case": "c1", "user": person, "priority": 0, "reason": "调整" }] });
        let path = format!("/api/v1/surveys/{}/assignments", self.survey);
        let given = self.app.at(&self.desk, "POST", &path, Some(&assign));
        assert!(given.status < 300, "{}", given.text());
    }

    fn step(&self, step: &str, body: &Value) {
        let taken = self.app.at(&self.desk, "POST", &format!("/api/v1/responses/{TABLET}/{step}"), Some(body));
        assert_eq!(taken.status, 200, "{}", taken.text());
    }

    fn send_back(&self) {
        self.step(
            "return",
            &json!({ "rev": 1, "reason_code": "check", "item_comments": [{ "item": "sex", "comment": "请核实" }] }),
        );
    }

    fn asked_by(&self, tablet: &Tablet) -> (u16, Vec<u8>) {
        let answer = self.app.send_from(tablet, "GET", &format!("/api/v1/responses/{TABLET}/returned"), &[], b"");
        (answer.status, answer.body)
    }

    fn readings(&self) -> usize {
        let entries = self.app.database().audit_entries(0, 10_000).expect("entries");
        let object = format!("response/{TABLET}");
        entries.iter().filter(|entry| entry.action == "response.read" && entry.object == object).count()
    }
}

#[test]
fn acc050_the_tablet_gets_the_very_bytes_only_while_they_are_returned_and_each_time_is_logged() {
    on_every_backend(|test| {
        let office = office(test);
        assert_eq!(office.asked_by(&office.tablet).0, 409, "nobody sent it back");
        assert_eq!(office.readings(), 0);
        office.send_back();
        for reading in 1..=2 {
            assert_eq!(office.asked_by(&office.tablet), (200, office.body.clone().into_bytes()));
            assert_eq!(office.readings(), reading);
        }
        let entry = office.app.database().audit_entries(0, 10_000).expect("entries");
        let entry = entry.into_iter().rfind(|entry| entry.action == "response.read").expect("one");
        assert_eq!(entry.actor, office.tablet.id, "in the tablet's name");
        // The correction is there: nothing is left to correct.
        let mut second: Value = serde_json::from_str(&office.body).expect("JSON");
        (second["rev"], second["parent_rev"]) = (json!(2), json!(1));
        second["answers"][0]["v"] = json!("female");
        let second = second.to_string();
        let digest = scilit::evidence::sha256_hex(second.as_bytes());
        let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
        let path = format!("/api/v1/submissions/{TABLET}/revs/2");
        assert!(office.app.send_from(&office.tablet, "PUT", &path, &headers, second.as_bytes()).status < 300);
        assert_eq!(office.asked_by(&office.tablet).0, 409);
    });
}

#[test]
fn returned_work_is_told_to_no_other_tablet_person_or_desk() {
    on_every_backend(|test| {
        let office = office(test);
        office.send_back();
        let app = &office.app;
        let path = format!("/api/v1/responses/{TABLET}/returned");
        let colleague = app.person("wang", &[(Role::Surveyor, "230102")]);
        let (others, second) = (app.tablet(&office.desk, &colleague), app.tablet(&office.desk, &office.person));
        assert_eq!(office.asked_by(&others).0, 404, "another person's tablet");
        assert_eq!(office.asked_by(&second).0, 404, "another tablet of the same person");
        assert_eq!(app.send(None, "GET", &path, &[], b"").status, 401);
        assert_eq!(app.get(Role::Surveyor, &path).problem(), "wrong-credential", "a program is no tablet");
        assert_eq!(app.at(&office.desk, "GET", &path, None).problem(), "wrong-credential", "nor is a desk");
        for role in [Role::Analyst, Role::Auditor, Role::Admin] {
            assert_eq!(app.get(role, &path).problem(), "forbidden-role", "{role:?}");
        }
        let nobody = app.send_from(&office.tablet, "GET", "/api/v1/responses/nobody/returned", &[], b"");
        assert_eq!(nobody.problem(), "not-found");
        // Who has the case no more corrects nothing, and the one who has it now did not ask these questions.
        office.give_to(&colleague);
        assert_eq!(office.asked_by(&office.tablet).0, 404);
        assert_eq!(office.asked_by(&others).0, 404);
        office.give_to(&office.person);
        assert_eq!(office.readings(), 0, "none of them read anything");
        assert_eq!(office.asked_by(&office.tablet).0, 200, "the control");
        let revoke = json!({ "status": "lost" });
        let path = format!("/api/v1/devices/{}/revoke", office.tablet.id);
        assert!(app.at(&office.desk, "POST", &path, Some(&revoke)).status < 300);
        assert_eq!(office.asked_by(&office.tablet).0, 401, "a lost tablet reads nothing");
    });
}
