//! The demo's HTTP client: it knows only what any other client of the API would know.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A client with the token of one role.
#[derive(Clone)]
pub(super) struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

/// What the server said.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Client {
    pub(super) fn new(base: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        Self { agent: config.into(), base: base.to_owned(), authorization: format!("Bearer {token}") }
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("Authorization", &self.authorization);
        answer(request.call(), path)
    }

    pub(super) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request.header("Authorization", &self.authorization).header("Content-Type", content_type);
        answer(request.send(body), path)
    }

    pub(super) fn put(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut request = self.agent.put(format!("{}{path}", self.base)).header("Authorization", &self.authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body), path)
    }
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>, path: &str) -> Result<Answer> {
    let mut response = result.with_context(|| format!("no answer from {path}"))?;
    let status = response.status().as_u16();
    // The largest file of a run is the weighted persons' file; ureq's own limit of 10 MB would cut it.
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec();
    Ok(Answer { status, body: body.with_context(|| format!("the answer from {path} broke off"))? })
}

impl Answer {
    /// The answer, if its status is one of those expected; what the server said otherwise.
    pub(super) fn expect(self, statuses: &[u16], doing: &str) -> Result<Self> {
        if !statuses.contains(&self.status) {
            bail!("{doing}: the server answered {} {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self)
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).context("the server's answer is not the JSON that was expected")
    }
}
