//! `scilit audit`: reading the audit log, and finding out whether it is the one that was written.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{Exit, serve::SettingsArguments};
use crate::{
    evidence::{LogFault, LogProof, SignedCheckpoint, Verifier, Voucher},
    server::{
        Clock, Config, Keys,
        audit::{AuditError, prove, verify_log, voucher},
    },
    storage::{AuditEntry, Database, EntryFilter},
};

const EXIT_CODES: &str = "Exit codes / 退出码:\n  0  the log is whole / 日志完整\n  1  it could not be checked / 无法核验\n  \
    2  wrong usage / 用法有误\n  3  a checkpoint's signature does not hold / 检查点签名无效\n  \
    4  an entry was edited, removed, inserted, reordered or cut off / 记录被改、删、插、换序或截断\n  \
    5  the detail of an entry was edited / 记录详情被改动";

/// The audit log: verify it, print checkpoints and proofs, show entries.
#[derive(Debug, Args)]
pub struct AuditArguments {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Read the whole log and hold it against its head, its stored checkpoints and those kept elsewhere
    #[command(after_help = EXIT_CODES)]
    Verify {
        /// A checkpoint that was kept outside the database (repeat for several)
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        #[command(flatten)]
        known: KnownKeys,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Print the newest signed checkpoint; keep it where nobody who runs the database can reach it
    Checkpoint {
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Print the proof that the newest checkpoint covers an entry
    Prove {
        /// The entry's number
        seq: i64,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// Check a proof without any database, and print the entry it proves
    #[command(after_help = EXIT_CODES)]
    CheckProof {
        /// The file, as `prove` printed it
        file: PathBuf,
        /// A public key of the server (repeat for several), as `scilit keys show` prints it
        #[arg(long = "public-key", value_name = "KEY", required = true)]
        keys: Vec<Verifier>,
    },
    /// Print entries, one JSON object a line: who did what to what, and when
    Show {
        /// Only what was done to this, e.g. run/ID or response/ID
        #[arg(long, value_name = "KIND/ID")]
        object: Option<String>,
        /// Only what this person, device or token did
        #[arg(long, value_name = "ID")]
        actor: Option<String>,
        /// Only entries after this number
        #[arg(long, value_name = "SEQ", default_value_t = -1)]
        after: i64,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

#[derive(Debug, Args)]
struct KnownKeys {
    /// A public key of the server (repeat for several); without it those of the key folder are used
    #[arg(long = "public-key", value_name = "KEY")]
    keys: Vec<Verifier>,
}

/// Runs the command.
///
/// # Errors
/// When the log is not whole, with the exit code of what was found, or cannot be read.
pub fn run(arguments: AuditArguments) -> anyhow::Result<()> {
    match arguments.command {
        AuditCommand::Verify { checkpoints, known, settings } => verify(&checkpoints, &known, settings),
        AuditCommand::Checkpoint { settings } => checkpoint(settings),
        AuditCommand::Prove { seq, settings } => print_proof(seq, settings),
        AuditCommand::CheckProof { file, keys } => check_proof(&file, &keys),
        AuditCommand::Show { object, actor, after, settings } => {
            show(&EntryFilter { object, actor, only_of: None }, after, settings)
        }
    }
}

/// Opens the database as it is: looking at a log must not change it, not even by a migration.
fn open(config: &Config) -> anyhow::Result<Database> {
    let database = Database::open(&config.database_url, config.pool())?;
    match database.pending_migrations()?.is_empty() {
        true => Ok(database),
        false => bail!("read the audit log: the schema is not up to date, run `scilit migrate` first"),
    }
}

fn verify(files: &[PathBuf], known: &KnownKeys, settings: SettingsArguments) -> anyhow::Result<()> {
    let config = settings.config()?;
    let database = open(&config)?;
    let keys = known_keys(known, &config)?;
    let mut vouchers = Vec::new();
    for stored in database.checkpoints_beyond(-1)? {
        let source = format!("the stored checkpoint of {} entries", stored.size);
        let noted = signed_voucher(&stored.note, &keys, source)?;
        // The row's own columns are what the server reads; they must say what was signed.
        match voucher(&stored).is_some_and(|row| row.checkpoint == noted.checkpoint) {
            true => vouchers.push(noted),
            false => return Err(signature_fault(&noted.source, &"its row is not what was signed")),
        }
    }
    for file in files {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        vouchers.push(signed_voucher(&text, &keys, format!("the checkpoint {}", file.display()))?);
    }
    let held = vouchers.len();
    match verify_log(&database, vouchers) {
        Ok(whole) => {
            println!("审计日志完整：{} 条记录，与 {held} 个检查点一致", whole.size);
            println!("the audit log is whole: {} entries, in agreement with {held} checkpoints", whole.size);
            Ok(())
        }
        Err(AuditError::Fault(fault)) => Err(found(&fault)),
        Err(AuditError::Storage(error)) => Err(error.into()),
    }
}

fn known_keys(known: &KnownKeys, config: &Config) -> anyhow::Result<Vec<Verifier>> {
    if !known.keys.is_empty() {
        return Ok(known.keys.clone());
    }
    if !config.key_dir.exists() {
        bail!("find the public keys: {} does not exist; name them with --public-key", config.key_dir.display());
    }
    Ok(Keys::open(&config.key_dir, Clock::system().now_ms())?.0.verifiers())
}

fn signed_voucher(note: &str, keys: &[Verifier], source: String) -> anyhow::Result<Voucher> {
    let signed = SignedCheckpoint::parse(note).and_then(|signed| signed.verify(keys).map(|()| signed));
    let signed = signed.map_err(|error| signature_fault(&source, &error))?;
    Ok(Voucher { checkpoint: signed.checkpoint, source })
}

fn signature_fault(source: &str, error: &dyn std::fmt::Display) -> anyhow::Error {
    Exit::with(Exit::SIGNATURE, format!("检查点签名无效：{source}\nuse {source}: {error}"))
}

fn found(fault: &LogFault) -> anyhow::Error {
    let code = if matches!(fault, LogFault::Detail(_)) { Exit::DETAIL } else { Exit::LOG };
    Exit::with(code, format!("审计日志不可信：{}\nthe audit log is not whole: {fault}", fault.zh()))
}

fn checkpoint(settings: SettingsArguments) -> anyhow::Result<()> {
    let newest = open(&settings.config()?)?.newest_checkpoint()?;
    print!("{}", newest.context("no checkpoint was signed yet: the server signs the first one when it starts")?.note);
    Ok(())
}

fn print_proof(seq: i64, settings: SettingsArguments) -> anyhow::Result<()> {
    let proof = prove(&open(&settings.config()?)?, seq)?;
    print!("{}", proof.with_context(|| format!("no checkpoint covers entry {seq}"))?.to_text());
    Ok(())
}

fn check_proof(file: &Path, keys: &[Verifier]) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let entry = LogProof::parse(&text).and_then(|proof| proof.verify(keys));
    let entry = entry.map_err(|error| Exit::with(Exit::SIGNATURE, format!("证明无效\n{}: {error}", file.display())))?;
    println!("{}", entry.to_json());
    Ok(())
}

fn show(filter: &EntryFilter, mut after: i64, settings: SettingsArguments) -> anyhow::Result<()> {
    let database = open(&settings.config()?)?;
    loop {
        let rows = database.find_audit_entries(filter, after, 1000)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        rows.iter().for_each(|entry| println!("{}", line(entry)));
    }
}

fn line(entry: &AuditEntry) -> String {
    let detail = entry.detail.as_deref().and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let AuditEntry { seq, at_ms, actor, role, action, object, outcome, .. } = entry;
    serde_json::json!({
        "seq": seq, "at_ms": at_ms, "actor": actor, "role": role, "action": action, "object": object,
        "outcome": outcome, "detail": detail,
    })
    .to_string()
}
