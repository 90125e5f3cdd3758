//! Other forms of a run's persons' file: made when they are first asked for, kept, never made twice.

use std::{
    io::{BufWriter, Read, Seek, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::{Clock, Refusal, secrets::hex};
use crate::{
    export::{
        PERSONS_FILE, RESULTS_FILE,
        bundle::{PROFILE_FILE, QUESTIONNAIRE_FILE, REGIONS_FILE},
        formats::{Format, FormatError, FormatSources, write_format},
    },
    storage::{Author, Database, KeptFile, Run, RunFileHead},
};

/// Makes forms, one at a time. Cloning shares the place.
#[derive(Debug, Clone, Default)]
pub struct Formats(Arc<Mutex<()>>);

impl Formats {
    /// The form of this run; made and logged if this is the first time. None where the run's files are not those that
    /// a form is made from.
    ///
    /// # Errors
    /// `Stored` when the run's files cannot be read as such.
    pub fn of(
        &self,
        database: &Database,
        clock: &Clock,
        run: &Run,
        format: Format,
        by: &Author,
    ) -> Result<Option<KeptFile>, Refusal> {
        let kept =
            || Ok::<_, Refusal>(database.run_formats(&run.id)?.into_iter().find(|one| one.name == format.file_name()));
        if let Some(kept) = kept()? {
            return Ok(Some(kept));
        }
        // Whoever waited here finds what the other made.
        let _one_at_a_time = self.0.lock();
        if let Some(kept) = kept()? {
            return Ok(Some(kept));
        }
        let Some(made) = make(database, run, format)? else { return Ok(None) };
        Ok(Some(database.add_run_format(made, by, clock.now_ms())?))
    }

    /// The forms that a run with these files can be had in.
    #[must_use]
    pub fn possible(files: &[RunFileHead]) -> Vec<Format> {
        let has = |name: &str| files.iter().any(|file| file.name == name);
        let all = [PERSONS_FILE, QUESTIONNAIRE_FILE, PROFILE_FILE, RESULTS_FILE].into_iter().all(has);
        if all { Format::ALL.to_vec() } else { Vec::new() }
    }
}

/// Through a file without a name: some forms are only whole at the end, and none may be in memory.
fn make(database: &Database, run: &Run, format: Format) -> Result<Option<KeptFile>, Refusal> {
    if Formats::possible(&database.run_files(&run.id)?).is_empty() {
        return Ok(None);
    }
    let bytes = |name: &str| Ok::<_, Refusal>(database.run_file(&run.id, name)?.map(|file| file.content));
    let (questionnaire, profile) = (bytes(QUESTIONNAIRE_FILE)?, bytes(PROFILE_FILE)?);
    let (results, regions) = (bytes(RESULTS_FILE)?, bytes(REGIONS_FILE)?);
    let persons = database.kept_run_file(&run.id, PERSONS_FILE)?;
    let (Some(questionnaire), Some(profile), Some(results), Some(persons)) = (questionnaire, profile, results, persons)
    else {
        return Ok(None);
    };
    let sources = FormatSources {
        questionnaire: &questionnaire,
        profile: &profile,
        regions: regions.as_deref(),
        results: &results,
        persons_sha256: &persons.sha256,
    };
    let faulty = |error: FormatError| Refusal::Stored { what: "run", message: format!("{}: {error}", run.id) };
    let mut file = tempfile::tempfile().map_err(|error| faulty(error.into()))?;
    let mut out = BufWriter::new(&mut file);
    write_format(format, &sources, &mut || Ok(persons.open(database)), &mut out).map_err(faulty)?;
    out.flush().map_err(|error| faulty(error.into()))?;
    drop(out);
    let sha256 = digest(&mut file).map_err(|error| faulty(error.into()))?;
    file.rewind().map_err(|error| faulty(error.into()))?;
    let bytes = database.keep_content(&sha256, &mut file)?;
    Ok(Some(KeptFile {
        run_id: run.id.clone(),
        name: format.file_name().to_owned(),
        content_type: format.content_type().to_owned(),
        sha256,
        bytes,
        content: None,
    }))
}

fn digest(file: &mut std::fs::File) -> std::io::Result<String> {
    file.rewind()?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&block[..n]),
        }
    }
}
