//! Killed in the middle of a run: what it makes is there whole or not at all, and made again it is the same.

use std::{collections::BTreeMap, net::SocketAddr, thread, time::Duration};

use scilit::server::{Settings, jobs::indicator};
use serde_json::{Value, json};

use crate::{
    cycles,
    support::{
        app::{TABLET, TestApp, submission},
        http::send,
        on_every_backend,
        storm::{Program, token},
    },
};

/// Enough replicates for a run to last until it is killed.
fn request() -> Value {
    json!({ "include": "interim", "variance": { "method": "bootstrap", "replicates": 1000, "seed": 7 } })
}

struct Client {
    address: SocketAddr,
    bearer: String,
}

impl Client {
    fn json(&self, method: &str, path: &str, body: &str) -> Value {
        let headers = [("Authorization", self.bearer.as_str()), ("Content-Type", "application/json")];
        send(self.address, method, path, &headers, body.as_bytes()).json()
    }

    fn ask(&self, survey: &str) -> String {
        let run = self.json("POST", &format!("/api/v1/surveys/{survey}/runs"), &request().to_string());
        run["id"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned()
    }

    /// Waits until the run is being computed, or is over.
    fn begun(&self, run: &str) {
        let waits = || self.json("GET", &format!("/api/v1/runs/{run}"), "")["state"] == "queued";
        assert!((0..10_000).any(|_| !waits()), "run {run} did not begin");
    }

    fn ended(&self, run: &str) -> Value {
        for _ in 0..1500 {
            let found = self.json("GET", &format!("/api/v1/runs/{run}"), "");
            if !matches!(found["state"].as_str(), Some("queued" | "running")) {
                return found;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("run {run} did not end");
    }

    /// The run's own files by name; other forms of them are made later.
    fn digests(&self, run: &str) -> BTreeMap<String, String> {
        let files = self.json("GET", &format!("/api/v1/runs/{run}/files"), "");
        let own = files["files"].as_array().expect("files").iter().filter(|file| file["form_of"].is_null());
        own.map(|file| {
            (file["name"].as_str().expect("a name").to_owned(), file["sha256"].as_str().expect("a digest").to_owned())
        })
        .collect()
    }
}

#[test]
fn rel_r10_a_server_killed_in_a_run_leaves_all_of_it_or_nothing_and_the_next_run_has_the_same_digests() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), indicator);
        let (survey, hash) = app.survey("调查");
        for (n, case) in ["c1", "c2", "c3"].into_iter().enumerate() {
            let id = format!("{}{n}", &TABLET[..TABLET.len() - 1]);
            assert_eq!(app.submit(&id, 1, submission(&id, &hash, case).to_string().as_bytes()).status, 201);
        }
        app.stop();
        let bearer = format!("Bearer {}", token(test, "analyst"));
        let (mut killed, mut interrupted) = (Vec::new(), 0);
        for cycle in 0..cycles(4) {
            let server = Program::start(test);
            let client = Client { address: server.address, bearer: bearer.clone() };
            let run = client.ask(&survey);
            // How long a run takes depends on the machine: its beginning is watched, not guessed.
            client.begun(&run);
            thread::sleep(Duration::from_millis(u64::from(cycle) * 13 % 100));
            killed.push(run);
            server.kill();
        }
        let server = Program::start(test);
        let client = Client { address: server.address, bearer };
        let whole = client.ask(&survey);
        assert_eq!(client.ended(&whole)["state"], "succeeded");
        let expected = client.digests(&whole);
        assert!(expected.len() >= 10, "{expected:?}");
        for run in &killed {
            let found = client.ended(run);
            match found["state"].as_str() {
                Some("succeeded") => assert_eq!(client.digests(run), expected, "all of it"),
                Some("failed") => {
                    assert_eq!(found["error"]["code"], "interrupted", "{found}");
                    assert_eq!(client.digests(run), BTreeMap::new(), "nothing");
                    interrupted += 1;
                }
                _ => panic!("{found}"),
            }
        }
        eprintln!("{} runs, {interrupted} of them interrupted", killed.len());
        assert!(interrupted > 0, "a kill that hits no run shows nothing");
    });
}
