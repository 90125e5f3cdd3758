//! The works of `docs/performance.md`: raking, Taylor tables, the same after calibration, re-raked bootstrap.
//!
//! The population has 100 districts as strata, 20 persons a PSU, and 1,400 cells: districts × (sex 2 + age 5 +
//! education 5 + residence 2). `SCILIT_BENCH_ROWS` names one size instead of 100,000 and 1,000,000.
//! `reading` sets reading a file of that population beside a bare scan by the csv crate.

use std::collections::BTreeMap;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use scilit::statistics::{
    DataTable, Plan, Prepared,
    data::Categories,
    plan::{
        Adjustment, Calibrate, CiPlan, Columns, Construct, DesignPlan, Distance, EstimatorPlan, IntervalMethod, Margin,
        MarginCell, Moment, ReplicatesPlan, Stage, StagesDesign, VarianceMethod, VariancePlan,
    },
    prepare,
};

const DISTRICTS: usize = 100;
const PERSONS_A_PSU: usize = 20;
const MARGINS: [(&str, usize); 5] = [("sex", 2), ("age", 5), ("edu", 5), ("urban", 2), ("district", DISTRICTS)];

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A code with probabilities that fall with it and move with the district, so that raking has work to do.
fn code(rng: &mut ChaCha8Rng, levels: usize, tilt: f64) -> usize {
    let weight = |level: usize| 1.0 + tilt * level as f64 / levels as f64;
    let sum: f64 = (0..levels).map(weight).sum();
    let mut left = uniform(rng) * sum;
    (0..levels - 1)
        .find(|&level| {
            left -= weight(level);
            left < 0.0
        })
        .unwrap_or(levels - 1)
}

fn population(rows: usize) -> (DataTable, Vec<Margin>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let psus = (rows / PERSONS_A_PSU).max(2 * DISTRICTS);
    let mut codes: Vec<Vec<u32>> = vec![Vec::with_capacity(rows); MARGINS.len()];
    let (mut psu, mut weight, mut literate) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let unit = row * psus / rows;
        let district = unit * DISTRICTS / psus;
        let tilt = 0.5 + (district % 7) as f64 / 7.0;
        for (at, (_, levels)) in MARGINS.iter().enumerate().take(4) {
            codes[at].push(code(&mut rng, *levels, tilt) as u32);
        }
        codes[4].push(district as u32);
        psu.push(unit as f64);
        weight.push(200.0 + 200.0 * uniform(&mut rng));
        let chance = 0.2 + 0.1 * f64::from(codes[2][row]) + 0.05 * ((unit % 5) as f64 - 2.0);
        literate.push(f64::from(u8::from(uniform(&mut rng) < chance)));
    }
    let total: f64 = weight.iter().sum();
    let margin = |at: usize| margin(MARGINS[at].0, MARGINS[at].1, &codes[at], &weight, total);
    let margins = (0..MARGINS.len()).map(margin).collect();
    let mut table = DataTable::new("population", rows).with_numbers("psu", psu).with_numbers("w", weight);
    table = table.with_numbers("literate", literate);
    for (at, (name, levels)) in MARGINS.iter().enumerate() {
        let labels: Vec<String> = (0..*levels).map(|level| format!("{level:03}")).collect();
        let cells: Vec<Option<&str>> = codes[at].iter().map(|&code| Some(labels[code as usize].as_str())).collect();
        table = table.with_categories(*name, Categories::from_labels(&cells));
    }
    (table, margins)
}

/// The weighted sample composition moved by known factors, scaled to one total.
fn margin(name: &str, levels: usize, codes: &[u32], weight: &[f64], total: f64) -> Margin {
    let mut sums = vec![0.0; levels];
    codes.iter().zip(weight).for_each(|(&code, w)| sums[code as usize] += w);
    let moved: Vec<f64> = sums.iter().enumerate().map(|(at, sum)| sum * (0.85 + 0.3 * (at % 5) as f64 / 4.0)).collect();
    let sum: f64 = moved.iter().sum();
    let cell = |(at, moved): (usize, &f64)| MarginCell::new(name, format!("{at:03}"), moved * total / sum);
    Margin { by: Columns::one(name), cells: moved.iter().enumerate().map(cell).collect() }
}

fn plan(raked: Option<&[Margin]>, replicates: Option<usize>) -> Plan {
    let stage = Stage { unit: Some("psu".into()), stratum: Columns::one("district"), population_units: None };
    let calibrate = |margins: &[Margin]| {
        Adjustment::Calibrate(Calibrate {
            distance: Distance::Raking,
            margins: margins.to_vec(),
            ..Calibrate::default()
        })
    };
    let bootstrap = |count| ReplicatesPlan {
        construct: Some(Construct::Bootstrap),
        replicates: Some(count),
        seed: Some(7),
        ..ReplicatesPlan::default()
    };
    Plan {
        design: Some(DesignPlan::Stages(StagesDesign {
            stages: vec![stage],
            weight: Some("w".into()),
            unit_ids_nested_in_stratum: false,
        })),
        adjustments: raked.map(calibrate).into_iter().collect(),
        variance: VariancePlan {
            method: if replicates.is_some() { VarianceMethod::Replicate } else { VarianceMethod::Taylor },
            replicates: replicates.map(bootstrap),
            ..VariancePlan::default()
        },
        ..Plan::default()
    }
}

fn cells(prepared: &Prepared) -> f64 {
    let estimate = |name: &str| {
        let by = Columns::of(["district", name]);
        let ci = Some(CiPlan { methods: vec![IntervalMethod::Logit], level: 0.95, df: None });
        let plan = EstimatorPlan::Proportion(Moment { variable: "literate".into(), by, ci, deff: false });
        let answer = prepared.estimate(&plan).expect("estimates");
        answer.rows.iter().filter_map(|row| row.se).sum::<f64>()
    };
    ["sex", "age", "edu", "urban"].map(estimate).iter().sum()
}

fn works(criterion: &mut Criterion) {
    let sizes = std::env::var("SCILIT_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok());
    for rows in sizes.map_or(vec![100_000, 1_000_000], |rows: usize| vec![rows]) {
        let (table, margins) = population(rows);
        let files = BTreeMap::new();
        let make = |plan: &Plan| prepare(plan, &table, &files).expect("a prepared sample");
        let (plain, raked) = (make(&plan(None, None)), make(&plan(Some(&margins), None)));
        let mut group = criterion.benchmark_group("statistics");
        group.sample_size(10).throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("a_prepare_only", rows), |b| b.iter(|| make(&plan(None, None))));
        group.bench_function(BenchmarkId::new("a_rake", rows), |b| b.iter(|| make(&plan(Some(&margins), None))));
        group.bench_function(BenchmarkId::new("b_taylor", rows), |b| b.iter(|| cells(&plain)));
        group.bench_function(BenchmarkId::new("b2_taylor_raked", rows), |b| b.iter(|| cells(&raked)));
        group.bench_function(BenchmarkId::new("c_bootstrap", rows), |b| {
            b.iter(|| cells(&make(&plan(Some(&margins), Some(200)))));
        });
        group.finish();
    }
}

/// The same columns as a file, as bytes in memory.
fn as_csv(table: &DataTable) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(table.column_names()).expect("a header");
    let columns: Vec<_> =
        table.column_names().iter().map(|name| table.categories(name, "the file").expect("categories")).collect();
    for row in 0..table.rows() {
        let cell = |column: &std::sync::Arc<Categories>| column.levels()[column.codes()[row] as usize].clone();
        writer.write_record(columns.iter().map(cell)).expect("a row");
    }
    writer.into_inner().expect("bytes")
}

fn reading(criterion: &mut Criterion) {
    let rows = std::env::var("SCILIT_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let bytes = as_csv(&population(rows).0);
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(10).throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(BenchmarkId::new("bare_csv_scan", rows), |b| {
        b.iter(|| {
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let mut record = csv::ByteRecord::new();
            let mut cells = 0;
            while reader.read_byte_record(&mut record).expect("a record") {
                cells += record.len();
            }
            cells
        });
    });
    group.bench_function(BenchmarkId::new("data_table", rows), |b| {
        b.iter(|| DataTable::from_csv("population", &bytes, None).expect("a table"));
    });
    group.finish();
}

criterion_group!(benches, works, reading);
criterion_main!(benches);
