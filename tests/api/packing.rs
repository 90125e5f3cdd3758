//! What travels packed, to whom, and what never does.

use std::io::Read as _;

use flate2::read::GzDecoder;
use scilit::server::{
    Role, Settings,
    jobs::{NamedFile, Progress, RunFailure, RunInputs},
};
use serde_json::json;

use crate::support::{
    app::{TABLET, TestApp, submission},
    http::Answer,
    on_every_backend,
};

/// A run with files that are worth packing.
fn wordy(_: &RunInputs, _: &Progress) -> Result<Vec<NamedFile>, RunFailure> {
    let tables: Vec<_> =
        (0..500).map(|at| json!({ "id": format!("table-{at}"), "title": "公民具备科学素质的比例" })).collect();
    let csv = "id,weight\n".repeat(1000);
    Ok(vec![
        ("results.json".to_owned(), "application/json", json!({ "tables": tables }).to_string().into_bytes()),
        ("responses_weighted.csv".to_owned(), "text/csv; charset=utf-8", csv.into_bytes()),
    ])
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(answer.body.as_slice()).read_to_end(&mut bytes).expect("gzip");
    bytes
}

#[test]
fn documents_travel_packed_to_whoever_unpacks_them_and_downloads_as_they_are() {
    on_every_backend(|test| {
        let app = TestApp::start_with(test, Settings::default(), wordy);
        let (survey, hash) = app.survey("调查");
        app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes());
        let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        let ask = |path: &str, head: &[(&str, &str)]| app.send(Some(Role::Analyst), "GET", path, head, b"");

        let results = format!("/api/v1/runs/{run}/results");
        let plain = ask(&results, &[]);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
        assert!(plain.header("vary").is_some_and(|names| names.contains("accept-encoding")));
        for wish in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
            let packed = ask(&results, &[("Accept-Encoding", wish)]);
            assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")), "{wish}");
            assert_eq!(unpacked(&packed), plain.body, "{wish}");
            assert!(packed.body.len() * 5 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
            let tag = packed.header("etag").expect("a tag").to_owned();
            assert_eq!(Some(tag.as_str()), plain.header("etag").map(|tag| format!("W/{tag}")).as_deref());
            let again = ask(&results, &[("Accept-Encoding", wish), ("If-None-Match", &tag)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{wish}");
        }
        for wish in ["identity", "br", "gzip;q=0", ""] {
            let answer = ask(&results, &[("Accept-Encoding", wish)]);
            assert_eq!((answer.header("content-encoding"), &answer.body), (None, &plain.body), "{wish:?}");
        }

        // Whoever downloads is told the digest and the length of just these bytes.
        let file = format!("/api/v1/runs/{run}/files/responses_weighted.csv?purpose=audit");
        let (whole, asked) = (ask(&file, &[]), ask(&file, &[("Accept-Encoding", "gzip")]));
        assert_eq!((asked.status, asked.header("content-encoding"), &asked.body), (200, None, &whole.body));

        let small = ask("/api/v1/surveys", &[("Accept-Encoding", "gzip")]);
        assert_eq!((small.status, small.header("content-encoding")), (200, None));
    });
}
