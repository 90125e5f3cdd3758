//! What a tablet must know since it last asked.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use serde::{Deserialize, Serialize};

use super::{
    Problem, Shared, codes,
    extract::{Asker, call},
    inbox::MessageBody,
    packing,
    problem::ProblemBody,
};
use crate::server::{Change, Changes, HeldCase, changes};

/// Where the tablet stands.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The `cursor` of the answer before; without one everything comes.
    cursor: Option<String>,
}

/// A page of changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ChangesBody {
    /// What to send the next time.
    cursor: String,
    /// Whether to ask again at once.
    has_more: bool,
    changes: Vec<ChangeBody>,
}

/// One change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ChangeBody {
    /// `case` or `message`.
    kind: &'static str,
    /// `put` or `delete`.
    op: &'static str,
    /// Of a case: its survey.
    #[serde(skip_serializing_if = "Option::is_none")]
    survey: Option<String>,
    /// Of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    /// Of a message: its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    /// What there is now: a case or a message; null when it is gone.
    value: Option<ValueBody>,
}

/// What there is now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum ValueBody {
    Case(Box<CaseBody>),
    Message(MessageBody),
}

/// A case as its tablet needs it; the address is read apart, one by one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CaseBody {
    survey_code: String,
    survey_title: String,
    /// The place surveyed.
    place: String,
    district: String,
    district_name: String,
    psu: String,
    /// `urban` or `rural`.
    residence: String,
    /// `open` or `closed`.
    survey_state: String,
    fieldwork_from: String,
    fieldwork_to: String,
    /// Whether the data are made up.
    example: bool,
    /// `open`, `returned` or `done`.
    state: &'static str,
    priority: i32,
    assignment: String,
    /// Hash of the questionnaire to ask.
    instrument: String,
    selection: SelectionBody,
    draw: DrawBody,
}

/// How the member of the household is selected.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SelectionBody {
    /// `uniform` or `kish`.
    method: String,
    /// The number fixed beforehand, as its numerator over 2^53, in decimal digits.
    u_num: String,
    /// The letter of Kish's table.
    table: Option<&'static str>,
    algorithm: String,
}

/// The order in which the case is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DrawBody {
    /// In decimal digits.
    seed: String,
    algorithm: String,
    /// Every item, in the order shown.
    items: Vec<String>,
    /// Option codes by item, in the order shown, where it is not that of the questionnaire.
    options: BTreeMap<String, Vec<String>>,
}

impl From<HeldCase> for CaseBody {
    fn from(held: HeldCase) -> Self {
        let state = held.state();
        let HeldCase { survey, district_name, case, draw, kish_table: table } = held;
        let algorithm = format!("{}/1", case.draw.method);
        let u_num = case.draw.u_numerator.to_string();
        Self {
            survey_code: survey.code,
            survey_title: survey.title,
            place: survey.place,
            district: case.district,
            district_name,
            psu: case.psu,
            residence: case.residence,
            survey_state: survey.state,
            fieldwork_from: survey.fieldwork_from,
            fieldwork_to: survey.fieldwork_to,
            example: survey.example,
            state,
            priority: case.assignment.priority,
            assignment: case.assignment.id,
            instrument: case.draw.questionnaire_hash,
            selection: SelectionBody { method: case.draw.method, u_num, table, algorithm },
            draw: DrawBody {
                seed: case.draw.seed,
                algorithm: case.draw.algorithm,
                items: draw.items,
                options: draw.options.into_iter().collect(),
            },
        }
    }
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        let (op, survey, case, value) = match change {
            Change::Gone { survey, case } => ("delete", survey, case, None),
            Change::Case(held) => {
                let of = &held.case.assignment;
                let (survey, case) = (of.survey_id.clone(), of.case_id.clone());
                ("put", survey, case, Some(ValueBody::Case(Box::new((*held).into()))))
            }
        };
        Self { kind: "case", op, survey: Some(survey), case: Some(case), seq: None, value }
    }
}

impl From<MessageBody> for ChangeBody {
    fn from(message: MessageBody) -> Self {
        let (seq, value) = (Some(message.seq()), Some(ValueBody::Message(message)));
        Self { kind: "message", op: "put", survey: None, case: None, seq, value }
    }
}

/// Lists what changed for the asker: cases and, with the last page, every message not yet acknowledged.
#[utoipa::path(
    get, path = "/api/v1/sync/changes", tag = "sync", params(ChangesQuery),
    responses(
        (status = 200, description = "A page.", body = ChangesBody),
        (status = 409, description = "A service token holds no cases.", body = ProblemBody),
        (status = 410, description = "The cursor is of another database: ask without one.", body = ProblemBody),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    query: Query<ChangesQuery>,
) -> Result<HttpResponse, Problem> {
    let person = asker.0.actor.as_ref().and_then(|actor| actor.user.clone());
    let person = person.ok_or_else(|| Problem::of(&codes::WRONG_CREDENTIAL))?;
    let cursor = query.into_inner().cursor;
    let work = move |shared: &Shared| {
        let ids = asker.0.ids(&shared.database)?;
        changes(&shared.database, &shared.instruments, (&person, &ids), cursor.as_deref())
    };
    let Changes { cursor, has_more, changes, messages } = call(&shared, work).await?;
    let messages = messages.into_iter().map(MessageBody::from).map(ChangeBody::from);
    let changes = changes.into_iter().map(ChangeBody::from).chain(messages).collect();
    packing::json(&request, &ChangesBody { cursor, has_more, changes })
}
