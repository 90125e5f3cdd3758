//! `scilit keys`: the server's signing keys.

use clap::{Args, Subcommand};

use super::{serve::SettingsArguments, token::open_with};
use crate::{
    server::{Clock, Keys, PublicKey, SealingKeys},
    storage::{Act, Author},
};

/// Signing keys of receipts and checkpoints: show the public ones, rotate.
#[derive(Debug, Args)]
pub struct KeysArguments {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Print every public key with the time it was in use; makes the first key if there is none
    Show {
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Sign with a new key from the next start of the server on; what older keys signed stays verifiable
    Rotate {
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

/// Runs the command.
///
/// # Errors
/// When the key folder cannot be used, or the rotation cannot be logged.
pub fn run(arguments: KeysArguments) -> anyhow::Result<()> {
    match arguments.command {
        KeysCommand::Show { settings } => show(settings),
        KeysCommand::Rotate { settings } => rotate(settings),
    }
}

fn show(settings: SettingsArguments) -> anyhow::Result<()> {
    let (keys, _) = Keys::open(&settings.config()?.key_dir, Clock::system().now_ms())?;
    println!("id\tfrom\tuntil\tkey");
    for PublicKey { key, from_ms, until_ms } in keys.public() {
        let until = until_ms.map(day).transpose()?.unwrap_or_else(|| "in use".to_owned());
        println!("{}\t{}\t{until}\t{key}", key.key_id(), day(*from_ms)?);
    }
    Ok(())
}

fn day(epoch_ms: i64) -> anyhow::Result<String> {
    Ok(jiff::Timestamp::from_millisecond(epoch_ms)?.to_string())
}

/// The entry is written first: a rotation that nobody can read of must not happen.
fn rotate(settings: SettingsArguments) -> anyhow::Result<()> {
    let config = settings.config()?;
    let (clock, database) = (Clock::system(), open_with(&config)?);
    let (old, _) = Keys::open(&config.key_dir, clock.now_ms())?;
    let old_id = old.signer().key_id();
    let detail = serde_json::json!({ "retired": old_id });
    let object = format!("key/{old_id}");
    database.log(&[Act::done(&Author::command_line(), clock.now_ms(), "key.rotate", object, detail)])?;
    let new = old.rotate(&config.key_dir, clock.now_ms())?;
    SealingKeys::rotate(&config.key_dir, clock.now_ms())?;
    println!("{} signs from the next start of the server on, instead of {old_id}", new.signer().key_id());
    Ok(())
}
