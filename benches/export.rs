//! The machine's CSV beside a bare writer of the csv crate, and `verify` of a whole bundle.
//!
//! `SCILIT_BENCH_ROWS` names the rows of 120 columns, 30,000 by default; the goal is set for 300,000. The bare writer
//! gets every cell as text that is written already, so it does less: it formats no number.
//! `SCILIT_BENCH_BUNDLE` names the folder of a bundle to verify, such as the one that `scilit demo --persons 100000` leaves.

use std::{collections::BTreeMap, fs, hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use scilit::export::{
    Cell, Table,
    bundle::{BundleFiles, verify},
    to_csv,
};

const COLUMNS: usize = 120;

/// As a weighted file has them: an id, codes, flags and counts, weights of nine decimals, some cells empty.
fn table(rows: usize) -> Table {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut table = Table::new((0..COLUMNS).map(|at| format!("column_{at}")));
    for row in 0..rows {
        let cells = (0..COLUMNS).map(|at| {
            let draw = rng.next_u64();
            match at {
                0 => Cell::Text(format!("r{row:016x}")),
                _ if draw % 20 == 0 => Cell::Missing,
                1..40 => {
                    Cell::Text(["urban", "rural", "230102", "junior_middle", "18_39"][(draw % 5) as usize].to_owned())
                }
                40..110 => Cell::Integer((draw % 7) as i64),
                _ => Cell::Number((draw % 1_000_000_000_000) as f64 / 1e9),
            }
        });
        table.push(cells.collect());
    }
    table
}

fn written(table: &Table) -> Vec<Vec<String>> {
    let text = |cell: &Cell| match cell {
        Cell::Missing => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
    };
    table.rows.iter().map(|row| row.iter().map(text).collect()).collect()
}

fn bare(columns: &[String], rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect("memory does not fail");
    rows.iter().for_each(|row| writer.write_record(row).expect("memory does not fail"));
    writer.into_inner().expect("memory does not fail")
}

fn weighted_csv(criterion: &mut Criterion) {
    let rows = std::env::var("SCILIT_BENCH_ROWS").ok().map_or(30_000, |rows| rows.parse().expect("a number of rows"));
    let table = table(rows);
    let texts = written(&table);
    assert!(to_csv(&table) == bare(&table.columns, &texts), "both write the same bytes");
    let mut group = criterion.benchmark_group(format!("weighted CSV, {rows} × {COLUMNS}"));
    group.sample_size(10).measurement_time(Duration::from_secs(10)).throughput(Throughput::Elements(rows as u64));
    group.bench_function("bare csv writer", |bencher| bencher.iter(|| black_box(bare(&table.columns, &texts))));
    group.bench_function("to_csv", |bencher| bencher.iter(|| black_box(to_csv(&table))));
    group.finish();
}

fn bundle(criterion: &mut Criterion) {
    let Some(folder) = std::env::var_os("SCILIT_BENCH_BUNDLE") else { return };
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let named = entries.map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(path).expect("a file"))
    });
    let files: BundleFiles = named.collect::<BTreeMap<_, _>>();
    let rows = verify(&files, None).expect("a bundle that holds").predicate.counts.responses;
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(10).throughput(Throughput::Elements(rows));
    group.bench_function(format!("{rows} responses"), |bencher| {
        bencher.iter(|| verify(black_box(&files), None).is_ok())
    });
    group.finish();
}

criterion_group!(benches, weighted_csv, bundle);
criterion_main!(benches);
