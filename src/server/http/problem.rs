//! Problems as RFC 9457 tells them. The request's id and address are filled in on the way out (`finish`).

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    error::{BlockingError, QueryPayloadError},
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::codes::{self, Code};
use crate::{
    server::{AttachmentRefusal, Fault, Refusal, Text, disk, releases::ReleaseRefusal, vault::VaultError},
    storage::{ReviewRefusal, StorageError},
};

/// Seconds a client waits at least before it tries again, and more at most.
const RETRY_AFTER_SECONDS: u64 = 2;
const RETRY_JITTER_SECONDS: u64 = 4;

/// A few seconds by chance, so that those turned away together do not come back together. Without chance there is none.
fn jitter() -> u64 {
    getrandom::u64().map_or(0, |number| number % (RETRY_JITTER_SECONDS + 1))
}

/// An answer that is no success.
#[derive(Clone)]
pub struct Problem {
    code: &'static Code,
    detail: Option<String>,
    errors: Vec<Fault>,
    receipt: Option<String>,
    allow: Option<String>,
    retry_after: Option<u32>,
    upload_offset: Option<u32>,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody<'a> {
    /// `urn:scilit:problem:` and the code.
    r#type: String,
    /// In Chinese.
    title: &'a str,
    /// The HTTP status again.
    status: u16,
    /// What happened here, in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The address asked for.
    instance: &'a str,
    /// The code; clients depend on nothing but `status`, `code`, `retryable` and `action`.
    code: &'a str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// `retry | wait | reauth | update_app | contact_supervisor | keep_local | none`.
    action: &'a str,
    /// The id to quote when asking for help; the same as in `X-Request-Id`.
    request_id: &'a str,
    /// The receipt, when the bytes were kept all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    receipt: Option<Box<RawValue>>,
    /// Every fault with its place.
    errors: &'a [Fault],
}

impl Problem {
    pub(super) fn of(code: &'static Code) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            receipt: None,
            allow: None,
            retry_after: None,
            upload_offset: None,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        self.code.name
    }

    /// Whether bytes were kept all the same.
    pub(super) fn kept_bytes(&self) -> bool {
        self.receipt.is_some()
    }

    pub(super) fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(super) fn with(self, errors: Vec<Fault>) -> Self {
        Self { errors, ..self }
    }

    pub(super) fn receipt(self, receipt: &str) -> Self {
        Self { receipt: Some(receipt.to_owned()), ..self }
    }

    pub(super) fn allow(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    /// Where an attachment goes on.
    pub(super) fn upload_offset(self, offset: i64) -> Self {
        Self { upload_offset: Some(u32::try_from(offset).unwrap_or(u32::MAX)), ..self }
    }

    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)), ..self }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code and the title, for the result of one of many.
    pub(super) fn head(&self) -> (&'static str, &'static str) {
        (self.code.name, self.code.title)
    }

    /// Whether the next request would meet the same: the server is full, busy, or without its database.
    pub(super) fn is_for_everyone(&self) -> bool {
        [&codes::OVERLOADED, &codes::STORAGE_FULL].contains(&self.code)
    }

    /// The problem as it is sent to this address under this request's id.
    pub(super) fn body(&self, instance: &str, request_id: &str) -> String {
        let body = ProblemBody {
            r#type: format!("urn:scilit:problem:{}", self.code.name),
            title: self.code.title,
            status: self.code.status,
            detail: self.detail.as_deref(),
            instance,
            code: self.code.name,
            retryable: self.code.retryable,
            action: self.code.action,
            request_id,
            receipt: self.receipt.clone().and_then(|json| RawValue::from_string(json).ok()),
            errors: &self.errors,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The problem that stands for a status some other part of the server chose.
    pub(super) fn for_status(status: StatusCode) -> Self {
        let code = codes::CODES.iter().find(|code| code.status == status.as_u16());
        let other = if status.is_client_error() { &codes::BAD_REQUEST } else { &codes::INTERNAL };
        Self::of(code.unwrap_or(other))
    }
}

/// Without the details, which may hold parts of what was sent: this is what logs see.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.status, self.code.name)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.content_type("application/problem+json");
        if matches!(self.code.action, "wait") || self.code.status >= 500 {
            let seconds = self.retry_after.map_or_else(|| RETRY_AFTER_SECONDS + jitter(), u64::from);
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code.status == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        if let Some(offset) = self.upload_offset {
            response.insert_header(("upload-offset", offset.to_string()));
        }
        response.body(self.body("", ""))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Faults(faults) => {
                Self::of(&codes::INVALID).because(format!("共{}处问题，未作任何更改", faults.len())).with(faults)
            }
            Refusal::UnknownQuestionnaire(hash) => {
                let text = Text::new("没有发布过此问卷版本", format!("no published questionnaire has the hash {hash}"));
                Self::of(&codes::INVALID).with(vec![Fault::new("unknown-questionnaire", text).at("/questionnaire")])
            }
            Refusal::DigestMismatch => Self::of(&codes::DIGEST_MISMATCH),
            Refusal::CursorExpired => Self::of(&codes::CURSOR_EXPIRED),
            Refusal::NoBundle(reason) => Self::of(&codes::NO_BUNDLE).because(reason),
            Refusal::Release(refusal) => refusal.into(),
            Refusal::Review(refusal) => refusal.into(),
            Refusal::Account(refusal) => refusal.into(),
            Refusal::Storage(error) => error.into(),
            Refusal::Vault(error) => error.into(),
            Refusal::Attachment(refusal) => refusal.into(),
            Refusal::Stored { .. } => {
                tracing::error!(error = %refusal, "a stored document cannot be read");
                Self::of(&codes::INTERNAL)
            }
        }
    }
}

impl From<ReleaseRefusal> for Problem {
    fn from(refusal: ReleaseRefusal) -> Self {
        match refusal {
            ReleaseRefusal::Already => Self::of(&codes::ALREADY_RELEASED),
            ReleaseRefusal::NotRequested => Self::of(&codes::NOT_FOUND).because("没有待确认的发布申请"),
            ReleaseRefusal::Changed => Self::of(&codes::RELEASE_CHANGED),
            ReleaseRefusal::SamePerson => Self::of(&codes::SECOND_PERSON),
            ReleaseRefusal::NotReleasable(reason) => Self::of(&codes::NOT_RELEASABLE).because(reason),
        }
    }
}

impl From<AttachmentRefusal> for Problem {
    fn from(refusal: AttachmentRefusal) -> Self {
        match refusal {
            AttachmentRefusal::WrongOffset(offset) => Self::of(&codes::WRONG_OFFSET).upload_offset(offset),
            AttachmentRefusal::Differs => Self::of(&codes::ATTACHMENT_DIFFERS),
            AttachmentRefusal::TooManyOpen => Self::of(&codes::THROTTLED).because("未传完的附件过多"),
            AttachmentRefusal::Deleted => Self::of(&codes::ATTACHMENT_DELETED),
            AttachmentRefusal::Damaged => Self::of(&codes::DIGEST_MISMATCH).upload_offset(0),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            // What is outside the region is as if it were not there, as everywhere.
            VaultError::NoContact | VaultError::OutOfRegion => Self::of(&codes::NOT_FOUND),
            VaultError::SamePerson => Self::of(&codes::SECOND_PERSON),
            VaultError::Held => Self::of(&codes::LEGAL_HOLD),
            error => {
                tracing::error!(%error, "the vault refused");
                Self::of(&codes::INTERNAL)
            }
        }
    }
}

impl From<ReviewRefusal> for Problem {
    fn from(refusal: ReviewRefusal) -> Self {
        match refusal {
            ReviewRefusal::NotFound => Self::of(&codes::NOT_FOUND),
            ReviewRefusal::WrongState(state) => Self::of(&codes::WRONG_STATE).because(format!("当前状态为 {state}")),
            ReviewRefusal::StaleRevision => Self::of(&codes::STALE_REVISION),
            ReviewRefusal::OpenConflict => Self::of(&codes::OPEN_CONFLICT),
            ReviewRefusal::OwnInterview => Self::of(&codes::OWN_INTERVIEW),
            ReviewRefusal::SamePerson => Self::of(&codes::SAME_PERSON),
            ReviewRefusal::OutOfScope => Self::of(&codes::FORBIDDEN_SCOPE),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match &error {
            StorageError::VersionTaken { id, version, published } => Self::of(&codes::VERSION_TAKEN)
                .because(format!("{id} {version} 已发布，摘要为 {published}；请提高版本号")),
            StorageError::CodeTaken(code) => Self::of(&codes::CODE_TAKEN).because(code.clone()),
            StorageError::LoginTaken => Self::of(&codes::LOGIN_TAKEN),
            StorageError::SamePerson => Self::of(&codes::SECOND_PERSON),
            StorageError::Held => Self::of(&codes::LEGAL_HOLD),
            StorageError::GrantExists => Self::of(&codes::GRANT_EXISTS),
            StorageError::QueueFull(waiting) => {
                Self::of(&codes::THROTTLED).because(format!("已有{waiting}次计算在排队"))
            }
            StorageError::Unavailable(_) | StorageError::KeysChanged => {
                tracing::warn!(%error, "the database is away or busy");
                Self::of(&codes::OVERLOADED)
            }
            StorageError::Disk(_) => {
                disk::end_if_failed(&error);
                Self::of(&codes::OVERLOADED)
            }
            StorageError::Full => Self::of(&codes::STORAGE_FULL),
            _ => {
                tracing::error!(%error, "the database refused");
                Self::of(&codes::INTERNAL)
            }
        }
    }
}

impl From<BlockingError> for Problem {
    fn from(_: BlockingError) -> Self {
        Self::of(&codes::OVERLOADED)
    }
}

/// A query string with an unknown name or a wrong value.
pub(super) fn bad_query(error: &QueryPayloadError) -> Problem {
    // What serde expected instead is a list of our own fields, and stays with us.
    let message = error.to_string();
    let told = message.split(", expected").next().unwrap_or_default();
    let text = Text::new("查询参数有误", format!("read the query: {told}"));
    Problem::of(&codes::INVALID).with(vec![Fault::new("query", text)])
}

/// A parameter outside its range.
pub(super) fn out_of_range(name: &str, range: &str) -> Problem {
    let text = Text::new(format!("{name} 应在 {range} 之间"), format!("{name} must be within {range}"));
    Problem::of(&codes::INVALID).with(vec![Fault::new("range", text)])
}
