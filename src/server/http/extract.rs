//! Extractors: what a handler takes has been read, checked and found before its first line runs.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    rt::time::sleep,
    web::{self, Bytes, Data},
};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::{Problem, Shared, body, codes, json, routes, sealed};
use crate::{
    server::{Envelope, Fault, Refusal, Text},
    storage::{Database, Reach, Reviewer, Run, StorageError, Survey},
};

pub(super) type Soon<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// Largest JSON body that is no submission.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// Runs a call that waits for the database on a thread that may wait.
pub(super) async fn call<T: Send + 'static>(
    shared: &Data<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Problem> {
    let shared = shared.clone();
    Ok(web::block(move || work(&shared)).await??)
}

pub(super) fn shared(request: &HttpRequest) -> Result<Data<Shared>, Problem> {
    request.app_data::<Data<Shared>>().cloned().ok_or_else(|| Problem::of(&codes::INTERNAL))
}

/// The asker the rules let in.
#[derive(Debug, Clone)]
pub(super) struct Asker(pub(super) routes::Asker);

impl Asker {
    /// The asker as a reviewer on this route.
    pub(super) fn reviewer(&self, database: &Database) -> Result<Reviewer, StorageError> {
        let scope = match self.0.reach(database)? {
            Reach::Region(digits) => digits,
            Reach::All | Reach::By(_) => String::new(),
        };
        Ok(Reviewer { author: self.0.author(), ids: self.0.ids(database)?, scope })
    }
}

impl FromRequest for Asker {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asker = request.extensions().get::<routes::Asker>().cloned();
        std::future::ready(asker.map(Self).ok_or_else(|| Problem::of(&codes::UNAUTHENTICATED)))
    }
}

fn segment(request: &HttpRequest, name: &str) -> Result<String, Problem> {
    let segment = request.match_info().get(name).filter(|text| !text.contains('\0'));
    segment.map(str::to_owned).ok_or_else(|| Problem::of(&codes::NOT_FOUND))
}

/// Largest TOML file: reading one takes many times its size, and the largest questionnaire has a tenth of this.
pub(super) const TOML_KIB_MAX: usize = 1024;

/// How many imported files may be in memory at once: each is large, and so is what it is read into.
const IMPORTS_MAX: usize = 2;

/// How often a place is looked for, and the pause between two looks: two seconds in all.
const IMPORT_TRIES_MAX: u32 = 100;
const IMPORT_PAUSE: Duration = Duration::from_millis(20);

/// The places for imported files. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Imports(Arc<AtomicUsize>);

/// A place for an imported file, free again when this goes.
#[derive(Debug)]
pub(super) struct Permit(Arc<AtomicUsize>);

impl Imports {
    /// A place, once one is free; `None` when none is for a while.
    pub(super) async fn wait(&self) -> Option<Permit> {
        for _ in 0..IMPORT_TRIES_MAX {
            if let Some(permit) = self.take() {
                return Some(permit);
            }
            sleep(IMPORT_PAUSE).await;
        }
        None
    }

    fn take(&self) -> Option<Permit> {
        let more = |taken: usize| (taken < IMPORTS_MAX).then_some(taken + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Permit(Arc::clone(&self.0)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The survey the path names.
#[derive(Debug)]
pub(super) struct AtSurvey(pub(super) Survey);

impl FromRequest for AtSurvey {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (shared, id) = (shared(request), segment(request, "id"));
        Box::pin(async move {
            let id = id?;
            let found = call(&shared?, move |shared| Ok(shared.database.survey(&id)?)).await?;
            found.map(Self).ok_or_else(|| Problem::of(&codes::NOT_FOUND))
        })
    }
}

/// The run the path names, if the asker may know of it.
#[derive(Debug)]
pub(super) struct AtRun(pub(super) Run);

impl FromRequest for AtRun {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (shared, id) = (shared(request), segment(request, "id"));
        let asker = Asker::from_request(request, payload).into_inner();
        Box::pin(async move {
            let (id, asker) = (id?, asker?);
            let is_public = asker.0.is_public_reader();
            let find = move |shared: &Shared| {
                // What was not released is as if it were not there.
                let may_know = !is_public || shared.database.is_released(&id)?;
                Ok(if may_know { shared.database.run(&id)? } else { None })
            };
            call(&shared?, find).await?.map(Self).ok_or_else(|| Problem::of(&codes::NOT_FOUND))
        })
    }
}

/// A submission's bytes, open or in an envelope.
#[derive(Debug)]
pub(super) enum SubmissionBytes {
    Open(Bytes),
    Sealed(Envelope),
}

impl FromRequest for SubmissionBytes {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let config = shared(&request)?.config.clone();
            let (bytes_max, time_max) = (config.submission_bytes_max, config.body_time_max);
            if sealed::is_announced(&request) {
                return sealed::read(request, payload, bytes_max, time_max).await.map(Self::Sealed);
            }
            let limits = limits(&["application/json", sealed::MEDIA], bytes_max, time_max);
            Ok(Self::Open(body::read(request, payload, limits).await?))
        })
    }
}

/// An imported file as text, of so many KiB at most and never more than the configuration allows.
#[derive(Debug)]
pub(super) struct ImportedText<const KIB_MAX: usize = { usize::MAX >> 10 }> {
    pub(super) text: String,
    _permit: Permit,
}

impl<const KIB_MAX: usize> FromRequest for ImportedText<KIB_MAX> {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let shared = shared(&request)?;
            let permit = shared.imports.wait().await.ok_or_else(|| Problem::of(&codes::OVERLOADED))?;
            let types = &["text/csv", "text/plain", "application/toml", "text/toml", "application/geo+json"];
            let bytes_max = shared.config.import_bytes_max.min(KIB_MAX << 10);
            let limits = limits(types, bytes_max, shared.config.body_time_max);
            text(body::read(request, payload, limits).await?).map(|text| Self { text, _permit: permit })
        })
    }
}

/// A JSON body in its checked form.
#[derive(Debug)]
pub(super) struct Checked<T>(pub(super) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Checked<T> {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let time_max = shared(&request)?.config.body_time_max;
            let bytes = body::read(request, payload, limits(&["application/json"], JSON_BYTES_MAX, time_max)).await?;
            checked(&bytes).map(Self)
        })
    }
}

fn limits(types: &'static [&'static str], bytes_max: usize, time_max: Duration) -> body::Limits {
    body::Limits { types, bytes_max, time_max }
}

fn text(bytes: Bytes) -> Result<String, Problem> {
    let text = String::from_utf8(Vec::from(bytes)).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        Problem::of(&codes::MALFORMED).because(format!("第 {at} 字节处不是 UTF-8"))
    })?;
    match text.find('\0') {
        Some(at) => Err(Problem::of(&codes::MALFORMED).because(format!("第 {} 字节是空字符（U+0000）", at + 1))),
        None => Ok(text),
    }
}

pub(super) fn checked<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, Problem> {
    let value: T = json::read(bytes)?;
    value.validate().map_err(|errors| Problem::of(&codes::INVALID).with(field_faults(&errors)))?;
    Ok(value)
}

/// The faults in the order of their fields, without the values that were sent.
fn field_faults(errors: &validator::ValidationErrors) -> Vec<Fault> {
    let fields: std::collections::BTreeMap<_, _> = errors.field_errors().into_iter().collect();
    let fault = |field: &str, code: &str| Fault::new(code, field_text(field, code)).at(&format!("/{field}"));
    fields.iter().flat_map(|(field, errors)| errors.iter().map(|error| fault(field, &error.code))).collect()
}

fn field_text(field: &str, code: &str) -> Text {
    match code {
        "length" => Text::new(format!("{field} 过短或过长"), format!("{field} is too short or too long")),
        "code" => Text::new(
            format!("{field} 只能用小写字母、数字和连字符"),
            format!("{field} may have lower-case letters, digits and hyphens"),
        ),
        "date" => Text::new(format!("{field} 应为 YYYY-MM-DD"), format!("{field} must be a date like 2025-05-31")),
        "digest" => {
            Text::new(format!("{field} 应为64位十六进制摘要"), format!("{field} must be 64 lower-case hex digits"))
        }
        _ => Text::new(format!("{field} 含有不允许的字符"), format!("{field} has characters that are not allowed")),
    }
}
