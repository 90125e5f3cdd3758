//! Weighted column sums by design unit and group: what Taylor variances and replicates see instead of rows.

use std::{collections::HashMap, ops::Range};

use rayon::prelude::*;

use crate::statistics::{data::MISSING, variance::replicate::ReplicateFactors};

/// Rows a parallel task takes; it ends where a unit ends, so that no sum depends on the tasks.
const CHUNK: usize = 1 << 16;

/// Replicates summed side by side: one pass over the units serves as many.
const LANES: usize = 32;

/// Lanes where groups are so many that the sums of 32 replicates would outgrow the data.
const FEW_LANES: usize = 4;

/// Groups times columns up to which 32 replicates are summed at once (32 MB).
const WIDE_MAX: usize = 1 << 17;

/// The rows that are summed: their order (unit by unit), the unit and the group of each, its weight.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub order: &'a [u32],
    pub unit_of_row: &'a [u32],
    pub group_of_row: &'a [u32],
    pub groups: usize,
    pub weights: &'a [f64],
}

/// A group inside a unit, and how many rows it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub unit: u32,
    pub group: u32,
    pub rows: u32,
}

/// The sums of each entry, unit by unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UnitSums {
    pub entries: Vec<Entry>,
    /// `k` sums an entry.
    pub sums: Vec<f64>,
    /// Columns summed.
    pub k: usize,
    groups: usize,
}

impl UnitSums {
    /// Sums weight times each column; without columns the weights alone. Rows of the group `MISSING` are left out.
    pub fn new(rows: Rows<'_>, columns: &[&[f64]]) -> Self {
        let part = |range: &Range<usize>| match columns {
            [] => rows.part::<1>(range.clone(), 1, |_, w, sums| sums[0] += w),
            [a] => rows.part::<1>(range.clone(), 1, |row, w, sums| sums[0] += w * a[row]),
            [a, b] => rows.part::<2>(range.clone(), 2, |row, w, sums| {
                sums[0] += w * a[row];
                sums[1] += w * b[row];
            }),
            _ => rows.part::<0>(range.clone(), columns.len(), |row, w, sums| {
                sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += w * column[row]);
            }),
        };
        let parts: Vec<(Vec<Entry>, Vec<f64>)> = rows.chunks().par_iter().map(part).collect();
        let mut all = Self { k: columns.len().max(1), groups: rows.groups, ..Self::default() };
        let entries = parts.iter().map(|(entries, _)| entries.len()).sum();
        all.entries.reserve_exact(entries);
        all.sums.reserve_exact(entries * all.k);
        for (entries, sums) in parts {
            all.entries.extend(entries);
            all.sums.extend(sums);
        }
        all
    }

    /// The sums of every group in every replicate: `by_replicate` is given the replicate and, group by group, the
    /// sums of its columns; its results stand in the order of replicates.
    pub fn of_replicates<T: Send>(
        &self,
        factors: &ReplicateFactors,
        by_replicate: impl Fn(usize, &[f64]) -> T + Sync,
    ) -> Vec<T> {
        match self.groups * self.k <= WIDE_MAX {
            true => self.in_lanes::<LANES, T>(factors, by_replicate),
            false => self.in_lanes::<FEW_LANES, T>(factors, by_replicate),
        }
    }

    fn in_lanes<const L: usize, T: Send>(
        &self,
        factors: &ReplicateFactors,
        by_replicate: impl Fn(usize, &[f64]) -> T + Sync,
    ) -> Vec<T> {
        let blocks: Vec<(usize, &[Vec<f64>])> = factors.multipliers.chunks(L).enumerate().collect();
        let of_block = |&(block, multipliers): &(usize, &[Vec<f64>])| {
            let sums = self.block::<L>(multipliers);
            let mut own = vec![0.0; sums.len()];
            let one = |lane: usize| {
                own.iter_mut().zip(&sums).for_each(|(own, sums)| *own = sums[lane]);
                by_replicate(block * L + lane, &own)
            };
            (0..multipliers.len()).map(one).collect::<Vec<T>>()
        };
        let all: Vec<Vec<T>> = blocks.par_iter().map(of_block).collect();
        all.into_iter().flatten().collect()
    }

    fn block<const L: usize>(&self, multipliers: &[Vec<f64>]) -> Vec<[f64; L]> {
        let mut all = vec![[0.0; L]; self.groups * self.k];
        let (mut lanes, mut unit) = ([0.0; L], MISSING);
        for (entry, sums) in self.entries.iter().zip(self.sums.chunks_exact(self.k)) {
            if entry.unit != unit {
                unit = entry.unit;
                lanes.iter_mut().zip(multipliers).for_each(|(lane, of)| *lane = of[unit as usize]);
            }
            let at = entry.group as usize * self.k;
            for (into, &sum) in all[at..at + self.k].iter_mut().zip(sums) {
                // Where y is 0 or 1, most sums are 0.
                if sum != 0.0 {
                    into.iter_mut().zip(&lanes).for_each(|(into, lane)| *into += sum * lane);
                }
            }
        }
        all
    }
}

impl Rows<'_> {
    fn unit(&self, at: usize) -> u32 {
        self.unit_of_row[self.order[at] as usize]
    }

    fn chunks(&self) -> Vec<Range<usize>> {
        let (mut ranges, mut start) = (Vec::new(), 0);
        while start < self.order.len() {
            let mut end = (start + CHUNK).min(self.order.len());
            while end < self.order.len() && self.unit(end) == self.unit(end - 1) {
                end += 1;
            }
            ranges.push(start..end);
            start = end;
        }
        ranges
    }

    /// The entries of some rows; `K` is the number of columns where it is known when compiling, else 0.
    fn part<const K: usize>(
        &self,
        range: Range<usize>,
        columns: usize,
        add: impl Fn(usize, f64, &mut [f64]),
    ) -> (Vec<Entry>, Vec<f64>) {
        let k = if K == 0 { columns } else { K };
        let mut open = vec![(MISSING, 0u32); self.groups];
        let mut entries: Vec<Entry> = Vec::with_capacity(range.len());
        let mut sums: Vec<f64> = Vec::with_capacity(range.len() * k);
        for &row in &self.order[range] {
            let row = row as usize;
            let group = self.group_of_row[row];
            if group == MISSING {
                continue;
            }
            let unit = self.unit_of_row[row];
            let slot = &mut open[group as usize];
            if slot.0 != unit {
                *slot = (unit, entries.len() as u32);
                entries.push(Entry { unit, group, rows: 0 });
                sums.resize(sums.len() + k, 0.0);
            }
            let at = slot.1 as usize;
            entries[at].rows += 1;
            add(row, self.weights[row], &mut sums[at * k..(at + 1) * k]);
        }
        (entries, sums)
    }
}

/// The pairs of two codes that occur.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pairs {
    /// The pair of each row, `MISSING` where either code is.
    pub of_row: Vec<u32>,
    /// The codes of each pair.
    pub codes: Vec<(u32, u32)>,
}

impl Pairs {
    /// Numbers the pairs. A first code mostly goes with one second code (a calibration cell lies in one district):
    /// its first partner is found without a search.
    pub fn new(first: &[u32], firsts: usize, second: &[u32]) -> Self {
        let mut codes: Vec<(u32, u32)> = (0..firsts as u32).map(|code| (code, MISSING)).collect();
        let mut others: HashMap<(u32, u32), u32> = HashMap::new();
        let mut pair = |(&a, &b): (&u32, &u32)| {
            if a == MISSING || b == MISSING {
                return MISSING;
            }
            let partner = &mut codes[a as usize].1;
            if *partner == b {
                return a;
            }
            if *partner == MISSING {
                *partner = b;
                return a;
            }
            *others.entry((a, b)).or_insert_with(|| {
                codes.push((a, b));
                (codes.len() - 1) as u32
            })
        };
        let of_row = first.iter().zip(second).map(&mut pair).collect();
        Self { of_row, codes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::variance::replicate::DfRule;

    #[test]
    fn sums_by_unit_and_group_leave_missing_groups_out() {
        let rows = Rows {
            order: &[0, 1, 2, 3, 4],
            unit_of_row: &[0, 0, 0, 1, 1],
            group_of_row: &[1, 0, 1, MISSING, 1],
            groups: 2,
            weights: &[1.0, 2.0, 4.0, 8.0, 16.0],
        };
        let sums = UnitSums::new(rows, &[&[1.0, 1.0, 0.5, f64::NAN, 0.0]]);
        let entry = |unit, group, rows| Entry { unit, group, rows };
        assert_eq!(sums.entries, [entry(0, 1, 2), entry(0, 0, 1), entry(1, 1, 1)]);
        assert_eq!(sums.sums, [3.0, 2.0, 0.0]);
    }

    #[test]
    fn replicates_multiply_the_units() {
        let rows = Rows {
            order: &[0, 1, 2],
            unit_of_row: &[0, 1, 1],
            group_of_row: &[0, 0, 1],
            groups: 2,
            weights: &[1.0, 2.0, 4.0],
        };
        let multipliers: Vec<Vec<f64>> = (0..40).map(|r| vec![f64::from(r), 1.0]).collect();
        let factors = ReplicateFactors {
            unit_of_row: vec![0, 1, 1],
            multipliers,
            scale: 1.0,
            rscales: vec![1.0; 40],
            mse: false,
            df: DfRule::Design,
        };
        let sums = UnitSums::new(rows, &[]).of_replicates(&factors, |r, sums| (r, sums.to_vec()));
        assert_eq!(sums.len(), 40);
        assert!(sums.iter().enumerate().all(|(at, (r, sums))| at == *r && *sums == [at as f64 + 2.0, 4.0]));
    }

    #[test]
    fn pairs_are_found_whether_or_not_one_code_follows_from_the_other() {
        let pairs = Pairs::new(&[0, 1, 0, 0, MISSING, 1], 2, &[5, 5, 6, 5, 5, MISSING]);
        assert_eq!(pairs.of_row, [0, 1, 2, 0, MISSING, MISSING]);
        assert_eq!(pairs.codes, [(0, 5), (1, 5), (0, 6)]);
    }
}
