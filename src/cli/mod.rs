//! The command line: one file a command.

pub mod analysis;
pub mod audit;
pub mod backup;
pub mod bundle;
pub mod demo;
pub mod estimate;
mod exit;
pub mod export;
pub mod flat;
pub mod keys;
pub mod migrate;
pub mod plan;
pub mod questionnaire;
pub mod questionnaire_publish;
pub mod report;
pub mod restore;
pub mod retention;
pub mod run;
pub mod sample;
pub mod score;
pub mod serve;
pub mod simulate;
pub mod token;
pub mod user;
pub mod vault;
pub mod verify;
pub mod weight;

pub use exit::Exit;

use clap::{Parser, Subcommand};

use crate::server::{EXIT_DISK, StartError};

/// Survey collection and literacy-indicator scoring for civic scientific literacy surveys.
#[derive(Debug, Parser)]
#[command(name = "scilit", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArguments),
    Serve(serve::ServeArguments),
    Migrate(migrate::MigrateArguments),
    Token(token::TokenArguments),
    Keys(keys::KeysArguments),
    Audit(audit::AuditArguments),
    Admin(user::AdminArguments),
    User(user::UserArguments),
    Backup(backup::BackupArguments),
    Restore(restore::RestoreArguments),
    Vault(vault::VaultArguments),
    Retention(retention::RetentionArguments),
    Questionnaire(questionnaire::QuestionnaireArguments),
    Sample(sample::SampleArguments),
    Score(score::ScoreArguments),
    Estimate(estimate::EstimateArguments),
    Plan(plan::PlanArguments),
    Weight(weight::WeightArguments),
    Simulate(simulate::SimulateArguments),
    Run(run::RunArguments),
    Export(export::ExportArguments),
    Report(report::ReportArguments),
    Bundle(bundle::BundleArguments),
    Verify(verify::VerifyArguments),
}

/// Parses the process's arguments and runs the command they name.
///
/// # Errors
/// Whatever the command could not do, with its causes as context.
pub fn run() -> anyhow::Result<()> {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| wrong_usage(&error));
    match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Token(arguments) => token::run(arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Audit(arguments) => audit::run(arguments),
        Command::Admin(arguments) => user::run_admin(arguments),
        Command::User(arguments) => user::run(arguments),
        Command::Backup(arguments) => backup::run(arguments),
        Command::Restore(arguments) => restore::run(arguments),
        Command::Vault(arguments) => vault::run(arguments),
        Command::Retention(arguments) => retention::run(arguments),
        Command::Questionnaire(arguments) => questionnaire::run(arguments),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Score(arguments) => score::run(arguments),
        Command::Estimate(arguments) => estimate::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Weight(arguments) => weight::run(arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Bundle(arguments) => bundle::run(arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    }
}

/// Prints what clap has to say and ends; `verify` keeps 2 for a file that was changed.
fn wrong_usage(error: &clap::Error) -> ! {
    let is_verify = std::env::args_os().nth(1).is_some_and(|command| command == "verify");
    if is_verify && error.use_stderr() {
        let _ = error.print();
        std::process::exit(Exit::VERIFY_USAGE.into());
    }
    error.exit()
}

/// The exit code an error ends the process with: 1, or what the command's help says.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let disk = error.downcast_ref::<StartError>().filter(|error| error.is_of_the_disk()).map(|_| EXIT_DISK);
    let found = disk.or_else(|| error.downcast_ref::<Exit>().map(|exit| exit.code));
    found.or_else(|| error.downcast_ref::<restore::RestoreError>().map(restore::RestoreError::exit_code)).unwrap_or(1)
}
