//! Downloads of whole bundles and of the de-identified file.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use serde_json::json;

use super::{
    Problem, Shared, codes,
    content::Source,
    deliver::{Parcel, PurposeQuery, Tier, deliver},
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
    releases::succeeded,
};
use crate::{
    disclosure::{MICRODATA_FILE, MICRODATA_TRANSFORM, deidentified},
    evidence::sha256_hex,
    export::PERSONS_FILE,
    server::{Refusal, bundles::archive_of},
};

/// A run's bundle as one tar archive: everything to compute it again, signed. The same bytes each time.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/bundle", tag = "runs",
    params(("id" = String, Path, description = "The run."), PurposeQuery),
    responses(
        (status = 200, description = "The archive; `X-Content-Sha256` and `ETag` carry its SHA-256.", body = String, content_type = "application/x-tar"),
        (status = 206, description = "The part that `Range` asked for.", body = String, content_type = "application/x-tar"),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded, or its end is not signed yet.", body = ProblemBody),
        (status = 422, description = "It is not said what it is for.", body = ProblemBody),
    )
)]
pub(super) async fn bundle(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    purpose: Query<PurposeQuery>,
) -> Result<HttpResponse, Problem> {
    let run = succeeded(run)?;
    let purpose = purpose.into_inner().for_tier(Tier::A)?;
    let id = run.id.clone();
    let author = asker.0.author();
    let make = move |shared: &Shared| {
        // The end of a run is covered by a checkpoint soon after it; if none can be signed now, an older one may do.
        let _ = shared.notary.sign_now();
        archive_of(&shared.database, &shared.keys, &shared.clock, &run, &author)
    };
    let bundle = call(&shared, make).await?;
    let parcel = Parcel {
        object: format!("run/{id}/bundle.tar"),
        name: format!("scilit-run-{id}.tar"),
        content_type: "application/x-tar".to_owned(),
        source: Source::of_archive(bundle),
        tier: Tier::A,
        purpose,
        about: json!({}),
    };
    deliver(&request, &shared, &asker, parcel).await
}

/// A run's rows de-identified: at least five persons to each combination of what is known of them, coarse weights.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/microdata", tag = "runs",
    params(("id" = String, Path, description = "The run."), PurposeQuery),
    responses(
        (status = 200, description = "The file; `X-Content-Sha256` and `ETag` carry its SHA-256.", body = String, content_type = "text/csv"),
        (status = 206, description = "The part that `Range` asked for.", body = String, content_type = "text/csv"),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded, or has too few persons.", body = ProblemBody),
        (status = 422, description = "It is not said what it is for.", body = ProblemBody),
    )
)]
pub(super) async fn microdata(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
    purpose: Query<PurposeQuery>,
) -> Result<HttpResponse, Problem> {
    let run = succeeded(run)?;
    let purpose = purpose.into_inner().for_tier(Tier::B)?;
    let id = run.id.clone();
    let make = move |shared: &Shared| {
        let Some(file) = shared.database.run_file(&run.id, PERSONS_FILE)? else { return Ok(None) };
        let made = deidentified(&file.content);
        Ok::<_, Refusal>(Some(made.map(|bytes| (file.sha256, sha256_hex(&bytes), bytes))))
    };
    let made = call(&shared, make).await?.ok_or_else(|| Problem::of(&codes::NOT_FOUND))?;
    let (from, sha256, bytes) = made.map_err(|error| Problem::of(&codes::NOT_RELEASABLE).because(error.to_string()))?;
    let parcel = Parcel {
        object: format!("run/{id}/{MICRODATA_FILE}"),
        name: MICRODATA_FILE.to_owned(),
        content_type: "text/csv; charset=utf-8".to_owned(),
        source: Source::of_bytes(bytes, sha256),
        tier: Tier::B,
        purpose,
        about: json!({ "derived_from": from, "transform": MICRODATA_TRANSFORM }),
    };
    deliver(&request, &shared, &asker, parcel).await
}
