//! Whether the server can keep its promises: looked at before it starts, and whenever a monitor asks.

use std::path::Path;

use super::{Clock, Config, Refusal};
use crate::storage::{Database, DatabaseUrl};

/// How far the clock may stand before the latest entry of the log: more than any correction of a good clock.
const CLOCK_BACK_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// Room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes the server may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

impl Disk {
    /// Room on the disk that holds the folder; `None` when the system cannot say.
    pub fn of(folder: &Path) -> Option<Self> {
        let (free, total) = (fs4::available_space(folder).ok()?, fs4::total_space(folder).ok()?);
        Some(Self { free, total })
    }

    /// Whether at least this share is free.
    pub fn has_free(self, percent_min: u8) -> bool {
        u128::from(self.free) * 100 >= u128::from(self.total) * u128::from(percent_min)
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// What was found.
    pub found: String,
    /// Whether it is as it must be.
    pub holds: bool,
}

fn finding(what: &'static str, found: impl Into<String>, holds: bool) -> Finding {
    Finding { what, found: found.into(), holds }
}

/// What a monitor wants to know.
#[derive(Debug, Clone)]
pub struct Health {
    /// Entries of the audit log.
    pub log_entries: i64,
    /// Room on the disk of a SQLite file.
    pub disk: Option<Disk>,
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
}

impl Health {
    /// Whether everything is as it must be.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    /// What is not as it must be, without what was found: a monitor's answer is public.
    pub fn complaints(&self) -> String {
        let bad = self.findings.iter().filter(|finding| !finding.holds).map(|finding| finding.what);
        bad.collect::<Vec<_>>().join(", ")
    }
}

/// Looks at the database, the log's head, the clock and the disk.
///
/// # Errors
/// When the database does not answer.
pub fn look(database: &Database, config: &Config, clock: &Clock) -> Result<Health, Refusal> {
    let log = database.log_state()?;
    let disk = folder(config).and_then(Disk::of);
    let now_ms = clock.now_ms();
    let clock_holds = log.last_ms.is_none_or(|last_ms| last_ms - now_ms <= CLOCK_BACK_MAX_MS);
    let room = disk.map_or_else(|| "unknown".to_owned(), |disk| format!("{} of {} bytes", disk.free, disk.total));
    let findings = vec![
        finding("database", database.backend(), true),
        finding("audit log head", format!("{} entries", log.size), log.holds()),
        finding("clock against the audit log", format!("{now_ms} ms"), clock_holds),
        finding("free disk space", room, disk.is_none_or(|disk| disk.has_free(config.disk_free_percent_min))),
    ];
    Ok(Health { log_entries: log.size, disk, findings })
}

/// The folder of a SQLite file; the disk of a PostgreSQL server is not ours to see.
fn folder(config: &Config) -> Option<&Path> {
    let DatabaseUrl::Sqlite(file) = &config.database_url else { return None };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_disk_must_be_free() {
        let disk = Disk { free: 5, total: 100 };
        assert!(disk.has_free(5) && !disk.has_free(6) && disk.has_free(0));
        assert!(Disk { free: u64::MAX, total: u64::MAX }.has_free(100));
    }

    #[test]
    fn a_complaint_names_what_is_wrong_and_not_what_was_found() {
        let findings = vec![finding("a", "secret", false), finding("b", "fine", true), finding("c", "", false)];
        let health = Health { log_entries: 0, disk: None, findings };
        assert!(!health.is_good());
        assert_eq!(health.complaints(), "a, c");
    }
}
