//! Bundles: whatever is changed is found, whatever is computed again is the same.

use std::collections::BTreeSet;

use rayon::prelude::*;
use scilit::{
    evidence::{Signer, sha256_hex},
    export::bundle::{AboutRun, BundleFiles, FaultKind, MANIFEST_FILE, manifest, recompute, verify},
    server::{Keys, Role, Settings, archive, jobs::indicator},
};
use serde_json::{Value, json};

use crate::support::{
    TestDatabase,
    app::{TABLET, TestApp, submission},
    on_every_backend,
};

/// A server with a run of two responses, and the run's bundle.
fn bundled(test: &TestDatabase) -> (TestApp, String, BundleFiles) {
    let app = TestApp::start_with(test, Settings::default(), indicator);
    let (survey, hash) = app.survey("调查");
    app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
    let other = "019abcde-0000-7000-8000-000000000003";
    let wrong = submission(other, &hash, "c3").to_string().replace("\"true\"", "\"false\"");
    app.submit(other, 1, wrong.as_bytes());
    let run = app.run(&survey);
    assert_eq!(run["state"], "succeeded", "{run}");
    let id = run["id"].as_str().expect("an id").to_owned();
    let answer = app.get(Role::Auditor, &format!("/api/v1/runs/{id}/bundle?purpose=audit"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-content-sha256"), Some(sha256_hex(&answer.body).as_str()));
    let files = archive::unpack(&answer.body).expect("an archive");
    (app, id, files)
}

fn kind(files: &BundleFiles) -> Option<FaultKind> {
    verify(files, None).err().map(|fault| fault.kind)
}

/// The files signed again by somebody who holds the key: what is left are the log and the files themselves.
fn signed_again(mut files: BundleFiles, run: &str, signer: &Signer) -> BundleFiles {
    files.remove(MANIFEST_FILE);
    let engine = concat!("scilit ", env!("CARGO_PKG_VERSION"));
    let about = AboutRun { id: run, engine, started_ms: 1, finished_ms: 2, signed_ms: 3 };
    let signed = manifest(&files, &about, signer).expect("a manifest");
    files.insert(MANIFEST_FILE.to_owned(), signed);
    files
}

/// What somebody does to the lines of a file.
type Edit = fn(&mut Vec<String>);

fn edited(files: &BundleFiles, name: &str, edit: impl FnOnce(&mut Vec<u8>)) -> BundleFiles {
    let mut files = files.clone();
    edit(files.get_mut(name).expect("the file"));
    files
}

fn lines_edited(files: &BundleFiles, name: &str, edit: impl FnOnce(&mut Vec<String>)) -> BundleFiles {
    edited(files, name, |bytes| {
        let mut lines: Vec<String> = String::from_utf8_lossy(bytes).lines().map(|line| format!("{line}\n")).collect();
        edit(&mut lines);
        *bytes = lines.concat().into_bytes();
    })
}

#[test]
fn rel_a1_any_changed_byte_of_any_file_of_a_bundle_is_found() {
    let test = TestDatabase::sqlite();
    let (_app, _, files) = bundled(&test);
    assert_eq!(kind(&files), None, "untouched, it holds");
    for (name, bytes) in &files {
        let found = |at: usize| {
            let mut changed = files.clone();
            changed.get_mut(name).expect("the file")[at] ^= 1 << (at % 8);
            verify(&changed, None).is_err()
        };
        let missed: Vec<usize> = (0..bytes.len()).into_par_iter().filter(|at| !found(*at)).collect();
        assert_eq!(missed, [0_usize; 0], "{name}: {} bytes", bytes.len());
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(kind(&edited(&files, name, |bytes| bytes.truncate(cut))).is_some(), "{name} cut at {cut}");
        }
        for more in [b"\n".as_slice(), b" ", b"\0", b"x"] {
            assert!(kind(&edited(&files, name, |bytes| bytes.extend(more))).is_some(), "{name} and {more:?}");
        }
        let mut without = files.clone();
        without.remove(name);
        assert!(kind(&without).is_some(), "without {name}");
    }
}

#[test]
fn rel_a2_rows_that_were_swapped_dropped_doubled_or_added_are_found_even_when_signed_again() {
    on_every_backend(|test| {
        let (_app, run, files) = bundled(test);
        let (keys, _) = Keys::open(&test.key_dir(), 0).expect("keys");
        assert_eq!(
            kind(&signed_again(files.clone(), &run, keys.signer())),
            None,
            "the control: signing again is no fault"
        );
        let edits: [(&str, Edit); 4] = [
            ("swapped", |lines| lines.swap(1, 2)),
            ("dropped", |lines| drop(lines.remove(1))),
            ("doubled", |lines| lines.insert(1, lines[1].clone())),
            ("added", |lines| lines.push(lines[1].replacen('r', "rf", 1))),
        ];
        for (what, edit) in edits {
            for name in ["responses_weighted.csv", "answers.csv", "cases.csv"] {
                let changed = lines_edited(&files, name, edit);
                assert_eq!(kind(&changed), Some(FaultKind::File), "{what} in {name}");
                assert_eq!(kind(&signed_again(changed, &run, keys.signer())), Some(FaultKind::Log), "{what} in {name}");
            }
        }
    });
}

#[test]
fn rel_a3_another_key_another_runs_manifest_or_another_file_is_found() {
    on_every_backend(|test| {
        let (app, run, files) = bundled(test);
        let (keys, _) = Keys::open(&test.key_dir(), 0).expect("keys");
        let trusted = keys.verifiers();
        assert!(verify(&files, Some(&trusted)).is_ok());
        // Somebody who puts a key and signatures of their own into it.
        let forger = Signer::from_seed(&[9; 32]);
        let forged =
            edited(&files, "public_keys.txt", |bytes| *bytes = format!("{}\n", forger.verifier()).into_bytes());
        let forged = signed_again(forged, &run, &forger);
        assert_eq!(verify(&forged, Some(&trusted)).expect_err("a fault").kind, FaultKind::Signature);
        assert_eq!(kind(&forged), Some(FaultKind::Log), "the log's checkpoint is not theirs");
        let survey = app.get(Role::Analyst, &format!("/api/v1/runs/{run}")).json()["survey"].clone();
        let second = app.run(survey.as_str().expect("an id"));
        let path = format!("/api/v1/runs/{}/bundle?purpose=audit", second["id"].as_str().expect("an id"));
        let second = archive::unpack(&app.get(Role::Auditor, &path).body).expect("an archive");
        assert_eq!(kind(&second), None);
        for name in [MANIFEST_FILE, "audit_proof.txt", "audit_entry.json", "checkpoint.txt"] {
            let mixed = edited(&files, name, |bytes| bytes.clone_from(&second[name]));
            assert!(kind(&mixed).is_some(), "{name} of another run");
            if name != MANIFEST_FILE {
                let signed = signed_again(mixed, &run, keys.signer());
                assert_eq!(kind(&signed), Some(FaultKind::Log), "{name} of another run, signed again");
            }
        }
        let mut more = files.clone();
        more.insert("notes.txt".to_owned(), b"x".to_vec());
        assert_eq!(kind(&more), Some(FaultKind::File));
        assert_eq!(kind(&signed_again(more, &run, keys.signer())), Some(FaultKind::Log));
    });
}

#[test]
fn rel_d4_a_bundle_computes_to_the_same_bytes_again_without_a_database() {
    on_every_backend(|test| {
        let (app, _, files) = bundled(test);
        app.stop();
        assert_eq!(recompute(&files).map_err(|fault| fault.to_string()), Ok(12));
        let differs = |name: &str, from: &str, to: &str| {
            let changed = lines_edited(&files, name, |lines| {
                assert!(lines.concat().contains(from), "{name}");
                *lines = vec![lines.concat().replacen(from, to, 1)];
            });
            recompute(&changed).expect_err("a fault").kind
        };
        assert_eq!(differs("answers.csv", ",false", ",true"), FaultKind::Recomputation, "an answer decides");
        assert_eq!(differs("answers.csv", ",0.5,", ",0.25,"), FaultKind::Recomputation, "so does a probability");
        assert_eq!(differs("answers.csv", ",male,", ",neither,"), FaultKind::Contents);
        assert_eq!(
            differs("results.json", "\"engine\": \"scilit 0.1.0\"", "\"engine\": \"scilit 9\""),
            FaultKind::Policy
        );
    });
}

#[test]
fn rel_d4_a_comparison_and_replicates_compute_again_from_the_bundle() {
    on_every_backend(|test| {
        let (app, first, _) = bundled(test);
        let survey = app.get(Role::Analyst, &format!("/api/v1/runs/{first}")).json()["survey"].clone();
        for request in [
            json!({"earlier": {"run": first, "samples": "shared_psus"}}),
            json!({"earlier": {"run": first, "samples": "independent"}}),
            json!({"variance": {"method": "bootstrap", "replicates": 20, "seed": 7}}),
            json!({"variance": {"method": "jkn"}}),
        ] {
            let run = app.ended(&app.ask_for_run(survey.as_str().expect("a survey"), &request));
            assert_eq!(run["state"], "succeeded", "{run}");
            let answer = app.get(
                Role::Auditor,
                &format!("/api/v1/runs/{}/bundle?purpose=audit", run["id"].as_str().expect("an id")),
            );
            let files = archive::unpack(&answer.body).expect("an archive");
            assert_eq!(verify(&files, None).map(|_| ()).map_err(|fault| fault.to_string()), Ok(()), "{request}");
            assert_eq!(recompute(&files).map_err(|fault| fault.to_string()), Ok(12), "{request}");
        }
    });
}

#[test]
fn a_bundle_holds_no_case_no_person_no_time_and_no_words_of_a_person() {
    let test = TestDatabase::sqlite();
    let (_app, _, files) = bundled(&test);
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    assert!(!names.contains("sample.csv"));
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".csv")) {
        let text = String::from_utf8_lossy(bytes);
        let cells: BTreeSet<&str> = text.split([',', '\n']).collect();
        for secret in ["c1", "c2", "c3", TABLET, "1763700000000", "t1", "43"] {
            assert!(!cells.contains(secret), "{name} has {secret}");
        }
    }
}

#[test]
fn acc065_the_same_bundle_twice_is_the_same_bytes_and_its_totals_are_the_published_ones() {
    on_every_backend(|test| {
        let (app, run, files) = bundled(test);
        let path = format!("/api/v1/runs/{run}/bundle?purpose=audit");
        let (first, second) = (app.get(Role::Auditor, &path), app.get(Role::Analyst, &path));
        assert!(first.body == second.body, "a bundle is signed once");
        let predicate = verify(&files, None).expect("a bundle that holds").predicate;
        let total = |text: &str| text.parse::<f64>().expect("a number");
        let results: Value = serde_json::from_slice(&files["results.json"]).expect("JSON");
        let city = &results["tables"][0]["rows"][0];
        let population = city["population"].as_f64().expect("a number");
        let weight = total(&predicate.control_totals.weight);
        assert!((weight / population - 1.0).abs() < 1e-9);
        let share = total(&predicate.control_totals.weight_of_literate) / weight;
        assert!((share / city["estimate"].as_f64().expect("a share") - 1.0).abs() < 1e-9);
        // One scored item of 10 points: the score total is ten times the weight of those who know.
        let scores = total(&predicate.control_totals.weight_times_score);
        assert!((scores / (10.0 * total(&predicate.control_totals.weight_of_literate)) - 1.0).abs() < 1e-9);
    });
}

#[test]
fn acc066_a_download_that_broke_off_goes_on_where_it_was_and_stands_in_the_log() {
    on_every_backend(|test| {
        let (app, run, _) = bundled(test);
        for path in [
            format!("/api/v1/runs/{run}/bundle?purpose=audit"),
            format!("/api/v1/runs/{run}/files/responses_weighted.csv?purpose=audit"),
        ] {
            let get = |headers: &[(&str, &str)]| app.send(Some(Role::Auditor), "GET", &path, headers, b"");
            let whole = get(&[]);
            let tag = whole.header("etag").expect("a tag").to_owned();
            assert_eq!(whole.header("accept-ranges"), Some("bytes"));
            let (at, size) = (whole.body.len() * 7 / 10, whole.body.len());
            let rest = get(&[("Range", &format!("bytes={at}-")), ("If-Range", &tag)]);
            assert_eq!(
                (rest.status, rest.header("content-range")),
                (206, Some(format!("bytes {at}-{}/{size}", size - 1).as_str()))
            );
            assert!([&whole.body[..at], &rest.body].concat() == whole.body, "the identical file");
            let tail = get(&[("Range", "bytes=-5")]);
            assert_eq!((tail.status, tail.body.as_slice()), (206, &whole.body[size - 5..]));
            let stale = get(&[("Range", "bytes=5-"), ("If-Range", "\"another\"")]);
            assert_eq!((stale.status, stale.body.len()), (200, size), "another file is sent whole");
            assert_eq!(get(&[("Range", &format!("bytes={size}-"))]).status, 416);
            for odd in
                ["bytes=9-5", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=-", "bytes=99999999999999999999-"]
            {
                assert_eq!(get(&[("Range", odd)]).status, 200, "{odd}");
            }
        }
        let object = format!("run/{run}/bundle.tar");
        let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object={object}&limit=200")).json();
        let entries = log["entries"].as_array().expect("entries");
        let of = |action: &str| entries.iter().filter(|entry| entry["action"] == action).collect::<Vec<_>>();
        let (intents, ends) = (of("download.intent"), of("download.end"));
        assert_eq!(intents.len() + ends.len(), entries.len(), "{log}");
        let first = &intents[0]["detail"];
        assert_eq!((first["tier"].as_str(), first["purpose"].as_str()), (Some("A"), Some("audit")), "{log}");
        let parts = ends.iter().filter(|end| end["detail"]["from"].as_u64() > Some(0));
        for part in parts {
            assert_eq!(
                part["detail"]["intent"], intents[1]["seq"],
                "a part goes on under the whole file's entry: {log}"
            );
        }
        // By whoever set the test up; the whole file; another file by its tag; six odd ranges. None for the two parts.
        assert_eq!(intents.len(), 9, "{log}");
        let made = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object=run/{run}&limit=200")).json();
        let made: Vec<&Value> = made["entries"].as_array().expect("entries").iter().collect();
        let created = made.iter().filter(|entry| entry["action"] == "bundle.create").count();
        assert_eq!((created, first["sha256"].is_string()), (1, true), "signed once");
    });
}

#[test]
fn a_bundle_is_for_those_who_may_see_answers_and_needs_a_run_that_can_be_bundled() {
    on_every_backend(|test| {
        let (app, run, _) = bundled(test);
        let path = format!("/api/v1/runs/{run}/bundle?purpose=audit");
        for (role, status) in [
            (Role::Analyst, 200),
            (Role::Auditor, 200),
            (Role::Admin, 403),
            (Role::Supervisor, 403),
            (Role::Surveyor, 403),
        ] {
            assert_eq!(app.get(role, &path).status, status, "{role:?}");
        }
        assert_eq!(app.send(None, "GET", &path, &[], b"").status, 401);
        assert_eq!(app.get(Role::Auditor, "/api/v1/runs/none/bundle").status, 404);
        app.stop();
        // An engine whose files are not those of a bundle.
        let app = TestApp::start(test);
        let survey = app.get(Role::Analyst, "/api/v1/surveys").json()["surveys"][0]["id"].clone();
        let run = app.run(survey.as_str().expect("a survey"));
        let refused = app
            .get(Role::Auditor, &format!("/api/v1/runs/{}/bundle?purpose=audit", run["id"].as_str().expect("an id")));
        assert_eq!((refused.status, refused.problem().as_str()), (409, "no-bundle"), "{run}");
        assert_eq!(json!(refused.json()["retryable"]), json!(true));
    });
}
