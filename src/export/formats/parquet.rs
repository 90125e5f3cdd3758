//! Parquet: typed columns, missing values as such, labels in the metadata.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::{Column, ColumnKind, Dictionary, FormatError, OpenPersons, rows::Rows};

/// Rows in memory at once.
const ROWS_PER_GROUP: usize = 50_000;

/// The key under which the columns' labels and codes stand, as JSON.
const COLUMNS_KEY: &str = "scilit.columns";

pub(super) fn write(
    dictionary: &Dictionary,
    open: &mut OpenPersons<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), FormatError> {
    let mut rows = Rows::open(dictionary, open)?;
    let properties = properties(dictionary, &rows.columns);
    let mut writer = SerializedFileWriter::new(out, schema(&rows.columns)?, Arc::new(properties))?;
    loop {
        let (group, n) = read_group(&mut rows)?;
        // A file without responses has no group at all.
        if n == 0 {
            break;
        }
        let mut to = writer.next_row_group()?;
        for cells in &group {
            let Some(mut column) = to.next_column()? else { break };
            cells.write(&mut column)?;
            column.close()?;
        }
        to.close()?;
    }
    writer.close()?;
    Ok(())
}

fn schema(columns: &[Column]) -> Result<TypePtr, FormatError> {
    let field = |column: &Column| {
        let (physical, logical) = match column.kind {
            ColumnKind::Text | ColumnKind::Category => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnKind::Integer => (Physical::INT64, None),
            ColumnKind::Number => (Physical::DOUBLE, None),
        };
        let of = Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
        of.with_logical_type(logical).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("responses").with_fields(fields).build()?))
}

fn properties(dictionary: &Dictionary, columns: &[Column]) -> WriterProperties {
    let study = dictionary.study();
    let columns = serde_json::to_string(columns).unwrap_or_else(|error| unreachable!("labels are plain text: {error}"));
    let entry = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let metadata = vec![
        entry("scilit.title", &study.title),
        entry("scilit.status", &study.standing().zh),
        entry("scilit.source_sha256", &study.persons_sha256),
        entry(COLUMNS_KEY, &columns),
    ];
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(study.engine.clone())
        .set_key_value_metadata(Some(metadata))
        .build()
}

/// The cells of one column in one group: a level for each row says whether there is a value.
struct Cells {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
}

impl Cells {
    fn of(kind: ColumnKind) -> Self {
        let values = match kind {
            ColumnKind::Text | ColumnKind::Category => Values::Texts(Vec::new()),
            ColumnKind::Integer => Values::Integers(Vec::new()),
            ColumnKind::Number => Values::Numbers(Vec::new()),
        };
        Self { levels: Vec::new(), values }
    }

    fn write(&self, to: &mut SerializedColumnWriter<'_>) -> Result<(), FormatError> {
        match &self.values {
            Values::Texts(values) => write_column::<ByteArrayType>(to, values, &self.levels),
            Values::Integers(values) => write_column::<Int64Type>(to, values, &self.levels),
            Values::Numbers(values) => write_column::<DoubleType>(to, values, &self.levels),
        }
    }
}

fn write_column<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    levels: &[i16],
) -> Result<(), FormatError> {
    to.typed::<T>().write_batch(values, Some(levels), None)?;
    Ok(())
}

fn read_group(rows: &mut Rows) -> Result<(Vec<Cells>, usize), FormatError> {
    let mut group: Vec<Cells> = rows.columns.iter().map(|column| Cells::of(column.kind)).collect();
    let mut n = 0;
    while n < ROWS_PER_GROUP {
        let Some(row) = rows.next()? else { break };
        for ((column, cell), into) in row.cells().zip(&mut group) {
            into.levels.push(i16::from(!cell.is_empty()));
            match &mut into.values {
                Values::Texts(values) if !cell.is_empty() => values.push(ByteArray::from(cell)),
                Values::Texts(_) => {}
                Values::Integers(values) => values.extend(row.number::<i64>(column, cell)?),
                Values::Numbers(values) => values.extend(row.number::<f64>(column, cell)?),
            }
        }
        n += 1;
    }
    Ok((group, n))
}
