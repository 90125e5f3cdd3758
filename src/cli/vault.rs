//! `scilit vault`: the keys of the contact data.

use clap::{Args, Subcommand};

use super::serve::SettingsArguments;
use crate::{
    server::{Clock, vault::Vault},
    storage::{Author, Database},
};

/// The vault of contact data: rotate its keys.
#[derive(Debug, Args)]
pub struct VaultArguments {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    /// Seal every key anew under a new key; the old key is removed from the key file and opens nothing afterwards
    Rotate {
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Runs the command.
///
/// # Errors
/// When the database or the key file cannot be used; then the old keys stay in force.
pub fn run(arguments: VaultArguments) -> anyhow::Result<()> {
    let VaultCommand::Rotate { settings } = arguments.command;
    let config = settings.config()?;
    let database = Database::open(&config.database_url, config.pool())?;
    database.migrate()?;
    let operator = Author { id: "command-line".to_owned(), role: "operator".to_owned() };
    let vault = Vault { database: &database, key_dir: &config.key_dir };
    let cases = vault.rotate(&operator, Clock::system().now_ms())?;
    println!("the keys of {cases} cases are sealed under a new key; the old one is gone");
    Ok(())
}
