//! Downloads of whole bundles.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    Problem, Shared, answers,
    audited::intend_download,
    content::Source,
    extract::{Asker, AtRun, call},
    problem::ProblemBody,
    runs::must_have_succeeded,
};
use crate::server::bundles::archive_of;

/// A run's bundle as one tar archive: everything to compute it again, signed. The same bytes each time.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/bundle", tag = "runs", params(("id" = String, Path, description = "The run.")),
    responses(
        (status = 200, description = "The archive; `X-Content-Sha256` and `ETag` carry its SHA-256.", body = String, content_type = "application/x-tar"),
        (status = 206, description = "The part that `Range` asked for.", body = String, content_type = "application/x-tar"),
        (status = 404, description = "No such run.", body = ProblemBody),
        (status = 409, description = "The run has not succeeded, or its end is not signed yet.", body = ProblemBody),
    )
)]
pub(super) async fn bundle(
    request: HttpRequest,
    shared: Data<Shared>,
    asker: Asker,
    run: AtRun,
) -> Result<HttpResponse, Problem> {
    must_have_succeeded(&run.0)?;
    let id = run.0.id.clone();
    let author = asker.0.author();
    let make = move |shared: &Shared| {
        // The end of a run is covered by a checkpoint soon after it; if none can be signed now, an older one may do.
        let _ = shared.notary.sign_now();
        archive_of(&shared.database, &shared.keys, &shared.clock, &run.0, &author)
    };
    let bundle = call(&shared, make).await?;
    let sha256 = bundle.sha256.clone();
    if !answers::has_it(&request, &sha256) {
        let (object, sha256) = (format!("run/{id}/bundle.tar"), sha256.clone());
        call(&shared, move |shared| intend_download(shared, &asker.0, object, &sha256)).await?;
    }
    let mut answer = answers::ranged(&request, &shared.database, "application/x-tar", Source::of_archive(bundle));
    answers::name_attachment(&mut answer, &format!("scilit-run-{id}.tar"), &sha256);
    Ok(answer)
}
