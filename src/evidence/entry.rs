//! What an entry of the audit log commits to.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::merkle::{Hash, leaf_hash};

/// The clear part of an entry: who did what to what, when, and how it ended. Its bytes are the leaf of the log's tree.
///
/// The detail stands beside it and enters only as a salted [`commitment`]: erasing detail and salt leaves the log
/// verifiable and says nothing about what was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryHeader {
    /// Place in the log, from 0, without gaps.
    pub seq: i64,
    /// By the server's clock, epoch milliseconds.
    pub at_ms: i64,
    /// The id of whoever acted; never a name.
    pub actor: String,
    /// The role they acted in.
    pub role: String,
    /// What was done, `noun.verb`.
    pub action: String,
    /// What it was done to, `kind/id`.
    pub object: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// The salted digest of the detail, lower-case hex.
    pub commitment: String,
}

impl EntryHeader {
    /// The bytes that are hashed: JSON, fields in the order above, no blanks.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("a header is plain text and numbers: {error}"))
    }

    /// The leaf of the log's tree.
    pub fn leaf(&self) -> Hash {
        leaf_hash(self.to_json().as_bytes())
    }
}

/// SHA-256 of salt and detail. Sixteen random bytes of salt keep a detail of few possible values from being guessed.
pub fn commitment(salt: &[u8], detail: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(detail.as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> EntryHeader {
        EntryHeader {
            seq: 0,
            at_ms: 1,
            actor: "a".into(),
            role: "admin".into(),
            action: "survey.create".into(),
            object: "survey/1".into(),
            outcome: "done".into(),
            commitment: commitment(b"salt", "{}"),
        }
    }

    #[test]
    fn every_field_changes_the_leaf() {
        let changes: [fn(&mut EntryHeader); 8] = [
            |h| h.seq = 1,
            |h| h.at_ms = 2,
            |h| h.actor = "b".into(),
            |h| h.role = "auditor".into(),
            |h| h.action = "survey.close".into(),
            |h| h.object = "survey/2".into(),
            |h| h.outcome = "failed".into(),
            |h| h.commitment = commitment(b"salt", "{} "),
        ];
        for change in changes {
            let mut other = header();
            change(&mut other);
            assert_ne!(other.leaf(), header().leaf(), "{other:?}");
        }
    }

    #[test]
    fn a_header_reads_back_from_its_bytes() {
        assert_eq!(serde_json::from_str::<EntryHeader>(&header().to_json()).expect("a header"), header());
    }
}
