use qrcode::{Color, EcLevel, QrCode};

use super::ReportError;
use crate::report::drawing::{Drawing, Shape};

/// Signs of white around a code, as its standard asks.
const QUIET: usize = 4;

/// Of a row; a code is read by the middle of its signs.
const HEIGHT: f64 = 1.02;

/// The code; level M survives a fold and a coffee ring.
pub(super) fn code(text: &str) -> Result<Drawing, ReportError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|error| ReportError::Setting(format!("the QR code: {error}")))?;
    let width = code.width();
    let side = (width + 2 * QUIET) as f64;
    let mut shapes = vec![Shape::Area([0.0, 0.0, side, side], [255; 3])];
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        // Neighbours are one shape, and rows overlap a little: between two shapes some viewers show a hairline.
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let place = [(x + QUIET) as f64, (y + QUIET) as f64, run.len() as f64, HEIGHT];
                shapes.push(Shape::Area(place, [0; 3]));
            }
            x += run.len();
        }
    }
    Ok(Drawing { width: side, height: side, text_size: 1.0, shapes })
}
