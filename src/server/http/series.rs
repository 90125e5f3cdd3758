//! The waves that a run stands in: the chain of runs, each compared with the one before.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    Problem, Shared, codes,
    extract::{Asker, AtRun, call},
    packing,
    problem::ProblemBody,
    releases::succeeded,
};
use crate::{
    export::RESULTS_FILE,
    indicator::series::{RunOfWave, Series},
    server::{Refusal, jobs::RunRequest},
    storage::{Run, StoredRelease},
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
pub(super) async fn show(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
) -> Result<HttpResponse, Problem> {
    let run = succeeded(run)?;
    let is_public = asker.0.is_public_reader();
    let series = call(&shared, move |shared| Ok(Series::of(chain(shared, run, is_public)?))).await?;
    packing::json(&request, &series.ok_or_else(|| Problem::of(&codes::INTERNAL))?)
}

/// The run and those before it, the newest first; of one survey only its newest. Everybody has the released ones as they were
/// released.
fn chain(shared: &Shared, newest: Run, is_public: bool) -> Result<Vec<RunOfWave>, Refusal> {
    let mut chain: Vec<RunOfWave> = Vec::new();
    let mut next = Some(newest);
    let mut steps = 0;
    while let Some(run) = next.take().filter(|_| steps < WAVES_MAX) {
        steps += 1;
        let request: Option<RunRequest> = serde_json::from_str(&run.request).ok();
        let earlier = request.and_then(|request| request.earlier);
        if let Some(wave) = wave(shared, &run, is_public)?
            && !chain.iter().any(|known| known.results.survey.code == wave.results.survey.code)
        {
            chain.push(wave);
        }
        next = earlier.map(|earlier| shared.database.run(&earlier.run)).transpose()?.flatten();
    }
    Ok(chain)
}

fn wave(shared: &Shared, run: &Run, is_public: bool) -> Result<Option<RunOfWave>, Refusal> {
    let content = if is_public {
        shared.database.release(&run.id)?.filter(StoredRelease::is_public).map(|release| release.results)
    } else {
        shared.database.run_file(&run.id, RESULTS_FILE)?.map(|file| file.content)
    };
    let Some(content) = content else { return Ok(None) };
    let Some(survey) = shared.database.survey(&run.survey_id)? else { return Ok(None) };
    let results = serde_json::from_slice(&content)
        .map_err(|error| Refusal::Stored { what: "results", message: error.to_string() })?;
    let (fieldwork_from, fieldwork_to) = (survey.fieldwork_from, survey.fieldwork_to);
    Ok(Some(RunOfWave { run: run.id.clone(), fieldwork_from, fieldwork_to, results }))
}
