//! `scilit token`: API tokens by role.

use anyhow::ensure;
use clap::{Args, Subcommand};

use super::serve::SettingsArguments;
use crate::{
    server::{self, Clock, Config, Role, tokens},
    storage::{Author, Database},
};

/// API tokens: create, list, revoke.
#[derive(Debug, Args)]
pub struct TokenArguments {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print its secret, which cannot be read again
    Create {
        /// What the holder may do
        #[arg(long)]
        role: Role,
        /// Who or what will use it
        #[arg(long)]
        label: String,
        /// Days until it ends; without this it lasts until it is revoked
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
        days: Option<i64>,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// List tokens without their secrets
    List {
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Take a token back; its next request is refused
    Revoke {
        /// The token's id, as `list` prints it
        id: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Runs the command.
///
/// # Errors
/// When the database cannot be opened, or there is no such token.
pub fn run(arguments: TokenArguments) -> anyhow::Result<()> {
    match arguments.command {
        TokenCommand::Create { role, label, days, settings } => create(role, &label, days, settings),
        TokenCommand::List { settings } => list(settings),
        TokenCommand::Revoke { id, settings } => revoke(&id, settings),
    }
}

/// Opens the database the settings name with an up-to-date schema.
///
/// # Errors
/// When it cannot be opened or migrated.
pub(super) fn open(settings: SettingsArguments) -> anyhow::Result<Database> {
    open_with(&settings.config()?)
}

/// Opens the database of a configuration with an up-to-date schema; applied migrations are logged.
///
/// # Errors
/// When it cannot be opened or migrated.
pub(super) fn open_with(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(&config.database_url, config.pool())?;
    server::migrate(&database, &Author::command_line(), &Clock::system())?;
    Ok(database)
}

fn create(role: Role, label: &str, days: Option<i64>, settings: SettingsArguments) -> anyhow::Result<()> {
    let clock = Clock::system();
    let database = open(settings)?;
    let expires_at_ms = days.map(|days| clock.now_ms() + days * 24 * 60 * 60 * 1000);
    let (token, secret) = tokens::issue(&database, role, label, expires_at_ms, &Author::command_line(), &clock)?;
    eprintln!("token {} for {} ({}); keep the secret, it is not stored:", token.id, label, token.role);
    println!("{secret}");
    Ok(())
}

fn list(settings: SettingsArguments) -> anyhow::Result<()> {
    let now_ms = Clock::system().now_ms();
    println!("id\trole\tlabel\tcreated\tstate");
    for token in open(settings)?.tokens()? {
        let state = match (token.revoked_at_ms, token.expires_at_ms) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now_ms => "expired",
            _ => "valid",
        };
        let created = jiff::Timestamp::from_millisecond(token.created_at_ms)?.to_string();
        println!("{}\t{}\t{}\t{created}\t{state}", token.id, token.role, token.label);
    }
    Ok(())
}

fn revoke(id: &str, settings: SettingsArguments) -> anyhow::Result<()> {
    let revoked = open(settings)?.revoke_token(id, &Author::command_line(), Clock::system().now_ms())?;
    ensure!(revoked, "revoke token {id}: there is no such valid token");
    println!("revoked {id}");
    Ok(())
}
