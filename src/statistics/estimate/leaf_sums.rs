//! Weighted column sums by domain and leaf of the design, domain by domain: what a domain's variance looks at.

use std::ops::Range;

use rayon::prelude::*;

use super::domains::Domains;
use crate::statistics::{
    Prepared,
    variance::unit_sums::{Entry, Rows, Values, each_part},
};

/// Domains that a task takes at least: a domain may be a handful of leaves.
const DOMAINS_A_TASK: usize = 16;

/// Sums by leaf, domain by domain, leaves ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct LeafSums {
    k: usize,
    starts: Vec<usize>,
    leaves: Vec<u32>,
    sums: Vec<f64>,
    totals: Vec<f64>,
    counts: Vec<usize>,
}

/// Where a domain's leaves, their sums and the domain's totals are written.
type Place<'a> = (&'a mut [u32], &'a mut [f64], &'a mut [f64]);

/// The sums of one part of the rows, domain by domain.
struct Part {
    starts: Vec<u32>,
    /// Rows by domain.
    counts: Vec<u32>,
    leaves: Vec<u32>,
    sums: Vec<f64>,
}

impl Part {
    fn new(entries: &[Entry], sums: &[f64], domains: usize, k: usize) -> Self {
        let (mut starts, mut counts) = (vec![0; domains + 1], vec![0; domains]);
        for entry in entries {
            starts[entry.group as usize + 1] += 1;
            counts[entry.group as usize] += entry.rows;
        }
        (0..domains).for_each(|domain| starts[domain + 1] += starts[domain]);
        let mut next = starts.clone();
        let (mut leaves, mut sorted) = (vec![0; entries.len()], vec![0.0; sums.len()]);
        for (entry, sum) in entries.iter().zip(sums.chunks_exact(k)) {
            let at = next[entry.group as usize] as usize;
            next[entry.group as usize] += 1;
            leaves[at] = entry.unit;
            // A call to copy some sixteen bytes would cost more than they do.
            sorted[at * k..(at + 1) * k].iter_mut().zip(sum).for_each(|(to, from)| *to = *from);
        }
        Self { starts, counts, leaves, sums: sorted }
    }

    fn of(&self, domain: usize) -> Range<usize> {
        self.starts[domain] as usize..self.starts[domain + 1] as usize
    }
}

impl LeafSums {
    pub fn new(prepared: &Prepared, domains: &Domains, columns: &[Values<'_>]) -> Self {
        let rows = Rows {
            order: prepared.by_leaf(),
            unit_of_row: prepared.design.leaf_of_row(),
            group_of_row: &domains.codes,
            groups: domains.len(),
            weights: &prepared.weights,
        };
        let (domains, k) = (domains.len(), columns.len());
        let parts = each_part(rows, columns, |entries, sums| Part::new(entries, sums, domains, k));
        Self::joined(domains, k, &parts)
    }

    /// Leaves ascend from part to part, so that a domain's are those of its parts one after the other.
    fn joined(domains: usize, k: usize, parts: &[Part]) -> Self {
        let mut starts = vec![0; domains + 1];
        for domain in 0..domains {
            starts[domain + 1] = starts[domain] + parts.iter().map(|part| part.of(domain).len()).sum::<usize>();
        }
        let many = starts[domains];
        let (mut leaves, mut sums, mut totals) = (vec![0; many], vec![0.0; many * k], vec![0.0; domains * k]);
        let (mut free_leaves, mut free_sums) = (leaves.as_mut_slice(), sums.as_mut_slice());
        let mut places = Vec::with_capacity(domains);
        for (range, totals) in starts.windows(2).zip(totals.chunks_exact_mut(k.max(1))) {
            let (own_leaves, others) = free_leaves.split_at_mut(range[1] - range[0]);
            let (own_sums, other_sums) = free_sums.split_at_mut((range[1] - range[0]) * k);
            (free_leaves, free_sums) = (others, other_sums);
            places.push((own_leaves, own_sums, totals));
        }
        let join = |(domain, (leaves, sums, totals)): (usize, Place<'_>)| {
            let mut at = 0;
            for part in parts {
                let of = part.of(domain);
                leaves[at..at + of.len()].copy_from_slice(&part.leaves[of.clone()]);
                sums[at * k..(at + of.len()) * k].copy_from_slice(&part.sums[of.start * k..of.end * k]);
                at += of.len();
            }
            for sums in sums.chunks_exact(k) {
                totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        };
        places.into_par_iter().enumerate().with_min_len(DOMAINS_A_TASK).for_each(join);
        let count = |domain: usize| parts.iter().map(|part| part.counts[domain] as usize).sum();
        Self { k, starts, leaves, sums, totals, counts: (0..domains).map(count).collect() }
    }

    /// A domain's leaves and their sums.
    pub fn of(&self, domain: usize) -> (&[u32], &[f64]) {
        let (start, end) = (self.starts[domain], self.starts[domain + 1]);
        (&self.leaves[start..end], &self.sums[start * self.k..end * self.k])
    }

    /// A domain's totals.
    pub fn totals(&self, domain: usize) -> &[f64] {
        &self.totals[domain * self.k..(domain + 1) * self.k]
    }

    /// A domain's rows.
    pub fn count(&self, domain: usize) -> usize {
        self.counts[domain]
    }
}
