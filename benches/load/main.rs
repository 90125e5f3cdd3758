//! How many submissions a second are durable, how long one takes, and what the bare database would do with the same rows.
//!
//! `cargo bench --bench load -- --help`. The release program serves on 127.0.0.1; the load comes from this process, so the
//! two share the machine. In rounds, as many clients as asked for send without a pause (closed loop: the maximum), and
//! right after it, while the server has nothing to do, the very rows that it wrote are written into an empty database by
//! one connection with nothing in between, in transactions as large as the server's were on average. A machine that does
//! other work is slow for both then; the ratio told is the median of the rounds. At the end submissions arrive at half
//! the rate whether or not earlier ones are answered (open loop: the times), and each acknowledged id is read back.

#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod clients;
mod site;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Parser;
use scilit::storage::Database;
use support::TestDatabase;

use clients::{Journal, Load};
use site::Site;

/// Load on a server of this machine.
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Items of a submission, one run each
    #[arg(long, value_delimiter = ',', default_value = "50,250")]
    items: Vec<usize>,
    /// Databases, one run each
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    databases: Vec<String>,
    /// Clients that send at once
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Seconds of the closed loop in each round; the open one takes twice as long
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Another build of the program to measure, an earlier one say; this one's by default
    #[arg(long, default_value = env!("CARGO_BIN_EXE_scilit"), hide_default_value = true)]
    program: PathBuf,
    /// Given by cargo; without it nothing is measured
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one run came to.
struct Figures {
    database: String,
    items: usize,
    bytes: usize,
    rounds: Vec<Round>,
    median: Duration,
    p99: Duration,
    kept: usize,
    lost: usize,
}

/// The server and the bare database in turn: submissions a second of each.
struct Round {
    rate: f64,
    batch: f64,
    bare: f64,
}

fn main() {
    let arguments = Arguments::parse();
    if !arguments.bench {
        return;
    }
    println!(
        "| database | items | body, bytes | durable/s | submissions a commit | bare database/s | ratio, median (least to most) | p50 at half | p99 at half | kept | lost |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for name in &arguments.databases {
        for items in &arguments.items {
            let figures = run(name, *items, &arguments);
            println!("{}", line(&figures));
        }
    }
}

fn database(name: &str) -> TestDatabase {
    match name {
        "sqlite" => TestDatabase::sqlite(),
        "postgres" => TestDatabase::postgres().expect("PostgreSQL's server programs"),
        other => panic!("{other} is neither sqlite nor postgres"),
    }
}

fn run(name: &str, items: usize, arguments: &Arguments) -> Figures {
    let test = database(name);
    let site = Site::start(&arguments.program, &test, items);
    let load = Load { connections: arguments.connections, time: Duration::from_secs(arguments.seconds) };
    // A second that is not counted: caches, connections, prepared statements.
    let warm = clients::closed(&site, Load { time: Duration::from_secs(1), ..load });
    let empty = database(name);
    let mut bare = bare::Bare::new(&arguments.program, (&test, &empty), items);
    let mut journals = vec![warm];
    let rounds: Vec<Round> = (0..arguments.rounds.max(1))
        .map(|_| {
            let before = site.counts();
            let full = clients::closed(&site, load);
            let after = site.counts();
            let batch = (after.kept - before.kept) / (after.batches - before.batches);
            let rate = full.acknowledged.len() as f64 / full.took.as_secs_f64();
            journals.push(full);
            Round { rate, batch, bare: bare.rate(batch.round().max(1.0) as usize) }
        })
        .collect();
    let calm = Load { time: load.time * 2, ..load };
    let half = clients::open(&site, calm, middle(&rounds, |round| round.rate) / 2.0);
    let bytes = site.body(&clients::id(0), "c0").len();
    let (median, p99) = (quantile(&half.times, 0.5), quantile(&half.times, 0.99));
    journals.push(half);
    site.stop();
    let kept: usize = journals.iter().map(|journal| journal.acknowledged.len()).sum();
    let lost = lost(&test.open(), &journals);
    Figures { database: name.to_owned(), items, bytes, rounds, median, p99, kept, lost }
}

/// The median of a figure over the rounds.
fn middle(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// How many acknowledged submissions the database does not hold as they were acknowledged.
fn lost(database: &Database, journals: &[Journal]) -> usize {
    let sent: BTreeMap<&str, &str> = journals
        .iter()
        .flat_map(|journal| journal.acknowledged.iter().map(|(id, sha256)| (id.as_str(), sha256.as_str())))
        .collect();
    let ids: Vec<&str> = sent.keys().copied().collect();
    let mut found = 0;
    for ids in ids.chunks(500) {
        let kept = database.kept_under(ids).expect("rows");
        found += kept.iter().filter(|row| sent.get(row.id.as_str()) == Some(&row.sha256.as_str())).count();
    }
    sent.len() - found
}

fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    let at = (share * times.len() as f64) as usize;
    times.get(at.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn line(figures: &Figures) -> String {
    let Figures { database, items, bytes, rounds, median, p99, kept, lost } = figures;
    let (rate, batch, bare) =
        (middle(rounds, |round| round.rate), middle(rounds, |round| round.batch), middle(rounds, |round| round.bare));
    let share = |round: &Round| round.rate / round.bare;
    let least = rounds.iter().map(share).fold(f64::INFINITY, f64::min);
    let most = rounds.iter().map(share).fold(0.0, f64::max);
    let (ratio, half) = (middle(rounds, share), rate / 2.0);
    let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
    format!(
        "| {database} | {items} | {bytes} | {rate:.0} | {batch:.1} | {bare:.0} | {ratio:.2} ({least:.2} to {most:.2}) | {:.1} ms ({half:.0}/s) | {:.1} ms | {kept} | {lost} |",
        ms(median),
        ms(p99),
    )
}
