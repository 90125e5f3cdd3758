//! Proofs about the log's tree (RFC 6962, section 2.1): that it holds an entry, and that it only grew.
//!
//! A proof is a list of roots of ranges of leaves. [`ProofBuilder`] reads the leaves once, in order, and keeps only
//! the growing edge of each range, so that a proof over a long log needs no memory to speak of.

use std::ops::Range;

use super::{Frontier, Hash, node_hash};

/// Makes a proof from the leaves, which it is given one after the other.
#[derive(Debug, Clone)]
pub struct ProofBuilder {
    parts: Vec<(Range<u64>, Frontier)>,
    next: u64,
}

impl ProofBuilder {
    /// For the proof that leaf `index` is in the tree of `size` leaves; none when it cannot be.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        (index < size).then(|| Self::of(path(index, 0..size)))
    }

    /// For the proof that the tree of `new` leaves begins with the tree of `old`; none when it cannot.
    pub fn consistency(old: u64, new: u64) -> Option<Self> {
        let ranges = match old {
            0 => Vec::new(),
            _ => subproof(old, 0..new, true),
        };
        (old <= new).then(|| Self::of(ranges))
    }

    fn of(ranges: Vec<Range<u64>>) -> Self {
        Self { parts: ranges.into_iter().map(|range| (range, Frontier::new())).collect(), next: 0 }
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        for (range, tree) in &mut self.parts {
            if range.contains(&self.next) {
                tree.push(leaf);
            }
        }
        self.next += 1;
    }

    /// The proof; none unless every leaf it needs was given.
    pub fn finish(self) -> Option<Vec<Hash>> {
        let is_whole = |(range, tree): &(Range<u64>, Frontier)| tree.size() == range.end - range.start;
        self.parts.iter().all(is_whole).then(|| self.parts.iter().map(|(_, tree)| tree.root()).collect())
    }
}

/// Where a tree over these leaves splits: the largest power of two below their number.
fn split(range: &Range<u64>) -> u64 {
    let n = range.end - range.start;
    range.start + n.next_power_of_two() / 2
}

fn path(index: u64, range: Range<u64>) -> Vec<Range<u64>> {
    if range.end - range.start <= 1 {
        return Vec::new();
    }
    let middle = split(&range);
    let (within, beside) = if index < middle {
        (range.start..middle, middle..range.end)
    } else {
        (middle..range.end, range.start..middle)
    };
    let mut ranges = path(index, within);
    ranges.push(beside);
    ranges
}

fn subproof(old: u64, range: Range<u64>, is_known: bool) -> Vec<Range<u64>> {
    if old >= range.end {
        return if is_known { Vec::new() } else { vec![range] };
    }
    let middle = split(&range);
    let (mut ranges, beside) = match old <= middle {
        true => (subproof(old, range.start..middle, is_known), middle..range.end),
        false => (subproof(old, middle..range.end, false), range.start..middle),
    };
    ranges.push(beside);
    ranges
}

/// Whether the tree of `size` leaves with this root has this leaf at `index` (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for part in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(part, &hash);
            (at, last) = skip_lone_levels(at, last);
        } else {
            hash = node_hash(&hash, part);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return false;
    }
    if old_size == 0 || old_size == new_size {
        let is_same = old_size == 0 || old_root == new_root;
        return proof.is_empty() && is_same && (old_size != 0 || *old_root == Frontier::new().root());
    }
    let known = old_size.is_power_of_two().then_some(*old_root);
    let mut parts = known.into_iter().chain(proof.iter().copied());
    let Some(first) = parts.next() else { return false };
    let shift = (old_size - 1).trailing_ones();
    let (mut at, mut last) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let (mut before, mut after) = (first, first);
    for part in parts {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            (before, after) = (node_hash(&part, &before), node_hash(&part, &after));
            (at, last) = skip_lone_levels(at, last);
        } else {
            after = node_hash(&after, &part);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && before == *old_root && after == *new_root
}

/// A right edge rises without a sibling until it is a right child again.
fn skip_lone_levels(at: u64, last: u64) -> (u64, u64) {
    let levels = if at == 0 { 0 } else { at.trailing_zeros() };
    (at >> levels, last >> levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::leaf_hash;
    use proptest::prelude::*;

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    /// RFC 6962's own recursive definitions over all leaves at once: the naive tree.
    mod naive {
        use super::*;

        fn split(n: usize) -> usize {
            n.next_power_of_two() / 2
        }

        pub(super) fn root(leaves: &[Hash]) -> Hash {
            match leaves {
                [] => Frontier::new().root(),
                [only] => *only,
                _ => {
                    let (left, right) = leaves.split_at(split(leaves.len()));
                    node_hash(&root(left), &root(right))
                }
            }
        }

        pub(super) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
            if leaves.len() <= 1 {
                return Vec::new();
            }
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (mut proof, beside) = match index < left.len() {
                true => (path(index, left), root(right)),
                false => (path(index - left.len(), right), root(left)),
            };
            proof.push(beside);
            proof
        }

        pub(super) fn subproof(old: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
            if old == leaves.len() {
                return if is_known { Vec::new() } else { vec![root(leaves)] };
            }
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (mut proof, beside) = match old <= left.len() {
                true => (subproof(old, left, is_known), root(right)),
                false => (subproof(old - left.len(), right, false), root(left)),
            };
            proof.push(beside);
            proof
        }
    }

    fn built(builder: Option<ProofBuilder>, leaves: &[Hash]) -> Vec<Hash> {
        let mut builder = builder.expect("a provable claim");
        leaves.iter().for_each(|leaf| builder.push(*leaf));
        builder.finish().expect("every leaf was given")
    }

    #[test]
    fn rel_a5_every_entry_of_every_tree_to_300_is_proved_as_the_definition_proves_it() {
        let all = leaves(300);
        for n in 1..=all.len() {
            let (tree, root) = (&all[..n], naive::root(&all[..n]));
            // Each entry of the small trees; of the large ones those at the edges of their subtrees.
            let interesting = (0..n).filter(|i| n <= 70 || i.count_ones() <= 1 || *i + 9 >= n || i % 37 == 0);
            for index in interesting {
                let proof = built(ProofBuilder::inclusion(index as u64, n as u64), tree);
                assert_eq!(proof, naive::path(index, tree), "{index} of {n}");
                assert!(verify_inclusion(&all[index], index as u64, n as u64, &proof, &root), "{index} of {n}");
            }
        }
    }

    #[test]
    fn rel_a5_every_pair_of_fifty_checkpoints_is_consistent() {
        let all = leaves(300);
        let sizes: Vec<usize> = (0..50).map(|i| i * 6 + i % 5).collect();
        for (place, old) in sizes.iter().enumerate() {
            for new in &sizes[place..] {
                let proof = built(ProofBuilder::consistency(*old as u64, *new as u64), &all[..*new]);
                if *old > 0 {
                    assert_eq!(proof, naive::subproof(*old, &all[..*new], true), "{old} in {new}");
                }
                let (before, after) = (naive::root(&all[..*old]), naive::root(&all[..*new]));
                assert!(verify_consistency((*old as u64, &before), (*new as u64, &after), &proof), "{old} in {new}");
            }
        }
    }

    #[test]
    fn what_cannot_be_has_no_proof() {
        assert!(ProofBuilder::inclusion(3, 3).is_none());
        assert!(ProofBuilder::consistency(4, 3).is_none());
        let missing = ProofBuilder::inclusion(0, 3).expect("a provable claim");
        assert!(missing.finish().is_none(), "no leaf was given");
    }

    proptest! {
        #[test]
        fn rel_a5_a_changed_inclusion_proof_is_refused(n in 1_u64..300, pick in 0_u64..300, part in 0_usize..9, bit in 0_u8..8) {
            let (index, all) = (pick % n, leaves(n));
            let (root, mut proof) = (naive::root(&all), built(ProofBuilder::inclusion(index, n), &all));
            let leaf = all[usize::try_from(index).expect("small")];
            prop_assert!(verify_inclusion(&leaf, index, n, &proof, &root));
            prop_assert!(n == 1 || !verify_inclusion(&leaf, (index + 1) % n, n, &proof, &root));
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(!verify_inclusion(&leaf, index, n, &longer, &root));
            if let Some(hash) = proof.get_mut(part) {
                hash[0] ^= 1 << bit;
                prop_assert!(!verify_inclusion(&leaf, index, n, &proof, &root));
            }
        }

        #[test]
        fn rel_a5_a_changed_consistency_proof_is_refused(old in 1_u64..300, more in 1_u64..300, part in 0_usize..9) {
            let (new, all) = (old + more, leaves(old + more));
            let (before, after) = (naive::root(&all[..usize::try_from(old).expect("small")]), naive::root(&all));
            let mut proof = built(ProofBuilder::consistency(old, new), &all);
            prop_assert!(verify_consistency((old, &before), (new, &after), &proof));
            prop_assert!(!verify_consistency((old, &after), (new, &after), &proof));
            if let Some(hash) = proof.get_mut(part) {
                hash[31] ^= 1;
                prop_assert!(!verify_consistency((old, &before), (new, &after), &proof));
            }
        }
    }
}
