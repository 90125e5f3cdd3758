//! Storage keeps its promises, the same on every database.

mod support;

use std::{io::Read as _, sync::Arc, thread};

use scilit::{
    evidence::{Receipt, Signer, sha256_hex},
    server::{Clock, Role, tokens},
    storage::{
        Arrival, Author, Database, DatabaseUrl, FileKind, InterviewState, Judgement, NewFile, NewRun, PIECE_BYTES,
        PoolSettings, Publication, RunFile, SampleCase, StorageError, StoredQuestionnaire, Survey,
    },
};
use support::{TestDatabase, on_every_backend};

const ID: &str = "019abcde-0000-7000-8000-000000000001";

fn questionnaire(version: &str, hash: &str) -> StoredQuestionnaire {
    StoredQuestionnaire {
        hash: hash.to_owned(),
        id: "tiny".to_owned(),
        version: version.to_owned(),
        title: "小问卷".to_owned(),
        canonical: "{}".to_owned(),
        source: String::new(),
        published_at_ms: 1,
        published_by: "test".to_owned(),
    }
}

fn survey(id: &str, code: &str) -> Survey {
    Survey {
        id: id.to_owned(),
        code: code.to_owned(),
        title: "调查".to_owned(),
        place: "某市".to_owned(),
        questionnaire_hash: "q1".to_owned(),
        profile_id: "A-2024".to_owned(),
        profile_version: "1".to_owned(),
        profile_source: String::new(),
        fieldwork_from: "2025-05-01".to_owned(),
        fieldwork_to: "2025-08-31".to_owned(),
        example: true,
        state: "open".to_owned(),
        created_at_ms: 1,
    }
}

fn case(survey_id: &str, case_id: &str) -> SampleCase {
    SampleCase {
        survey_id: survey_id.to_owned(),
        case_id: case_id.to_owned(),
        district: "230102".to_owned(),
        stratum: "1".to_owned(),
        psu: "1-1".to_owned(),
        residence: "urban".to_owned(),
        probabilities: "{}".to_owned(),
        reserve_rank: None,
    }
}

fn with_survey(test: &TestDatabase) -> Database {
    let database = test.migrated();
    database.publish_questionnaire(&questionnaire("1.0.0", "q1"), &Author::system()).expect("a questionnaire");
    database.create_survey(&survey("s1", "one"), &Author::system()).expect("a survey");
    database
}

fn put_sample(database: &Database, content: &str, cases: &[SampleCase]) -> Result<(i32, bool), StorageError> {
    let sha256 = sha256_hex(content.as_bytes());
    let file = NewFile { kind: FileKind::Sample, sha256: &sha256, content, received_at_ms: 5, by: &Author::system() };
    database.put_survey_file("s1", file, cases)
}

fn keep(database: &Database, id: &str, rev: i32, body: &[u8]) -> scilit::storage::Kept {
    let sha256 = sha256_hex(body);
    let (content_type, received_at_ms, received_from) = ("application/json", 1_763_800_000_123, "test");
    let arrival =
        Arrival { id, rev, sha256: &sha256, body, content_type, received_at_ms, received_from, revoked: false };
    database.keep_submission(arrival, &Author::system(), &Signer::from_seed(&[7; 32])).expect("kept bytes")
}

fn good(case_id: &str) -> Judgement {
    Judgement::Good {
        survey_id: "s1".to_owned(),
        case_id: case_id.to_owned(),
        questionnaire_hash: "q1".to_owned(),
        answers: "[]".to_owned(),
    }
}

fn bad() -> Judgement {
    Judgement::Quarantine { reason: "malformed".to_owned(), detail: "[]".to_owned() }
}

#[test]
fn a_published_questionnaire_never_changes() {
    on_every_backend(|test| {
        let database = test.migrated();
        let publish = |version, hash| database.publish_questionnaire(&questionnaire(version, hash), &Author::system());
        assert!(matches!(publish("1.0.0", "a"), Ok(Publication::New)));
        assert!(matches!(publish("1.0.0", "a"), Ok(Publication::Already)));
        assert!(matches!(publish("1.0.1", "b"), Ok(Publication::New)));
        let refused = publish("1.0.0", "c").expect_err("another hash under the same version");
        assert!(matches!(&refused, StorageError::VersionTaken { published, .. } if published == "a"), "{refused}");
        let hashes: Vec<_> = database.questionnaires().expect("rows").into_iter().map(|row| row.hash).collect();
        assert_eq!(hashes, ["a", "b"]);
    });
}

#[test]
fn the_same_bytes_get_the_same_receipt_and_other_bytes_are_kept_as_a_conflict() {
    on_every_backend(|test| {
        let database = test.migrated();
        let first = keep(&database, ID, 1, b"{\"a\":1}");
        assert!(!first.replay && !first.conflict);
        let again = keep(&database, ID, 1, b"{\"a\":1}");
        assert!(again.replay && !again.conflict);
        assert_eq!(first.receipt, again.receipt);

        let other = keep(&database, ID, 1, b"{\"a\":2}");
        assert!(other.conflict && !other.replay);
        assert_ne!(other.receipt, first.receipt);
        let other_again = keep(&database, ID, 1, b"{\"a\":2}");
        assert_eq!((other_again.receipt, other_again.conflict, other_again.replay), (other.receipt, true, true));

        let versions = database.submission_versions(ID).expect("versions");
        assert_eq!(versions.iter().map(|version| version.conflict).collect::<Vec<_>>(), [false, true]);
        assert!(database.interview(ID).expect("a head").expect("it").has_conflict);
        let receipt: Receipt = serde_json::from_str(&first.receipt).expect("a receipt");
        assert_eq!(receipt.sha256, sha256_hex(b"{\"a\":1}"));
        assert_eq!(database.receipts(&receipt.short_code).expect("receipts"), [first.receipt]);
    });
}

#[test]
fn sixty_four_at_once_keep_the_bytes_once() {
    on_every_backend(|test| {
        let database = Arc::new(test.migrated());
        let threads: Vec<_> = (0..64)
            .map(|_| Arc::clone(&database))
            .map(|database| thread::spawn(move || keep(&database, ID, 1, b"{}")))
            .collect();
        let kept: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(kept.iter().filter(|kept| !kept.replay).count(), 1);
        assert!(kept.iter().all(|each| each.receipt == kept[0].receipt && !each.conflict));
    });
}

#[test]
fn sixty_four_different_bodies_at_once_are_all_kept_and_one_is_first() {
    on_every_backend(|test| {
        let database = Arc::new(test.migrated());
        let threads: Vec<_> = (0..64)
            .map(|n| (n, Arc::clone(&database)))
            .map(|(n, database)| thread::spawn(move || keep(&database, ID, 1, format!("{n}").as_bytes())))
            .collect();
        let kept: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(kept.iter().filter(|kept| !kept.conflict).count(), 1);
        assert_eq!(database.submission_versions(ID).expect("versions").len(), 64);
    });
}

#[test]
fn received_bytes_and_receipts_cannot_be_changed_or_removed() {
    on_every_backend(|test| {
        let database = test.migrated();
        keep(&database, ID, 1, b"{}");
        database.publish_questionnaire(&questionnaire("1.0.0", "q1"), &Author::system()).expect("a questionnaire");
        for sql in [
            "UPDATE submission_raw SET sha256 = 'x'",
            "UPDATE submission_raw SET revoked = conflict",
            "DELETE FROM submission_raw",
            "UPDATE receipt SET body = 'x'",
            "DELETE FROM receipt",
            "UPDATE questionnaire SET canonical = 'x'",
            "DELETE FROM questionnaire",
        ] {
            assert!(test.execute(sql).is_err(), "{}: {sql}", database.backend());
        }
        assert!(
            test.execute("DELETE FROM submission_unjudged").is_ok(),
            "that bytes wait for a judgement is no evidence"
        );
    });
}

#[test]
fn the_first_good_interview_of_a_case_counts_and_a_bad_revision_does_not_replace_a_good_one() {
    on_every_backend(|test| {
        let database = with_survey(test);
        let other_id = "019abcde-0000-7000-8000-000000000002";
        let first = keep(&database, ID, 1, b"first");
        let second = keep(&database, other_id, 1, b"second");
        let judge = |kept: &scilit::storage::Kept, judgement| {
            database.judge_submission(kept.server_seq, &judgement, 9).expect("a judgement")
        };
        assert_eq!(judge(&first, good("c1")), InterviewState::Parsed);
        assert_eq!(judge(&second, good("c1")), InterviewState::Surplus);
        assert_eq!(judge(&first, good("c1")), InterviewState::Parsed, "judged again, it still counts");

        let revised = keep(&database, ID, 2, b"bad");
        assert_eq!(judge(&revised, bad()), InterviewState::Quarantined);
        let head = database.interview(ID).expect("a head").expect("it");
        assert_eq!((head.state.as_str(), head.current_rev), ("parsed", 1));

        let revised = keep(&database, ID, 3, b"third");
        assert_eq!(judge(&revised, good("c1")), InterviewState::Parsed);
        let bodies = database.counted_bodies("s1", true).expect("bodies");
        assert_eq!(bodies.iter().map(|body| body.body.as_slice()).collect::<Vec<_>>(), [b"third"]);
    });
}

#[test]
fn bytes_in_quarantine_are_found_again_by_their_reason() {
    on_every_backend(|test| {
        let database = with_survey(test);
        let kept = keep(&database, ID, 1, b"early");
        assert_eq!(database.unjudged_submissions(0, 10).expect("rows").len(), 1);
        database.judge_submission(kept.server_seq, &bad(), 9).expect("a judgement");
        assert!(database.unjudged_submissions(0, 10).expect("rows").is_empty());
        assert_eq!(database.quarantined_submissions(&["malformed"], 0, 10).expect("rows").len(), 1);
        assert!(database.quarantined_submissions(&["unknown-case"], 0, 10).expect("rows").is_empty());
        database.judge_submission(kept.server_seq, &good("c1"), 10).expect("a judgement");
        assert!(database.quarantined_submissions(&["malformed"], 0, 10).expect("rows").is_empty(), "resolved");
        assert_eq!(database.interview(ID).expect("a head").expect("it").state, "parsed");
    });
}

#[test]
fn a_sample_replaces_the_earlier_one_whole_or_not_at_all() {
    on_every_backend(|test| {
        let database = with_survey(test);
        let many: Vec<_> = (0..2500).map(|n| case("s1", &format!("c{n:04}"))).collect();
        assert_eq!(put_sample(&database, "one", &many).expect("a sample"), (1, true));
        assert_eq!(database.sample_size("s1").expect("a count"), 2500);
        assert_eq!(put_sample(&database, "one", &many).expect("the same"), (1, false));

        let twice = [case("s1", "c1"), case("s1", "c1")];
        assert!(put_sample(&database, "two", &twice).is_err(), "a case twice");
        assert_eq!(database.sample_size("s1").expect("a count"), 2500, "nothing half-imported");
        assert_eq!(database.survey_file("s1", FileKind::Sample).expect("a file").expect("it").content, "one");

        assert_eq!(put_sample(&database, "three", &[case("s1", "c1")]).expect("a sample"), (2, true));
        assert_eq!(database.sample_size("s1").expect("a count"), 1);
        let files = database.survey_files("s1").expect("files");
        assert_eq!(files.iter().map(|file| (file.kind.as_str(), file.version)).collect::<Vec<_>>(), [("sample", 2)]);
        let with_case = database.surveys_with_case("q1", "c1").expect("surveys");
        assert_eq!(with_case, [("s1".to_owned(), None)]);
        assert!(database.surveys_with_case("q2", "c1").expect("surveys").is_empty());
    });
}

#[test]
fn a_survey_code_is_taken_once() {
    on_every_backend(|test| {
        let database = with_survey(test);
        let refused = database.create_survey(&survey("s2", "one"), &Author::system()).expect_err("a taken code");
        assert!(matches!(refused, StorageError::CodeTaken(code) if code == "one"));
        assert_eq!(database.surveys().expect("surveys").len(), 1);
    });
}

#[test]
fn runs_wait_in_a_bounded_queue_and_an_interrupted_run_fails_at_the_next_start() {
    on_every_backend(|test| {
        let database = with_survey(test);
        let queue = |id: &str| {
            let run = NewRun {
                id,
                survey_id: "s1",
                engine: "e",
                requested_by: "t",
                created_at_ms: 1,
                state: "queued",
                request: "{}",
            };
            database.queue_run(run, 2, &Author::system(), None)
        };
        queue("r1").expect("room");
        queue("r2").expect("room");
        assert!(matches!(queue("r3"), Err(StorageError::QueueFull(2))));
        assert!(database.begin_run("r1", 2).expect("begun"));
        assert!(!database.begin_run("r1", 2).expect("asked"), "only once");
        assert_eq!(database.recover_runs(3).expect("recovered"), ["r2"]);
        let run = database.run("r1").expect("a run").expect("it");
        assert_eq!((run.state.as_str(), run.error_code.as_deref()), ("failed", Some("interrupted")));

        database.begin_run("r2", 4).expect("begun");
        let content = b"id\n".to_vec();
        let (run_id, name, content_type, sha256) =
            ("r2".into(), "indicator.csv".into(), "text/csv".into(), sha256_hex(&content));
        let file = RunFile { run_id, name, content_type, sha256, content };
        database.succeed_run("r2", "{}", std::slice::from_ref(&file), 5).expect("success");
        assert_eq!(database.latest_succeeded_run().expect("a run").expect("it").id, "r2");
        assert_eq!(database.run_file("r2", "indicator.csv").expect("a file"), Some(file));
        assert!(database.succeed_run("r1", "{}", &[], 6).is_err(), "one that ended stays as it ended");
    });
}

#[test]
fn a_content_is_kept_in_pieces_that_a_second_try_completes_and_is_read_without_being_whole_in_memory() {
    on_every_backend(|test| {
        let database = test.migrated();
        for size in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 20 * PIECE_BYTES + 7] {
            let content: Vec<u8> = (0..size).map(|at| (at / 7 + at) as u8).collect();
            let sha256 = sha256_hex(&content);
            // A try that broke off after a part of it.
            database.keep_content(&sha256, &mut &content[..size / 2 / PIECE_BYTES * PIECE_BYTES]).expect("a part");
            let bytes = database.keep_content(&sha256, &mut content.as_slice()).expect("all of it");
            assert_eq!(usize::try_from(bytes), Ok(size));
            let mut read = Vec::new();
            database.read_content(&sha256, bytes).read_to_end(&mut read).expect("all of it");
            assert!(read == content, "{size}");
        }
        assert!(database.content_piece(&sha256_hex(b"nothing"), 0).is_err());
    });
}

#[test]
fn only_the_digest_of_a_token_is_kept_and_a_revoked_or_expired_one_opens_nothing() {
    on_every_backend(|test| {
        let database = test.migrated();
        let clock = Clock::new(|| 1000);
        let (token, secret) =
            tokens::issue(&database, Role::Analyst, "desk", Some(5000), &Author::system(), &clock).expect("a token");
        assert_eq!(token.secret_sha256, sha256_hex(secret.as_bytes()));
        let holder = |now_ms| tokens::holder(&database, &secret, now_ms).expect("an answer").map(|actor| actor.role);
        assert_eq!(holder(4999), Some(Role::Analyst));
        assert_eq!(holder(5000), None, "expired");
        assert_eq!(tokens::holder(&database, "scilit_wrong", 1).expect("an answer"), None);
        assert!(database.revoke_token(&token.id, &Author::system(), 2000).expect("revoked"));
        assert!(!database.revoke_token(&token.id, &Author::system(), 2000).expect("asked"), "only once");
        assert_eq!(holder(2001), None, "revoked");
    });
}

#[test]
fn a_database_that_is_not_there_is_an_error_at_once() {
    let open = |url: &str| Database::open(&url.parse::<DatabaseUrl>().expect("a URL"), PoolSettings::default());
    assert!(matches!(open("postgres://nobody@127.0.0.1:1/none"), Err(StorageError::Unavailable(_))));
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("a.db").display());
    std::fs::write(folder.path().join("a.db"), vec![b'x'; 5000]).expect("a file that is no database");
    assert!(open(&url).is_err());
}
