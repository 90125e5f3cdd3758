use crate::export::PERSONS_FILE;

/// Why a form could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A file of the run is not as a run writes it.
    #[error("read {file}: {why}")]
    Source {
        /// The file.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The machine's CSV is none, or has rows of other lengths.
    #[error("read {PERSONS_FILE}: {0}")]
    Csv(#[from] csv::Error),
    /// A cell of a number's column that is no number.
    #[error("read {PERSONS_FILE}, line {line}: {column} is not a number: `{cell}`")]
    Cell {
        /// Line, from 1; the header is line 1.
        line: u64,
        /// The column.
        column: String,
        /// The cell.
        cell: String,
    },
    /// The workbook could not be written.
    #[error("write the workbook: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The Parquet file could not be written.
    #[error("write the Parquet file: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
