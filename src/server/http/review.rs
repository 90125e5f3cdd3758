//! Steps of a review: approve, send back, take out, lock, open again, swap. Each names the revision it was made for.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::{
    Problem, Shared, codes,
    extract::{Asker, Checked, call},
    problem::ProblemBody,
};
use crate::{
    evidence::is_sha256_hex,
    server::{self, Fault, Text},
    storage::{ItemComment, Level, Seen, Step},
};

/// Interviews in one request at most.
const APPROVALS_MAX: u64 = 200;

/// What the reviewer saw.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenBody {
    /// The revision.
    #[validate(range(min = 1))]
    rev: i32,
    /// SHA-256 of its bytes, to be sure of them.
    sha256: Option<String>,
}

/// An approval.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveBody {
    /// The revision the reviewer saw.
    #[validate(range(min = 1))]
    rev: i32,
    /// SHA-256 of its bytes, to be sure of them.
    sha256: Option<String>,
    /// 1 or 2; by different persons.
    #[schema(minimum = 1, maximum = 2)]
    level: u8,
}

/// A step with its reason.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// The revision the reviewer saw.
    #[validate(range(min = 1))]
    rev: i32,
    /// SHA-256 of its bytes, to be sure of them.
    sha256: Option<String>,
    /// Why.
    #[validate(length(min = 1, max = 1000))]
    reason: String,
}

/// A return to the surveyor.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnBody {
    /// The revision the reviewer saw.
    #[validate(range(min = 1))]
    rev: i32,
    /// SHA-256 of its bytes, to be sure of them.
    sha256: Option<String>,
    /// Why, as a short code.
    #[validate(length(min = 1, max = 64))]
    reason_code: String,
    /// Why, in words.
    #[serde(default)]
    #[validate(length(max = 2000))]
    comment: String,
    /// What to look at, by item.
    #[serde(default)]
    #[validate(length(max = 500), custom(function = "are_short"))]
    item_comments: Vec<ItemCommentBody>,
}

/// A comment on one item.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemCommentBody {
    /// The item.
    #[schema(min_length = 1, max_length = 64)]
    item: String,
    /// What to look at.
    #[schema(min_length = 1, max_length = 1000)]
    comment: String,
}

fn are_short(comments: &[ItemCommentBody]) -> Result<(), ValidationError> {
    let short = |text: &str, max| (1..=max).contains(&text.chars().count());
    let fine = comments.iter().all(|one| short(&one.item, 64) && short(&one.comment, 1000));
    if fine { Ok(()) } else { Err(ValidationError::new("length")) }
}

fn are_named(responses: &[OneBody]) -> Result<(), ValidationError> {
    let fine = responses.iter().all(|one| one.rev >= 1 && (1..=64).contains(&one.id.len()));
    if fine { Ok(()) } else { Err(ValidationError::new("length")) }
}

/// Many approvals.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalsBody {
    /// 1 or 2; by different persons.
    #[schema(minimum = 1, maximum = 2)]
    level: u8,
    /// At most 200.
    #[validate(length(min = 1, max = "APPROVALS_MAX"), custom(function = "are_named"))]
    responses: Vec<OneBody>,
}

/// One of many.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneBody {
    /// The submission.
    #[schema(min_length = 1, max_length = 64)]
    id: String,
    /// The revision the reviewer saw.
    #[schema(minimum = 1)]
    rev: i32,
}

/// Where an interview stands after a step.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StepBody {
    id: String,
    state: &'static str,
    rev: i32,
}

/// What came of each approval, in the order asked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApprovalResultsBody {
    results: Vec<ApprovalResultBody>,
}

/// What came of one approval.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApprovalResultBody {
    id: String,
    /// Where it stands, when it was approved.
    state: Option<&'static str>,
    /// The problem's code, when it was not.
    code: Option<&'static str>,
    /// The problem's title in Chinese.
    title: Option<&'static str>,
}

fn seen(rev: i32, sha256: Option<String>) -> Result<Seen, Problem> {
    if sha256.as_deref().is_some_and(|digest| !is_sha256_hex(digest)) {
        let text = Text::new("sha256 应为64位十六进制摘要", "sha256 must be 64 lower-case hex digits");
        return Err(Problem::of(&codes::INVALID).with(vec![Fault::new("digest", text).at("/sha256")]));
    }
    Ok(Seen { rev, sha256 })
}

fn level(level: u8) -> Result<Level, Problem> {
    let text = || Text::new("审核级别为 1 或 2", "the level is 1 or 2");
    match level {
        1 => Ok(Level::One),
        2 => Ok(Level::Two),
        _ => Err(Problem::of(&codes::INVALID).with(vec![Fault::new("range", text()).at("/level")])),
    }
}

async fn take(
    shared: &Data<Shared>,
    asker: &Asker,
    id: Path<String>,
    seen: Seen,
    step: Step,
) -> Result<HttpResponse, Problem> {
    let (asker, id) = (asker.clone(), id.into_inner());
    if id.contains('\0') {
        return Err(Problem::of(&codes::NOT_FOUND));
    }
    let of = id.clone();
    let work = move |shared: &Shared| {
        let by = asker.reviewer(&shared.database)?;
        server::review(&shared.database, &of, &seen, &step, &by, &shared.clock)
    };
    let stepped = call(shared, work).await?;
    Ok(HttpResponse::Ok().json(StepBody { id, state: stepped.state.name(), rev: stepped.rev }))
}

/// Takes a response in hand.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/review", tag = "review", request_body = SeenBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Under review.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Another state, or something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn begin(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<SeenBody>,
) -> Result<HttpResponse, Problem> {
    let SeenBody { rev, sha256 } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::Begin).await
}

/// Approves a response: level 1, then level 2 by another person.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/approve", tag = "review", request_body = ApproveBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Approved.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "The same person twice, another state, a conflict, or something newer.", body = ProblemBody),
    )
)]
pub(super) async fn approve(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ApproveBody>,
) -> Result<HttpResponse, Problem> {
    let ApproveBody { rev, sha256, level: of } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::Approve(level(of)?)).await
}

/// Sends a response back to its surveyor.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/return", tag = "review", request_body = ReturnBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Returned; the surveyor's inbox has it.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Another state, or something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn send_back(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ReturnBody>,
) -> Result<HttpResponse, Problem> {
    let ReturnBody { rev, sha256, reason_code, comment, item_comments } = body.0;
    let items = item_comments.into_iter().map(|ItemCommentBody { item, comment }| ItemComment { item, comment });
    let step = Step::Return { reason_code, comment, items: items.collect() };
    take(&shared, &asker, id, seen(rev, sha256)?, step).await
}

/// Asks for a response to be taken out.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/void", tag = "review", request_body = ReasonBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Asked; another person has to confirm.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Locked, void, or something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn request_void(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    let ReasonBody { rev, sha256, reason } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::RequestVoid { reason }).await
}

/// Takes a response out that another person asked to be taken out.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/void/confirm", tag = "review", request_body = SeenBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Void.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Nobody asked, or the same person did; locked; something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn confirm_void(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<SeenBody>,
) -> Result<HttpResponse, Problem> {
    let SeenBody { rev, sha256 } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::ConfirmVoid).await
}

/// Locks an approved response.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/lock", tag = "review", request_body = SeenBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Locked.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Not approved twice, or something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn lock(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<SeenBody>,
) -> Result<HttpResponse, Problem> {
    let SeenBody { rev, sha256 } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::Lock).await
}

/// Opens a locked response again; the audit log tells the auditor.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/reopen", tag = "review", request_body = ReasonBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "Under review again.", body = StepBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Not locked, or something newer is there.", body = ProblemBody),
    )
)]
pub(super) async fn reopen(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    let ReasonBody { rev, sha256, reason } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::Reopen { reason }).await
}

/// Lets a surplus response count for its case; the one that counted becomes surplus.
#[utoipa::path(
    post, path = "/api/v1/responses/{id}/promote", tag = "review", request_body = ReasonBody,
    params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "It counts for its case, and is to be reviewed.", body = StepBody),
        (status = 403, description = "One's own interview, or another region.", body = ProblemBody),
        (status = 404, description = "No such response.", body = ProblemBody),
        (status = 409, description = "Not surplus, the other is locked, or somebody was faster.", body = ProblemBody),
    )
)]
pub(super) async fn promote(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    body: Checked<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    let ReasonBody { rev, sha256, reason } = body.0;
    take(&shared, &asker, id, seen(rev, sha256)?, Step::Promote { reason }).await
}

/// Approves many responses at once; one that cannot be approved hinders no other.
#[utoipa::path(
    post, path = "/api/v1/approvals", tag = "review", request_body = ApprovalsBody,
    responses((status = 200, description = "What came of each, in the order asked.", body = ApprovalResultsBody))
)]
pub(super) async fn approve_many(
    shared: Data<Shared>,
    asker: Asker,
    body: Checked<ApprovalsBody>,
) -> Result<HttpResponse, Problem> {
    let step = Step::Approve(level(body.0.level)?);
    let each =
        body.0.responses.into_iter().map(|OneBody { id, rev }| (id.replace('\0', ""), Seen { rev, sha256: None }));
    let each: Vec<_> = each.collect();
    let work = move |shared: &Shared| {
        let by = asker.reviewer(&shared.database)?;
        let results = server::review_many(&shared.database, &each, &step, &by, &shared.clock)?;
        Ok(each.into_iter().zip(results))
    };
    let results = call(&shared, work).await?.map(|((id, _), result)| match result {
        Ok(stepped) => ApprovalResultBody { id, state: Some(stepped.state.name()), code: None, title: None },
        Err(refusal) => {
            let (code, title) = Problem::from(refusal).head();
            ApprovalResultBody { id, state: None, code: Some(code), title: Some(title) }
        }
    });
    Ok(HttpResponse::Ok().json(ApprovalResultsBody { results: results.collect() }))
}
