//! Extractors: what a handler takes has been read, checked and found before its first line runs.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    web::{self, Bytes, Data},
};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::{Problem, Shared, body, codes, routes};
use crate::{
    server::{Fault, Refusal, Text},
    storage::{Run, Survey},
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
            let found = call(&shared?, move |shared| Ok(shared.database.run(&id)?)).await?;
            let visible = found.filter(|run| run.state == "succeeded" || !asker.0.is_public_reader());
            visible.map(Self).ok_or_else(|| Problem::of(&codes::NOT_FOUND))
        })
    }
}

/// A submission's bytes.
#[derive(Debug)]
pub(super) struct SubmissionBytes(pub(super) Bytes);

impl FromRequest for SubmissionBytes {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let config = shared(&request)?.config.clone();
            let limits = limits(&["application/json"], config.submission_bytes_max, config.body_time_max);
            Ok(Self(body::read(request, payload, limits).await?))
        })
    }
}

/// An imported file as text.
#[derive(Debug)]
pub(super) struct ImportedText(pub(super) String);

impl FromRequest for ImportedText {
    type Error = Problem;
    type Future = Soon<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let config = shared(&request)?.config.clone();
            let types = &["text/csv", "text/plain", "application/toml", "text/toml"];
            let limits = limits(types, config.import_bytes_max, config.body_time_max);
            text(&body::read(request, payload, limits).await?).map(Self)
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
            checked(&text(&bytes)?).map(Self)
        })
    }
}

fn limits(types: &'static [&'static str], bytes_max: usize, time_max: Duration) -> body::Limits {
    body::Limits { types, bytes_max, time_max }
}

pub(super) fn text(bytes: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::of(&codes::MALFORMED).because(format!("第 {} 字节处不是 UTF-8", error.valid_up_to() + 1))
    })?;
    match text.find('\0') {
        Some(at) => Err(Problem::of(&codes::MALFORMED).because(format!("第 {} 字节是空字符（U+0000）", at + 1))),
        None => Ok(text.to_owned()),
    }
}

pub(super) fn checked<T: DeserializeOwned + Validate>(text: &str) -> Result<T, Problem> {
    // A struct sent as an array would be read by position; only an object is meant.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::of(&codes::MALFORMED).because("应为 JSON 对象"));
    }
    let value: T = serde_json::from_str(text).map_err(|error| {
        let place = format!("第{}行第{}列", error.line(), error.column());
        match error.is_data() {
            true => {
                let message = Text::new(format!("字段有误（{place}）"), format!("read the JSON: {error}"));
                Problem::of(&codes::INVALID).with(vec![Fault::new("field", message)])
            }
            false => Problem::of(&codes::MALFORMED).because(place),
        }
    })?;
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
