//! `scilit verify`: a bundle held against itself, its signatures, the audit log and the engine, with no database.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::Exit;
use crate::{
    evidence::Verifier,
    export::bundle::{
        BundleFault, BundleFiles, FILES_MAX, FaultKind, Verified, is_bundle_name, read_keys, recompute, verify,
    },
    server::archive,
};

const EXIT_CODES: &str = "Exit codes / 退出码:\n  0   everything holds / 全部一致\n  1   it could not be read / 无法读取\n  \
    2   a file is missing, changed or foreign / 文件缺失、被改动或多余\n  3   the signature does not hold / 签名无效\n  \
    4   the audit log says otherwise / 与审计日志不符\n  5   counts, totals or inputs contradict the files / 计数、总数或输入与文件矛盾\n  \
    6   the recomputation differs / 重新计算结果不同\n  7   another version of the engine is needed / 需要另一版本的引擎\n  \
    64  wrong usage / 用法有误";

/// Verify a bundle: files, signature, audit log and, with --recompute, every figure
///
/// Needs no database and no network. The first fault is told in one sentence, in Chinese and in English.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct VerifyArguments {
    /// The bundle: its folder, or its archive
    bundle: PathBuf,
    /// A public key that you trust, noted down at installation (repeat for several)
    #[arg(long = "key", value_name = "PUBKEY", conflicts_with = "keys")]
    key: Vec<Verifier>,
    /// A file of trusted public keys, one a line
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Also score, weight and estimate again, and compare every file byte for byte
    #[arg(long)]
    recompute: bool,
}

/// Runs the command.
///
/// # Errors
/// The first thing that does not hold, with its exit code.
pub fn run(arguments: &VerifyArguments) -> anyhow::Result<()> {
    let files = read(&arguments.bundle)?;
    let trusted = trusted(arguments)?;
    let verified = verify(&files, trusted.as_deref()).map_err(found)?;
    let recomputed = if arguments.recompute { Some(recompute(&files).map_err(found)?) } else { None };
    tell(&verified, trusted.is_some(), recomputed);
    Ok(())
}

fn tell(verified: &Verified, is_trusted: bool, recomputed: Option<usize>) {
    let run = &verified.predicate.run_details.metadata.invocation_id;
    let (files, key) = (verified.files, verified.key);
    println!("数据包完整可信：测算 {run}，{files} 个文件与清单、签名和审计日志一致");
    println!("the bundle holds: run {run}, {files} files agree with the manifest, its signature and the audit log");
    if let Some(equal) = recomputed {
        println!("重新计算完全一致：{equal} 个文件逐字节相同");
        println!("recomputed: {equal} files are equal byte for byte");
    }
    if !is_trusted {
        println!("签名公钥取自数据包本身，请与安装时记下的公钥核对（--key）：{key}");
        println!("the key is the bundle's own; compare it with the one noted down at installation (--key): {key}");
    }
}

fn trusted(arguments: &VerifyArguments) -> anyhow::Result<Option<Vec<Verifier>>> {
    let Some(path) = &arguments.keys else {
        return Ok((!arguments.key.is_empty()).then(|| arguments.key.clone()));
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let keys = read_keys(&text).ok_or_else(|| unreadable(path, &"it is no list of public keys"))?;
    Ok(Some(keys))
}

pub(super) fn found(fault: BundleFault) -> anyhow::Error {
    let code = match fault.kind {
        FaultKind::File => Exit::BUNDLE_FILE,
        FaultKind::Signature => Exit::SIGNATURE,
        FaultKind::Log => Exit::LOG,
        FaultKind::Contents => Exit::CONTENTS,
        FaultKind::Recomputation => Exit::RECOMPUTATION,
        FaultKind::Policy => Exit::POLICY,
    };
    Exit::with(code, format!("数据包不可信：{}\nthe bundle does not hold: {}", fault.message.zh, fault.message.en))
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("无法读取 {0}：{why}\nread {0}: {why}", path.display())
}

fn foreign(what: &str) -> anyhow::Error {
    Exit::with(
        Exit::BUNDLE_FILE,
        format!("数据包不可信：含有不属于数据包的内容（{what}）\nthe bundle does not hold: {what}"),
    )
}

/// The files of a bundle, from its folder or its archive.
///
/// # Errors
/// What cannot be read, and what is not of a bundle.
pub(super) fn read(path: &Path) -> anyhow::Result<BundleFiles> {
    if fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir() {
        return read_folder(path);
    }
    let bytes = read_file(path)?;
    archive::unpack(&bytes).map_err(|error| foreign(&error.to_string()))
}

/// Only plain files of names that a bundle can have: links could lead anywhere.
fn read_folder(folder: &Path) -> anyhow::Result<BundleFiles> {
    let mut files = BundleFiles::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_file || !is_bundle_name(&name) {
            return Err(foreign(&format!("{name} is no file of a bundle")));
        }
        if files.len() == FILES_MAX {
            return Err(foreign("there are too many files"));
        }
        files.insert(name, read_file(&entry.path())?);
    }
    Ok(files)
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(archive::BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > archive::BYTES_MAX { Err(foreign("a file is too large")) } else { Ok(bytes) }
}
