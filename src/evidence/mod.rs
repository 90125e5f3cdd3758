//! Evidence: digests, keys, receipts, and the audit log's tree. Plain functions of their inputs; what they vouch for is stored elsewhere.
//!
//! A [`Receipt`] says that the server keeps exactly these bytes. It is made once, stored, and sent again byte for byte
//! whenever the same bytes arrive again. The audit log is a Merkle tree ([`Frontier`]) over its entries' headers
//! ([`EntryHeader`]), so that an outsider who kept one root can tell any later change of what it covers: a
//! [`Checkpoint`] is such a root, signed; a [`LogProof`] shows one entry under it; a [`LogCheck`] reads a whole log.
//! A [`Statement`] in its [`Envelope`] says what a run made from what, signed.

mod digest;
mod entry;
mod envelope;
mod keys;
mod log;
mod log_proof;
mod merkle;
mod note;
mod proof;
mod receipt;
mod short_code;
mod statement;

pub use digest::{is_sha256_hex, sha256_hex};
pub use entry::{EntryHeader, commitment};
pub use envelope::{Envelope, EnvelopeError, PAYLOAD_TYPE};
pub use keys::{KEY_NAME, KeyError, Purpose, Signer, Verifier};
pub use log::{Detail, LogCheck, LogFault, Voucher};
pub use log_proof::{LogProof, LogProofError};
pub use merkle::{Frontier, FrontierError, Hash, leaf_hash, node_hash};
pub use note::{Checkpoint, NoteError, ORIGIN, SignedCheckpoint};
pub use proof::{ProofBuilder, verify_consistency, verify_inclusion};
pub use receipt::Receipt;
pub use short_code::{ShortCode, ShortCodeError};
pub use statement::{
    BuildDefinition, Builder, ControlTotals, Counts, Dependency, ExternalParameters, FileDigest, LogPlace, Metadata,
    PREDICATE_TYPE, RunDetails, RunPredicate, STATEMENT_TYPE, Size, Statement, Subject,
};
