//! The Merkle tree of RFC 6962 as it grows: only the roots of its perfect subtrees are kept.
//!
//! Notation: a tree over `n` leaves is, for each 1 in the binary form of `n`, one perfect subtree, the largest first.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256 of 0x00 and the leaf's bytes (RFC 6962, section 2.1).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(bytes);
    hash.finalize().into()
}

/// The hash of an inner node: SHA-256 of 0x01 and its two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x01]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// What must be known of a tree to append to it and to tell its root: at most 63 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, the largest first.
    peaks: Vec<Hash>,
}

/// Why bytes are no frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read the tree's frontier: {bytes} bytes do not fit a tree of {size} leaves")]
pub struct FrontierError {
    /// The size that was claimed.
    pub size: u64,
    /// The bytes there are.
    pub bytes: usize,
}

impl Frontier {
    /// The tree of no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing 1 of the old size is a perfect subtree as large as the one being made.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root over all leaves; of no leaves it is the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        let Some(first) = smallest_first.next() else { return Sha256::digest([]).into() };
        smallest_first.fold(*first, |right, left| node_hash(left, &right))
    }

    /// The peaks as bytes; with the size they are the whole frontier.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Reads a frontier back.
    ///
    /// # Errors
    /// When the bytes are not as many as a tree of this size has peaks.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, FrontierError> {
        let (peaks, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && peaks.len() == size.count_ones() as usize;
        fits.then(|| Self { size, peaks: peaks.to_vec() }).ok_or(FrontierError { size, bytes: bytes.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(n: u8) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&[i])).collect()
    }

    /// RFC 6962's own recursive definition.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [only] => *only,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let all = leaves(130);
        let mut tree = Frontier::new();
        for n in 0..=all.len() {
            assert_eq!(tree.root(), defined(&all[..n]), "{n} leaves");
            if let Some(leaf) = all.get(n) {
                tree.push(*leaf);
            }
        }
    }

    #[test]
    fn a_frontier_reads_back_and_goes_on_as_before() {
        let mut tree = Frontier::new();
        for (n, leaf) in leaves(40).into_iter().enumerate() {
            let read = Frontier::from_bytes(n as u64, &tree.to_bytes()).expect("a frontier");
            assert_eq!(read, tree);
            tree.push(leaf);
        }
    }

    #[test]
    fn bytes_that_do_not_fit_the_size_are_refused() {
        assert_eq!(Frontier::from_bytes(1, &[]), Err(FrontierError { size: 1, bytes: 0 }));
        assert_eq!(Frontier::from_bytes(3, &[0; 32]), Err(FrontierError { size: 3, bytes: 32 }));
        assert_eq!(Frontier::from_bytes(1, &[0; 33]), Err(FrontierError { size: 1, bytes: 33 }));
    }

    #[test]
    fn the_empty_tree_and_one_leaf_have_the_published_roots() {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        // RFC 6962 test vectors as certificate-transparency implementations publish them.
        assert_eq!(hex(Frontier::new().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let mut tree = Frontier::new();
        tree.push(leaf_hash(b""));
        assert_eq!(hex(tree.root()), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }
}
