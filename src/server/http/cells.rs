//! From a cell of a table to the interviews behind it.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Problem, Shared,
    audited::log_reading,
    codes,
    deliver::{PurposeQuery, Tier},
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
    releases::succeeded,
    responses::{page_rows, rows},
};
use crate::{
    export::{
        PERSONS_FILE, RESULTS_FILE,
        bundle::{ANSWERS_FILE, PROFILE_FILE, QUESTIONNAIRE_FILE},
        trail::{Trail, TrailFault, TrailFiles, trail},
    },
    indicator::{Label, response_pseudonym, results::Results},
    instrument::{Questionnaire, ScoringProfile},
    server::Refusal,
    storage::{Database, KeptFile, Run},
};

/// Which interviews of the cell, and what for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CellQuery {
    /// What they are looked at for; nothing is told without it.
    #[serde(default)]
    #[param(max_length = 500)]
    purpose: Option<String>,
    /// Rows at most, 1 to 200.
    #[serde(default = "page_rows")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
}

/// One interview behind a cell.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TracedBody {
    /// Its pseudonymous id in the run's files.
    id: String,
    /// The submission; null where the server has it no more.
    submission: Option<String>,
    /// Its final weight.
    weight: f64,
    /// What it adds to the figure: 1 or 0 where that is a share, points where it is a mean.
    value: f64,
}

/// What the results tell of a cell.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ToldBody {
    n: usize,
    /// Null in tables of scores and items, which have none.
    population: Option<f64>,
    estimate: Option<f64>,
}

/// A page of the interviews behind a cell, with their sums over all pages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CellBody {
    run: String,
    survey: String,
    table: String,
    cell: String,
    #[schema(value_type = Vec<Object>)]
    labels: Vec<Label>,
    /// As the results have it.
    told: ToldBody,
    /// Interviews listed over all pages; equal to `told.n`.
    n: usize,
    /// Σ weight; equal to `told.population` where there is one.
    weight: f64,
    /// Σ weight × value over Σ weight; equal to `told.estimate`.
    figure: Option<f64>,
    interviews: Vec<TracedBody>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// Lists the interviews behind one cell of a run's tables. That they were looked at, by whom and what for, is logged first.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/cells/{table}/{cell}/interviews", tag = "runs",
    params(
        ("id" = String, Path, description = "The run."),
        ("table" = String, Path, description = "A table of the results, or `tier`, `score_band`, `score`, `dimension`, `item`."),
        ("cell" = String, Path, description = "The levels of the cell in the table's order, with commas between; `all` where there is one cell only."),
        CellQuery,
    ),
    responses(
        (status = 200, description = "A page.", body = CellBody),
        (status = 404, description = "No such run, table or cell.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded.", body = ProblemBody),
        (status = 422, description = "It is not said what it is for.", body = ProblemBody),
    )
)]
pub(super) async fn interviews(
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    path: Path<(String, String, String)>,
    query: Query<CellQuery>,
) -> Result<HttpResponse, Problem> {
    let run = succeeded(run)?;
    let CellQuery { purpose, limit, after } = query.into_inner();
    let rows_max = usize::try_from(rows(limit)?).unwrap_or(0);
    let purpose = PurposeQuery::saying(purpose).for_tier(Tier::A)?;
    let (_, table, cell) = path.into_inner();
    let work = move |shared: &Shared| {
        let Some(found) = traced(&shared.database, &run, &table, &cell)? else { return Ok(None) };
        let detail =
            json!({ "table": table, "cell": cell, "n": found.interviews.len(), "after": after, "purpose": purpose });
        log_reading(shared, &asker.0, "run.trace", format!("run/{}", run.id), detail)?;
        let page: Vec<_> = found.interviews.iter().filter(|one| one.id > after).take(rows_max).collect();
        let wanted: BTreeSet<&str> = page.iter().map(|one| one.id.as_str()).collect();
        let ids = submissions(&shared.database, &run.survey_id, &wanted)?;
        let next = page.last().filter(|_| page.len() == rows_max).map(|last| last.id.clone());
        let interviews = page.into_iter().map(|one| TracedBody {
            id: one.id.clone(),
            submission: ids.get(&one.id).cloned(),
            weight: one.weight,
            value: one.value,
        });
        let interviews = interviews.collect();
        let told = ToldBody { n: found.n, population: found.population, estimate: found.estimate };
        let (n, weight, figure) = (found.interviews.len(), found.weight(), found.figure());
        let (run, survey, labels) = (run.id, run.survey_id, found.labels);
        Ok(Some(CellBody { run, survey, table, cell, labels, told, n, weight, figure, interviews, next }))
    };
    let body = call(&shared, work).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body))
}

fn traced(database: &Database, run: &Run, table: &str, cell: &str) -> Result<Option<Trail>, Refusal> {
    let faulty = |message: String| Refusal::Stored { what: "run", message: format!("{}: {message}", run.id) };
    let file = |name: &str| {
        let found = database.kept_run_file(&run.id, name)?;
        found.ok_or_else(|| faulty(format!("there is no {name}")))
    };
    let text = |name: &str| {
        let bytes = database.run_file(&run.id, name)?.ok_or_else(|| faulty(format!("there is no {name}")))?.content;
        String::from_utf8(bytes).map_err(|error| faulty(format!("{name}: {error}")))
    };
    let results: Results = serde_json::from_str(&text(RESULTS_FILE)?).map_err(|error| faulty(error.to_string()))?;
    let profile = ScoringProfile::from_toml(PROFILE_FILE, &text(PROFILE_FILE)?);
    let questionnaire = Questionnaire::from_canonical_json(&text(QUESTIONNAIRE_FILE)?);
    let open = |kept: KeptFile| kept.open(database);
    let files = TrailFiles {
        results: &results,
        profile: &profile.map_err(|error| faulty(error.to_string()))?,
        questionnaire: &questionnaire.map_err(|error| faulty(error.to_string()))?,
        persons: open(file(PERSONS_FILE)?),
        answers: open(file(ANSWERS_FILE)?),
    };
    match trail(files, table, cell) {
        Ok(found) => Ok(Some(found)),
        Err(TrailFault::NoCell) => Ok(None),
        Err(error) => Err(faulty(error.to_string())),
    }
}

/// The submissions behind these pseudonymous ids. The way back is not kept anywhere: it is made of the survey's ids each time.
fn submissions(
    database: &Database,
    survey_id: &str,
    wanted: &BTreeSet<&str>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let named = |id: String| Some((response_pseudonym(&Uuid::parse_str(&id).ok()?), id));
    let all = database.interview_ids(survey_id)?.into_iter().filter_map(named);
    Ok(all.filter(|(pseudonym, _)| wanted.contains(pseudonym.as_str())).collect())
}
