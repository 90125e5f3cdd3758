//! What the server answers for bytes it keeps.

use serde::{Deserialize, Serialize};

use super::ShortCode;

/// Proof that the server keeps these bytes under this id and revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The submission's id, as the device made it.
    pub id: String,
    /// Its revision.
    pub rev: i32,
    /// SHA-256 of the bytes received.
    pub sha256: String,
    /// The place of the bytes in the server's order of arrival.
    pub server_seq: i64,
    /// When they arrived, by the server's clock: RFC 3339 in UTC with milliseconds.
    pub received_at: String,
    /// Whether other bytes were already there under this id and revision.
    pub conflict: bool,
    /// What a surveyor reads out to look the receipt up.
    pub short_code: String,
    /// The server's signature over the fields above; absent while the server has no key.
    pub signature: Option<String>,
}

impl Receipt {
    /// The receipt of bytes that arrived at `received_at_ms` (epoch milliseconds).
    pub fn new(id: &str, rev: i32, sha256: &str, server_seq: i64, received_at_ms: i64, conflict: bool) -> Self {
        let short_code = ShortCode::of(format!("{id}/{rev}/{sha256}").as_bytes()).to_string();
        let received_at = rfc3339(received_at_ms);
        let (id, sha256) = (id.to_owned(), sha256.to_owned());
        Self { id, rev, sha256, server_seq, received_at, conflict, short_code, signature: None }
    }

    /// The bytes that are stored and sent: fields in the order above, no blanks.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("a receipt is plain text and numbers: {error}"))
    }
}

fn rfc3339(epoch_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(epoch_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_the_same_bytes_each_time_and_reads_back() {
        let make =
            || Receipt::new("019abcde-0000-7000-8000-000000000001", 1, &"ab".repeat(32), 7, 1_763_800_000_123, false);
        assert_eq!(make().to_json(), make().to_json());
        assert_eq!(serde_json::from_str::<Receipt>(&make().to_json()).expect("a receipt"), make());
        assert_eq!(make().received_at, "2025-11-22T08:26:40.123Z");
    }

    #[test]
    fn the_short_code_depends_on_each_of_id_revision_and_digest() {
        let code = |id, rev, digest| Receipt::new(id, rev, digest, 1, 0, false).short_code;
        assert_ne!(code("a", 1, "x"), code("b", 1, "x"));
        assert_ne!(code("a", 1, "x"), code("a", 2, "x"));
        assert_ne!(code("a", 1, "x"), code("a", 1, "y"));
    }
}
