//! Weighted column totals by domain in every replicate.

use std::sync::Arc;

use rayon::prelude::*;

use super::domains::Domains;
use crate::statistics::{
    Prepared,
    data::MISSING,
    variance::{
        Replicates,
        replicate::AdjustedReplicates,
        unit_sums::{Pairs, Rows, UnitSums, Values},
    },
};

/// The totals of every replicate, domain by domain. Where replicates are multipliers of units and factors of cells,
/// rows are summed once, by unit, cell and domain.
pub(super) fn replicate_totals(
    prepared: &Prepared,
    replicates: &Replicates,
    domains: &Domains,
    columns: &[Values<'_>],
) -> Vec<Vec<f64>> {
    let k = columns.len();
    let sums = |group_of_row: &[u32], groups: usize, columns: &[Values<'_>]| {
        let rows = Rows {
            order: prepared.by_leaf(),
            unit_of_row: &replicates.factors.unit_of_row,
            group_of_row,
            groups,
            weights: &replicates.base,
        };
        UnitSums::new(rows, columns)
    };
    match &replicates.adjusted {
        AdjustedReplicates::Unchanged => {
            sums(&domains.codes, domains.len(), columns).of_replicates(&replicates.factors, |_, totals| totals.to_vec())
        }
        AdjustedReplicates::Cells { cell_of_row, factors, dense, weights } => {
            let cells = factors.first().map_or(0, |factors| factors.expand(dense.as_deref()).len());
            let pairs = Pairs::new(cell_of_row, cells, &domains.codes);
            if let (Some(weights), [Values::One, Values::Of(values)]) = (weights, columns)
                && Arc::ptr_eq(&pairs.of_row, cell_of_row)
                && let Some(column) = prepared.table.shared_numbers(values)
            {
                let make = || {
                    let times = |r: usize, sums: &[f64]| factors[r].times(dense.as_deref(), sums);
                    sums(cell_of_row, cells, &columns[1..]).of_replicates(&replicates.factors, times)
                };
                let values = prepared.replicate_cells.get_or_make(column, make);
                return totals_of_cells(weights, &values, &pairs, domains.len());
            }
            let by_pair = sums(&pairs.of_row, pairs.codes.len(), columns);
            by_pair.of_replicates(&replicates.factors, |replicate, by_pair| {
                let mut totals = vec![0.0; domains.len() * k];
                let factors = factors[replicate].expand(dense.as_deref());
                for (&(cell, domain), own) in pairs.codes.iter().zip(by_pair.chunks_exact(k)) {
                    if domain == MISSING {
                        continue;
                    }
                    let (at, factor) = (domain as usize * k, factors[cell as usize]);
                    for (total, own) in totals[at..at + k].iter_mut().zip(own).filter(|(_, own)| **own != 0.0) {
                        *total += factor * own;
                    }
                }
                totals
            })
        }
        AdjustedReplicates::Rows(weights) => totals_of_rows(replicates, weights, domains, columns),
    }
}

/// The same where every domain is made of whole cells, whose totals stand: no row is looked at.
fn totals_of_cells(weights: &[Vec<f64>], values: &[Vec<f64>], cells: &Pairs, domains: usize) -> Vec<Vec<f64>> {
    let one = |(weights, values): (&Vec<f64>, &Vec<f64>)| {
        let mut totals = vec![0.0; domains * 2];
        for (&(_, domain), (weight, value)) in cells.codes.iter().zip(weights.iter().zip(values)) {
            // A cell that no row is in has no domain.
            if let Some([of_weights, of_values]) = totals.as_chunks_mut().0.get_mut(domain as usize) {
                *of_weights += weight;
                *of_values += value;
            }
        }
        totals
    };
    weights.par_iter().zip(values).map(one).collect()
}

/// The same from weights by row.
fn totals_of_rows(
    replicates: &Replicates,
    weights: &[Vec<f64>],
    domains: &Domains,
    columns: &[Values<'_>],
) -> Vec<Vec<f64>> {
    let k = columns.len();
    let one = |weights: &Vec<f64>| {
        let mut totals = vec![0.0; domains.len() * k];
        for (row, &domain) in domains.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
            // A row without a full-sample weight has no replicate weight either.
            let weight = if replicates.base[row] > 0.0 { weights[row] } else { 0.0 };
            let at = domain as usize * k;
            totals[at..at + k].iter_mut().zip(columns).for_each(|(total, column)| *total += weight * column.at(row));
        }
        totals
    };
    weights.par_iter().map(one).collect()
}
