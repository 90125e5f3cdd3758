//! One entry with the proof that a signed checkpoint covers it, as a file that stands alone (C2SP `tlog-proof`).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{EntryHeader, Hash, NoteError, SignedCheckpoint, Verifier, leaf_hash, verify_inclusion};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Hashes a proof has at most: one a level of the tree.
const HASHES_MAX: usize = 63;

/// An entry, its proof and the checkpoint it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// The entry's header as it was hashed.
    pub header: String,
    /// Its place.
    pub index: u64,
    /// The proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogProofError {
    /// It is not written the one way it is written.
    #[error("read the proof: {0}")]
    Format(&'static str),
    /// The checkpoint in it does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint does not cover this entry.
    #[error("check the proof: the checkpoint does not cover this entry")]
    NotIncluded,
}

impl LogProof {
    /// The file's text; the entry stands in its `extra` line.
    pub fn to_text(&self) -> String {
        let hashes: String = self.hashes.iter().map(|hash| format!("{}\n", STANDARD.encode(hash))).collect();
        format!("{FIRST_LINE}\nextra {}\nindex {}\n{hashes}\n{}", STANDARD.encode(&self.header), self.index, self.note)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `Format` unless it is exactly what [`LogProof::to_text`] writes.
    pub fn parse(text: &str) -> Result<Self, LogProofError> {
        let (head, note) = text.split_once("\n\n").ok_or(LogProofError::Format("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(LogProofError::Format("its first line is not that of a proof"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).and_then(|e| STANDARD.decode(e).ok());
        let header = extra.and_then(|bytes| String::from_utf8(bytes).ok());
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(|index| index.parse().ok());
        let hash = |line: &str| STANDARD.decode(line).ok().and_then(|bytes| Hash::try_from(bytes).ok());
        let hashes: Option<Vec<Hash>> = lines.map(hash).collect();
        let (header, index, hashes) = header
            .zip(index)
            .zip(hashes.filter(|hashes| hashes.len() <= HASHES_MAX))
            .map(|((header, index), hashes)| (header, index, hashes))
            .ok_or(LogProofError::Format("its lines are not extra, index and hashes"))?;
        let read = Self { header, index, hashes, note: note.to_owned() };
        // Whatever could be written in another way was not.
        if read.to_text() == text { Ok(read) } else { Err(LogProofError::Format("it is not written as proofs are")) }
    }

    /// Verifies everything and returns the entry.
    ///
    /// # Errors
    /// Whatever does not hold.
    pub fn verify(&self, known: &[Verifier]) -> Result<EntryHeader, LogProofError> {
        let signed = SignedCheckpoint::parse(&self.note)?;
        signed.verify(known)?;
        let checkpoint = signed.checkpoint;
        let leaf = leaf_hash(self.header.as_bytes());
        if !verify_inclusion(&leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root) {
            return Err(LogProofError::NotIncluded);
        }
        let header: EntryHeader =
            serde_json::from_str(&self.header).map_err(|_| LogProofError::Format("its entry cannot be read"))?;
        let is_place = u64::try_from(header.seq) == Ok(self.index);
        if is_place { Ok(header) } else { Err(LogProofError::Format("its entry has another place")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Checkpoint, Frontier, ProofBuilder, Signer, commitment};

    fn proof() -> (LogProof, Signer) {
        let signer = Signer::from_seed(&[7; 32]);
        let headers: Vec<EntryHeader> = (0..11)
            .map(|seq| EntryHeader {
                seq,
                at_ms: seq,
                actor: "a".into(),
                role: "admin".into(),
                action: "survey.create".into(),
                object: "survey/1".into(),
                outcome: "done".into(),
                commitment: commitment(b"salt", "{}"),
            })
            .collect();
        let (mut tree, mut builder) = (Frontier::new(), ProofBuilder::inclusion(6, 11).expect("a claim"));
        for header in &headers {
            tree.push(header.leaf());
            builder.push(header.leaf());
        }
        let note = Checkpoint { size: 11, root: tree.root() }.signed(&signer);
        let hashes = builder.finish().expect("a proof");
        (LogProof { header: headers[6].to_json(), index: 6, hashes, note }, signer)
    }

    #[test]
    fn a_proof_reads_back_and_gives_its_entry() {
        let (proof, signer) = proof();
        let read = LogProof::parse(&proof.to_text()).expect("a proof");
        assert_eq!(read, proof);
        assert_eq!(read.verify(&[*signer.verifier()]).expect("an entry").seq, 6);
    }

    #[test]
    fn rel_a1_any_changed_byte_of_a_proof_is_refused() {
        let (proof, signer) = proof();
        let text = proof.to_text().into_bytes();
        let holds = |text: &str| LogProof::parse(text).is_ok_and(|read| read.verify(&[*signer.verifier()]).is_ok());
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 1;
            assert!(!String::from_utf8(other).is_ok_and(|text| holds(&text)), "byte {at}");
            assert!(!holds(&String::from_utf8_lossy(&text[..at])), "cut at {at}");
        }
        assert!(holds(&String::from_utf8_lossy(&text)));
    }
}
