//! `scilit questionnaire`: check, publish, show and describe questionnaire and profile files. Needs no server.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::instrument::{
    DRAW_ALGORITHM, Definition, Draw, Faults, Item, Questionnaire, ScoringProfile, definition_schema,
    scoring::profile_schema,
};

/// Check questionnaire files, publish and show them, print the schema of their format
#[derive(Debug, Args)]
pub struct QuestionnaireArguments {
    #[command(subcommand)]
    command: QuestionnaireCommand,
}

#[derive(Debug, Subcommand)]
enum QuestionnaireCommand {
    /// Check files and list every fault with file, line and item
    Check(CheckArguments),
    /// Publish a questionnaire file into the database as a version that never changes
    Publish(Box<super::questionnaire_publish::PublishArguments>),
    /// Show a questionnaire: for reading, as the form a tablet gets, or as the bytes that are hashed
    Show(ShowArguments),
    /// Print the JSON Schema of the questionnaire file
    Schema(SchemaArguments),
    /// Derive the order in which a case is shown again from its seed, as JSON
    Draw(DrawArguments),
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// Questionnaire files
    #[arg(required_unless_present = "profile")]
    files: Vec<PathBuf>,
    /// Scoring profiles that must fit every questionnaire named (repeat for several)
    #[arg(long)]
    profile: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The questionnaire file
    file: PathBuf,
    /// What to print
    #[arg(long = "as", value_enum, default_value = "text")]
    view: View,
    /// Language of the texts
    #[arg(long, default_value = "zh-CN")]
    language: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum View {
    /// For reading; shows the scoring keys
    Text,
    /// The JSON a tablet gets; without scoring keys
    Form,
    /// The canonical JSON, whose SHA-256 is the hash; with scoring keys
    Canonical,
}

#[derive(Debug, Args)]
struct SchemaArguments {
    /// The schema of the scoring profile file instead
    #[arg(long)]
    profile: bool,
}

#[derive(Debug, Args)]
struct DrawArguments {
    /// The questionnaire file
    file: PathBuf,
    /// The seed of the case's draw
    #[arg(long)]
    seed: u64,
    /// The rule that made the order
    #[arg(long, default_value = DRAW_ALGORITHM, value_parser = [DRAW_ALGORITHM])]
    algorithm: String,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, or how many faults there are after they have been listed.
pub fn run(arguments: QuestionnaireArguments) -> anyhow::Result<()> {
    match arguments.command {
        QuestionnaireCommand::Check(arguments) => check(&arguments),
        QuestionnaireCommand::Publish(arguments) => super::questionnaire_publish::run(*arguments),
        QuestionnaireCommand::Show(arguments) => show(&arguments),
        QuestionnaireCommand::Schema(arguments) => {
            print(&if arguments.profile { profile_schema() } else { definition_schema() })
        }
        QuestionnaireCommand::Draw(arguments) => draw(&arguments),
    }
}

/// Reads a questionnaire file.
///
/// # Errors
/// The file cannot be read, or its faults, one a line.
pub(super) fn read_questionnaire(path: &Path) -> anyhow::Result<Result<Questionnaire, Faults>> {
    Ok(Questionnaire::from_toml(&path.display().to_string(), &read(path)?))
}

/// Reads a scoring profile file.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read_profile(path: &Path) -> anyhow::Result<Result<ScoringProfile, Faults>> {
    Ok(ScoringProfile::from_toml(&path.display().to_string(), &read(path)?))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

fn check(arguments: &CheckArguments) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    let mut questionnaires = Vec::new();
    for path in &arguments.files {
        match read_questionnaire(path)? {
            Ok(questionnaire) => {
                println!("{}: {}", path.display(), summary(&questionnaire));
                questionnaires.push(questionnaire);
            }
            Err(found) => faults.push(found),
        }
    }
    for path in &arguments.profile {
        match read_profile(path)? {
            Ok(profile) => {
                println!("{}: {} version {}, hash {}", path.display(), profile.id(), profile.version(), profile.hash());
                faults.extend(questionnaires.iter().filter_map(|q| profile.check_fit(q).err()));
            }
            Err(found) => faults.push(found),
        }
    }
    faults.iter().for_each(|found| eprintln!("{found}"));
    match faults.iter().map(Faults::len).sum::<usize>() {
        0 => Ok(()),
        n => bail!("{n} fault(s)"),
    }
}

fn summary(questionnaire: &Questionnaire) -> String {
    let (id, version, hash) = (questionnaire.id(), questionnaire.version(), questionnaire.hash());
    let scored = questionnaire.items().filter(|item| item.is_scored()).count();
    format!("{id} version {version}, {} items, {scored} scored, hash {hash}", questionnaire.items().len())
}

fn show(arguments: &ShowArguments) -> anyhow::Result<()> {
    let questionnaire = read_questionnaire(&arguments.file)??;
    match arguments.view {
        View::Form => print(&(questionnaire.form_json() + "\n")),
        // No line end: these are the bytes that are hashed.
        View::Canonical => print(questionnaire.canonical_json()),
        View::Text => {
            let languages = &questionnaire.definition().languages;
            if !languages.contains(&arguments.language) {
                bail!("the questionnaire has no texts in \"{}\", only in {}", arguments.language, languages.join(", "));
            }
            print(&readable(&questionnaire, &arguments.language))
        }
    }
}

fn draw(arguments: &DrawArguments) -> anyhow::Result<()> {
    let questionnaire = read_questionnaire(&arguments.file)??;
    let Draw { items, options } = Draw::derive(questionnaire.definition(), arguments.seed);
    let options: std::collections::BTreeMap<_, _> = options.into_iter().collect();
    let (algorithm, seed) = (&arguments.algorithm, arguments.seed.to_string());
    let instrument = questionnaire.hash();
    let draw = serde_json::json!({
        "instrument": instrument, "algorithm": algorithm, "seed": seed, "items": items, "options": options,
    });
    print(&format!("{draw:#}\n"))
}

/// Writes to the standard output; a reader that has seen enough (`| head`) is no fault.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("failed to write the output")
        }
        _ => Ok(()),
    }
}

fn readable(questionnaire: &Questionnaire, language: &str) -> String {
    let Definition { header, sections, .. } = questionnaire.definition();
    let mut lines = vec![
        questionnaire.title(language).to_owned(),
        summary(questionnaire),
        format!("表号 {}  制定机关 {}", header.form_number, header.issued_by.get(language)),
        format!("批准文号 {}  有效期至 {}", header.approval_number, header.valid_until),
    ];
    for section in sections {
        lines.push(format!("\n== {} {}", section.id, section.title.get(language)));
        lines.extend(section.relevant_when.iter().map(|rule| format!("   relevant when {rule}")));
        section.items.iter().for_each(|item| describe(item, language, &mut lines));
    }
    lines.join("\n") + "\n"
}

fn describe(item: &Item, language: &str, lines: &mut Vec<String>) {
    let optional = if item.required { "" } else { ", optional" };
    lines.push(format!("\n{}  [{}{optional}]  {}", item.id, item.kind.as_str(), item.text.get(language)));
    lines.extend(item.interviewer_note.iter().map(|note| format!("     ({})", note.get(language))));
    lines.extend(item.relevant_when.iter().map(|rule| format!("     relevant when {rule}")));
    lines.extend(item.rows.iter().map(|row| format!("     row {}: {}", row.code, row.label.get(language))));
    for option in &item.options {
        let mark = if item.key.contains(&option.code) { '*' } else { ' ' };
        lines.push(format!("   {mark} {}: {}", option.code, option.label.get(language)));
    }
    for check in &item.checks {
        let severity = format!("{:?}", check.severity).to_lowercase();
        lines.push(format!("     {severity} check fails when {}", check.fails_when));
    }
    lines.extend(item.points.map(|points| format!("     {points} points")));
}
