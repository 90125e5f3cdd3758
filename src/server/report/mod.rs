//! Reports of runs as files: HTML that stands alone, and PDF made without a browser.

mod fonts;
mod html;
mod pdf;
mod qr;

pub use fonts::FontsMissing;

use crate::{
    evidence::sha256_hex,
    indicator::results::Results,
    report::{AboutRun, Language, report},
};

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One HTML file with everything in it.
    Html,
    /// PDF, with the fonts' used signs inside.
    Pdf,
}

impl Format {
    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Pdf => "report.pdf",
        }
    }

    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }

    /// The format that a file's name ends in.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match ending.as_str() {
            "html" | "htm" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The results are not those of this version.
    #[error("read results.json: {0}")]
    Results(#[from] serde_json::Error),
    /// No font of this machine has Chinese signs.
    #[error(transparent)]
    Fonts(#[from] FontsMissing),
    /// The report could not be set: a mistake of ours, never of the data.
    #[error("set the report: {0}")]
    Setting(String),
}

/// The report of a run from the bytes of its `results.json`. The same inputs and fonts give the same bytes.
///
/// # Errors
/// [`ReportError`].
pub fn make(
    run: &str,
    results: &[u8],
    public_url: Option<&str>,
    language: Language,
    format: Format,
) -> Result<Vec<u8>, ReportError> {
    let read: Results = serde_json::from_slice(results)?;
    let sha256 = sha256_hex(results);
    let address = public_url.map(|base| verification_address(base, run, &sha256));
    let about = AboutRun { id: run, results_sha256: &sha256, address: address.as_deref() };
    let report = report(&read, &about, language);
    match format {
        Format::Html => html::html(&report),
        Format::Pdf => pdf::pdf(&report),
    }
}

/// The page that shows a run and holds its digest against the one in the address.
fn verification_address(base: &str, run: &str, sha256: &str) -> String {
    format!("{}/?run={run}&sha256={sha256}", base.trim_end_matches('/'))
}

/// The hash of the style sheet of HTML reports, for a content policy that allows no other.
#[must_use]
pub fn style_hash() -> String {
    html::style_hash()
}
