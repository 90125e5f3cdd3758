//! Evidence: digests and receipts. Plain functions of their inputs; what they vouch for is stored elsewhere.
//!
//! A [`Receipt`] says that the server keeps exactly these bytes. It is made once, stored, and sent again byte for byte
//! whenever the same bytes arrive again.

mod digest;
mod receipt;
mod short_code;

pub use digest::{is_sha256_hex, sha256_hex};
pub use receipt::Receipt;
pub use short_code::{ShortCode, ShortCodeError};
