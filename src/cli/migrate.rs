//! `scilit migrate`: the database's schema.

use clap::Args;

use super::serve::SettingsArguments;
use crate::{
    server::{self, Clock},
    storage::{Author, Database},
};

/// Brings the database's schema up to date.
#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// Name the migrations that would be applied and change nothing
    #[arg(long)]
    pending: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be opened or a migration fails.
pub fn run(arguments: MigrateArguments) -> anyhow::Result<()> {
    let config = arguments.settings.config()?;
    let database = Database::open(&config.database_url, config.pool())?;
    let (names, verb) = match arguments.pending {
        true => (database.pending_migrations()?, "pending"),
        false => (server::migrate(&database, &Author::command_line(), &Clock::system())?, "applied"),
    };
    match names.is_empty() {
        true => println!("the schema is up to date"),
        false => names.iter().for_each(|name| println!("{verb} {name}")),
    }
    Ok(())
}
