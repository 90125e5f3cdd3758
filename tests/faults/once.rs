//! Exactly once, whatever happens on the way: lost replies, retries, restarts, one bad item among many.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{Shutdown, TcpStream},
    process::Command,
    sync::atomic::Ordering,
    thread,
    time::Duration,
};

use proptest::{prelude::*, test_runner::TestRunner};
use scilit::{
    evidence::{Receipt, Verifier, sha256_hex},
    server::{Keys, Role},
};
use serde_json::{Value, json};

use crate::{
    away::Lock,
    support::{
        TestDatabase,
        app::{TABLET, TestApp, submission},
        on_every_backend, row_counts, run,
        storm::{Findings, Program, Sent, Told, compare, id, put, request, send_again, storm_while, token},
    },
};

#[test]
fn acc015_rel_c4_a_reply_that_is_lost_is_the_same_receipt_at_the_next_try() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (name, body) = (id(1, 1, 1), "{\"n\":1}");
        let mut stream = TcpStream::connect(app.address).expect("a connection");
        stream.write_all(request(app.address, app.secret(Role::Surveyor), &name, body).as_bytes()).expect("sent");
        let kept = || app.database().kept_under(&[&name]).expect("rows");
        for _ in 0..200 {
            if !kept().is_empty() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // The server has committed; the answer goes nowhere.
        let _ = stream.shutdown(Shutdown::Both);
        drop(stream);
        let [row] = &kept()[..] else { panic!("one row") };
        let again = put(app.address, app.secret(Role::Surveyor), &name, body);
        assert_eq!(again, Told::Receipt(200, row.receipt.clone()));
        assert_eq!(row_counts(test)["submission_raw"], 1);
        let other = put(app.address, app.secret(Role::Surveyor), &id(1, 1, 2), body);
        assert!(matches!(other, Told::Receipt(202, _)), "the control: another id is new");
    });
}

#[test]
fn a_client_that_goes_away_while_it_waits_takes_nothing_with_it() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (_, hash) = app.survey("调查");
        let body = submission(TABLET, &hash, "c1").to_string();
        let lock = Lock::take(test);
        let mut stream = TcpStream::connect(app.address).expect("a connection");
        stream.write_all(request(app.address, app.secret(Role::Surveyor), TABLET, &body).as_bytes()).expect("sent");
        thread::sleep(Duration::from_millis(200));
        drop(stream);
        thread::sleep(Duration::from_millis(200));
        lock.release();
        let state = || app.database().interview(TABLET).expect("an answer").map(|head| head.state);
        for _ in 0..200 {
            if state().as_deref() == Some("parsed") {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(state().as_deref(), Some("parsed"), "kept and judged without its client");
    });
}

#[test]
fn rel_c5_a_key_never_expires_neither_by_a_restart_nor_by_a_year() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let first = app.submit(TABLET, 1, b"{}").json()["receipt"].clone();
        app.stop();
        let app = TestApp::start(test);
        app.now_ms.fetch_add(400 * 86_400_000, Ordering::Relaxed);
        let again = app.submit(TABLET, 1, b"{}");
        assert_eq!((again.status, &again.json()["receipt"]), (200, &first));
        assert_eq!(row_counts(test)["submission_raw"], 1);
        assert_eq!(app.submit(TABLET, 1, b"{ }").status, 409, "the control: other bytes are not the same");
    });
}

#[test]
fn rel_c6_an_item_that_the_database_refuses_fails_alone_although_it_shares_a_batch() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let bad = id(1, 1, 3);
        let sql = match test.file() {
            Some(_) => format!(
                "CREATE TRIGGER bad BEFORE INSERT ON submission_raw WHEN NEW.id = '{bad}' \
                 BEGIN SELECT RAISE(ABORT, 'bad'); END"
            ),
            None => format!(
                "CREATE FUNCTION bad() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'bad'; END $$ LANGUAGE plpgsql; \
                 CREATE TRIGGER bad BEFORE INSERT ON submission_raw FOR EACH ROW WHEN (NEW.id = '{bad}') \
                 EXECUTE FUNCTION bad()"
            ),
        };
        test.execute(&sql).expect("a trigger");
        // Held until all ten wait, so that they are written together.
        let lock = Lock::take(test);
        let answers: Vec<(usize, u16)> = thread::scope(|scope| {
            let app = &app;
            let ten: Vec<_> = (0..10)
                .map(|number| scope.spawn(move || (number, app.submit(&id(1, 1, number), 1, b"{}").status)))
                .collect();
            thread::sleep(Duration::from_millis(500));
            lock.release();
            ten.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        for (number, status) in answers {
            assert_eq!(status, if number == 3 { 500 } else { 202 }, "{number}");
        }
        let rows = row_counts(test);
        assert_eq!((rows["submission_raw"], rows["receipt"], rows["interview"]), (9, 9, 9), "nothing of the bad one");
        assert!(app.database().interview(&bad).expect("an answer").is_none());
    });
}

/// Every kept row with what its receipt says, held against the log's own entries and the server's key.
fn receipts_and_log_agree(test: &TestDatabase, app: &TestApp, ids: &[String]) -> Result<usize, String> {
    let keys: Vec<Verifier> = {
        let (keys, _) = Keys::open(&test.key_dir(), 1).map_err(|error| error.to_string())?;
        keys.verifiers()
    };
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let rows = app.database().kept_under(&ids).map_err(|error| error.to_string())?;
    let kept = app.database().audit_entries(0, 100_000).map_err(|error| error.to_string())?;
    let kept: BTreeMap<i64, Value> = kept
        .into_iter()
        .filter(|entry| entry.action == "submission.keep")
        .map(|entry| {
            let detail: Value = serde_json::from_str(entry.detail.as_deref().unwrap_or("{}")).expect("JSON");
            (entry.seq, json!([entry.object, detail["sha256"], detail["server_seq"], detail["conflict"]]))
        })
        .collect();
    for row in &rows {
        let receipt: Receipt = serde_json::from_str(&row.receipt).map_err(|error| error.to_string())?;
        receipt.verify(&keys).map_err(|error| format!("{}: {error}", receipt.id))?;
        let object = format!("submission/{}/{}", receipt.id, receipt.rev);
        let said = json!([object, receipt.sha256, receipt.server_seq, receipt.conflict]);
        let index = receipt.log_index.ok_or("a receipt without a place")?;
        if kept.get(&index) != Some(&said) || row.sha256 != receipt.sha256 {
            return Err(format!("{said} is not entry {index}: {:?}", kept.get(&index)));
        }
    }
    if kept.len() == rows.len() { Ok(rows.len()) } else { Err(format!("{} entries, {} rows", kept.len(), rows.len())) }
}

#[test]
fn rel_a6_every_receipt_is_in_the_log_and_every_kept_submission_has_one() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let secret = app.secret(Role::Surveyor);
        let journal = storm_while(app.address, secret, (1, 16), || thread::sleep(Duration::from_millis(400)));
        let mut ids: Vec<String> = journal.iter().map(|sent| sent.id.clone()).collect();
        // Replays, conflicts and a batch with a duplicate in it, all at once.
        thread::scope(|scope| {
            for sent in &journal[..8] {
                let app = &app;
                scope.spawn(move || assert_eq!(app.submit(&sent.id, 1, sent.body.as_bytes()).status, 200));
                scope.spawn(move || assert_eq!(app.submit(&sent.id, 1, b"[]").status, 409));
            }
        });
        let line =
            |number: usize| json!({ "id": id(2, 0, number), "rev": 1, "sha256": sha256_hex(b"{}"), "body": "{}" });
        let lines: String = [0, 1, 0, 2, 1].iter().map(|number| format!("{}\n", line(*number))).collect();
        let kind = [("Content-Type", "application/x-ndjson")];
        let batch = app.send(Some(Role::Surveyor), "POST", "/api/v1/submissions:batch", &kind, lines.as_bytes()).json();
        let receipt = |at: usize| &batch["results"][at]["answer"]["receipt"];
        assert_eq!((receipt(2), receipt(4)), (receipt(0), receipt(1)), "a duplicate inside one batch");
        let statuses: Vec<u64> = (0..5).map(|at| batch["results"][at]["status"].as_u64().expect("a status")).collect();
        assert_eq!(statuses, [202, 202, 200, 202, 200]);
        ids.extend((0..3).map(|number| id(2, 0, number)));
        let rows = receipts_and_log_agree(test, &app, &ids).expect("they agree");
        assert_eq!(rows, journal.iter().filter(|sent| sent.receipt.is_some()).count() + 8 + 3);
        // The control: with one row unasked for, an entry is left over.
        assert!(receipts_and_log_agree(test, &app, &ids[1..]).is_err());
    });
}

#[test]
fn rel_c11_sixty_four_clients_at_once_leave_one_log_that_the_program_verifies() {
    on_every_backend(|test| {
        let secret = token(test, "surveyor");
        let server = Program::start(test);
        let mut journal = storm_while(server.address, &secret, (1, 64), || thread::sleep(Duration::from_millis(1500)));
        send_again(server.address, &secret, &mut journal);
        assert_eq!(compare(test, &journal), Findings::default());
        assert!(server.terminate().0.success());
        let verify = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_scilit"));
            command.args(["audit", "verify", "--database-url", &test.url]).arg("--key-dir").arg(test.key_dir());
            command
        };
        run(&mut verify());
        let entries = test.open().audit_entries(0, 100_000).expect("entries");
        assert!((0..).zip(&entries).all(|(seq, entry)| entry.seq == seq), "no gap and no fork");
        test.disarm_audit();
        test.execute("DELETE FROM audit_entry WHERE seq = 40").expect("deleted");
        assert!(!verify().output().expect("it runs").status.success(), "the control: a removed entry is found");
    });
}

/// What happens to a tablet's record on its way.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// It is sent and the answer arrives.
    Send(usize),
    /// It is sent and the answer is lost.
    SendAndLose(usize),
    /// It is sent by three at once.
    SendThrice(usize),
    /// It travels in a batch with two others.
    Batch(usize),
    /// The server stops and starts again.
    Restart,
}

const RECORDS: usize = 9;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = 0..RECORDS;
    let step = prop_oneof![
        4 => record.clone().prop_map(Step::Send),
        2 => record.clone().prop_map(Step::SendAndLose),
        2 => record.clone().prop_map(Step::SendThrice),
        2 => record.prop_map(Step::Batch),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..24)
}

/// Record `n` is of tablet `n % 3` about case `c1` to `c3`, so that each case has three interviews.
fn record(hash: &str, n: usize) -> Sent {
    let id = id(3, (n % 3) as u32, n);
    let body = submission(&id, hash, &format!("c{}", n / 3 + 1)).to_string();
    Sent { id, body, receipt: None }
}

fn take(sent: &mut Sent, status: u16, receipt: String) {
    assert!(matches!(status, 200..=202));
    if let Some(first) = &sent.receipt {
        assert_eq!((status, first), (200, &receipt), "a retry gets the receipt of the first time");
    }
    sent.receipt = Some(receipt);
}

fn send_one(app: &TestApp, sent: &mut Sent) {
    match put(app.address, app.secret(Role::Surveyor), &sent.id, &sent.body) {
        Told::Receipt(status, receipt) => take(sent, status, receipt),
        other => panic!("{other:?}"),
    }
}

fn walk(app: &TestApp, records: &mut [Sent], step: Step) {
    match step {
        Step::Restart => unreachable!("the story starts it again"),
        Step::Send(n) => send_one(app, &mut records[n]),
        Step::SendAndLose(n) => {
            let mut stream = TcpStream::connect(app.address).expect("a connection");
            let whole = request(app.address, app.secret(Role::Surveyor), &records[n].id, &records[n].body);
            stream.write_all(whole.as_bytes()).expect("sent");
        }
        Step::SendThrice(n) => {
            let one = records[n].clone();
            let answers: Vec<Told> = thread::scope(|scope| {
                let three: Vec<_> = (0..3)
                    .map(|_| scope.spawn(|| put(app.address, app.secret(Role::Surveyor), &one.id, &one.body)))
                    .collect();
                three.into_iter().map(|one| one.join().expect("an answer")).collect()
            });
            let receipts: Vec<&String> = answers
                .iter()
                .map(|told| if let Told::Receipt(_, receipt) = told { receipt } else { panic!("{told:?}") })
                .collect();
            assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
            take(&mut records[n], 200, receipts[0].clone());
        }
        Step::Batch(n) => {
            let numbers = [n, (n + 4) % RECORDS, n];
            let line = |n: &usize| {
                let Sent { id, body, .. } = &records[*n];
                format!("{}\n", json!({ "id": id, "rev": 1, "sha256": sha256_hex(body.as_bytes()), "body": body }))
            };
            let lines: String = numbers.iter().map(line).collect();
            let kind = [("Content-Type", "application/x-ndjson")];
            let path = "/api/v1/submissions:batch";
            let answer = app.send(Some(Role::Surveyor), "POST", path, &kind, lines.as_bytes());
            assert_eq!(answer.status, 207, "{}", answer.text());
            let results = answer.json()["results"].as_array().expect("results").clone();
            for (n, result) in numbers.into_iter().zip(results) {
                let status = result["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
                // The receipt's own bytes, which serde writes back as they were.
                let receipt: Receipt = serde_json::from_value(result["answer"]["receipt"].clone()).expect("a receipt");
                take(&mut records[n], status, receipt.to_json());
            }
        }
    }
}

fn every_record_once(steps: &[Step]) {
    let test = TestDatabase::sqlite();
    let mut app = TestApp::start(&test);
    let (_, hash) = app.survey("调查");
    let mut records: Vec<Sent> = (0..RECORDS).map(|n| record(&hash, n)).collect();
    for step in steps {
        match step {
            Step::Restart => {
                app.stop();
                app = TestApp::start(&test);
            }
            step => walk(&app, &mut records, *step),
        }
    }
    for sent in &mut records {
        send_one(&app, sent);
    }
    assert_eq!(compare(&test, &records), Findings::default());
    let rows = row_counts(&test);
    assert_eq!((rows["submission_raw"], rows["interview"], rows["canonical_interview"]), (9, 9, 3));
    let states: Vec<String> =
        records.iter().map(|sent| app.database().interview(&sent.id).expect("a head").expect("it").state).collect();
    let count = |state: &str| states.iter().filter(|one| *one == state).count();
    assert_eq!((count("parsed"), count("surplus")), (3, 6), "of each case one counts: {states:?}");
}

#[test]
fn acc031_whatever_happens_every_record_is_there_once_and_of_a_case_one_counts() {
    let cases = std::env::var("FAULT_CYCLES").ok().map_or(10, |number| number.parse().expect("a number"));
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&steps(), |steps| {
            every_record_once(&steps);
            Ok(())
        })
        .expect("every record once");
}
