//! Scoring: responses to outcomes, at two sizes, and the acceptance of one submission before it.

use std::{fs, hint::black_box, path::Path};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scilit::instrument::{ItemKind, Questionnaire, Response, ScoringProfile, Submission, score_all};
use serde_json::{Value, json};

/// Different responses; the sizes below repeat them.
const DISTINCT: usize = 500;

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("questionnaires").join(name);
    fs::read_to_string(path).expect("a shipped file")
}

/// The bytes of the n-th submission: a fixed pattern of options, so that every run measures the same work.
fn bytes(questionnaire: &Questionnaire, n: usize) -> Vec<u8> {
    let answers: Vec<Value> = (questionnaire.items().enumerate())
        .filter_map(|(i, item)| {
            let option = |row: usize| json!(item.options[(n * 7 + i * 3 + row) % item.options.len()].code);
            let value = match item.kind {
                ItemKind::SingleChoice | ItemKind::TrueFalse => option(0),
                ItemKind::MultipleChoice => json!([option(0)]),
                // An age above every bound of the checks; the residence below it.
                ItemKind::Number => json!(if item.id == "age" { 30 + n % 40 } else { n % 30 }),
                ItemKind::Date => json!("2025-03-08"),
                ItemKind::Matrix => {
                    item.rows.iter().enumerate().map(|(r, row)| (row.code.clone(), option(r))).collect()
                }
                ItemKind::Text => return None,
            };
            Some(json!({"i": item.id, "v": value, "n_changes": 0, "ms": 4000}))
        })
        .collect();
    let body = json!({
        "schema": 1, "id": format!("0198c0de-0000-7000-8000-{n:012}"), "rev": 1, "case": format!("C-{n}"),
        "instrument": questionnaire.hash(), "consent": {"given": true}, "answers": answers,
    });
    body.to_string().into_bytes()
}

fn accept(questionnaire: &Questionnaire, bytes: &[u8]) -> Response {
    let submission = Submission::parse(bytes).expect("a well-formed submission");
    Response::accept(questionnaire, &submission).expect("a sound submission")
}

fn scoring(criterion: &mut Criterion) {
    let questionnaire = Questionnaire::from_toml("csl-demo.toml", &shipped("csl-demo.toml")).expect("a questionnaire");
    let profile = ScoringProfile::from_toml("A-2024.toml", &shipped("profiles/A-2024.toml")).expect("a profile");
    let distinct: Vec<Response> = (0..DISTINCT).map(|n| accept(&questionnaire, &bytes(&questionnaire, n))).collect();
    let mut group = criterion.benchmark_group("score_all");
    for size in [10_000_usize, 100_000] {
        let responses: Vec<Response> = distinct.iter().cycle().take(size).cloned().collect();
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &responses, |bencher, responses| {
            bencher.iter(|| score_all(black_box(&questionnaire), &profile, responses));
        });
    }
    group.finish();
    let one = bytes(&questionnaire, 1);
    let mut group = criterion.benchmark_group("accept");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one submission", |bencher| bencher.iter(|| accept(&questionnaire, black_box(&one))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = scoring
}
criterion_main!(benches);
