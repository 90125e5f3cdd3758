//! The outlines of a survey's districts: checked against the survey, then put.

use std::collections::BTreeSet;

use super::{Clock, Fault, Refusal, Text};
use crate::{
    evidence::sha256_hex,
    indicator::{
        Label,
        files::{OutlineFault, Outlines, Regions},
    },
    storage::{Author, Database, FileKind, NewMap, Survey},
};

/// Outlines that may be put.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedMap {
    /// The digest of the form in which they are kept.
    pub sha256: String,
    /// Whether these very outlines are in force.
    pub is_in_force: bool,
    /// The outlines.
    pub outlines: Outlines,
    /// Code and name of each district without one.
    pub missing: Vec<(String, Label)>,
    content: String,
}

/// Checks outlines for a survey whole and changes nothing.
///
/// # Errors
/// `Faults` with every fault and its place; also when it is not known yet which districts the survey has.
pub fn check_map(database: &Database, survey: &Survey, text: &str) -> Result<CheckedMap, Refusal> {
    let regions = regions(database, survey)?;
    let districts = districts(database, survey, &regions)?;
    if districts.is_empty() {
        let text = Text::new("请先导入区、县（市）文件或样本文件", "import the regions or the sample first");
        return Err(Refusal::Faults(vec![Fault::new("no-districts", text).at("")]));
    }
    let outlines = Outlines::parse(text, &districts).map_err(faults)?;
    let content = outlines.canonical();
    let sha256 = sha256_hex(content.as_bytes());
    let current = database.map_head(&survey.id)?;
    let missing = outlines.missing(&districts).into_iter().map(|code| (code.to_owned(), regions.name(code))).collect();
    Ok(CheckedMap { is_in_force: current.is_some_and(|map| map.sha256 == sha256), sha256, outlines, missing, content })
}

/// Checks outlines as [`check_map`] does and puts them; their version and whether it is new.
///
/// # Errors
/// `Faults`; then the survey is as it was.
pub fn put_map(
    database: &Database,
    survey: &Survey,
    text: &str,
    by: &Author,
    clock: &Clock,
) -> Result<(i32, bool, CheckedMap), Refusal> {
    let checked = check_map(database, survey, text)?;
    let (sha256, content) = (checked.sha256.as_str(), checked.content.as_bytes());
    let (version, is_new) =
        database.put_map(&survey.id, NewMap { sha256, content, received_at_ms: clock.now_ms(), by })?;
    Ok((version, is_new, checked))
}

fn regions(database: &Database, survey: &Survey) -> Result<Regions, Refusal> {
    let Some(file) = database.survey_file(&survey.id, FileKind::Regions)? else { return Ok(Regions::default()) };
    let stored =
        |error: crate::indicator::files::FileFaults| Refusal::Stored { what: "regions", message: error.to_string() };
    Regions::parse("regions.csv", &file.content).map_err(stored)
}

/// Those of the sample, as the results name them; before there is one, the regions that contain no other.
fn districts(database: &Database, survey: &Survey, regions: &Regions) -> Result<BTreeSet<String>, Refusal> {
    let sampled = database.sample_districts(&survey.id)?;
    if !sampled.is_empty() {
        return Ok(sampled.into_iter().collect());
    }
    let all = regions.regions.values();
    let parents: BTreeSet<&str> = all.clone().filter_map(|region| region.parent.as_deref()).collect();
    let leaves = all.filter(|region| region.parent.is_some() && !parents.contains(region.code.as_str()));
    Ok(leaves.map(|region| region.code.clone()).collect())
}

fn faults(faults: Vec<OutlineFault>) -> Refusal {
    let fault = |OutlineFault { pointer, line, code, message_zh, message_en }: OutlineFault| Fault {
        line,
        ..Fault::new(code, Text::new(message_zh, message_en)).at(&pointer)
    };
    Refusal::Faults(faults.into_iter().map(fault).collect())
}
