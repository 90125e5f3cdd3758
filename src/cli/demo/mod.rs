//! `scilit demo`: the main job on synthetic data, through the same HTTP API that everybody else uses.

mod accounts;
mod client;
mod crew;
mod folder;
mod steps;
mod story;
mod terminal;
mod waves;

use crate::{
    indicator::results::Results,
    instrument::Questionnaire,
    server::{Clock, Config, Role, Settings, app, tokens},
    simulate::DrawnSurvey,
    storage::Author,
};
use anyhow::{Context, Result};
use client::Client;
use crew::Crew;
use folder::DemoFolder;
use indicatif::{ProgressBar, ProgressStyle};
use std::{net::SocketAddr, path::PathBuf};
use story::Story;
use terminal::Language;
use waves::{WAVES, Wave};

/// The example questionnaire and the profile that scores it, as they ship.
const QUESTIONNAIRE: &str = include_str!("../../../questionnaires/csl-demo.toml");
const PROFILE: &str = include_str!("../../../questionnaires/profiles/A-2024.toml");

/// Bytes of a sample file for each interview hoped for, with room to spare, and the least that any demo gets.
const SAMPLE_BYTES_AN_INTERVIEW: usize = 200;
const SAMPLE_BYTES_MIN: usize = 8 << 20;

/// Run the whole job on a synthetic city and leave a server running
///
/// Makes a database, publishes the shipped example questionnaire, draws a synthetic city like 哈尔滨市 and three samples of it (2021, 2023, 2025), submits the responses
/// through the HTTP API, computes the indicator, writes the files, prints a table, and serves the same as pages. Everything is made-up data.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// Interviews hoped for in each wave; what the simulated fieldwork completes lies close to it
    #[arg(long, default_value_t = 1200)]
    persons: u32,
    /// Waves to play, the newest ones: 3 are 2021, 2023 and 2025
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
    waves: u8,
    /// Seed of the city, the sample and the answers: the same seed gives the same bytes
    #[arg(long, default_value_t = 2025)]
    seed: u64,
    /// Folder for the database and the files; a folder made by an earlier demo is replaced, any other must be empty
    #[arg(long, default_value = "demo-city")]
    dir: PathBuf,
    /// Address to serve at; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Database instead of the folder's own SQLite file: `sqlite:FILE` or `postgres://…`
    #[arg(long)]
    database_url: Option<String>,
    /// Stop when the files are written
    #[arg(long)]
    no_serve: bool,
    /// Language of the printed table
    #[arg(long, value_enum, default_value_t = Language::Chinese)]
    language: Language,
}

/// Runs the demo.
///
/// # Errors
/// When a step fails; nothing of an earlier step is undone, and the message says which step it was.
pub fn run(arguments: &DemoArguments) -> Result<()> {
    let folder = DemoFolder::prepare(&arguments.dir)?;
    let server = app::start(config(arguments, &folder)?, Clock::system())
        .with_context(|| format!("the server does not start at {}", arguments.listen))?;
    let secrets = issue_tokens(&server, &folder)?;
    let base = format!("http://{}", server.address());
    let password = accounts::password()?;
    accounts::make(server.database(), &password)?;
    folder.keep_private("accounts.txt", &accounts::lines(&password))?;
    let clients = Clients::new(&base, &secrets, Crew::join(server.database(), &base, &password)?);
    let results = job(arguments, &folder, &clients)?;
    println!("{}", terminal::summary(&results, arguments.language));
    let address = (!arguments.no_serve).then_some(base.as_str());
    println!("{}", terminal::closing(&folder, address, &password, arguments.language));
    if arguments.no_serve {
        server.stop();
        return Ok(());
    }
    server.stop_at_signal().context("the server cannot listen for the signal to end")
}

fn config(arguments: &DemoArguments, folder: &DemoFolder) -> Result<Config> {
    let settings = Settings {
        database_url: Some(arguments.database_url.clone().unwrap_or_else(|| folder.sqlite_url())),
        // The demo's folder holds all that the demo makes, its keys too.
        key_dir: arguments.database_url.is_some().then(|| folder.path().join("scilit.keys")),
        listen: Some(arguments.listen),
        // The sample of a large demo is a large file.
        import_bytes_max: Some(SAMPLE_BYTES_MIN.max(arguments.persons as usize * SAMPLE_BYTES_AN_INTERVIEW)),
        // Everything shown is made up: the start page works without a token.
        public_results: Some(true),
        // Whoever tries the desk on this machine does so without HTTPS.
        allow_plain_cookie: Some(arguments.listen.ip().is_loopback()),
        // One machine plays every tablet and every analyst, with one token each.
        uploads_per_minute: Some(0),
        requests_per_minute: Some(0),
        downloads_per_hour: Some(0),
        ..Settings::default()
    };
    Ok(Config::new(settings)?)
}

/// One token a role that the demo plays, kept in the folder for whoever wants to try the API.
fn issue_tokens(server: &app::RunningServer, folder: &DemoFolder) -> Result<Vec<(Role, String)>> {
    let mut secrets = Vec::new();
    // Two supervisors: the second approval is by another person.
    for role in [Role::Analyst, Role::Surveyor, Role::Supervisor, Role::Supervisor, Role::Auditor] {
        let (_, secret) =
            tokens::issue(server.database(), role, "demo", None, &Author::command_line(), &Clock::system())?;
        secrets.push((role, secret));
    }
    let lines: Vec<String> = secrets.iter().map(|(role, secret)| format!("{} {secret}", role.name())).collect();
    folder.keep_private("tokens.txt", &lines)?;
    Ok(secrets)
}

/// A client for each role.
struct Clients {
    analyst: Client,
    crew: Crew,
    supervisors: Vec<Client>,
    auditor: Client,
}

impl Clients {
    fn new(base: &str, secrets: &[(Role, String)], crew: Crew) -> Self {
        let of = |role: Role| {
            let secret = secrets.iter().find(|(of, _)| *of == role).map_or("", |(_, secret)| secret.as_str());
            Client::new(base, secret)
        };
        let supervisors = secrets.iter().filter(|(of, _)| *of == Role::Supervisor);
        Self {
            analyst: of(Role::Analyst),
            crew,
            supervisors: supervisors.map(|(_, secret)| Client::new(base, secret)).collect(),
            auditor: of(Role::Auditor),
        }
    }
}

/// What the demo works with.
struct Desk<'a> {
    arguments: &'a DemoArguments,
    folder: &'a DemoFolder,
    clients: &'a Clients,
}

/// From the questionnaire to the results of the newest wave, step by step, each with its progress.
fn job(arguments: &DemoArguments, folder: &DemoFolder, clients: &Clients) -> Result<Results> {
    let desk = Desk { arguments, folder, clients };
    let step = desk.bar(1, None, "发布示例问卷", "publish the example questionnaire");
    let questionnaire = Questionnaire::from_toml("questionnaires/csl-demo.toml", QUESTIONNAIRE)?;
    folder.write("questionnaire.toml", QUESTIONNAIRE.as_bytes())?;
    folder.write("profile.toml", PROFILE.as_bytes())?;
    steps::publish(&clients.analyst, QUESTIONNAIRE)?;
    step.finish();

    let mut earlier = None;
    for wave in &WAVES[WAVES.len() - usize::from(arguments.waves)..] {
        earlier = Some(desk.wave(wave, &questionnaire, earlier.as_deref())?);
    }
    let run = earlier.context("there is no wave")?;
    let step = desk.bar(1, None, "写出文件", "write the files");
    let results = steps::download(&clients.auditor, &run, folder)?;
    steps::bundle(&clients.auditor, &run, folder)?;
    steps::report(&clients.auditor, &run, arguments.language.pick("zh-CN", "en"), folder)?;
    step.finish();
    Ok(results)
}

impl Desk<'_> {
    /// One wave from the draw to its run, compared with the run of the wave before; the run's id.
    fn wave(&self, wave: &Wave, questionnaire: &Questionnaire, earlier: Option<&str>) -> Result<String> {
        let Clients { analyst, crew, supervisors, auditor, .. } = self.clients;
        let bar = |length, zh, en| self.bar(length, Some(wave), zh, en);
        let DemoArguments { seed, persons, .. } = *self.arguments;

        let step = bar(1, "生成合成城市并抽样", "make the synthetic city and draw the sample");
        let city = wave.city(seed, persons)?;
        let survey = DrawnSurvey::draw(&city, &wave.design(seed, persons))?;
        step.finish();

        let step = bar(4, "建立调查，导入样本、边际、区划、目标", "create the survey and import its files");
        let survey_id = steps::create_survey(analyst, wave, questionnaire.hash(), PROFILE)?;
        self.import(wave, &survey, &survey_id, &step)?;
        step.finish();

        let submissions: Vec<_> = survey.submissions(questionnaire).collect();
        let step = bar(submissions.len() as u64, "提交答卷", "submit responses");
        let senders = survey.respondents().map(|case| &crew.of(&case.case_id).client);
        steps::submit(&senders.collect::<Vec<_>>(), &submissions, &step)?;
        step.finish();

        let attempts: Vec<_> = survey.attempts().collect();
        let step = bar(attempts.len() as u64, "上报接触记录", "tell of visits without an interview");
        crew.tell(&survey_id, &attempts, &step)?;
        step.finish();

        let ids: Vec<_> = submissions.iter().map(|(id, _)| *id).collect();
        let step = bar(2 * ids.len() as u64, "两级审核", "approve responses, twice");
        steps::approve(supervisors, &ids, &step)?;
        step.finish();

        let step = bar(1, "测算指标", "compute the indicator");
        if !wave.is_latest() {
            steps::close(analyst, &survey_id)?;
        }
        let run = steps::compute(analyst, &survey_id, earlier)?;
        step.finish();
        let step = bar(1, "两人发布结果", "release the results, by two persons");
        steps::release(analyst, auditor, &run)?;
        step.finish();

        if wave.is_latest() {
            let step =
                bar(4, "继续外业：待审、冲突、未上传", "go on with the field work: what waits and what is not sent");
            let (survey_id, survey) = (survey_id.as_str(), &survey);
            Story { survey_id, survey, questionnaire, crew, supervisors }.tell(&step)?;
            step.finish();
        }
        Ok(run)
    }

    /// Imports the wave's files; the folder keeps those of the newest.
    fn import(&self, wave: &Wave, survey: &DrawnSurvey<'_>, survey_id: &str, step: &ProgressBar) -> Result<()> {
        for (kind, name, text) in [
            ("regions", "regions.csv", survey.regions_csv()),
            ("sample", "sample.csv", survey.sample_csv()),
            ("margins", "margins.csv", survey.margins_csv()),
            ("targets", "targets.toml", survey.targets_toml()),
        ] {
            if wave.is_latest() {
                self.folder.write(name, text.as_bytes())?;
            }
            steps::import(&self.clients.analyst, survey_id, kind, &text)?;
            step.inc(1);
        }
        Ok(())
    }

    fn bar(&self, length: u64, wave: Option<&Wave>, zh: &'static str, en: &'static str) -> ProgressBar {
        let what = self.arguments.language.pick(zh, en);
        progress(length, wave.map_or_else(|| what.to_owned(), |wave| format!("{} {what}", wave.year)))
    }
}

fn progress(length: u64, message: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} {elapsed}")
        .expect("a template of known keys");
    ProgressBar::new(length).with_style(style).with_message(message)
}
