//! Weighted column sums by design unit and group: what Taylor variances and replicates see instead of rows.

use std::{collections::HashMap, ops::Range, sync::Arc};

use rayon::prelude::*;

use crate::statistics::{
    data::MISSING,
    design::partners,
    variance::replicate::{Multipliers, ReplicateFactors},
};

/// Rows whose sums by group are made at once and then folded in order.
const CHUNK: usize = 1 << 16;

/// Rows that a parallel task takes at least and at most: at least eight tasks, so that no thread waits long for the
/// last, of rows enough to be worth one.
const TASK: (usize, usize) = (1 << 13, 1 << 16);

/// Replicates summed side by side: one pass over the units serves as many.
const LANES: usize = 32;

/// Lanes where groups are so many that the sums of 32 replicates would outgrow the data.
const FEW_LANES: usize = 4;

/// Groups times columns up to which 32 replicates are summed at once (32 MB).
const WIDE_MAX: usize = 1 << 17;

/// The rows that are summed: their order (unit by unit; none when they stand so), the unit and the group of each, its
/// weight.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub order: Option<&'a [u32]>,
    pub unit_of_row: &'a [u32],
    pub group_of_row: &'a [u32],
    pub groups: usize,
    pub weights: &'a [f64],
}

/// A column that is summed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    /// 1 for every row: its sum is that of the weights.
    One,
    /// A number a row.
    Of(&'a [f64]),
}

impl Values<'_> {
    /// The value of a row.
    pub fn at(self, row: usize) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Of(values) => values[row],
        }
    }
}

/// A group inside a unit, and how many rows it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub unit: u32,
    pub group: u32,
    pub rows: u32,
}

/// Unit and group of some entries and the sums of each, unit by unit.
type Part = (Vec<(u32, u32)>, Vec<f64>);

/// Where a part is made: its memory serves the next part, too, and stays in the processor's cache.
#[derive(Default)]
struct Scratch {
    /// For each group, the unit that it was met in last and the entry of both.
    open: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    sums: Vec<f64>,
}

/// The sums of each entry, unit by unit, in the parts in which they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct UnitSums {
    parts: Vec<Part>,
    /// Columns summed.
    pub k: usize,
    groups: usize,
}

impl UnitSums {
    /// Sums weight times each column. Rows of the group `MISSING` are left out, and groups of a unit that sum to 0:
    /// where y is 0 or 1, half of them do.
    pub fn new(rows: Rows<'_>, columns: &[Values<'_>]) -> Self {
        let k = columns.len();
        let part = |entries: &[Entry], sums: &[f64]| {
            let counts = |(_, sums): &(&Entry, &[f64])| sums.iter().any(|sum| *sum != 0.0);
            let many = entries.iter().zip(sums.chunks_exact(k)).filter(counts).count();
            let (mut kept, mut kept_sums) = (Vec::with_capacity(many), Vec::with_capacity(many * k));
            for (entry, sums) in entries.iter().zip(sums.chunks_exact(k)).filter(counts) {
                kept.push((entry.unit, entry.group));
                kept_sums.extend_from_slice(sums);
            }
            (kept, kept_sums)
        };
        Self { parts: each_part(rows, columns, part), k, groups: rows.groups }
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
        let replicates = factors.rscales.len();
        let of_block = |block: usize| {
            let first = block * L;
            let sums = self.block::<L>(&factors.multipliers, first..(first + L).min(replicates));
            let mut own = vec![0.0; sums.len()];
            let one = |lane: usize| {
                own.iter_mut().zip(&sums).for_each(|(own, sums)| *own = sums[lane]);
                by_replicate(first + lane, &own)
            };
            (0..L.min(replicates - first)).map(one).collect::<Vec<T>>()
        };
        let all: Vec<Vec<T>> = (0..replicates.div_ceil(L)).into_par_iter().map(of_block).collect();
        all.into_iter().flatten().collect()
    }

    fn block<const L: usize>(&self, multipliers: &Multipliers, replicates: Range<usize>) -> Vec<[f64; L]> {
        let mut all = vec![[0.0; L]; self.groups * self.k];
        let (mut lanes, mut unit) = ([0.0; L], MISSING);
        for (entries, sums) in &self.parts {
            for (&(of, group), sums) in entries.iter().zip(sums.chunks_exact(self.k)) {
                if of != unit {
                    unit = of;
                    multipliers.of_unit(unit as usize, replicates.clone(), &mut lanes);
                }
                let at = group as usize * self.k;
                for (into, &sum) in all[at..at + self.k].iter_mut().zip(sums) {
                    // Where y is 0 or 1, most sums are 0.
                    if sum != 0.0 {
                        into.iter_mut().zip(&lanes).for_each(|(into, lane)| *into += sum * lane);
                    }
                }
            }
        }
        all
    }
}

/// Sums weight times each column by unit and group, in parts of the rows, and hands each part on at once: what comes
/// out of it may be smaller. Rows of the group `MISSING` are left out.
pub(crate) fn each_part<T: Send>(
    rows: Rows<'_>,
    columns: &[Values<'_>],
    then: impl Fn(&[Entry], &[f64]) -> T + Sync,
) -> Vec<T> {
    use Values::{Of, One};
    let part = |scratch: &mut Scratch, range: &Range<usize>| {
        match *columns {
            [One] => rows.part::<1>(scratch, range.clone(), 1, |_, w, sums| sums[0] += w),
            [Of(a)] => rows.part::<1>(scratch, range.clone(), 1, |row, w, sums| sums[0] += w * a[row]),
            [One, Of(b)] => rows.part::<2>(scratch, range.clone(), 2, |row, w, sums| {
                sums[0] += w;
                sums[1] += w * b[row];
            }),
            _ => rows.part::<0>(scratch, range.clone(), columns.len(), |row, w, sums| {
                sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += w * column.at(row));
            }),
        }
        then(&scratch.entries, &scratch.sums)
    };
    rows.chunks().par_iter().map_init(Scratch::default, part).collect()
}

impl Rows<'_> {
    fn row(&self, at: usize) -> usize {
        self.order.map_or(at, |order| order[at] as usize)
    }

    fn unit(&self, at: usize) -> u32 {
        self.unit_of_row[self.row(at)]
    }

    /// Ranges of rows in order, each some thousand, that end where a unit ends, so that no sum depends on the tasks.
    pub fn chunks(&self) -> Vec<Range<usize>> {
        let (mut ranges, mut start) = (Vec::new(), 0);
        let rows = self.unit_of_row.len();
        let task = (rows / 8).clamp(TASK.0, TASK.1);
        while start < rows {
            let mut end = (start + task).min(rows);
            while end < rows && self.unit(end) == self.unit(end - 1) {
                end += 1;
            }
            ranges.push(start..end);
            start = end;
        }
        ranges
    }

    /// Fills `scratch` with the entries of some rows; `K` is the number of columns where it is known when compiling,
    /// else 0.
    fn part<const K: usize>(
        &self,
        scratch: &mut Scratch,
        range: Range<usize>,
        columns: usize,
        add: impl Fn(usize, f64, &mut [f64]),
    ) {
        match self.order {
            None => self.part_of::<K>(scratch, range, columns, add),
            Some(order) => {
                let rows = order[range].iter().map(|&row| row as usize);
                self.part_of::<K>(scratch, rows, columns, add);
            }
        }
    }

    fn part_of<const K: usize>(
        &self,
        scratch: &mut Scratch,
        rows: impl Iterator<Item = usize>,
        columns: usize,
        add: impl Fn(usize, f64, &mut [f64]),
    ) {
        let k = if K == 0 { columns } else { K };
        let Scratch { open, entries, sums } = scratch;
        open.clear();
        open.resize(self.groups, (MISSING, 0));
        entries.clear();
        sums.clear();
        for row in rows {
            let group = self.group_of_row[row];
            // `MISSING` is past every group.
            let Some(slot) = open.get_mut(group as usize) else { continue };
            let unit = self.unit_of_row[row];
            if slot.0 != unit {
                *slot = (unit, entries.len() as u32);
                entries.push(Entry { unit, group, rows: 0 });
                // Of a known few columns this is one store, where growing asks and loops.
                match K {
                    0 => sums.resize(sums.len() + k, 0.0),
                    _ => sums.extend_from_slice(&[0.0; K]),
                }
            }
            let at = slot.1 as usize;
            entries[at].rows += 1;
            add(row, self.weights[row], &mut sums[at * k..(at + 1) * k]);
        }
    }
}

/// Weighted column sums by group, group by group: chunks of rows, folded in order.
pub(crate) fn group_sums(groups: &[u32], many: usize, weights: &[f64], columns: &[Values<'_>]) -> Vec<f64> {
    let k = columns.len();
    let chunk = CHUNK.max(4 * many);
    let one = |(at, groups): (usize, &[u32])| {
        let mut sums = vec![0.0; many * k];
        let rows = (at * chunk..).zip(groups);
        match *columns {
            // The columns of a share or a mean, without a look at each row's kinds of columns.
            [Values::One, Values::Of(values)] => add_rows(rows, 2, &mut sums, |row, sums| {
                sums[0] += weights[row];
                sums[1] += weights[row] * values[row];
            }),
            _ => add_rows(rows, k, &mut sums, |row, sums| {
                sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += weights[row] * column.at(row));
            }),
        }
        sums
    };
    let parts: Vec<Vec<f64>> = groups.par_chunks(chunk).enumerate().map(one).collect();
    let add = |mut all: Vec<f64>, part: Vec<f64>| {
        all.iter_mut().zip(&part).for_each(|(sum, own)| *sum += own);
        all
    };
    parts.into_iter().reduce(add).unwrap_or_else(|| vec![0.0; many * k])
}

/// Adds rows to the sums of their groups; `MISSING` is past every group.
fn add_rows<'a>(
    rows: impl Iterator<Item = (usize, &'a u32)>,
    k: usize,
    sums: &mut [f64],
    add: impl Fn(usize, &mut [f64]),
) {
    for (row, &group) in rows {
        let of = group as usize * k;
        if let Some(sums) = sums.get_mut(of..of + k) {
            add(row, sums);
        }
    }
}

/// The pairs of two codes that occur.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pairs {
    /// The pair of each row, `MISSING` where either code is.
    pub of_row: Arc<Vec<u32>>,
    /// The codes of each pair.
    pub codes: Vec<(u32, u32)>,
}

impl Pairs {
    /// Numbers the pairs. Where a first code always goes with one second code (a calibration cell lies in one
    /// district), a pair is its first code.
    pub fn new(first: &Arc<Vec<u32>>, firsts: usize, second: &[u32]) -> Self {
        match partners(first, firsts, second) {
            Some(partners) => Self { of_row: first.clone(), codes: (0..).zip(partners).collect() },
            None => Self::numbered(first, firsts, second),
        }
    }

    /// The same row by row; a first code's first partner is found without a search.
    fn numbered(first: &[u32], firsts: usize, second: &[u32]) -> Self {
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
        let of_row = Arc::new(first.iter().zip(second).map(&mut pair).collect());
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
            order: Some(&[0, 1, 2, 3, 4]),
            unit_of_row: &[0, 0, 0, 1, 1],
            group_of_row: &[1, 0, 1, MISSING, 1],
            groups: 2,
            weights: &[1.0, 2.0, 4.0, 8.0, 16.0],
        };
        let sums = UnitSums::new(rows, &[Values::Of(&[1.0, 1.0, 0.5, f64::NAN, 0.0])]);
        let found: Vec<((u32, u32), f64)> =
            sums.parts.iter().flat_map(|(entries, sums)| entries.iter().copied().zip(sums.iter().copied())).collect();
        // What sums to 0 is left out, too.
        assert_eq!(found, [((0, 1), 3.0), ((0, 0), 2.0)]);
    }

    #[test]
    fn replicates_multiply_the_units() {
        let rows = Rows {
            order: None,
            unit_of_row: &[0, 1, 1],
            group_of_row: &[0, 0, 1],
            groups: 2,
            weights: &[1.0, 2.0, 4.0],
        };
        let multipliers: Vec<Vec<f64>> = (0..40).map(|r| vec![f64::from(r), 1.0]).collect();
        let factors = ReplicateFactors {
            unit_of_row: std::sync::Arc::new(vec![0, 1, 1]),
            multipliers: Multipliers::Table(multipliers),
            scale: 1.0,
            rscales: vec![1.0; 40],
            mse: false,
            df: DfRule::Design,
        };
        let sums = UnitSums::new(rows, &[Values::One]).of_replicates(&factors, |r, sums| (r, sums.to_vec()));
        assert_eq!(sums.len(), 40);
        assert!(sums.iter().enumerate().all(|(at, (r, sums))| at == *r && *sums == [at as f64 + 2.0, 4.0]));
    }

    #[test]
    fn pairs_are_found_whether_or_not_one_code_follows_from_the_other() {
        let pairs = Pairs::new(&Arc::new(vec![0, 1, 0, 0, MISSING, 1]), 2, &[5, 5, 6, 5, 5, MISSING]);
        assert_eq!(*pairs.of_row, [0, 1, 2, 0, MISSING, MISSING]);
        assert_eq!(pairs.codes, [(0, 5), (1, 5), (0, 6)]);
        let pairs = Pairs::new(&Arc::new(vec![0, 2, 0, MISSING, 2]), 3, &[5, 6, 5, 9, 6]);
        assert_eq!(*pairs.of_row, [0, 2, 0, MISSING, 2]);
        assert_eq!(pairs.codes, [(0, 5), (1, MISSING), (2, 6)]);
    }
}
