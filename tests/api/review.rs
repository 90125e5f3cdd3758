//! Review: who approves what, what comes back, what counts.

use std::{sync::atomic::Ordering, thread};

use scilit::{
    evidence::sha256_hex,
    instrument::Questionnaire,
    server::{Clock, Instruments, Role, judge_due},
    storage::{Author, ReviewRefusal, Reviewer, Seen, Step},
};
use serde_json::{Value, json};

use crate::support::{
    app::{QUESTIONNAIRE, SAMPLE, TABLET, TestApp, submission, survey_request},
    on_every_backend,
};

const OTHER: &str = "019abcde-0000-7000-8000-000000000002";

fn submitted(app: &TestApp, id: &str, hash: &str, case: &str) -> Value {
    app.submit(id, 1, submission(id, hash, case).to_string().as_bytes()).json()
}

fn at(id: &str, step: &str) -> String {
    format!("/api/v1/responses/{id}/{step}")
}

fn head(app: &TestApp, id: &str) -> Value {
    app.get(Role::Supervisor, &format!("/api/v1/responses/{id}")).json()["response"].clone()
}

fn state(app: &TestApp, id: &str) -> String {
    head(app, id)["state"].as_str().expect("a state").to_owned()
}

/// Approves level 1 as the test's supervisor and level 2 as another.
fn approve_twice(app: &TestApp, id: &str, rev: i32) {
    let first = app.post(Role::Supervisor, &at(id, "approve"), &json!({"rev": rev, "level": 1}));
    assert_eq!(first.json()["state"], "approved_l1", "{}", first.text());
    let second = app.post_as(&app.another(Role::Supervisor), &at(id, "approve"), &json!({"rev": rev, "level": 2}));
    assert_eq!(second.json()["state"], "approved_l2", "{}", second.text());
}

/// The actions the audit log has of an object, with their outcomes.
fn logged(app: &TestApp, object: &str) -> Vec<(String, String)> {
    let entries = app.database().audit_entries(0, 10_000).expect("entries");
    entries.into_iter().filter(|entry| entry.object == object).map(|entry| (entry.action, entry.outcome)).collect()
}

fn responses(app: &TestApp, survey: &str, include: &str) -> Value {
    let run = app.ended(&app.ask_for_run(survey, &json!({ "include": include })));
    if run["state"] == "failed" { run["error"]["code"].clone() } else { run["inputs"]["responses"]["n"].clone() }
}

/// What is forged, how, the fault's code and its place.
type Forgery<'a> = (&'a str, Box<dyn Fn(&mut Value)>, &'a str, &'a str);

#[test]
fn acc040_a_forged_submission_is_quarantined_with_pointers_and_never_counted() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        let good = submission(TABLET, &hash, "c1");
        let forged: Vec<Forgery<'_>> = vec![
            (
                "a required item left out",
                Box::new(|b| {
                    b["answers"].as_array_mut().expect("answers").pop();
                }),
                "required-missing",
                "/answers",
            ),
            (
                "an impossible code",
                Box::new(|b| b["answers"][0]["v"] = json!("robot")),
                "impossible-code",
                "/answers/0",
            ),
            ("no consent", Box::new(|b| b["consent"]["given"] = json!(false)), "no-consent", "/consent"),
            ("consent not asked", Box::new(|b| b["consent"] = json!(null)), "no-consent", "/consent"),
            ("a child drawn", Box::new(|b| b["roster"][0]["age"] = json!(17)), "out-of-range", "/roster/0/age"),
            ("an old person drawn", Box::new(|b| b["roster"][1]["age"] = json!(70)), "out-of-range", "/roster/1/age"),
            (
                "nobody with this number",
                Box::new(|b| b["selection"]["selected_no"] = json!(3)),
                "out-of-range",
                "/selection/selected_no",
            ),
            (
                "more eligible than listed",
                Box::new(|b| {
                    b["selection"]["n_eligible"] = json!(4);
                    b["selection"]["prob"] = json!(0.25);
                }),
                "inconsistent-selection",
                "/selection/n_eligible",
            ),
            (
                "another probability",
                Box::new(|b| b["selection"]["prob"] = json!(1.0)),
                "inconsistent-selection",
                "/selection/prob",
            ),
        ];
        for (n, (what, forge, code, pointer)) in forged.iter().enumerate() {
            let id = format!("019abcde-0000-7000-8000-0000000004{n:02}");
            let mut body = good.clone();
            body["id"] = json!(id);
            forge(&mut body);
            let kept = app.submit(&id, 1, body.to_string().as_bytes());
            assert_eq!(
                (kept.status, kept.json()["state"].clone()),
                (202, json!("quarantined")),
                "{what}: {}",
                kept.text()
            );
            let notices = kept.json()["notices"].clone();
            let named = |notice: &Value| notice["code"] == *code && notice["pointer"] == *pointer;
            assert!(notices.as_array().expect("notices").iter().any(named), "{what}: {notices}");
        }
        assert_eq!(responses(&app, &survey, "interim"), "no-responses");
        // The control: the same body unforged counts.
        submitted(&app, TABLET, &hash, "c1");
        assert_eq!(responses(&app, &survey, "interim"), 1);
    });
}

#[test]
fn acc051_only_what_two_persons_approved_counts_and_interim_says_so() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        submitted(&app, OTHER, &hash, "c2");
        assert_eq!(responses(&app, &survey, "approved"), "no-responses");
        assert_eq!(responses(&app, &survey, "interim"), 2);
        app.post(Role::Supervisor, &at(TABLET, "approve"), &json!({"rev": 1, "level": 1}));
        assert_eq!(responses(&app, &survey, "approved"), "no-responses", "one approval is not enough");
        app.post_as(&app.another(Role::Supervisor), &at(TABLET, "approve"), &json!({"rev": 1, "level": 2}));
        assert_eq!(responses(&app, &survey, "approved"), 1);
        // Returned is in neither.
        app.post(Role::Supervisor, &at(OTHER, "return"), &json!({"rev": 1, "reason_code": "check"}));
        assert_eq!(responses(&app, &survey, "interim"), 1);
        // Void neither.
        app.post(Role::Supervisor, &at(TABLET, "void"), &json!({"rev": 1, "reason": "编造"}));
        app.post_as(&app.another(Role::Supervisor), &at(TABLET, "void/confirm"), &json!({"rev": 1}));
        assert_eq!(state(&app, TABLET), "void");
        assert_eq!(responses(&app, &survey, "interim"), "no-responses");
        let unknown = app.ask_for_run(&survey, &json!({"include": "everything"}));
        assert_eq!(unknown.status, 422, "an unknown word is no default");
    });
}

#[test]
fn acc052_nobody_approves_their_own_and_the_two_approvals_are_by_two_persons() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let approve = |level: u8| json!({"rev": 1, "level": level});
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "approve"), &approve(2)).problem(), "wrong-state");
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "approve"), &approve(1)).status, 200);
        let again = app.post(Role::Supervisor, &at(TABLET, "approve"), &approve(2));
        assert_eq!((again.status, again.problem().as_str()), (409, "same-person"), "{}", again.text());
        assert_eq!(state(&app, TABLET), "approved_l1");
        // A supervisor's own interview.
        let body = submission(OTHER, &hash, "c2").to_string();
        let digest = sha256_hex(body.as_bytes());
        let headers = [("Content-Type", "application/json"), ("Submission-Sha256", digest.as_str())];
        let path = format!("/api/v1/submissions/{OTHER}/revs/1");
        assert_eq!(app.send(Some(Role::Supervisor), "PUT", &path, &headers, body.as_bytes()).status, 201);
        for (step, body) in [
            ("approve", approve(1)),
            ("return", json!({"rev": 1, "reason_code": "check"})),
            ("void", json!({"rev": 1, "reason": "x"})),
            ("review", json!({"rev": 1})),
        ] {
            let own = app.post(Role::Supervisor, &at(OTHER, step), &body);
            assert_eq!((own.status, own.problem().as_str()), (403, "own-interview"), "{step}");
        }
        assert_eq!(app.post_as(&app.another(Role::Supervisor), &at(OTHER, "approve"), &approve(1)).status, 200);
        let refused = |object: &str| logged(&app, object).iter().filter(|(_, outcome)| outcome == "refused").count();
        assert_eq!(refused(&format!("response/{OTHER}")), 4, "each attempt is in the log");
        assert_eq!(refused(&format!("response/{TABLET}")), 1);
        // Other roles are refused before anything is looked at.
        for role in [Role::Surveyor, Role::Analyst, Role::Auditor, Role::Admin] {
            assert_eq!(app.post(role, &at(TABLET, "approve"), &approve(2)).problem(), "forbidden-role", "{role:?}");
        }
    });
}

#[test]
fn acc050_returned_work_reaches_the_inbox_and_the_next_revision_keeps_the_first() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let comments = json!([{"item": "sex", "comment": "与户籍不符"}, {"item": "K01", "comment": "请复核"}]);
        let back = json!({"rev": 1, "reason_code": "check", "comment": "两处", "item_comments": comments});
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "return"), &back).json()["state"], "returned");
        let inbox = app.get(Role::Surveyor, "/api/v1/sync/inbox").json();
        let message = &inbox["messages"][0];
        assert_eq!((message["response"].as_str(), message["rev"].clone()), (Some(TABLET), json!(1)));
        assert_eq!(message["payload"]["item_comments"], comments);
        assert_eq!(
            app.get(Role::Supervisor, "/api/v1/sync/inbox").json()["messages"],
            json!([]),
            "not somebody else's"
        );
        let ack = format!("/api/v1/inbox/{}/ack", message["seq"]);
        assert_eq!(app.post(Role::Supervisor, &ack, &json!({})).problem(), "not-found");
        for _ in 0..2 {
            assert_eq!(app.post(Role::Surveyor, &ack, &json!({})).status, 204);
        }
        assert!(app.get(Role::Surveyor, "/api/v1/sync/inbox").json()["messages"][0]["read_at_ms"].is_i64());

        let mut second = submission(TABLET, &hash, "c1");
        (second["rev"], second["parent_rev"]) = (json!(2), json!(1));
        second["answers"][0]["v"] = json!("female");
        let kept = app.submit(TABLET, 2, second.to_string().as_bytes());
        assert_eq!((kept.status, kept.json()["state"].clone()), (201, json!("under_review")), "{}", kept.text());
        let diff = app.get(Role::Supervisor, &format!("/api/v1/responses/{TABLET}/diff?from=1&to=2")).json();
        let expected = json!([{"item": "sex", "field": null, "before": {"v": "male"}, "after": {"v": "female"}}]);
        assert_eq!(diff["differences"], expected);
        let shown = app.get(Role::Supervisor, &format!("/api/v1/responses/{TABLET}")).json();
        assert_eq!(shown["versions"].as_array().expect("versions").len(), 2);
        assert_eq!(shown["review"][0]["item_comments"], comments);
        let stale = app.post(Role::Supervisor, &at(TABLET, "approve"), &json!({"rev": 1, "level": 1}));
        assert_eq!((stale.status, stale.problem().as_str()), (409, "stale-revision"));
        let wrong = json!({"rev": 2, "level": 1, "sha256": sha256_hex(b"something else")});
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "approve"), &wrong).problem(), "stale-revision");
        approve_twice(&app, TABLET, 2);
    });
}

#[test]
fn acc046_two_interviews_of_a_case_count_once_and_a_supervisor_swaps_them() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        let ids: Vec<String> = (0..8).map(|n| format!("019abcde-0000-7000-8000-0000000003{n:02}")).collect();
        thread::scope(|scope| {
            for id in &ids {
                scope.spawn(|| submitted(&app, id, &hash, "c1"));
            }
        });
        let (counts, surplus): (Vec<_>, Vec<_>) = ids.iter().partition(|id| state(&app, id) == "parsed");
        assert_eq!((counts.len(), surplus.len()), (1, 7));
        assert_eq!(responses(&app, &survey, "interim"), 1);
        // All are promoted at once: whoever is first wins, the others saw an older case.
        let promote = json!({"rev": 1, "reason": "核实后本份有效"});
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = surplus
                .iter()
                .map(|id| scope.spawn(|| app.post(Role::Supervisor, &at(id, "promote"), &promote)))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "never an error of the server");
        assert!(answers.iter().any(|answer| answer.status == 200));
        let counting = ids.iter().filter(|id| state(&app, id) == "parsed").collect::<Vec<_>>();
        assert_eq!(counting.len(), 1, "still one");
        assert_ne!(counts[0], counting[0], "and another than before");
        assert_eq!(responses(&app, &survey, "interim"), 1);
        let entries = logged(&app, &format!("response/{}", counting[0]));
        let promoted = entries.iter().filter(|(action, outcome)| action == "response.promote" && outcome == "done");
        assert_eq!(promoted.count(), 1, "{entries:?}");
    });
}

#[test]
fn acc017_two_bodies_under_one_revision_are_compared_and_one_is_chosen() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let mut other = submission(TABLET, &hash, "c1");
        other["answers"][1]["v"] = json!("false");
        let conflict = app.submit(TABLET, 1, other.to_string().as_bytes());
        assert_eq!(conflict.problem(), "rev-conflict");
        let seq = conflict.json()["receipt"]["server_seq"].clone();
        let refused = app.post(Role::Supervisor, &at(TABLET, "approve"), &json!({"rev": 1, "level": 1}));
        assert_eq!(refused.problem(), "open-conflict");
        let first = app.database().submission_versions(TABLET).expect("versions")[0].server_seq;
        let diff = format!("/api/v1/responses/{TABLET}/diff?from={first}&to={seq}&by=seq");
        assert_eq!(app.get(Role::Supervisor, &diff).json()["differences"][0]["item"], "K01");
        let choose = json!({"server_seq": seq, "reason": "以第二份为准"});
        let chosen = app.post(Role::Supervisor, &at(TABLET, "choose"), &choose);
        assert_eq!((chosen.status, chosen.json()["state"].clone()), (200, json!("parsed")), "{}", chosen.text());
        assert_eq!(head(&app, TABLET)["conflict"], false);
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "choose"), &choose).problem(), "wrong-state", "once");
        let bodies = app.database().counted_bodies(&survey_of(&app), true);
        assert_eq!(bodies.expect("bodies")[0].body, other.to_string().as_bytes());
        approve_twice(&app, TABLET, 1);
    });
}

fn survey_of(app: &TestApp) -> String {
    app.database().surveys().expect("surveys")[0].id.clone()
}

#[test]
fn acc030_what_arrives_after_the_close_is_kept_and_counts_once_accepted() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let close = format!("/api/v1/surveys/{survey}/close");
        assert_eq!(app.post(Role::Analyst, &close, &json!({})).json()["state"], "closed");
        assert_eq!(app.post(Role::Analyst, &close, &json!({})).problem(), "wrong-state");
        let late = app.submit(OTHER, 1, submission(OTHER, &hash, "c2").to_string().as_bytes());
        assert_eq!((late.status, late.json()["notices"][0]["code"].clone()), (202, json!("late-or-revoked")));
        assert_eq!(responses(&app, &survey, "interim"), 1, "not counted");
        let waiting = app.get(Role::Supervisor, "/api/v1/quarantine?reason=late-or-revoked").json();
        let waiting = &waiting["waiting"][0];
        assert_eq!((waiting["id"].as_str(), waiting["case"].as_str()), (Some(OTHER), Some("c2")));
        let accept = format!("/api/v1/quarantine/{}/accept", waiting["server_seq"]);
        assert_eq!(app.post(Role::Analyst, &accept, &json!({"reason": "x"})).problem(), "forbidden-role");
        let accepted = app.post(Role::Supervisor, &accept, &json!({"reason": "断网所致"}));
        assert_eq!((accepted.status, accepted.json()["state"].clone()), (200, json!("parsed")), "{}", accepted.text());
        assert_eq!(app.post(Role::Supervisor, &accept, &json!({"reason": "x"})).problem(), "wrong-state", "once");
        assert_eq!(responses(&app, &survey, "interim"), 2);
        // What is not good is not let in by hand either.
        let bad = "019abcde-0000-7000-8000-000000000009";
        app.submit(bad, 1, b"{");
        let seq = app.database().quarantine_of(bad).expect("rows")[0].server_seq;
        let refused = app.post(Role::Supervisor, &format!("/api/v1/quarantine/{seq}/accept"), &json!({"reason": "x"}));
        assert_eq!(refused.problem(), "invalid");
    });
}

#[test]
fn acc030_what_arrived_before_the_tablet_was_lost_counts_although_it_is_judged_after() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("boss", &[(Role::Supervisor, "2301")]);
        let surveyor = app.person("field", &[(Role::Surveyor, "230102")]);
        let desk = app.sit_down("boss");
        let tablet = app.tablet(&desk, &surveyor);
        let hash = scilit::instrument::Questionnaire::from_toml("q", QUESTIONNAIRE).expect("sound").hash().to_owned();
        let hand_in = |id: &str, case: &str| {
            app.hand_in(&tablet, id, submission(id, &hash, case).to_string().as_bytes()).json()["notices"][0].clone()
        };
        assert_eq!(hand_in(TABLET, "c1")["code"], "unknown-instrument", "nobody can judge it yet");
        let revoke = format!("/api/v1/devices/{}/revoke", tablet.id);
        assert_eq!(app.at(&desk, "POST", &revoke, Some(&json!({"status": "lost"}))).status, 204);
        assert_eq!(hand_in(OTHER, "c2")["code"], "unknown-instrument");
        let (survey, _) = app.survey("调查");
        let state = |id: &str| app.database().interview(id).expect("a head").expect("it").state;
        assert_eq!(state(TABLET), "parsed", "it arrived in time");
        assert_eq!(state(OTHER), "quarantined", "the control: this one did not");
        assert_eq!(app.database().quarantine_of(OTHER).expect("rows")[0].reason, "late-or-revoked");
        assert_eq!(responses(&app, &survey, "interim"), 1);
    });
}

#[test]
fn acc030_a_lost_tablet_and_a_disabled_person_hand_in_what_counts_once_accepted() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("boss", &[(Role::Supervisor, "2301")]);
        app.person("elsewhere", &[(Role::Supervisor, "2302")]);
        let surveyor = app.person("field", &[(Role::Surveyor, "230102")]);
        let (desk, elsewhere) = (app.sit_down("boss"), app.sit_down("elsewhere"));
        let (survey, hash) = app.survey("调查");
        let (lost, kept) = (app.tablet(&desk, &surveyor), app.tablet(&desk, &surveyor));
        let ids = [TABLET, OTHER, "019abcde-0000-7000-8000-000000000003"];
        let hand_in = |tablet, n: usize| {
            let body = submission(ids[n], &hash, &format!("c{}", n + 1)).to_string();
            app.hand_in(tablet, ids[n], body.as_bytes())
        };
        assert_eq!(hand_in(&lost, 0).json()["state"], "parsed", "while it was not lost");
        let revoke = format!("/api/v1/devices/{}/revoke", lost.id);
        assert_eq!(app.at(&desk, "POST", &revoke, Some(&json!({"status": "lost"}))).status, 204);
        let late = hand_in(&lost, 1);
        assert_eq!((late.status, late.json()["notices"][0]["code"].clone()), (202, json!("late-or-revoked")));
        let by = Author { id: "test".to_owned(), role: "system".to_owned() };
        app.database().set_person_active(&surveyor, false, &by, 1).expect("disabled");
        assert_eq!(hand_in(&kept, 2).json()["notices"][0]["code"], "late-or-revoked");
        assert_eq!(responses(&app, &survey, "interim"), 1);
        let accept = |desk, n: usize| {
            let seq = app.database().quarantine_of(ids[n]).expect("rows")[0].server_seq;
            app.at(desk, "POST", &format!("/api/v1/quarantine/{seq}/accept"), Some(&json!({"reason": "已核实"})))
        };
        assert_eq!(accept(&elsewhere, 1).problem(), "forbidden-scope", "another region's");
        assert_eq!(accept(&desk, 1).json()["state"], "parsed");
        assert_eq!(responses(&app, &survey, "interim"), 2);
        let begin = format!("/api/v1/responses/{TABLET}/review");
        assert_eq!(app.at(&elsewhere, "POST", &begin, Some(&json!({"rev": 1}))).problem(), "forbidden-scope");
        assert_eq!(app.at(&desk, "POST", &begin, Some(&json!({"rev": 1}))).status, 200);
        let list = |desk, path: &str| app.at(desk, "GET", path, None).json();
        let path = format!("/api/v1/surveys/{survey}/responses");
        assert_eq!(list(&elsewhere, &path)["responses"], json!([]));
        assert_eq!(list(&desk, &path)["responses"].as_array().expect("a list").len(), 3);
        assert_eq!(list(&elsewhere, "/api/v1/quarantine")["waiting"], json!([]));
        assert_eq!(list(&desk, "/api/v1/quarantine")["waiting"].as_array().expect("a list").len(), 1);
    });
}

#[test]
fn acc029_a_tablet_that_was_enrolled_anew_hands_in_its_unsent_records_under_its_old_name() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        app.person("boss", &[(Role::Supervisor, "2301")]);
        let surveyor = app.person("field", &[(Role::Surveyor, "230102")]);
        let desk = app.sit_down("boss");
        let (survey, hash) = app.survey("调查");
        let rows: String = (1..=4).map(|n| format!("c{n},230102,s1,p1,urban,0.5,0.1\n")).collect();
        let sample = format!("{}\n{rows}", SAMPLE.lines().next().expect("a header"));
        assert_eq!(app.put_file(&survey, "sample", &sample).status, 201);
        let old = app.tablet(&desk, &surveyor);
        let ids: Vec<String> = (1..=4).map(|n| format!("019abcde-0000-7000-8000-00000000290{n}")).collect();
        let body = |n: usize| submission(&ids[n], &hash, &format!("c{}", n + 1)).to_string();
        // Three are finished on it and not sent; then the desk gives it up and enrols the same tablet again.
        let revoke = format!("/api/v1/devices/{}/revoke", old.id);
        assert_eq!(app.at(&desk, "POST", &revoke, Some(&json!({"status": "lost"}))).status, 204);
        let again = app.tablet(&desk, &surveyor);
        assert_ne!(old.id, again.id);
        let receipts: Vec<Value> = (0..3)
            .map(|n| {
                let kept = app.hand_in(&old, &ids[n], body(n).as_bytes());
                assert_eq!((kept.status, kept.json()["notices"][0]["code"].clone()), (202, json!("late-or-revoked")));
                kept.json()["receipt"].clone()
            })
            .collect();
        assert_eq!(app.hand_in(&again, &ids[3], body(3).as_bytes()).status, 201, "its new name works meanwhile");
        assert_eq!(responses(&app, &survey, "interim"), 1);
        let waiting = app.at(&desk, "GET", "/api/v1/quarantine", None).json();
        assert_eq!(waiting["waiting"].as_array().expect("a list").len(), 3);
        for id in &ids[..3] {
            let seq = app.database().quarantine_of(id).expect("rows")[0].server_seq;
            let accepted = app.at(
                &desk,
                "POST",
                &format!("/api/v1/quarantine/{seq}/accept"),
                Some(&json!({"reason": "平板重新注册"})),
            );
            assert_eq!(accepted.json()["state"], "parsed");
        }
        assert_eq!(responses(&app, &survey, "interim"), 4, "none is lost");
        // An answer was lost on the way: the same again is the same receipt and no second record.
        for (n, receipt) in receipts.iter().enumerate() {
            let replayed = app.hand_in(&old, &ids[n], body(n).as_bytes());
            assert_eq!((replayed.status, &replayed.json()["receipt"]), (200, receipt));
        }
        assert_eq!(responses(&app, &survey, "interim"), 4, "none is doubled");
    });
}

#[test]
fn rel_c9_a_close_and_late_submissions_have_one_order_that_the_log_shows() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = Questionnaire::from_toml("q", QUESTIONNAIRE).expect("sound").hash().to_owned();
        app.publish(QUESTIONNAIRE);
        let survey = app.create_survey(&survey_request("调查", &hash)).json()["id"].as_str().expect("an id").to_owned();
        let rows: String = (0..24).map(|n| format!("k{n},230102,s1,p1,urban,0.5,0.1\n")).collect();
        let header = SAMPLE.lines().next().expect("a header");
        assert_eq!(app.put_file(&survey, "sample", &format!("{header}\n{rows}")).status, 201);
        let ids: Vec<String> = (0..24).map(|n| format!("019abcde-0000-7000-8000-0000000005{n:02}")).collect();
        thread::scope(|scope| {
            for (n, id) in ids.iter().enumerate() {
                let (app, hash, survey) = (&app, &hash, &survey);
                scope.spawn(move || match n {
                    8 => assert_eq!(
                        app.post(Role::Analyst, &format!("/api/v1/surveys/{survey}/close"), &json!({})).status,
                        200
                    ),
                    _ => drop(submitted(app, id, hash, &format!("k{n}"))),
                });
            }
        });
        let entries = app.database().audit_entries(0, 10_000).expect("entries");
        let closing = entries.iter().find(|entry| entry.action == "survey.close").expect("the close is in the log");
        let detail =
            |json: &Option<String>| -> Value { serde_json::from_str(json.as_ref().expect("a detail")).expect("JSON") };
        let after = detail(&closing.detail)["after_seq"].as_i64().expect("a place");
        let judged: Vec<Value> = entries
            .iter()
            .filter(|entry| entry.action == "response.judge")
            .map(|entry| detail(&entry.detail))
            .collect();
        assert_eq!(judged.len(), 23);
        for one in &judged {
            let late = one["server_seq"].as_i64().expect("a place") > after;
            assert_eq!(one["reason"] == "late-or-revoked", late, "{one} against {after}");
            assert_eq!(one["state"] == "quarantined", late);
        }
        for entry in entries.iter().filter(|entry| entry.action == "response.judge" && entry.seq > closing.seq) {
            let one = detail(&entry.detail);
            assert!(one["server_seq"].as_i64() <= Some(after) || one["state"] == "quarantined", "{one}");
        }
    });
}

#[test]
fn a_revision_of_approved_work_waits_and_locked_work_changes_only_when_reopened() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        approve_twice(&app, TABLET, 1);
        let mut second = submission(TABLET, &hash, "c1");
        second["rev"] = json!(2);
        let kept = app.submit(TABLET, 2, second.to_string().as_bytes());
        assert_eq!((kept.status, kept.json()["notices"][0]["code"].clone()), (202, json!("revision-after-approval")));
        assert_eq!((state(&app, TABLET).as_str(), head(&app, TABLET)["rev"].clone()), ("approved_l2", json!(1)));
        assert_eq!(responses(&app, &survey, "approved"), 1);
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "lock"), &json!({"rev": 1})).json()["state"], "locked");
        let seq = kept.json()["receipt"]["server_seq"].clone();
        let accept = format!("/api/v1/quarantine/{seq}/accept");
        assert_eq!(app.post(Role::Supervisor, &accept, &json!({"reason": "x"})).problem(), "wrong-state");
        for (step, body) in [
            ("return", json!({"rev": 1, "reason_code": "check"})),
            ("void", json!({"rev": 1, "reason": "x"})),
            ("approve", json!({"rev": 1, "level": 1})),
        ] {
            assert_eq!(app.post(Role::Supervisor, &at(TABLET, step), &body).problem(), "wrong-state", "{step}");
        }
        let reopen = json!({"rev": 1, "reason": "更正"});
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "reopen"), &reopen).problem(), "forbidden-role");
        assert_eq!(app.post(Role::Admin, &at(TABLET, "reopen"), &reopen).json()["state"], "under_review");
        assert_eq!(responses(&app, &survey, "approved"), "no-responses", "its approvals are gone");
        assert_eq!(app.post(Role::Supervisor, &accept, &json!({"reason": "x"})).json()["state"], "under_review");
        assert_eq!(head(&app, TABLET)["rev"], 2);
        let actions: Vec<String> =
            logged(&app, &format!("response/{TABLET}")).into_iter().map(|entry| entry.0).collect();
        assert!(actions.contains(&"response.reopen".to_owned()), "the auditor sees it: {actions:?}");
    });
}

#[test]
fn a_void_takes_two_persons_and_frees_the_case() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let confirm = json!({"rev": 1});
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "void/confirm"), &confirm).problem(), "wrong-state");
        assert_eq!(
            app.post(Role::Supervisor, &at(TABLET, "void"), &json!({"rev": 1, "reason": "编造"})).json()["state"],
            "parsed"
        );
        assert_eq!(app.post(Role::Supervisor, &at(TABLET, "void/confirm"), &confirm).problem(), "same-person");
        assert_eq!(
            app.post_as(&app.another(Role::Supervisor), &at(TABLET, "void/confirm"), &confirm).json()["state"],
            "void"
        );
        let mut second = submission(TABLET, &hash, "c1");
        second["rev"] = json!(2);
        let kept = app.submit(TABLET, 2, second.to_string().as_bytes());
        assert_eq!(kept.json()["notices"][0]["code"], "interview-void", "{}", kept.text());
        assert_eq!(state(&app, TABLET), "void");
        assert_eq!(submitted(&app, OTHER, &hash, "c1")["state"], "parsed", "the case is free");
        assert_eq!(responses(&app, &survey, "interim"), 1);
    });
}

#[test]
fn many_are_approved_at_once_and_one_that_cannot_be_hinders_no_other() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        submitted(&app, OTHER, &hash, "c2");
        let each = json!([{"id": OTHER, "rev": 1}, {"id": "nobody", "rev": 1}, {"id": TABLET, "rev": 2}]);
        let answer = app.post(Role::Supervisor, "/api/v1/approvals", &json!({"level": 1, "responses": each}));
        let results = answer.json()["results"].clone();
        let of = |n: usize| (results[n]["state"].as_str(), results[n]["code"].as_str());
        assert_eq!(of(0), (Some("approved_l1"), None), "{results}");
        assert_eq!(of(1), (None, Some("not-found")));
        assert_eq!(of(2), (None, Some("stale-revision")));
        let too_many: Vec<Value> = (0..201).map(|n| json!({"id": n.to_string(), "rev": 1})).collect();
        let refused = app.post(Role::Supervisor, "/api/v1/approvals", &json!({"level": 1, "responses": too_many}));
        assert_eq!(refused.problem(), "invalid");
        let list = |query: &str| {
            let path = format!("/api/v1/surveys/{survey}/responses?{query}");
            app.get(Role::Supervisor, &path).json()["responses"].as_array().expect("a list").len()
        };
        assert_eq!((list("state=approved_l1"), list("state=parsed"), list("district=2301")), (1, 1, 2));
        assert_eq!((list("district=99"), list("surveyor=nobody")), (0, 0));
        assert_eq!(
            app.get(Role::Supervisor, &format!("/api/v1/surveys/{survey}/responses?state=x")).problem(),
            "invalid"
        );
    });
}

#[test]
fn a_supervisor_of_another_region_sees_and_changes_nothing() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        submitted(&app, TABLET, &hash, "c1");
        let author = Author { id: "someone".to_owned(), role: "supervisor".to_owned() };
        let from =
            |scope: &str| Reviewer { author: author.clone(), ids: vec!["someone".to_owned()], scope: scope.to_owned() };
        let seen = Seen { rev: 1, sha256: None };
        let step =
            |scope: &str| app.database().review(TABLET, &seen, &Step::Begin, &from(scope), 1).expect("an answer");
        assert_eq!(step("2302"), Err(ReviewRefusal::OutOfScope));
        assert_eq!(step("230102001"), Err(ReviewRefusal::OutOfScope), "a part of the district is not the district");
        assert!(step("2301").is_ok());
    });
}

#[test]
fn waiting_bytes_are_judged_again_on_schedule() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let hash = Questionnaire::from_toml("q", QUESTIONNAIRE).expect("sound").hash().to_owned();
        submitted(&app, TABLET, &hash, "c1");
        let quarantined = || app.database().quarantine_of(TABLET).expect("rows")[0].clone();
        let due = quarantined().next_try_ms.expect("a time");
        assert!((due - app.now_ms.load(Ordering::Relaxed) - 300_000).abs() < 1_000, "five minutes from now");
        let judge_at = |now: i64| {
            let clock = Clock::new(move || now);
            judge_due(app.database(), &Instruments::default(), &clock).expect("a sweep")
        };
        assert_eq!(judge_at(due - 1), 0);
        assert_eq!(judge_at(due), 1);
        assert_eq!(quarantined().next_try_ms, Some(due + 600_000), "ten minutes after the try");
    });
}

#[test]
fn acc035_after_its_last_day_an_interview_that_began_before_finishes_and_a_new_one_waits() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, old) = app.survey("调查");
        let expired =
            QUESTIONNAIRE.replace("version = \"1.0.0\"", "version = \"0.9.0\"").replace("2030-12-31", "2025-11-20");
        let hash = app.publish(&expired).json()["hash"].as_str().expect("a hash").to_owned();
        let mut request = survey_request("旧问卷", &hash);
        request["code"] = json!("tiny-0");
        let survey = app.create_survey(&request).json()["id"].as_str().expect("an id").to_owned();
        app.put_file(&survey, "sample", SAMPLE);
        let with = |id: &str, case: &str, started: Value| {
            let mut body = submission(id, &hash, case);
            body["timing"]["started_ms"] = started;
            app.submit(id, 1, body.to_string().as_bytes()).json()
        };
        // 2025-11-20 23:59:59.999 and the next midnight, in China.
        let last = 1_763_654_399_999_i64;
        assert_eq!(with(TABLET, "c1", json!(last))["state"], "parsed");
        assert_eq!(with(OTHER, "c2", json!(last + 1))["notices"][0]["code"], "questionnaire-expired");
        let silent = "019abcde-0000-7000-8000-000000000003";
        assert_eq!(with(silent, "c3", json!(null))["notices"][0]["code"], "questionnaire-expired");
        let control = "019abcde-0000-7000-8000-000000000004";
        assert_eq!(submitted(&app, control, &old, "c3")["state"], "parsed", "the valid one is open");
    });
}

#[test]
fn rel_c8_submissions_during_a_run_do_not_change_its_inputs() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("slow");
        submitted(&app, TABLET, &hash, "c1");
        let queued = app.ask_for_run(&survey, &json!({}));
        let path = format!("/api/v1/runs/{}", queued.json()["id"].as_str().expect("an id"));
        while app.get(Role::Analyst, &path).json()["state"] == "queued" {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        thread::sleep(std::time::Duration::from_millis(100));
        submitted(&app, OTHER, &hash, "c2");
        assert_eq!(app.ended(&queued)["inputs"]["responses"]["n"], 1);
        assert_eq!(app.run(&survey)["inputs"]["responses"]["n"], 2, "the next run sees it");
    });
}
