//! `scilit score`: from a questionnaire, a profile and submissions to scores, all from files.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use uuid::Uuid;

use super::questionnaire::{read_profile, read_questionnaire};
use crate::instrument::{Outcome, Questionnaire, Response, Score, ScoringProfile, Submission, score_all};

/// Score submissions from files, without a server
///
/// Writes one CSV row a response, sorted by case: score, points by dimension, tier, verdict, counts, and the
/// questionnaire's analysis columns. A fault in any submission stops the command after all faults are listed.
#[derive(Debug, Args)]
pub struct ScoreArguments {
    /// The questionnaire file (TOML)
    #[arg(long, short)]
    questionnaire: PathBuf,
    /// The scoring profile file (TOML)
    #[arg(long, short)]
    profile: PathBuf,
    /// The submissions, one JSON document a line
    #[arg(long, short)]
    responses: PathBuf,
    /// Where to write the scores; to the standard output when absent
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Score the sound submissions although others have faults
    #[arg(long)]
    skip_faulty: bool,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or written, a questionnaire or profile with faults, a profile that does not fit, or
/// faulty submissions.
pub fn run(arguments: ScoreArguments) -> anyhow::Result<()> {
    let questionnaire = read_questionnaire(&arguments.questionnaire)??;
    let profile = read_profile(&arguments.profile)??;
    profile.check_fit(&questionnaire)?;
    let place = arguments.responses.display().to_string();
    let lines = std::fs::read(&arguments.responses).with_context(|| format!("failed to read {place}"))?;
    let Accepted { responses, faults, n_faulty } = accept_lines(&questionnaire, &place, &lines);
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    if n_faulty > 0 && !arguments.skip_faulty {
        bail!("{n_faulty} faulty submission(s); nothing was written (--skip-faulty scores the others)");
    }
    let outcomes = score_all(&questionnaire, &profile, &responses);
    let table = table(&questionnaire, &profile, &responses, &outcomes)?;
    match &arguments.out {
        Some(path) => write_whole(path, &table)?,
        None => std::io::stdout().write_all(&table).context("failed to write the scores")?,
    }
    let scored = outcomes.iter().filter(|outcome| outcome.score().is_some()).count();
    eprintln!("{} responses, {scored} scored by {} version {}", responses.len(), profile.id(), profile.version());
    Ok(())
}

struct Accepted {
    /// By case, then by id.
    responses: Vec<Response>,
    faults: Vec<String>,
    n_faulty: usize,
}

/// Accepts every line; of several revisions of one submission the last counts.
fn accept_lines(questionnaire: &Questionnaire, place: &str, bytes: &[u8]) -> Accepted {
    let mut latest: BTreeMap<Uuid, Response> = BTreeMap::new();
    let (mut faults, mut n_faulty) = (Vec::new(), 0);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (i, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let at = format!("{place}:{}", i + 1);
        let accepted = Submission::parse(line).and_then(|submission| Response::accept(questionnaire, &submission));
        match accepted {
            Err(found) => {
                n_faulty += 1;
                faults.extend(found.iter().map(|fault| format!("{at}: {fault}")));
            }
            Ok(response) if latest.get(&response.id).is_some_and(|other| other.rev == response.rev) => {
                n_faulty += 1;
                faults.push(format!("{at}: submission {} revision {} stands twice", response.id, response.rev));
            }
            Ok(response) if latest.get(&response.id).is_some_and(|other| other.rev > response.rev) => {}
            Ok(response) => {
                latest.insert(response.id, response);
            }
        }
    }
    let mut responses: Vec<Response> = latest.into_values().collect();
    responses.sort_by(|a, b| (a.case.as_bytes(), a.id).cmp(&(b.case.as_bytes(), b.id)));
    Accepted { responses, faults, n_faulty }
}

fn table(
    questionnaire: &Questionnaire,
    profile: &ScoringProfile,
    responses: &[Response],
    outcomes: &[Outcome],
) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let dimensions = &profile.definition().dimensions;
    let mut header = ["case_id", "response_id", "rev", "profile", "score"].map(str::to_owned).to_vec();
    header.extend(dimensions.iter().map(|dimension| format!("score_{}", dimension.code)));
    header.extend(["tier", "literate", "right", "wrong", "dont_know", "missing", "not_scored"].map(str::to_owned));
    header.extend(questionnaire.classifications().iter().map(|column| column.id.clone()));
    out.write_record(&header)?;
    let name = format!("{} {}", profile.id(), profile.version());
    for (response, outcome) in responses.iter().zip(outcomes) {
        let id = response.id.to_string();
        let mut row = vec![response.case.clone(), id, response.rev.to_string(), name.clone()];
        row.extend(match outcome {
            Outcome::Scored(score) => scored_fields(score),
            // Absent numbers are empty fields, never zeros: score, dimensions, tier, verdict and four counts.
            Outcome::NotScored(reason) => {
                let empty = std::iter::repeat_n(String::new(), 1 + dimensions.len() + 6);
                empty.chain([reason.to_string()]).collect()
            }
        });
        let mut columns = questionnaire.classify(response);
        let categories = questionnaire.classifications().iter().map(|column| columns.remove(&column.id).flatten());
        row.extend(categories.map(Option::unwrap_or_default));
        out.write_record(&row)?;
    }
    out.into_inner().map_err(|error| anyhow::anyhow!("failed to write the scores: {error}"))
}

fn scored_fields(score: &Score) -> Vec<String> {
    let mut fields = vec![score.points.to_string()];
    fields.extend(score.dimensions.iter().map(|dimension| dimension.points.to_string()));
    fields.push(score.tier.clone().unwrap_or_default());
    fields.push(u8::from(score.literate).to_string());
    let counts = [score.n_right, score.n_wrong, score.n_dont_know, score.n_missing];
    fields.extend(counts.map(|n| n.to_string()));
    fields.push(String::new());
    fields
}

/// Writes a file whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    written.with_context(|| format!("failed to write {}", path.display()))
}
