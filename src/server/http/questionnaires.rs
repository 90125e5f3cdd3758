//! Publishing questionnaires and fetching forms.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Serialize;

use super::{
    Problem, Shared, codes,
    extract::{Asker, ImportedText, TOML_KIB_MAX, call},
    packing,
    problem::ProblemBody,
};
use crate::{
    server::{judge_again, publish as publish_call},
    storage::{Publication, StoredQuestionnaire},
};

/// A form never changes under its hash.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A published version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QuestionnaireBody {
    hash: String,
    id: String,
    version: String,
    title: String,
    published_at_ms: i64,
}

impl From<StoredQuestionnaire> for QuestionnaireBody {
    fn from(row: StoredQuestionnaire) -> Self {
        let StoredQuestionnaire { hash, id, version, title, published_at_ms, .. } = row;
        Self { hash, id, version, title, published_at_ms }
    }
}

/// Every published version, in the order of id and version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QuestionnairesBody {
    questionnaires: Vec<QuestionnaireBody>,
}

/// Publishes the questionnaire file in the body.
#[utoipa::path(
    post, path = "/api/v1/questionnaires", tag = "questionnaires",
    request_body(content = String, content_type = "application/toml", description = "The questionnaire file."),
    responses(
        (status = 201, description = "Published.", body = QuestionnaireBody),
        (status = 200, description = "This very version was published before.", body = QuestionnaireBody),
        (status = 409, description = "The id and version are published with other content.", body = ProblemBody),
        (status = 422, description = "Every fault of the file with line and item.", body = ProblemBody),
    )
)]
pub(super) async fn publish(
    shared: Data<Shared>,
    asker: Asker,
    file: ImportedText<TOML_KIB_MAX>,
) -> Result<HttpResponse, Problem> {
    let (publication, row) = call(&shared, move |shared| {
        let published =
            publish_call(&shared.database, "questionnaire.toml", &file.text, &asker.0.author(), &shared.clock)?;
        judge_again(&shared.database, &shared.instruments, &shared.clock)?;
        Ok(published)
    })
    .await?;
    let mut answer = if publication == Publication::New { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(QuestionnaireBody::from(row)))
}

/// Lists the published versions.
#[utoipa::path(
    get, path = "/api/v1/questionnaires", tag = "questionnaires",
    responses((status = 200, description = "The versions.", body = QuestionnairesBody))
)]
pub(super) async fn list(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let rows = call(&shared, |shared| Ok(shared.database.questionnaires()?)).await?;
    let questionnaires = rows.into_iter().map(QuestionnaireBody::from).collect();
    Ok(HttpResponse::Ok().json(QuestionnairesBody { questionnaires }))
}

/// The form of a version: everything a tablet needs to ask, and no scoring key.
#[utoipa::path(
    get, path = "/api/v1/instruments/{hash}", tag = "questionnaires",
    params(("hash" = String, Path, description = "Hash of the version.")),
    responses(
        (status = 200, description = "The form.", body = Object),
        (status = 304, description = "The client has it."),
        (status = 404, description = "No such version.", body = ProblemBody),
    )
)]
pub(super) async fn form(
    request: HttpRequest,
    shared: Data<Shared>,
    hash: Path<String>,
) -> Result<HttpResponse, Problem> {
    let hash = hash.into_inner();
    let wanted = hash.clone();
    let found = call(&shared, move |shared| shared.instruments.get(&shared.database, &wanted)).await?;
    let questionnaire = found.ok_or_else(|| Problem::of(&codes::NOT_FOUND_INSTRUMENT))?;
    let form = questionnaire.form_json().into_bytes();
    Ok(packing::tagged(&request, &hash, FOR_EVER, "application/json", form))
}
