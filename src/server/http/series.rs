//! The waves that a run stands in: the chain of runs, each compared with the one before.

use actix_web::{HttpResponse, web::Data};

use super::{
    Problem, Shared, codes,
    extract::{AtRun, call},
    problem::ProblemBody,
};
use crate::{
    indicator::series::{RunOfWave, Series},
    server::{Refusal, jobs::RunRequest},
    storage::Run,
};

/// Waves of one place; a chain that is longer is cut at its early end.
const WAVES_MAX: usize = 30;

/// The run's waves: shares, gaps and their changes, the way to each target, and the published national results.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/series", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "The waves, the earliest first. A run that was compared with no earlier one is one wave.", body = Object),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "It has not succeeded (yet).", body = ProblemBody),
    )
)]
pub(super) async fn show(shared: Data<Shared>, run: AtRun) -> Result<HttpResponse, Problem> {
    match run.0.state.as_str() {
        "succeeded" => {}
        "failed" => return Err(Problem::of(&codes::RUN_FAILED).because(run.0.error.unwrap_or_default())),
        _ => return Err(Problem::of(&codes::RUN_NOT_FINISHED)),
    }
    let series = call(&shared, move |shared| Ok(Series::of(chain(shared, run.0)?))).await?;
    series.map(|series| HttpResponse::Ok().json(series)).ok_or_else(|| Problem::of(&codes::INTERNAL))
}

/// The run and those before it, the newest first; of one survey only its newest.
fn chain(shared: &Shared, newest: Run) -> Result<Vec<RunOfWave>, Refusal> {
    let mut chain: Vec<RunOfWave> = Vec::new();
    let mut next = Some(newest);
    let mut steps = 0;
    while let Some(run) = next.take().filter(|_| steps < WAVES_MAX) {
        steps += 1;
        let request: Option<RunRequest> = serde_json::from_str(&run.request).ok();
        let earlier = request.and_then(|request| request.earlier);
        if let Some(wave) = wave(shared, &run)?
            && !chain.iter().any(|known| known.results.survey.code == wave.results.survey.code)
        {
            chain.push(wave);
        }
        next = earlier.map(|earlier| shared.database.run(&earlier.run)).transpose()?.flatten();
    }
    Ok(chain)
}

fn wave(shared: &Shared, run: &Run) -> Result<Option<RunOfWave>, Refusal> {
    let Some(file) = shared.database.run_file(&run.id, "results.json")? else { return Ok(None) };
    let Some(survey) = shared.database.survey(&run.survey_id)? else { return Ok(None) };
    let results = serde_json::from_slice(&file.content)
        .map_err(|error| Refusal::Stored { what: "results", message: error.to_string() })?;
    let (fieldwork_from, fieldwork_to) = (survey.fieldwork_from, survey.fieldwork_to);
    Ok(Some(RunOfWave { run: run.id.clone(), fieldwork_from, fieldwork_to, results }))
}
