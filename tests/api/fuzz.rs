//! Ten thousand bodies from a seeded generator: mutations of valid bodies and documents from a small grammar.

use std::{collections::BTreeMap, sync::Mutex};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use scilit::server::Role;

use crate::support::{
    app::{QUESTIONNAIRE, SAMPLE, TestApp, submission, survey_request},
    http::Answer,
    on_every_backend, row_counts,
};

const BODIES: u64 = 10_000;
const SEED: u64 = 20_251_125;

/// Bits of text that parsers trip over.
const PIECES: [&str; 24] = [
    "\0",
    "\\u0000",
    "\\ud800",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "-0.0",
    "1e999",
    "null",
    "\u{feff}",
    "\u{202e}",
    "'",
    "=",
    "\r\n",
    "99999999999999999999",
    "中",
    "😀",
    "${x}",
    "\u{7f}",
];

struct Generator(ChaCha8Rng);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(bound.max(1)).expect("a bound")).expect("a number")
    }

    fn mutated(&mut self, valid: &[u8]) -> Vec<u8> {
        let mut bytes = valid.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 if !bytes.is_empty() => bytes[at] = u8::try_from(self.below(256)).expect("a byte"),
                2 if !bytes.is_empty() => drop(bytes.drain(at..(at + 1 + self.below(20)).min(bytes.len()))),
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    bytes.splice(at..at, piece.bytes());
                }
                4 if !bytes.is_empty() => {
                    let copy = bytes[at..(at + self.below(40)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => bytes.push(u8::try_from(self.below(256)).expect("a byte")),
            }
        }
        bytes
    }

    /// A JSON value of the grammar, valid or nearly so.
    fn value(&mut self, depth: usize) -> String {
        const KEYS: [&str; 8] = ["id", "rev", "answers", "title", "code", "profile", "consent", "__proto__"];
        match if depth > 40 { self.below(6) } else { self.below(9) } {
            0 => "null".to_owned(),
            1 => ["true", "-0", "1e308", "1.5", "-1", "018", "9223372036854775808"][self.below(7)].to_owned(),
            2..6 => format!("\"{}\"", PIECES[self.below(PIECES.len())].repeat(self.below(3))),
            6 => format!("[{}]", self.list(depth).join(",")),
            7 => "[".repeat(self.below(200)),
            _ => {
                let fields: Vec<_> =
                    self.list(depth).into_iter().map(|value| format!("\"{}\":{value}", KEYS[self.below(8)])).collect();
                format!("{{{}}}", fields.join(","))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Vec<String> {
        (0..self.below(5)).map(|_| self.value(depth + 1)).collect()
    }

    fn body(&mut self, valid: &[u8]) -> Vec<u8> {
        match self.below(5) {
            0 => self.value(0).into_bytes(),
            1 => (0..self.below(200)).map(|_| u8::try_from(self.below(256)).expect("a byte")).collect(),
            _ => self.mutated(valid),
        }
    }
}

struct Target<'a> {
    app: &'a TestApp,
    survey: &'a str,
    valid: [Vec<u8>; 5],
}

impl Target<'_> {
    /// Sends the body of this number to the route of this number; the route's table and the answer.
    fn send(&self, number: u64) -> (&'static str, Answer) {
        let mut generator = Generator(ChaCha8Rng::seed_from_u64(SEED + number));
        let route = usize::try_from(number % 5).expect("a number");
        let body = generator.body(&self.valid[route]);
        let post =
            |path: &str, kind: &str| self.app.send(Some(Role::Analyst), "POST", path, &[("Content-Type", kind)], &body);
        match route {
            0 => ("submission_raw", self.app.submit(&format!("019abcde-0000-7000-8000-{number:012x}"), 1, &body)),
            1 => ("survey", post("/api/v1/surveys", "application/json")),
            2 => ("questionnaire", post("/api/v1/questionnaires", "application/toml")),
            3 => ("run", post(&format!("/api/v1/surveys/{}/runs", self.survey), "application/json")),
            _ => {
                let path = format!("/api/v1/surveys/{}/files/sample", self.survey);
                let headers = [("Content-Type", "text/csv")];
                ("survey_file", self.app.send(Some(Role::Analyst), "PUT", &path, &headers, &body))
            }
        }
    }
}

#[test]
fn rel_s2_ten_thousand_malformed_bodies_never_make_a_5xx_nor_a_row() {
    on_every_backend(|test| {
        let app = TestApp::start(test);
        let (survey, hash) = app.survey("调查");
        let valid = [
            submission("019abcde-0000-7000-8000-000000000001", &hash, "c1").to_string().into_bytes(),
            survey_request("乙", &hash).to_string().into_bytes(),
            QUESTIONNAIRE.as_bytes().to_vec(),
            br#"{"variance":{"method":"bootstrap","replicates":50,"seed":1}}"#.to_vec(),
            SAMPLE.as_bytes().to_vec(),
        ];
        let target = Target { app: &app, survey: &survey, valid };
        let before = row_counts(test);
        let made: Mutex<BTreeMap<&str, i64>> = Mutex::default();
        let refused = Mutex::new(0_u64);
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (target, made, refused) = (&target, &made, &refused);
                scope.spawn(move || {
                    for number in (worker..BODIES).step_by(4) {
                        let (table, answer) = target.send(number);
                        assert!(answer.status < 500, "body {number} on {table}: {} {}", answer.status, answer.text());
                        match answer.status {
                            201 | 202 => *made.lock().expect("counts").entry(table).or_default() += 1,
                            _ => *refused.lock().expect("a count") += 1,
                        }
                    }
                });
            }
        });
        let (after, made) = (row_counts(test), made.into_inner().expect("counts"));
        for table in ["survey", "questionnaire", "survey_file", "run", "submission_raw"] {
            let grown = after[table] - before[table];
            assert_eq!(
                grown,
                made.get(table).copied().unwrap_or(0),
                "{table} has as many new rows as were acknowledged"
            );
        }
        // A body cut down to nothing, and a mutation that is still a request, do start one.
        assert!(made.get("run").copied().unwrap_or(0) < 400, "{made:?}");
        assert!(made["submission_raw"] > 1500, "bytes of tablets are kept, whatever they are: {made:?}");
        let office: i64 = made.iter().filter(|(table, _)| **table != "submission_raw").map(|(_, made)| made).sum();
        assert!(office < 1000, "most bodies are malformed: {made:?}");
        assert!(refused.into_inner().expect("a count") > 6000);
    });
}
