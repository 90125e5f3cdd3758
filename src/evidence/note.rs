//! Checkpoints of the audit log: how long it is and its root, as a C2SP `tlog-checkpoint` in a `signed-note`.
//!
//! ```text
//! scilit/audit
//! 1234
//! n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=
//!
//! — scilit 3q2+7wAB…
//! ```
//!
//! Reading is strict: what a reader accepts is byte for byte what a writer writes.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Hash, KeyError, Purpose, Signer, Verifier, keys::KEY_NAME};

/// The first line of every checkpoint.
pub const ORIGIN: &str = "scilit/audit";

/// Signatures a note has at most: the server's and those of witnesses.
const SIGNATURES_MAX: usize = 16;

/// The log at one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many entries it covers.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a text is no signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A part is missing, there is one too many, or one is not written the one way it is written.
    #[error("read the checkpoint: {0}")]
    Format(&'static str),
    /// No signature by a known key holds.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{ORIGIN}\n{}\n{}", self.size, STANDARD.encode(self.root))
    }
}

impl Checkpoint {
    /// The checkpoint as a signed note.
    pub fn signed(&self, signer: &Signer) -> String {
        let text = self.to_string();
        let signature = signer.sign_bytes(Purpose::Note, text.as_bytes());
        let line = STANDARD.encode([&signer.verifier().id()[..], &signature].concat());
        format!("{text}\n\u{2014} {KEY_NAME} {line}\n")
    }
}

/// A checkpoint with its signatures, read but not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    signatures: Vec<(String, Vec<u8>)>,
}

impl SignedCheckpoint {
    /// Reads a signed note that holds a checkpoint and nothing else.
    ///
    /// # Errors
    /// `Format` unless the text is exactly what [`Checkpoint::signed`] and witnesses write.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (body, signatures) = text.split_once("\n\n").ok_or(NoteError::Format("it has no signatures"))?;
        let checkpoint = parse_body(body)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Format("the last newline is missing"))?;
        let signatures: Vec<_> = signatures.split('\n').map(parse_signature).collect::<Result<_, _>>()?;
        match signatures.len() {
            0 => Err(NoteError::Format("it has no signatures")),
            1..=SIGNATURES_MAX => Ok(Self { checkpoint, signatures }),
            _ => Err(NoteError::Format("it has too many signatures")),
        }
    }

    /// Holds the signatures against the known keys: at least one must be a known key's, and each of those must hold.
    ///
    /// # Errors
    /// `UnknownKey` when none is a known key's, `Signature` when one does not hold.
    pub fn verify(&self, known: &[Verifier]) -> Result<(), NoteError> {
        let text = self.checkpoint.to_string();
        let mut held = false;
        for (name, bytes) in &self.signatures {
            let (id, signature) = bytes.split_at(4);
            for key in known.iter().filter(|key| name == KEY_NAME && key.id() == id) {
                key.verify_bytes(Purpose::Note, text.as_bytes(), signature)?;
                held = true;
            }
        }
        if held { Ok(()) } else { Err(KeyError::UnknownKey.into()) }
    }
}

fn parse_body(body: &str) -> Result<Checkpoint, NoteError> {
    let lines: Vec<&str> = body.split('\n').collect();
    let [ORIGIN, size, root] = lines.as_slice() else {
        return Err(NoteError::Format("it is not the three lines origin, size and root of this log"));
    };
    let number: u64 = size.parse().map_err(|_| NoteError::Format("its size is not a number"))?;
    // `+1` and `01` parse as well, and are not how a size is written.
    if number.to_string() != *size {
        return Err(NoteError::Format("its size is not a number"));
    }
    let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
    Ok(Checkpoint { size: number, root: root.ok_or(NoteError::Format("its root is not 32 bytes in base64"))? })
}

fn parse_signature(line: &str) -> Result<(String, Vec<u8>), NoteError> {
    let fault = NoteError::Format("a signature line is not a dash, a name and base64");
    let (name, encoded) = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(fault)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| fault)?;
    let named = !name.is_empty() && !name.contains(['+', '\r', '\t']) && !name.contains(char::is_whitespace);
    if named && bytes.len() > 4 { Ok((name.to_owned(), bytes)) } else { Err(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_seed(&[7; 32])
    }

    fn note() -> String {
        Checkpoint { size: 1234, root: [5; 32] }.signed(&signer())
    }

    fn read(text: &str) -> Result<Checkpoint, NoteError> {
        let signed = SignedCheckpoint::parse(text)?;
        signed.verify(&[*signer().verifier()])?;
        Ok(signed.checkpoint)
    }

    #[test]
    fn a_checkpoint_reads_back() {
        assert_eq!(read(&note()), Ok(Checkpoint { size: 1234, root: [5; 32] }));
        assert!(note().starts_with("scilit/audit\n1234\n"));
    }

    #[test]
    fn rel_a1_any_changed_byte_is_refused() {
        let text = note().into_bytes();
        let (mut refused, mut tried) = (0, 0);
        for at in 0..text.len() {
            for change in [1, 2, 32] {
                let mut other = text.clone();
                other[at] ^= change;
                tried += 1;
                refused += usize::from(String::from_utf8(other).ok().is_none_or(|text| read(&text).is_err()));
            }
            let cut = String::from_utf8_lossy(&text[..at]).into_owned();
            assert!(read(&cut).is_err(), "cut at {at}");
        }
        assert_eq!(refused, tried);
    }

    #[test]
    fn what_is_added_is_refused() {
        let text = note();
        for other in [
            format!("{text}\n"),
            format!("{text} "),
            format!(" {text}"),
            text.replacen("1234", "01234", 1),
            text.replacen("1234", "+1234", 1),
            text.replacen("1234\n", "1234\nan extension\n", 1).replacen("\n\nan", "\nan", 1),
            text.replace('\n', "\r\n"),
            text.replacen("scilit/audit", "scilit/other", 1),
        ] {
            assert!(read(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_witness_may_sign_too_but_not_alone() {
        let witness = format!("\u{2014} witness.example {}\n", STANDARD.encode([9; 80]));
        assert!(read(&format!("{}{witness}", note())).is_ok());
        let alone = format!("{}\n{witness}", Checkpoint { size: 1, root: [1; 32] });
        assert_eq!(read(&alone), Err(NoteError::Key(KeyError::UnknownKey)));
    }

    #[test]
    fn another_key_is_not_known() {
        let signed = SignedCheckpoint::parse(&note()).expect("a note");
        let other = *Signer::from_seed(&[8; 32]).verifier();
        assert_eq!(signed.verify(&[other]), Err(NoteError::Key(KeyError::UnknownKey)));
        assert!(signed.verify(&[other, *signer().verifier()]).is_ok());
    }
}
