//! Attachments: broken off and gone on with, in any order with their interview, sealed, read by whoever reviews.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use scilit::{evidence::sha256_hex, server::Role};
use serde_json::json;

use crate::support::{
    TestDatabase,
    app::{SAMPLE, TABLET, TestApp, submission},
    http::{Answer, send},
    on_every_backend,
};

const ID: &str = "019abcde-0000-7000-8000-0000000000aa";
const PART: &str = "application/offset+octet-stream";
const MIB: usize = 1 << 20;
/// What the server keeps at once.
const PIECE: usize = 256 << 10;

/// Bytes that repeat nowhere near a piece's length, with words to look for.
fn recording(length: usize) -> Vec<u8> {
    let word = |at: usize| format!("录音标记{at:08}").into_bytes();
    (0..).flat_map(word).take(length).collect()
}

fn path(id: &str) -> String {
    format!("/api/v1/attachments/{id}")
}

fn headers(offset: usize, whole: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Type", PART.to_owned()),
        ("Upload-Offset", offset.to_string()),
        ("Upload-Length", whole.len().to_string()),
        ("Upload-Sha256", sha256_hex(whole)),
    ]
}

fn patch_as(app: &TestApp, secret: &str, id: &str, offset: usize, whole: &[u8], part: &[u8]) -> Answer {
    let bearer = format!("Bearer {secret}");
    let headers = headers(offset, whole);
    let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(("Authorization", &bearer));
    if part.is_empty() {
        all.push(("Content-Length", "0"));
    }
    send(app.address, "PATCH", &path(id), &all, part)
}

fn patch(app: &TestApp, id: &str, offset: usize, whole: &[u8], part: &[u8]) -> Answer {
    patch_as(app, app.secret(Role::Surveyor), id, offset, whole, part)
}

fn offset(answer: &Answer) -> Option<usize> {
    answer.header("upload-offset").and_then(|text| text.parse().ok())
}

fn standing(app: &TestApp, id: &str) -> Answer {
    app.send(Some(Role::Surveyor), "HEAD", &path(id), &[], b"")
}

/// Announces all, sends a part, and pulls the plug.
fn break_off(app: &TestApp, id: &str, whole: &[u8], sent: usize) {
    let mut head =
        format!("PATCH {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", path(id), app.secret(Role::Surveyor));
    for (name, value) in headers(0, whole) {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", whole.len());
    let mut link = TcpStream::connect(app.address).expect("a connection");
    link.write_all(head.as_bytes()).expect("sent");
    link.write_all(&whole[..sent]).expect("sent");
    // Only the end of what is sent: a reset could take bytes along that are on their way.
    link.shutdown(Shutdown::Write).expect("broken");
    let _ = link.read_to_end(&mut Vec::new());
}

/// Where the server stands once it noticed that the link is broken.
fn settled(app: &TestApp, id: &str) -> usize {
    let mut before = None;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(200));
        let now = offset(&standing(app, id));
        match (before, now) {
            (Some(one), Some(same)) if one == same && same > 2 * MIB => return same,
            _ => before = now,
        }
    }
    panic!("it never settles: {before:?}");
}

#[test]
fn acc024_a_broken_upload_goes_on_where_the_server_stands_and_a_wrong_place_is_told_the_right_one() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let whole = recording(8 * MIB);
        assert_eq!(standing(&app, ID).status, 404, "nothing came yet");
        break_off(&app, ID, &whole, 3 * MIB);
        let there = settled(&app, ID);
        assert!((3 * MIB - PIECE..=3 * MIB).contains(&there), "what reached the server is kept: {there}");
        for wrong in [0, 2 * MIB, there + 1] {
            let refused = patch(&app, ID, wrong, &whole, &whole[wrong..wrong + 10]);
            assert_eq!(
                (refused.status, refused.problem().as_str(), offset(&refused)),
                (409, "wrong-offset", Some(there))
            );
        }
        let rest = patch(&app, ID, there, &whole, &whole[there..5 * MIB]);
        assert_eq!((rest.status, offset(&rest), rest.json()["complete"].clone()), (200, Some(5 * MIB), json!(false)));
        let done = patch(&app, ID, 5 * MIB, &whole, &whole[5 * MIB..]);
        assert_eq!((done.status, offset(&done)), (200, Some(8 * MIB)), "{}", done.text());
        let standing = standing(&app, ID);
        assert_eq!((standing.status, standing.header("upload-complete")), (200, Some("?1")));
        assert_eq!(patch(&app, ID, 8 * MIB, &whole, b"").status, 200, "the end again changes nothing");
        let log = app.logged();
        let of = |action: &str| log.iter().filter(|(done, outcome)| done == action && outcome == "done").count();
        assert_eq!((of("attachment.begin"), of("attachment.keep")), (1, 1), "{log:?}");
        assert!(!is_on_disk(test, "录音标记0000".as_bytes()), "it is sealed");
    });
}

fn is_on_disk(test: &TestDatabase, wanted: &[u8]) -> bool {
    let Some(file) = test.file() else { return false };
    let wal = file.with_file_name(format!("{}-wal", file.file_name().expect("a name").to_string_lossy()));
    let holds = |path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(wanted.len()).any(|window| window == wanted)
    };
    holds(file) || holds(wal)
}

#[test]
fn acc025_an_attachment_before_its_interview_and_that_before_its_case_are_linked_without_a_hand() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        let whole = recording(300_000);
        assert_eq!(patch(&app, ID, 0, &whole, &whole).status, 200);
        let missing = "019abcde-0000-7000-8000-0000000000bb";
        let mut body = submission(TABLET, &hash, "later");
        let named = |id: &str, bytes: &[u8]| json!({ "uuid": id, "sha256": sha256_hex(bytes), "size": bytes.len(), "kind": "audio" });
        body["attachments"] = json!([named(ID, &whole), named(missing, b"to come")]);
        let kept = app.submit(TABLET, 1, body.to_string().as_bytes());
        assert_eq!((kept.status, kept.json()["state"].clone()), (202, json!("quarantined")), "its case is not known");
        let put = app.put_file(&survey, "sample", &format!("{SAMPLE}later,230102,s1,p1,urban,0.5,0.1\n"));
        assert_eq!(put.status, 201, "{}", put.text());
        let at = format!("/api/v1/responses/{TABLET}/attachments");
        let listed = app.get(Role::Supervisor, &at);
        assert_eq!(listed.status, 200, "{}", listed.text());
        let states = |answer: &Answer| -> Vec<String> {
            let all = answer.json()["attachments"].as_array().expect("a list").clone();
            all.iter().map(|one| one["state"].as_str().expect("a state").to_owned()).collect()
        };
        assert_eq!(states(&listed), ["complete", "missing"]);
        assert_eq!(patch(&app, missing, 0, b"to come", b"to ").status, 200);
        assert_eq!(states(&app.get(Role::Auditor, &at)), ["complete", "partial"]);
        assert_eq!(patch(&app, missing, 3, b"to come", b"come").status, 200);
        assert_eq!(states(&app.get(Role::Supervisor, &at)), ["complete", "complete"]);
        let read = app.get(Role::Supervisor, &format!("{at}/{ID}"));
        assert!(read.status == 200 && read.body == whole, "{}", read.status);
        assert_eq!(read.header("x-content-sha256"), Some(sha256_hex(&whole).as_str()));
        assert_eq!(app.get(Role::Auditor, &format!("{at}/{ID}")).status, 403, "a voice is no answer");
        assert_eq!(app.get(Role::Analyst, &at).status, 403);
        let reads = app.logged().into_iter().filter(|(action, _)| action == "attachment.read").count();
        assert_eq!(reads, 1);
        let other = "019abcde-0000-7000-8000-0000000000cc";
        assert_eq!(app.get(Role::Supervisor, &format!("{at}/{other}")).status, 404, "it names no such attachment");
    });
}

#[test]
fn an_attachment_that_is_not_what_it_said_begins_anew_and_nobody_elses_is_touched() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let whole = recording(600_000);
        let mut damaged = whole.clone();
        damaged[300_000] ^= 1;
        let refused = patch(&app, ID, 0, &whole, &damaged);
        assert_eq!((refused.status, refused.problem().as_str(), offset(&refused)), (400, "digest-mismatch", Some(0)));
        assert_eq!(offset(&standing(&app, ID)), Some(0));
        let other = app.another(Role::Surveyor);
        assert_eq!(patch_as(&app, &other, ID, 0, &whole, &whole).problem(), "attachment-differs");
        assert_eq!(patch(&app, ID, 0, &damaged, &damaged).problem(), "attachment-differs", "another file, one id");
        assert_eq!(patch(&app, ID, 0, &whole, &whole).status, 200, "sent again, it is kept");
        let huge = [("Content-Type", PART), ("Upload-Offset", "0"), ("Upload-Length", "16777217")];
        let huge = app.send(Some(Role::Surveyor), "PATCH", &path(TABLET), &huge, b"x");
        assert_eq!((huge.status, huge.problem().as_str()), (413, "too-large"));
        let more = patch(&app, TABLET, 0, b"abc", b"abcd");
        assert_eq!((more.status, more.problem().as_str()), (413, "too-large"));
        for (name, value) in
            [("Upload-Offset", "-1"), ("Upload-Offset", "1e3"), ("Upload-Length", "0"), ("Upload-Length", "")]
        {
            let mut wrong = headers(0, b"abc");
            wrong.iter_mut().find(|(known, _)| *known == name).expect("it").1 = value.to_owned();
            let wrong: Vec<(&str, &str)> = wrong.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let refused = app.send(Some(Role::Surveyor), "PATCH", &path(TABLET), &wrong, b"abc");
            assert_eq!(refused.status, 400, "{name}: {value}");
        }
        assert_eq!(patch(&app, "nonsense", 0, b"abc", b"abc").status, 404);
    });
}
