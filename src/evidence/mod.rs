//! Digests and receipts: what proves that a byte is the byte that was sent.
