//! What the server answers for bytes it keeps.

use serde::{Deserialize, Serialize};

use super::{KeyError, Purpose, ShortCode, Signer, Verifier};

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
    /// The entry of the audit log that says so; absent on receipts from before the log.
    pub log_index: Option<i64>,
    /// When they arrived, by the server's clock: RFC 3339 in UTC with milliseconds.
    pub received_at: String,
    /// Whether other bytes were already there under this id and revision.
    pub conflict: bool,
    /// What a surveyor reads out to look the receipt up.
    pub short_code: String,
    /// The key that signed; absent on receipts from before the server had keys.
    pub key_id: Option<String>,
    /// The signature over everything above, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Receipt {
    /// The receipt of bytes that arrived at `received_at_ms` (epoch milliseconds).
    pub fn new(id: &str, rev: i32, sha256: &str, server_seq: i64, received_at_ms: i64, conflict: bool) -> Self {
        let short_code = ShortCode::of(format!("{id}/{rev}/{sha256}").as_bytes()).to_string();
        let received_at = rfc3339(received_at_ms);
        let (id, sha256) = (id.to_owned(), sha256.to_owned());
        let (log_index, key_id, signature) = (None, None, None);
        Self { id, rev, sha256, server_seq, log_index, received_at, conflict, short_code, key_id, signature }
    }

    /// The receipt with the place of its entry in the audit log.
    #[must_use]
    pub fn logged(self, log_index: i64) -> Self {
        Self { log_index: Some(log_index), ..self }
    }

    /// The receipt with a signature over its JSON as it is without one. An outsider gets those bytes back by cutting
    /// `,"signature":"…"` off the end of the receipt as it was sent.
    #[must_use]
    pub fn signed(self, signer: &Signer) -> Self {
        let unsigned = Self { key_id: Some(signer.key_id()), signature: None, ..self };
        let signature = signer.sign(Purpose::Receipt, unsigned.to_json().as_bytes());
        Self { signature: Some(signature), ..unsigned }
    }

    /// Holds the signature against the known keys.
    ///
    /// # Errors
    /// `Unsigned`, `UnknownKey`, or `Signature` when it does not fit.
    pub fn verify(&self, known: &[Verifier]) -> Result<(), KeyError> {
        let (Some(key_id), Some(signature)) = (&self.key_id, &self.signature) else { return Err(KeyError::Unsigned) };
        let unsigned = Self { signature: None, ..self.clone() }.to_json();
        let key = known.iter().find(|key| key.key_id() == *key_id).ok_or(KeyError::UnknownKey)?;
        key.verify(Purpose::Receipt, unsigned.as_bytes(), signature)
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

    fn signed() -> (Receipt, Signer) {
        let signer = Signer::from_seed(&[7; 32]);
        (Receipt::new("019abcde", 1, &"ab".repeat(32), 7, 0, false).logged(12).signed(&signer), signer)
    }

    #[test]
    fn a_signed_receipt_verifies_after_reading_back_and_with_an_older_key_among_several() {
        let (receipt, signer) = signed();
        let read: Receipt = serde_json::from_str(&receipt.to_json()).expect("a receipt");
        let newer = *Signer::from_seed(&[8; 32]).verifier();
        assert_eq!(read.verify(&[newer, *signer.verifier()]), Ok(()));
        assert_eq!(read.verify(&[newer]), Err(KeyError::UnknownKey));
        assert_eq!(Receipt::new("a", 1, "b", 1, 0, false).verify(&[newer]), Err(KeyError::Unsigned));
    }

    #[test]
    fn the_signed_bytes_are_the_sent_ones_with_the_signature_cut_off() {
        let (receipt, signer) = signed();
        let sent = receipt.to_json();
        let signature = receipt.signature.clone().expect("a signature");
        let cut = sent.replace(&format!(",\"signature\":\"{signature}\""), "");
        assert!(signer.verifier().verify(Purpose::Receipt, cut.as_bytes(), &signature).is_ok(), "{cut}");
    }

    #[test]
    fn every_changed_field_breaks_the_signature() {
        let (receipt, signer) = signed();
        let changes: [fn(&mut Receipt); 8] = [
            |r| r.id.push('a'),
            |r| r.rev = 2,
            |r| r.sha256 = "cd".repeat(32),
            |r| r.server_seq = 8,
            |r| r.log_index = None,
            |r| r.received_at.push(' '),
            |r| r.conflict = true,
            |r| r.short_code = "0".to_owned(),
        ];
        for change in changes {
            let mut other = receipt.clone();
            change(&mut other);
            assert_eq!(other.verify(&[*signer.verifier()]), Err(KeyError::Signature), "{other:?}");
        }
    }

    #[test]
    fn the_short_code_depends_on_each_of_id_revision_and_digest() {
        let code = |id, rev, digest| Receipt::new(id, rev, digest, 1, 0, false).short_code;
        assert_ne!(code("a", 1, "x"), code("b", 1, "x"));
        assert_ne!(code("a", 1, "x"), code("a", 2, "x"));
        assert_ne!(code("a", 1, "x"), code("a", 1, "y"));
    }
}
