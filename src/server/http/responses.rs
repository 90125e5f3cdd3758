//! Reading responses: page by page, or one with its versions.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared,
    audited::log_reading,
    codes,
    extract::{Asker, AtSurvey, call},
    problem::{self, ProblemBody},
};
use crate::{
    instrument::{Sign, Submission},
    server::{Difference, Fault, People, Refusal, Text, differences, notices_of},
    storage::{
        Database, Interview, InterviewState, Quarantined, ResponseFilter, ReviewAction, ReviewRefusal, StoredBody,
        SubmissionVersion,
    },
};

/// A page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Rows at most, 1 to 200.
    #[serde(default = "page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
}

pub(super) fn page_rows() -> i64 {
    50
}

/// The rows of a page that was asked for.
pub(super) fn rows(limit: i64) -> Result<i64, Problem> {
    if (1..=200).contains(&limit) { Ok(limit) } else { Err(problem::out_of_range("limit", "1–200")) }
}

impl Page {
    pub(super) fn rows(&self) -> Result<i64, Problem> {
        rows(self.limit)
    }

    pub(super) fn after(&self) -> &str {
        &self.after
    }
}

/// Which responses a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ResponsesQuery {
    /// Rows at most, 1 to 200.
    #[serde(default = "page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
    /// Only those in this state.
    state: Option<String>,
    /// Only those in this region: the first digits of its code.
    #[param(pattern = "^[0-9]{0,12}$")]
    district: Option<String>,
    /// Only those from this surveyor.
    surveyor: Option<String>,
}

impl ResponsesQuery {
    fn filter(self) -> Result<ResponseFilter, Problem> {
        let unknown = || {
            let text = Text::new("没有这种状态", "no such state");
            Problem::of(&codes::INVALID).with(vec![Fault::new("state", text)])
        };
        let state = self.state.map(|name| InterviewState::named(&name).ok_or_else(unknown)).transpose()?;
        let digits = |text: &String| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.district.as_ref().is_some_and(|text| !digits(text)) {
            return Err(problem::out_of_range("district", "0–12 位数字"));
        }
        Ok(ResponseFilter { state, district: self.district, surveyor: self.surveyor, scope: String::new() })
    }
}

/// A response in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponseBody {
    id: String,
    /// `received`, `parsed`, `quarantined`, `surplus`, `under_review`, `returned`, `approved_l1`, `approved_l2`, `locked`
    /// or `void`.
    state: String,
    /// Whether a revision came with two different bodies.
    conflict: bool,
    rev: i32,
    case: Option<String>,
    /// The case's district.
    district: Option<String>,
    /// From whom the body in force came.
    surveyor: Option<String>,
    /// Whether somebody asked for it to be taken out and nobody confirmed yet.
    void_requested: bool,
    changed_at_ms: i64,
}

impl From<&Interview> for ResponseBody {
    fn from(row: &Interview) -> Self {
        Self {
            id: row.id.clone(),
            state: row.state.clone(),
            conflict: row.has_conflict,
            rev: row.current_rev,
            case: row.case_id.clone(),
            district: row.district.clone(),
            surveyor: row.surveyor.clone(),
            void_requested: row.void_by.is_some() && row.state != "void",
            changed_at_ms: row.changed_at_ms,
        }
    }
}

/// A page of responses in the order of their ids.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponsesBody {
    responses: Vec<ResponseBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// A response with its versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ResponseDetailBody {
    response: ResponseBody,
    survey: Option<String>,
    questionnaire: Option<String>,
    /// The checked answers, once judged good.
    #[schema(value_type = Option<Object>)]
    answers: Option<serde_json::Value>,
    versions: Vec<VersionBody>,
    /// Every step of its review, in order.
    review: Vec<ReviewActionBody>,
    /// Signs in the bytes in force that say where to look first: `too-fast`, `same-answers`, `few-values`, `at-night`.
    signs: Vec<&'static str>,
    /// When the interview began and ended by the tablet's clock, and how long it was on screen.
    timing: Option<TimingBody>,
    /// Names of the persons that this answer names by id, or by the id of a tablet of theirs.
    names: BTreeMap<String, String>,
}

/// Times of an interview.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct TimingBody {
    started_ms: Option<i64>,
    finished_ms: Option<i64>,
    active_ms: Option<i64>,
}

/// A step of a review.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReviewActionBody {
    rev: i32,
    action: String,
    from: String,
    to: String,
    by: String,
    role: String,
    reason_code: Option<String>,
    comment: Option<String>,
    /// `[{"item":…,"comment":…}]`
    #[schema(value_type = Option<Object>)]
    item_comments: Option<serde_json::Value>,
    at_ms: i64,
}

impl From<ReviewAction> for ReviewActionBody {
    fn from(row: ReviewAction) -> Self {
        let item_comments = row.item_comments.and_then(|json| serde_json::from_str(&json).ok());
        let ReviewAction { rev, action, from_state, to_state, by_id, by_role, reason_code, comment, at_ms, .. } = row;
        let (from, to, by, role) = (from_state, to_state, by_id, by_role);
        Self { rev, action, from, to, by, role, reason_code, comment, item_comments, at_ms }
    }
}

/// Which two bodies to compare.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffQuery {
    /// The earlier: a revision, or a place in the order of arrival.
    from: i64,
    /// The later.
    to: i64,
    /// What `from` and `to` name; two bodies in conflict share a revision and differ in their place.
    #[serde(default)]
    by: DiffBy,
}

/// What names a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum DiffBy {
    /// The revision.
    #[default]
    Rev,
    /// `server_seq`.
    Seq,
}

/// What differs between two bodies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DiffBody {
    /// SHA-256 of the earlier.
    from: String,
    /// SHA-256 of the later.
    to: String,
    /// Null when one of them cannot be read.
    differences: Option<Vec<Difference>>,
}

/// One stored body.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct VersionBody {
    server_seq: i64,
    rev: i32,
    sha256: String,
    received_at_ms: i64,
    /// Whether other bytes were there first under this revision.
    conflict: bool,
    /// The open faults that keep it in quarantine.
    notices: Vec<Fault>,
}

/// Lists a survey's responses.
#[utoipa::path(
    get, path = "/api/v1/surveys/{id}/responses", tag = "responses",
    params(("id" = String, Path, description = "The survey."), ResponsesQuery),
    responses(
        (status = 200, description = "A page.", body = ResponsesBody),
        (status = 404, description = "No such survey.", body = ProblemBody),
    )
)]
pub(super) async fn list(
    shared: Data<Shared>,
    asker: Asker,
    survey: AtSurvey,
    query: Query<ResponsesQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let (rows_max, after) = (rows(query.limit)?, query.after.clone());
    let filter = query.filter()?;
    let work = move |shared: &Shared| {
        let filter = ResponseFilter { scope: asker.reviewer(&shared.database)?.scope, ..filter };
        Ok(shared.database.interviews(&survey.0.id, &filter, &after, rows_max)?)
    };
    let rows = call(&shared, work).await?;
    let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == rows_max);
    let next = rows.last().filter(|_| is_full).map(|row| row.id.clone());
    Ok(HttpResponse::Ok().json(ResponsesBody { responses: rows.iter().map(ResponseBody::from).collect(), next }))
}

/// Shows a response with its versions.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}", tag = "responses", params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "The response.", body = ResponseDetailBody),
        (status = 404, description = "No such response.", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let found = call(&shared, move |shared| {
        if !shared.database.reaches(&asker.0.reach(&shared.database)?, &id)? {
            return Ok(None);
        }
        let Some(row) = shared.database.interview(&id)? else { return Ok(None) };
        log_reading(shared, &asker.0, "response.read", format!("response/{}", row.id), serde_json::json!({}))?;
        let (versions, quarantine) = (shared.database.submission_versions(&id)?, shared.database.quarantine_of(&id)?);
        let review = shared.database.review_actions(&id)?;
        let names = names(&People::read(&shared.database)?, &row, &review);
        let body = shared.database.bodies_at(&[row.current_seq])?.pop();
        let sent = body.and_then(|(_, body)| Submission::parse(&body).ok());
        Ok(Some((row, versions, quarantine, review, names, sent)))
    });
    let (row, versions, quarantine, review, names, sent) =
        found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let signs = sent.as_ref().map(Submission::signs).unwrap_or_default().into_iter().map(Sign::name).collect();
    let timing = sent.and_then(|sent| sent.timing).map(|of| TimingBody {
        started_ms: of.started_ms,
        finished_ms: of.finished_ms,
        active_ms: of.active_ms,
    });
    let versions = versions.into_iter().map(|version| version_body(version, &quarantine)).collect();
    let answers = row.answers.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let response = ResponseBody::from(&row);
    let (survey, questionnaire) = (row.survey_id, row.questionnaire_hash);
    let review = review.into_iter().map(ReviewActionBody::from).collect();
    let body = ResponseDetailBody { response, survey, questionnaire, answers, versions, review, signs, timing, names };
    Ok(HttpResponse::Ok().json(body))
}

/// Hands a tablet the bytes of an interview of its own that came back, so that they can be corrected there.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}/returned", tag = "sync", params(("id" = String, Path, description = "The submission.")),
    responses(
        (status = 200, description = "The bytes in force, as they were handed in.", content_type = "application/json", body = Object),
        (status = 404, description = "No such response, or not this tablet's, or its person has the case no more.", body = ProblemBody),
        (status = 409, description = "It is not returned, or no tablet asks.", body = ProblemBody),
    )
)]
pub(super) async fn returned(shared: Data<Shared>, asker: Asker, id: Path<String>) -> Result<HttpResponse, Problem> {
    let actor = asker.0.actor.as_ref();
    let of = actor.and_then(|actor| actor.device.clone().zip(actor.user.clone()));
    let (device, person) = of.ok_or_else(|| Problem::of(&codes::WRONG_CREDENTIAL))?;
    let found = call(&shared, move |shared| {
        let body = returned_to(&shared.database, &id, &device, &person)?;
        if let Some(body) = &body {
            let detail = serde_json::json!({ "returned_rev": body.rev });
            log_reading(shared, &asker.0, "response.read", format!("response/{}", body.id), detail)?;
        }
        Ok(body)
    });
    let body = found.await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let answer = HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type("application/json")
        .body(body.body);
    Ok(answer)
}

/// The bytes in force of a returned interview that came from this tablet, while its person has the case. What is none of
/// theirs is as if it were not there.
fn returned_to(database: &Database, id: &str, device: &str, person: &str) -> Result<Option<StoredBody>, Refusal> {
    let Some(head) = database.interview(id)?.filter(|head| head.surveyor.as_deref() == Some(device)) else {
        return Ok(None);
    };
    let Some((survey, case)) = head.survey_id.as_deref().zip(head.case_id.as_deref()) else { return Ok(None) };
    if database.holder(survey, case)?.0.as_deref() != Some(person) {
        return Ok(None);
    }
    match head.state() {
        InterviewState::Returned => Ok(database.submission_body(head.current_seq)?),
        _ => Err(ReviewRefusal::WrongState(head.state.clone()).into()),
    }
}

/// The names of everybody who had a hand in an interview.
fn names(people: &People, row: &Interview, review: &[ReviewAction]) -> BTreeMap<String, String> {
    let ids =
        [&row.surveyor, &row.l1_by, &row.void_by].into_iter().flatten().chain(review.iter().map(|one| &one.by_id));
    ids.filter_map(|id| Some((id.clone(), people.name_of(id)?.to_owned()))).collect()
}

/// Compares two bodies of a response.
#[utoipa::path(
    get, path = "/api/v1/responses/{id}/diff", tag = "responses",
    params(("id" = String, Path, description = "The submission."), DiffQuery),
    responses(
        (status = 200, description = "What differs.", body = DiffBody),
        (status = 404, description = "No such response, or no such body of it.", body = ProblemBody),
    )
)]
pub(super) async fn diff(
    shared: Data<Shared>,
    asker: Asker,
    id: Path<String>,
    query: Query<DiffQuery>,
) -> Result<HttpResponse, Problem> {
    let work = move |shared: &Shared| {
        if !shared.database.reaches(&asker.0.reach(&shared.database)?, &id)? {
            return Ok(None);
        }
        let Some(head) = shared.database.interview(&id)? else { return Ok(None) };
        log_reading(shared, &asker.0, "response.read", format!("response/{}", head.id), serde_json::json!({}))?;
        Ok(Some((head, shared.database.submission_bodies(&id)?)))
    };
    let (head, bodies) = call(&shared, work).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let named = |number: i64| match query.by {
        DiffBy::Seq => bodies.iter().find(|body| body.server_seq == number),
        DiffBy::Rev => {
            let of_rev = |body: &&StoredBody| i64::from(body.rev) == number;
            let in_force = bodies.iter().filter(of_rev).find(|body| body.server_seq == head.current_seq);
            in_force.or_else(|| bodies.iter().find(of_rev))
        }
    };
    let both = named(query.from).zip(named(query.to));
    let (from, to) = both.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let differences = differences(&from.body, &to.body);
    Ok(HttpResponse::Ok().json(DiffBody { from: from.sha256.clone(), to: to.sha256.clone(), differences }))
}

fn version_body(version: SubmissionVersion, quarantine: &[Quarantined]) -> VersionBody {
    let SubmissionVersion { server_seq, rev, sha256, received_at_ms, conflict } = version;
    let open = quarantine.iter().find(|row| row.server_seq == server_seq && row.state == "open");
    let notices = open.map(notices_of).unwrap_or_default();
    VersionBody { server_seq, rev, sha256, received_at_ms, conflict, notices }
}
