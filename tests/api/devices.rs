//! Tablets: one code, one tablet; revoked at once; old releases hand in and start nothing new.

use std::thread;

use scilit::server::{Role, Settings};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, counting, submission},
    on_every_backend,
    people::Desk,
};

/// A supervisor at a desk and a surveyor's id, both in 2301.
fn office(app: &TestApp) -> (Desk, String) {
    app.person("boss", &[(Role::Supervisor, "2301")]);
    let surveyor = app.person("field", &[(Role::Surveyor, "230102")]);
    (app.sit_down("boss"), surveyor)
}

/// A code with the same first four signs, another secret, and a check sign that fits.
fn wrong(code: &str, nth: u8) -> String {
    let signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let value = |sign: char| signs.find(sign).expect("a sign");
    let other = signs.as_bytes()[(value(code.chars().nth(5).expect("a sign")) + 1 + usize::from(nth)) % 32];
    let body = format!("{}{}{}", &code[..5], char::from(other), &code[6..9]);
    let sum: usize = body.chars().enumerate().map(|(place, sign)| (2 * place + 1) * value(sign)).sum();
    format!("{body}{}", char::from(signs.as_bytes()[sum % 32]))
}

#[test]
fn acc058_a_code_works_once_for_a_quarter_of_an_hour_and_is_burnt_by_five_wrong_ones() {
    on_every_backend(|test| {
        let settings = Settings { public_url: Some("https://survey.example/".to_owned()), ..Settings::default() };
        let app = TestApp::start_with(test, settings, counting);
        let (desk, surveyor) = office(&app);
        let body = json!({ "user": surveyor, "label": "平板一" });
        let made = app.at(&desk, "POST", "/api/v1/enrolment-codes", Some(&body)).json();
        let code = made["code"].as_str().expect("a code").to_owned();
        assert_eq!(code.len(), 10);
        let url = format!("https://survey.example/tablet/#{code}");
        assert_eq!(made["url"], url);
        let picture = qrcode::QrCode::new(&url).expect("a QR code");
        let picture = picture.render::<qrcode::render::svg::Color>().min_dimensions(240, 240).build();
        assert_eq!(made["qr_svg"], picture, "the picture holds the address and the code, and nothing else");

        let misread = format!("{}{}", &code[..9], if code.ends_with('0') { '1' } else { '0' });
        assert_eq!(app.enrol(&misread, "1.0.0").problem(), "invalid");
        let joined = app.enrol(&code.to_lowercase(), "1.0.0");
        assert_eq!(joined.status, 201, "{}", joined.text());
        assert_eq!(joined.json()["user"]["id"], surveyor);
        assert!(joined.json()["server_keys"].as_array().is_some_and(|keys| !keys.is_empty()));
        assert_eq!(app.enrol(&code, "1.0.0").problem(), "enrolment-refused", "a code works once");
        let bearer = format!("Bearer {code}");
        assert_eq!(
            app.send(None, "GET", "/api/v1/me", &[("Authorization", &bearer)], b"").status,
            401,
            "and is no token"
        );

        let late = app.code(&desk, &surveyor);
        app.pass(16);
        assert_eq!(app.enrol(&late, "1.0.0").problem(), "enrolment-refused", "16 minutes old");

        let burnt = app.code(&desk, &surveyor);
        for n in 0..5 {
            assert_eq!(app.enrol(&wrong(&burnt, n), "1.0.0").problem(), "enrolment-refused");
        }
        assert_eq!(app.enrol(&burnt, "1.0.0").problem(), "enrolment-refused", "burnt");
        let tried = app.code(&desk, &surveyor);
        for n in 0..4 {
            assert_eq!(app.enrol(&wrong(&tried, n), "1.0.0").problem(), "enrolment-refused");
        }
        assert_eq!(app.enrol(&tried, "1.0.0").status, 201, "four wrong ones do not burn it");
        let enrolments: Vec<_> = app.logged().into_iter().filter(|(action, _)| action == "device.enrol").collect();
        assert_eq!(enrolments.iter().filter(|(_, outcome)| outcome == "done").count(), 2);
        assert_eq!(enrolments.iter().filter(|(_, outcome)| outcome == "refused").count(), 9);
    });
}

#[test]
fn rel_s11_of_eight_tablets_with_one_code_exactly_one_joins() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (desk, surveyor) = office(&app);
        for _ in 0..4 {
            let code = app.code(&desk, &surveyor);
            let statuses: Vec<u16> = thread::scope(|scope| {
                let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| app.enrol(&code, "1.0.0").status)).collect();
                tries.into_iter().map(|one| one.join().expect("no panic")).collect()
            });
            assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
            assert!(statuses.iter().all(|status| matches!(status, 201 | 410)), "{statuses:?}");
        }
        assert_eq!(app.database().device_ids_of(&surveyor).expect("tablets").len(), 4);
    });
}

#[test]
fn rel_s11_a_revoked_tablet_and_one_of_a_disabled_person_may_only_hand_in_from_the_next_request_on() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (desk, surveyor) = office(&app);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let (lost, kept) = (app.tablet(&desk, &surveyor), app.tablet(&desk, &surveyor));
        let me = |tablet| app.send_from(tablet, "GET", "/api/v1/me", &[], b"");
        assert_eq!((me(&lost).status, me(&kept).status), (200, 200));
        let path = format!("/api/v1/devices/{}/revoke", lost.id);
        assert_eq!(app.at(&desk, "POST", &path, Some(&json!({ "status": "lost" }))).status, 204);
        assert_eq!((me(&lost).status, me(&lost).problem().as_str()), (401, "device-revoked"));
        let instrument = format!("/api/v1/instruments/{hash}");
        assert_eq!(app.send_from(&lost, "GET", &instrument, &[], b"").problem(), "device-revoked");
        assert!(matches!(app.hand_in(&lost, TABLET, body.as_bytes()).status, 201 | 202), "its bytes are kept");
        assert_eq!(me(&kept).status, 200, "the other tablet goes on");
        app.stop();

        let app = TestApp::again(test, Settings::default());
        let me = |tablet| app.send_from(tablet, "GET", "/api/v1/me", &[], b"");
        assert_eq!(me(&lost).problem(), "device-revoked", "a restart changes nothing");
        let by = scilit::storage::Author { id: "test".to_owned(), role: "system".to_owned() };
        app.database().set_person_active(&surveyor, false, &by, 1).expect("disabled");
        assert_eq!(me(&kept).problem(), "device-revoked");
        let other = TABLET.replace("0001", "0002");
        let body = submission(&other, &hash, "c2").to_string();
        assert!(matches!(app.hand_in(&kept, &other, body.as_bytes()).status, 201 | 202));
    });
}

#[test]
fn acc032_an_old_release_starts_nothing_new_and_hands_in_what_it_has() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (desk, surveyor) = office(&app);
        let (_, hash) = app.survey("调查");
        let tablet = app.tablet(&desk, &surveyor);
        let instrument = format!("/api/v1/instruments/{hash}");
        assert_eq!(app.send_from(&tablet, "GET", &instrument, &[], b"").status, 200);
        let manifest = app.send_from(&tablet, "GET", "/api/v1/sync/manifest", &[], b"");
        assert_eq!((manifest.status, manifest.json()["instruments"][0].as_str()), (200, Some(hash.as_str())));
        let tag = manifest.header("etag").expect("a tag").to_owned();
        let again = app.send_from(&tablet, "GET", "/api/v1/sync/manifest", &[("If-None-Match", &tag)], b"");
        assert_eq!((again.status, again.body.len()), (304, 0));
        app.stop();

        let settings = Settings {
            min_release: Some("1.1.0".to_owned()),
            hotline: Some("0451-12345678".to_owned()),
            ..Settings::default()
        };
        let app = TestApp::again(test, settings);
        let get = |path: &str, headers: &[(&str, &str)]| app.send_from(&tablet, "GET", path, headers, b"");
        let told = get("/api/v1/sync/manifest", &[("If-None-Match", &tag)]).json();
        assert_eq!((&told["min_release"], &told["hotline"]), (&"1.1.0".into(), &"0451-12345678".into()));
        let refused = get(&instrument, &[]);
        assert_eq!((refused.status, refused.problem().as_str()), (403, "client-too-old"));
        assert_eq!(refused.json()["action"], "update_app");
        let body = submission(TABLET, &hash, "c1").to_string();
        assert_eq!(app.hand_in(&tablet, TABLET, body.as_bytes()).status, 201, "what it has is taken");
        let desk = app.sit_down("boss");
        assert_eq!(app.enrol(&app.code(&desk, &surveyor), "1.0.9").problem(), "client-too-old");
        assert_eq!(get(&instrument, &[("X-Client-Release", "1.1.0")]).status, 200, "updated");
        assert_eq!(get(&instrument, &[]).status, 200, "and remembered");
    });
}

#[test]
fn a_tablets_token_slides_on_with_use_and_runs_out_without() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (desk, surveyor) = office(&app);
        let tablet = app.tablet(&desk, &surveyor);
        let me = || app.send_from(&tablet, "GET", "/api/v1/me", &[], b"").status;
        for _ in 0..3 {
            app.pass(29 * 24 * 60);
            assert_eq!(me(), 200);
        }
        app.pass(31 * 24 * 60);
        assert_eq!(me(), 401);
        let report = json!({ "queue_len": 3, "persisted": true }).to_string();
        let headers = [("Content-Type", "application/json")];
        let desk = app.sit_down("boss");
        let tablet = app.tablet(&desk, &surveyor);
        assert_eq!(app.send_from(&tablet, "PUT", "/api/v1/devices/self", &headers, report.as_bytes()).status, 204);
        let device = app.database().device(&tablet.id).expect("asked").expect("a tablet");
        assert_eq!((device.queue_len, device.persisted), (Some(3), Some(true)));
    });
}
