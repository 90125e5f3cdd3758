//! The engine on a bundle: scoring, weights, estimates and files once more, from what the bundle holds.

use std::collections::BTreeMap;

use csv::{Reader, StringRecord, Writer};
use rayon::prelude::*;

use super::{
    ANSWERS_FILE, BundleFault, BundleFiles, EARLIER_CASES_FILE, EARLIER_PLAN_FILE, EARLIER_RESULTS_FILE, FaultKind,
    INPUTS_FILE, InputDigests, MARGINS_FILE, PROFILE_FILE, QUESTIONNAIRE_FILE, QUESTIONNAIRE_SOURCE_FILE, REGIONS_FILE,
    TARGETS_FILE, fault,
    manifest::{bytes, json, text},
};
use crate::{
    evidence::sha256_hex,
    export::{RESULTS_FILE, run_files},
    indicator::{
        self, EarlierWave, RowIds, RunOptions, SampleRelation, SurveyInputs,
        files::{Margins, RESERVE_RANK, Regions, Sample, Targets},
        plan::{CASES_FILE, DISPOSITION},
        results::Results,
    },
    instrument::{Disposition, NOT_ATTEMPTED, Questionnaire, Response, ScoringProfile, coded_columns},
    statistics::{DataTable, Plan},
};

/// Name and version of this engine.
const ENGINE: &str = concat!("scilit ", env!("CARGO_PKG_VERSION"));

/// Computes the run again and compares every file with the bundle's, byte for byte; how many were equal.
///
/// # Errors
/// `Policy` when another engine made it, `Recomputation` with the first file that differs, `Contents` when the
/// bundle cannot be computed from.
pub fn recompute(files: &BundleFiles) -> Result<usize, BundleFault> {
    let results: Results = json(files, RESULTS_FILE)?;
    if results.engine != ENGINE {
        let zh = format!("结果由 {} 算出，本程序是 {ENGINE}：请用同一版本重新计算", results.engine);
        let en = format!("the results are by {} and this is {ENGINE}: recompute with that version", results.engine);
        return Err(fault::BundleFault::new(FaultKind::Policy, zh, en));
    }
    let questionnaire = read(QUESTIONNAIRE_FILE, Questionnaire::from_canonical_json(text(files, QUESTIONNAIRE_FILE)?))?;
    let source = text(files, QUESTIONNAIRE_SOURCE_FILE)?;
    let published = read(QUESTIONNAIRE_SOURCE_FILE, Questionnaire::from_toml(QUESTIONNAIRE_SOURCE_FILE, source))?;
    if published.hash() != questionnaire.hash() {
        let en = "it is not the questionnaire that was computed with";
        return Err(BundleFault::contents(QUESTIONNAIRE_SOURCE_FILE, "与 questionnaire.json 不是同一问卷", en));
    }
    let profile = read(PROFILE_FILE, ScoringProfile::from_toml(PROFILE_FILE, text(files, PROFILE_FILE)?))?;
    let sample = sample(files)?;
    let margins = optional(files, MARGINS_FILE, Margins::parse)?;
    let regions = optional(files, REGIONS_FILE, Regions::parse)?.unwrap_or_default();
    let targets = optional(files, TARGETS_FILE, Targets::parse)?.unwrap_or_default();
    let attempts = dispositions(files)?;
    let responses = responses(&questionnaire, bytes(files, ANSWERS_FILE)?)?;
    let inputs: InputDigests = json(files, INPUTS_FILE)?;
    let options =
        RunOptions { variance: inputs.request.variance, earlier: earlier(files, &inputs)?, ..RunOptions::default() };
    let inputs = SurveyInputs {
        survey: results.survey.clone(),
        status: results.status,
        questionnaire: &questionnaire,
        profile: &profile,
        sample: &sample,
        margins: margins.as_ref(),
        regions: &regions,
        targets: &targets,
        responses: &responses,
        attempts: &attempts,
        options: &options,
        input_digest: sha256_hex(bytes(files, INPUTS_FILE)?),
        ids: RowIds::OfCases,
    };
    let indicator =
        indicator::compute(&inputs).map_err(|error| differs("结果", &format!("the engine refuses: {error}")))?;
    compare(files, &run_files(&inputs, &indicator))
}

fn compare(files: &BundleFiles, computed: &[crate::export::NamedFile]) -> Result<usize, BundleFault> {
    for file in computed {
        if bytes(files, file.name)? != file.bytes {
            return Err(differs(file.name, &format!("{} is not what the engine computes", file.name)));
        }
    }
    Ok(computed.len())
}

fn differs(zh: &str, en: &str) -> BundleFault {
    BundleFault::new(
        FaultKind::Recomputation,
        format!("重新计算不一致：{zh}"),
        format!("the recomputation differs: {en}"),
    )
}

fn read<T, E: std::fmt::Display>(name: &str, result: Result<T, E>) -> Result<T, BundleFault> {
    result.map_err(|error| BundleFault::contents(name, "无法解读", &error.to_string()))
}

fn optional<T, E: std::fmt::Display>(
    files: &BundleFiles,
    name: &str,
    parse: fn(&str, &str) -> Result<T, E>,
) -> Result<Option<T>, BundleFault> {
    if !files.contains_key(name) {
        return Ok(None);
    }
    read(name, parse(name, text(files, name)?)).map(Some)
}

/// The sample file again, from the design columns of `cases.csv`; the cases' names are the pseudonymous ids.
fn sample(files: &BundleFiles) -> Result<Sample, BundleFault> {
    let mut reader = Reader::from_reader(bytes(files, CASES_FILE)?);
    let header = read(CASES_FILE, reader.headers())?.clone();
    let kept = |name: &str| {
        matches!(name, "district" | "stratum" | "psu" | "residence" | RESERVE_RANK) || name.starts_with("prob_")
    };
    let places: Vec<usize> = (0..header.len()).filter(|at| *at == 0 || kept(&header[*at])).collect();
    let mut writer = Writer::from_writer(Vec::new());
    let name = |at: &usize| if *at == 0 { "case_id" } else { &header[*at] };
    read(CASES_FILE, writer.write_record(places.iter().map(name)))?;
    let mut row = StringRecord::new();
    while read(CASES_FILE, reader.read_record(&mut row))? {
        read(CASES_FILE, writer.write_record(places.iter().map(|at| &row[*at])))?;
    }
    let text = read(CASES_FILE, writer.into_inner().map_err(|error| error.to_string()))?;
    read(CASES_FILE, Sample::parse(CASES_FILE, &read(CASES_FILE, String::from_utf8(text))?))
}

/// What became of each case. A final disposition is taken for what the attempts came to: with or without an interview
/// it is the same again. Only "not attempted" says that nobody told anything.
fn dispositions(files: &BundleFiles) -> Result<BTreeMap<String, &'static Disposition>, BundleFault> {
    let mut reader = Reader::from_reader(bytes(files, CASES_FILE)?);
    let header = read(CASES_FILE, reader.headers())?;
    let at = header.iter().position(|name| name == DISPOSITION).ok_or("it has no column of that name");
    let at = read(DISPOSITION, at)?;
    let mut found = BTreeMap::new();
    let mut row = StringRecord::new();
    while read(CASES_FILE, reader.read_record(&mut row))? {
        let known = Disposition::of_case(&row[at]).ok_or("there is no such disposition");
        let known = read(CASES_FILE, known)?;
        if *known != NOT_ATTEMPTED {
            found.insert(row[0].to_owned(), known);
        }
    }
    Ok(found)
}

fn responses(questionnaire: &Questionnaire, answers: &[u8]) -> Result<Vec<Response>, BundleFault> {
    let mut reader = Reader::from_reader(answers);
    let header = read(ANSWERS_FILE, reader.headers())?.clone();
    let columns = coded_columns(questionnaire);
    let named = ["id", "selection_probability"].into_iter().chain(columns.iter().map(String::as_str));
    if !header.iter().eq(named) {
        return Err(BundleFault::contents(
            ANSWERS_FILE,
            "列与问卷不符",
            "its columns are not those of the questionnaire",
        ));
    }
    let rows: Vec<StringRecord> = read(ANSWERS_FILE, reader.records().collect())?;
    let response = |row: &StringRecord| {
        let cells: Vec<&str> = row.iter().collect();
        let [id, probability, cells @ ..] = cells.as_slice() else { return Err("a row is too short".to_owned()) };
        let is_number = |text: &&str| text.parse::<f64>().is_ok_and(|number| number.to_string() == **text);
        let probability = match *probability {
            "" => None,
            text if is_number(&text) => text.parse().ok(),
            _ => return Err(format!("{id}: the selection probability is not written as a number is")),
        };
        Response::from_coded(questionnaire, id, probability, cells).map_err(|error| format!("{id}: {error}"))
    };
    read(ANSWERS_FILE, rows.par_iter().map(response).collect::<Vec<_>>().into_iter().collect())
}

fn earlier(files: &BundleFiles, inputs: &InputDigests) -> Result<Option<EarlierWave>, BundleFault> {
    let Some(samples) = inputs.request.samples else { return Ok(None) };
    let results = json(files, EARLIER_RESULTS_FILE)?;
    let sample = match samples {
        SampleRelation::Independent => None,
        SampleRelation::SharedPsus => {
            let plan = read(EARLIER_PLAN_FILE, Plan::from_json(text(files, EARLIER_PLAN_FILE)?))?;
            let cases = DataTable::from_csv(CASES_FILE, bytes(files, EARLIER_CASES_FILE)?, None);
            Some((plan, read(EARLIER_CASES_FILE, cases)?))
        }
    };
    Ok(Some(EarlierWave { results, samples, sample }))
}
