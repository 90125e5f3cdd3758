//! The persons' file in the forms that other programs read, each written from the machine's CSV and one description of
//! its columns ([`Dictionary`]).
//!
//! A form is a plain function of a run's files: the same files give the same bytes, on the server and from a bundle.

mod answers;
mod columns;
mod ddi;
mod dictionary;
mod excel;
mod fault;
mod names;
mod parquet;
mod rows;
mod spss;
mod stata;
mod xlsx;

use std::io::{Read, Write};

pub(super) use answers::WORDS;
pub use columns::{Column, ColumnKind, ValueLabel};
pub use dictionary::{Dictionary, FormatSources};
pub use fault::FormatError;

/// Opens the machine's CSV at its beginning. A form that must know widths or counts first reads it twice.
pub type OpenPersons<'a> = dyn FnMut() -> std::io::Result<Box<dyn Read + Send>> + 'a;

/// A form of the persons' file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// CSV that Excel and WPS open with a double click.
    ExcelCsv,
    /// A workbook with data, codebook and notes.
    Xlsx,
    /// Apache Parquet.
    Parquet,
    /// SPSS syntax that reads the machine's CSV.
    Spss,
    /// Stata commands that read the machine's CSV.
    Stata,
    /// The codebook as DDI 2.5.
    Ddi,
}

impl Format {
    /// Every form, in the order of [`Format::file_name`].
    pub const ALL: [Self; 6] = [Self::Ddi, Self::Stata, Self::Parquet, Self::Spss, Self::Xlsx, Self::ExcelCsv];

    /// The word for it on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExcelCsv => "excel-csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Spss => "sps",
            Self::Stata => "do",
            Self::Ddi => "ddi",
        }
    }

    /// The file's name beside those of the run.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::ExcelCsv => "responses_weighted_excel.csv",
            Self::Xlsx => "responses_weighted.xlsx",
            Self::Parquet => "responses_weighted.parquet",
            Self::Spss => "responses_weighted.sps",
            Self::Stata => "responses_weighted.do",
            Self::Ddi => "codebook.xml",
        }
    }

    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::ExcelCsv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Spss | Self::Stata => "text/plain; charset=utf-8",
            Self::Ddi => "application/xml",
        }
    }

    /// The form whose file has this name.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.file_name() == name)
    }
}

/// Writes a form of the persons' file.
///
/// # Errors
/// A file of the run that is not as a run writes it, with its place; more rows than a worksheet has; what `out` refused.
pub fn write_format(
    format: Format,
    sources: &FormatSources<'_>,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    let dictionary = Dictionary::read(sources)?;
    match format {
        Format::ExcelCsv => excel::write(&dictionary, open, out),
        Format::Xlsx => xlsx::write(&dictionary, open, out),
        Format::Parquet => parquet::write(&dictionary, open, out),
        Format::Spss => spss::write(&dictionary, open, out),
        Format::Stata => stata::write(&dictionary, open, out),
        Format::Ddi => ddi::write(&dictionary, open, out),
    }
}
