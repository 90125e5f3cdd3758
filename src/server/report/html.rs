//! A report as one HTML file that stands alone: no script, no font, no picture is fetched.

use askama::Template;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::{ReportError, qr};
use crate::report::{Block, Report};

const STYLE: &str = include_str!("report.css");

#[derive(Template)]
#[template(path = "report.html", config = "src/server/report/askama.toml")]
struct Page<'a> {
    report: &'a Report,
    style: &'a str,
    code: &'a str,
}

/// Sets the report.
pub(super) fn html(report: &Report) -> Result<Vec<u8>, ReportError> {
    let code = qr::code(&report.code)?.to_svg();
    let page = Page { report, style: STYLE, code: &code };
    let text = page.render().map_err(|error| ReportError::Setting(error.to_string()))?;
    Ok(text.into_bytes())
}

/// `'sha256-…'` of what stands in the style element.
pub(super) fn style_hash() -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(STYLE)))
}
