//! The dependency rule of `docs/architecture.md`, read off the `use crate::` lines and inline `crate::` paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

const PURE: [&str; 8] =
    ["instrument", "statistics", "indicator", "disclosure", "evidence", "export", "report", "simulate"];
const EFFECTS: [&str; 3] = ["storage", "server", "cli"];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|e| e == "rs") {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// Every `(file, room named)` of the folder, comments left out.
fn names_in(room: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    let mut named = Vec::new();
    for file in rust_files(&folder) {
        let text = fs::read_to_string(&file).expect("a readable source file");
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + 7..];
                let list = rest.strip_prefix('{').unwrap_or(rest);
                for item in list.split(',') {
                    let name: String =
                        item.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    named.push((file.clone(), name));
                }
            }
        }
    }
    named
}

fn refuse(room: &str, forbidden: &[&str]) {
    let wrong: Vec<_> = names_in(room).into_iter().filter(|(_, name)| forbidden.contains(&name.as_str())).collect();
    assert!(wrong.is_empty(), "src/{room} must not name {forbidden:?}: {wrong:?}");
}

#[test]
fn the_pure_core_never_names_an_effect() {
    for room in PURE {
        refuse(room, &EFFECTS);
    }
}

#[test]
fn the_rooms_are_used_in_one_direction() {
    refuse("statistics", &["instrument", "indicator", "disclosure", "export", "report", "simulate", "evidence"]);
    refuse("instrument", &["statistics", "indicator", "disclosure", "export", "report", "simulate", "evidence"]);
    refuse("evidence", &["instrument", "statistics", "indicator", "disclosure", "export", "report", "simulate"]);
    refuse("indicator", &["export", "report", "simulate", "disclosure"]);
    refuse("disclosure", &["export", "report", "simulate", "evidence"]);
    refuse("export", &["report", "simulate"]);
    refuse("report", &["instrument", "statistics", "evidence", "export", "simulate", "disclosure"]);
    refuse("storage", &["server", "cli", "simulate"]);
    refuse("server", &["cli", "simulate"]);
}

#[test]
fn only_storage_knows_sql_and_only_http_knows_status_codes() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&source) {
        let text = fs::read_to_string(&file).expect("a readable source file");
        let place = file.strip_prefix(&source).expect("below src").to_string_lossy().replace('\\', "/");
        if !place.starts_with("storage/") {
            assert!(!text.contains("diesel::"), "{place} names diesel");
        }
        if !place.starts_with("server/http/") {
            assert!(!text.contains("StatusCode"), "{place} names a status code");
        }
    }
}

#[test]
fn features_are_switched_in_the_map_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&source).into_iter().filter(|file| !file.ends_with("src/lib.rs")) {
        let text = fs::read_to_string(&file).expect("a readable source file");
        assert!(!text.contains("cfg(feature"), "{} switches a feature", file.display());
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |backend: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("a migrations folder")
            .map(|e| e.expect("an entry").file_name().into_string().expect("a UTF-8 name"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}
