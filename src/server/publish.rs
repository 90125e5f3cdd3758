//! Publishing a questionnaire: the file is checked whole, then its version stands for ever.

use super::{Clock, Refusal, instruments};
use crate::storage::{Author, Database, Publication, StoredQuestionnaire};

/// Checks the file and publishes the version it defines; the same version again changes nothing.
///
/// # Errors
/// `Faults` with every fault of the file, or `VersionTaken` when the id and version are published with other content.
pub fn publish(
    database: &Database,
    file: &str,
    source: &str,
    by: &Author,
    clock: &Clock,
) -> Result<(Publication, StoredQuestionnaire), Refusal> {
    let questionnaire = instruments::read_questionnaire(file, source).map_err(Refusal::Faults)?;
    let row = StoredQuestionnaire {
        hash: questionnaire.hash().to_owned(),
        id: questionnaire.id().to_owned(),
        version: questionnaire.version().to_owned(),
        title: questionnaire.title("zh-CN").to_owned(),
        canonical: questionnaire.canonical_json().to_owned(),
        source: source.to_owned(),
        published_at_ms: clock.now_ms(),
        published_by: by.id.clone(),
    };
    let publication = database.publish_questionnaire(&row, by)?;
    // Published before, the version keeps the day and the person of its first publication.
    let stored = database.questionnaire(&row.hash)?;
    Ok((publication, stored.unwrap_or(row)))
}
