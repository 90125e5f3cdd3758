//! Releasing a run: its public document is made, one person asks for its release, another confirms, and it stands.

use std::collections::BTreeMap;

use super::{Actor, Clock, Refusal, jobs::RunRequest};
use crate::{
    disclosure::{Earlier, ReleasedCell, Rules, release},
    evidence::sha256_hex,
    export::{INDICATOR_FILE, PERSONS_FILE, RESULTS_FILE, public_indicator_csv},
    indicator::results::Results,
    storage::{Author, Database, Run, StorageError, StoredRelease},
};

/// Why a run is not released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseRefusal {
    /// It is public.
    #[error("release the run: it is public already")]
    Already,
    /// Nobody asked.
    #[error("confirm the release: nobody asked for it")]
    NotRequested,
    /// Something else became public meanwhile, and the release would be another.
    #[error("confirm the release: it would be another now")]
    Changed,
    /// Whoever asked, or started the run, cannot confirm.
    #[error("confirm the release: another person must")]
    SamePerson,
    /// The run cannot be made public.
    #[error("release the run: {0}")]
    NotReleasable(String),
}

/// Files of a run that everybody may read once it is released.
pub const PUBLIC_FILES: [&str; 2] = [INDICATOR_FILE, RESULTS_FILE];

/// A public file of a release: digest and bytes.
#[must_use]
pub fn public_file(release: StoredRelease, name: &str) -> Option<(String, &'static str, Vec<u8>)> {
    match name {
        RESULTS_FILE => Some((release.sha256, "application/json", release.results)),
        INDICATOR_FILE => Some((release.indicator_sha256, "text/csv; charset=utf-8", release.indicator)),
        _ => None,
    }
}

/// Makes the release of the run and keeps it until another person confirms it.
///
/// # Errors
/// `Already`; `NotReleasable` when its files are not those of this version or the whole tells what must be withheld.
pub fn request_release(database: &Database, clock: &Clock, run: &Run, by: &Author) -> Result<StoredRelease, Refusal> {
    let new = StoredRelease { requested_by: by.id.clone(), requested_at_ms: clock.now_ms(), ..made(database, run)? };
    if !database.request_release(&new, by)? {
        return Err(ReleaseRefusal::Already.into());
    }
    Ok(new)
}

/// Makes public what another person asked to.
///
/// # Errors
/// `NotRequested`; `Changed` when another release since then makes this one another; `SamePerson`.
pub fn confirm_release(
    database: &Database,
    clock: &Clock,
    run: &Run,
    by: &Actor,
    ids: &[String],
) -> Result<StoredRelease, Refusal> {
    let waiting = database.release(&run.id)?.ok_or(ReleaseRefusal::NotRequested)?;
    if waiting.is_public() {
        return Err(ReleaseRefusal::Already.into());
    }
    if ids.contains(&run.requested_by) {
        return Err(ReleaseRefusal::SamePerson.into());
    }
    let now = made(database, run)?;
    if (&now.sha256, &now.indicator_sha256) != (&waiting.sha256, &waiting.indicator_sha256) {
        return Err(ReleaseRefusal::Changed.into());
    }
    match database.confirm_release(&run.id, &now.sha256, &by.author(), ids, clock.now_ms()) {
        Ok(Some(release)) => Ok(release),
        Ok(None) => Err(ReleaseRefusal::NotRequested.into()),
        Err(StorageError::SamePerson) => Err(ReleaseRefusal::SamePerson.into()),
        Err(error) => Err(error.into()),
    }
}

/// The cells behind a release.
///
/// # Errors
/// `Stored` when they cannot be read.
pub fn cells_of(release: &StoredRelease) -> Result<BTreeMap<String, ReleasedCell>, Refusal> {
    serde_json::from_slice(&release.cells)
        .map_err(|error| Refusal::Stored { what: "release", message: error.to_string() })
}

fn made(database: &Database, run: &Run) -> Result<StoredRelease, Refusal> {
    let not = |reason: &str| ReleaseRefusal::NotReleasable(reason.to_owned());
    let file = |name: &str| -> Result<Vec<u8>, Refusal> {
        let file = database.run_file(&run.id, name)?.ok_or_else(|| not(&format!("缺少文件 {name}")))?;
        Ok(file.content)
    };
    let results: Results =
        serde_json::from_slice(&file(RESULTS_FILE)?).map_err(|_| not("结果由旧版本算出，须重新测算"))?;
    let rows = file(PERSONS_FILE)?;
    let same_survey = database.public_releases_of(&run.survey_id, &run.id)?;
    let earlier = Earlier {
        same_survey: same_survey.iter().map(cells_of).collect::<Result<_, _>>()?,
        wave: wave_of(database, run)?,
    };
    let rules = Rules::default();
    let made = release(&results, &rows, &earlier, &rules).map_err(|error| not(&error.to_string()))?;
    let json = |value: serde_json::Result<Vec<u8>>| {
        value.map_err(|error| Refusal::Stored { what: "release", message: error.to_string() })
    };
    let public = json(serde_json::to_vec(&made.public))?;
    let indicator = public_indicator_csv(&made.public);
    Ok(StoredRelease {
        run_id: run.id.clone(),
        survey_id: run.survey_id.clone(),
        rules: rules.version,
        sha256: sha256_hex(&public),
        results: public,
        indicator_sha256: sha256_hex(&indicator),
        indicator,
        cells: json(serde_json::to_vec(&made.cells))?,
        requested_by: String::new(),
        requested_at_ms: 0,
        confirmed_by: None,
        confirmed_at_ms: None,
    })
}

/// The public document of the run that this one is compared with.
fn wave_of(database: &Database, run: &Run) -> Result<Option<Results>, Refusal> {
    let request: Option<RunRequest> = serde_json::from_str(&run.request).ok();
    let Some(earlier) = request.and_then(|request| request.earlier) else { return Ok(None) };
    let release = database.release(&earlier.run)?.filter(StoredRelease::is_public);
    Ok(release.and_then(|release| serde_json::from_slice(&release.results).ok()))
}
