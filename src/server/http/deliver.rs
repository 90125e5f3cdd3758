//! Handing out files: what leaves is logged with its digest before its first byte, and how far it came when it ended.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::{Bytes, Data},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, Shared, answers, codes,
    content::Source,
    extract::{Asker, call},
};
use crate::{
    server::{Fault, Refusal, Text},
    storage::{Act, Author, Outcome},
};

/// How long a download that broke off may go on under its first entry.
const INTENT_MS_MAX: i64 = 24 * 3600 * 1000;
/// Longest purpose, in characters.
const PURPOSE_LENGTH_MAX: usize = 500;

/// Who may have a file, and what must be said for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// One row a person with its exact weight.
    A,
    /// One row a person, de-identified.
    B,
    /// What everybody may read.
    C,
    /// Tables with every cell, for the office.
    Internal,
}

impl Tier {
    fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::Internal => "internal",
        }
    }
}

/// Why somebody downloads.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PurposeQuery {
    /// What the file is for; files with one row a person are not handed out without it.
    #[serde(default)]
    #[param(max_length = 500)]
    purpose: Option<String>,
}

impl PurposeQuery {
    /// What a query with more in it says.
    pub(super) fn saying(purpose: Option<String>) -> Self {
        Self { purpose }
    }

    /// The purpose, where the tier needs one.
    pub(super) fn for_tier(self, tier: Tier) -> Result<Option<String>, Problem> {
        let purpose = self.purpose.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let fault = |zh: &str, en: &str| {
            Problem::of(&codes::PURPOSE_MISSING).with(vec![Fault::new("purpose", Text::new(zh, en)).at("/purpose")])
        };
        match &purpose {
            None if matches!(tier, Tier::A | Tier::B) => {
                Err(fault("请在参数 purpose 中写明用途", "say in the parameter `purpose` what it is for"))
            }
            Some(text) if text.chars().count() > PURPOSE_LENGTH_MAX => {
                Err(fault("用途最多 500 字", "a purpose has 500 characters at most"))
            }
            Some(text) if text.chars().any(char::is_control) => {
                Err(fault("用途含有控制字符", "a purpose has no control characters"))
            }
            _ => Ok(purpose),
        }
    }
}

/// A file that is ready to leave.
pub(super) struct Parcel {
    pub(super) object: String,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) source: Source,
    pub(super) tier: Tier,
    pub(super) purpose: Option<String>,
    /// What else the entry says.
    pub(super) about: Value,
}

/// Logs that the file is about to leave, and sends it, or the part that was asked for.
pub(super) async fn deliver(
    request: &HttpRequest,
    shared: &Data<Shared>,
    asker: &Asker,
    parcel: Parcel,
) -> Result<HttpResponse, Problem> {
    let Parcel { object, name, content_type, source, tier, purpose, about } = parcel;
    let (size, sha256) = (source.size(), source.sha256().to_owned());
    let part = answers::part(request, &sha256, size);
    let mut answer = answers::ranged(request, &shared.database, &content_type, source);
    answers::name_attachment(&mut answer, &name, &sha256);
    if !answer.status().is_success() {
        // The client has it, or asked beyond its end: nothing leaves.
        return Ok(answer);
    }
    let mut detail = json!({ "sha256": sha256, "bytes": size, "tier": tier.name(), "purpose": purpose });
    if let (Some(detail), Some(about)) = (detail.as_object_mut(), about.as_object()) {
        detail.extend(about.clone());
    }
    let author = asker.0.author();
    let log = (author.clone(), object.clone(), sha256.clone());
    let continues = part.is_some_and(|(first, _)| first > 0);
    let seq = call(shared, move |shared| intend(shared, [&log.1, &log.2], &log.0, detail, continues)).await?;
    let (from, length) = part.map_or((0, size), |(first, last)| (first, last + 1 - first));
    let end = End { shared: shared.clone(), author, object, sha256, intent: seq, from };
    Ok(answer.map_body(|_, body| Sent { body, length, sent: 0, end: Some(end) }.boxed()))
}

/// The entry of the download: the one that a part goes on under, or a new one.
fn intend(
    shared: &Shared,
    [object, sha256]: [&str; 2],
    author: &Author,
    detail: Value,
    continues: bool,
) -> Result<i64, Refusal> {
    let now_ms = shared.clock.now_ms();
    if continues && let Some(entry) = shared.database.latest_audit_entry(object, &["download.intent"])? {
        let said: Option<Value> = entry.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let same = said.is_some_and(|said| said["sha256"] == sha256);
        if same && entry.actor == author.id && now_ms - entry.at_ms < INTENT_MS_MAX {
            return Ok(entry.seq);
        }
    }
    Ok(shared.database.log(&[Act::done(author, now_ms, "download.intent", object.to_owned(), detail)])?)
}

/// What the log says when a download ends.
struct End {
    shared: Data<Shared>,
    author: Author,
    object: String,
    sha256: String,
    intent: i64,
    from: u64,
}

impl End {
    fn log(self, sent: u64, whole: bool) {
        let outcome = if whole { Outcome::Done } else { Outcome::Failed };
        let detail = json!({ "intent": self.intent, "sha256": self.sha256, "from": self.from, "bytes_sent": sent });
        let now_ms = self.shared.clock.now_ms();
        let act = Act::done(&self.author, now_ms, "download.end", self.object, detail).ended(outcome);
        let shared = self.shared;
        // That the end could not be logged changes nothing of what left, which is logged.
        let log = move || {
            if let Err(error) = shared.database.log(&[act]) {
                tracing::error!(%error, "the end of a download could not be logged");
            }
        };
        // Waiting for the database belongs to a thread that may wait, while there are any: a server that stops has none.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(log)),
            Err(_) => log(),
        }
    }
}

/// A body that counts what it hands over, and says so when it ends, however it ends.
struct Sent {
    body: BoxBody,
    length: u64,
    sent: u64,
    end: Option<End>,
}

impl MessageBody for Sent {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        let polled = this.body.as_pin_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(piece))) = &polled {
            this.sent += piece.len() as u64;
        }
        polled
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end.log(self.sent, self.sent == self.length);
        }
    }
}
