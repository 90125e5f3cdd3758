//! Large downloads: what the server holds in memory does not grow with the file, and submissions go on meanwhile.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use scilit::{
    evidence::sha256_hex,
    server::{
        Settings,
        jobs::{NamedFile, Progress, RunFailure, RunInputs},
    },
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
    storm::{Program, Told, id, now, put, token},
};

const MIB: usize = 1024 * 1024;
const FILE_BYTES: usize = 48 * MIB;
const DOWNLOADS: usize = 5;

/// The goals: growth over all downloads together, the time to the first byte, and to the answer for all but one in a
/// hundred of those who hand something in meanwhile.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
const FIRST_BYTE_MAX: Duration = Duration::from_millis(300);
const SUBMITTED_MAX: Duration = Duration::from_millis(400);
/// Between two submissions of the one tablet that goes on.
const SUBMIT_EVERY: Duration = Duration::from_millis(10);

fn persons() -> Vec<u8> {
    let mut file = b"id,weight\n".to_vec();
    let mut n = 0_u64;
    while file.len() < FILE_BYTES {
        file.extend(format!("r{n:016x},{}.123456789\n", n % 1000).into_bytes());
        n += 1;
    }
    file
}

fn large(_: &RunInputs, _: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    Ok(vec![
        ("results.json".to_owned(), "application/json", json!({}).to_string().into_bytes()),
        ("responses_weighted.csv".to_owned(), "text/csv; charset=utf-8", persons()),
    ])
}

/// How long the first byte of the body took, and the body.
fn download(address: SocketAddr, secret: &str, path: &str) -> (Duration, Vec<u8>) {
    let begun = now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::with_capacity(FILE_BYTES + MIB);
    let mut block = vec![0; 64 * 1024];
    let (mut first, mut head) = (None, None);
    loop {
        let n = stream.read(&mut block).expect("an answer");
        if n == 0 {
            break;
        }
        answer.extend(&block[..n]);
        head = head.or_else(|| answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4));
        if first.is_none() && head.is_some_and(|head| answer.len() > head) {
            first = Some(begun.elapsed());
        }
    }
    let head = head.expect("a head");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..head]));
    (first.expect("a body"), answer.split_off(head))
}

/// A tablet that hands in one submission after the other until it is told to stop; how long each took.
fn submitting(address: SocketAddr, secret: String, stop: Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
    thread::spawn(move || {
        let mut took = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begun = now();
            let told = put(address, &secret, &id(64, 1, took.len()), "{\"n\":1}");
            assert!(matches!(told, Told::Receipt(202, _)), "kept, to be looked at: {told:?}");
            took.push(begun.elapsed());
            thread::sleep(SUBMIT_EVERY);
        }
        took
    })
}

/// What all but one in a hundred stay under.
fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[(took.len() * 99).div_ceil(100) - 1]
}

#[test]
fn acc064_five_downloads_at_once_begin_soon_come_whole_and_leave_memory_and_submissions_alone() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), large);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey);
        assert_eq!(run["state"], "succeeded", "{run}");
        app.stop();
        let path =
            format!("/api/v1/runs/{}/files/responses_weighted.csv?purpose=audit", run["id"].as_str().expect("an id"));
        let (secret, expected) = (token(test, "auditor"), sha256_hex(&persons()));
        let surveyor = token(test, "surveyor");
        let server = Program::start_at(test, "127.0.0.1:0", &[("SCILIT_DOWNLOADS_PER_HOUR", "0")]);
        let address = server.address;
        let alone = download(address, &secret, &path);
        assert_eq!(sha256_hex(&alone.1), expected);
        drop(alone.1);
        let before = server.peak_kib();
        let stop = Arc::new(AtomicBool::new(false));
        let tablet = submitting(address, surveyor, stop.clone());
        let downloads: Vec<_> = (0..DOWNLOADS)
            .map(|_| {
                let (secret, path) = (secret.clone(), path.clone());
                thread::spawn(move || {
                    let (first, body) = download(address, &secret, &path);
                    (first, sha256_hex(&body))
                })
            })
            .collect();
        let done: Vec<_> = downloads.into_iter().map(|one| one.join().expect("no panic")).collect();
        let grown = server.peak_kib().saturating_sub(before);
        stop.store(true, Ordering::Relaxed);
        let submitted = tablet.join().expect("no panic");
        let (handed_in, submitted) = (submitted.len(), p99(submitted));
        let slowest = done.iter().map(|(first, _)| *first).max().expect("five");
        eprintln!(
            "alone: first byte after {:?}; five at once: {slowest:?}, {grown} KiB more at the peak, {handed_in} submissions, 99 % of them within {submitted:?}",
            alone.0
        );
        assert!(done.iter().all(|(_, sha256)| *sha256 == expected));
        assert!(handed_in >= 10 && submitted < SUBMITTED_MAX, "{handed_in} submissions, 99 % within {submitted:?}");
        assert!(alone.0 < FIRST_BYTE_MAX, "{:?}", alone.0);
        assert!(grown < GROWTH_KIB_MAX && before < 3 * GROWTH_KIB_MAX, "{before} and {grown} KiB");
    });
}
