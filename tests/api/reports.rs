//! Reports over HTTP: who gets one, in which language, and what is refused.

use scilit::server::{Role, Settings, jobs::indicator};

use crate::support::{
    app::{TABLET, TestApp, submission},
    on_every_backend,
};

#[test]
fn acc064_a_report_is_made_in_two_languages_and_every_download_is_logged() {
    on_every_backend(|test| {
        let settings = Settings { public_url: Some("https://survey.example/".to_owned()), ..Settings::default() };
        let app = TestApp::start_with(test, settings, indicator);
        let (survey, hash) = app.survey("调查");
        assert_eq!(app.submit(TABLET, 1, submission(TABLET, &hash, "c1").to_string().as_bytes()).status, 201);
        let other = "019abcde-0000-7000-8000-000000000003";
        let wrong = submission(other, &hash, "c3").to_string().replace("\"true\"", "\"false\"");
        assert_eq!(app.submit(other, 1, wrong.as_bytes()).status, 201);
        let run = app.run(&survey)["id"].as_str().expect("an id").to_owned();
        let path = |name: &str| format!("/api/v1/runs/{run}/{name}");

        let html = app.get(Role::Auditor, &path("report.html"));
        assert_eq!(html.status, 200, "{}", html.text());
        assert!(html.text().contains("公民具备科学素质的比例") && html.text().contains("https://survey.example/?run="));
        let policy = html.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        let english = app.get(Role::Analyst, &path("report.html?language=en"));
        assert!(english.text().contains("Response rates"), "{}", english.text());

        let pdf = app.get(Role::Auditor, &path("report.pdf"));
        assert_eq!(pdf.status, 200, "{}", pdf.text());
        assert!(pdf.body.starts_with(b"%PDF-"));
        let sha256 = scilit::evidence::sha256_hex(&pdf.body);
        assert_eq!(pdf.header("x-content-sha256"), Some(sha256.as_str()));
        assert!(pdf.header("content-disposition").is_some_and(|name| name.contains(".pdf")));
        assert_eq!(app.get(Role::Auditor, &path("report.pdf")).body, pdf.body, "the same bytes each time");

        assert_eq!(app.get(Role::Auditor, &path("report.pdf?language=fr")).problem(), "invalid");
        assert_eq!(app.get(Role::Auditor, &path("report.pdf?lang=en")).status, 422, "unknown options are errors");
        assert_eq!(app.get(Role::Surveyor, &path("report.pdf")).status, 403);
        let nobody = "/api/v1/runs/019abcde-0000-7000-8000-000000000099/report.pdf";
        assert_eq!(app.get(Role::Auditor, nobody).status, 404);

        let object = format!("run/{run}/report.pdf");
        let log = app.get(Role::Auditor, &format!("/api/v1/audit/entries?object={object}&limit=200")).json();
        let entries = log["entries"].as_array().expect("entries").iter();
        assert_eq!(entries.filter(|entry| entry["action"] == "download.intent").count(), 2, "{log}");
    });
}
