//! Parquet: the columns that a mapping takes, and no others, row group by row group.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::ConvertedType;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::record::Field as Cell;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::field::Field;
use super::input::{Input, Reading};
use super::rows::Rows;
use crate::failure::{Exit, Failure};

/// Columns of a file, at most.
const MAX_COLUMNS: usize = 4_096;
/// Bytes that a column may have in one row group, as the file says: what is kept in memory at once
/// is a page of each.
const MAX_CHUNK_BYTES: i64 = 1 << 30;
/// Depth to which columns are named.
const MAX_DEPTH: usize = 8;

/// A Parquet file.
pub struct Parquet {
    input: Chunks,
    schema: Type,
    columns: Vec<String>,
    wanted: Vec<(Vec<String>, Field)>,
    rows: Option<RowIter<'static>>,
    row: u64,
    count: u64,
    length: u64,
}

impl std::fmt::Debug for Parquet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parquet")
            .field("columns", &self.columns)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl Parquet {
    /// Reads what the file says of itself.
    ///
    /// # Errors
    /// `PARQUET_UNREADABLE` when it is none, or says what no such file has.
    pub fn open(input: &Input) -> Result<Self, Failure> {
        let chunks = Chunks(input.reading());
        let reader = SerializedFileReader::new(chunks.again()).map_err(|e| unreadable(&e))?;
        let metadata = reader.metadata();
        let schema = metadata.file_metadata().schema().clone();
        for group in metadata.row_groups() {
            let sizes = group
                .columns()
                .iter()
                .map(|chunk| chunk.uncompressed_size());
            if sizes
                .into_iter()
                .any(|bytes| !(0..=MAX_CHUNK_BYTES).contains(&bytes))
            {
                let why = format!("a column has over {MAX_CHUNK_BYTES} bytes in one row group");
                return Err(refused(why));
            }
        }
        let mut columns = Vec::new();
        for field in schema.get_fields() {
            name(field, "", 0, &mut columns);
        }
        if columns.len() > MAX_COLUMNS {
            return Err(refused(format!("over {MAX_COLUMNS} columns")));
        }
        Ok(Self {
            columns,
            wanted: Vec::new(),
            rows: None,
            row: 0,
            count: u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0),
            length: input.identity().length,
            schema,
            input: chunks,
        })
    }

    /// The names of the columns: paths through groups, `exporter.name`.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Which columns are taken, and as what.
    pub fn take(&mut self, wanted: &[(String, Field)]) {
        let path = |text: &str| text.split('.').map(str::to_owned).collect();
        let wanted = wanted.iter().map(|(column, field)| (path(column), *field));
        self.wanted = wanted.collect();
        self.rows = None;
    }

    /// Bytes of the file taken so far, by the share of its rows.
    #[must_use]
    pub fn taken(&self) -> u64 {
        let share = self.row.saturating_mul(1_000) / self.count.max(1);
        self.length / 1_000 * share.min(1_000)
    }

    /// Reads a stretch of rows; false at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn fill(&mut self, rows: &mut Rows) -> Result<bool, Failure> {
        let mut reading = match self.rows.take() {
            Some(reading) => reading,
            None => self.begin()?,
        };
        while !rows.is_full() {
            let Some(record) = reading.next() else {
                return Ok(false);
            };
            self.row += 1;
            let record = match record {
                Ok(record) => record,
                // What follows in its page cannot be told apart any more.
                Err(error) => return Err(unreadable(&error)),
            };
            rows.begin(self.row, self.row);
            for (path, field) in &self.wanted {
                let Some((first, rest)) = path.split_first() else {
                    continue;
                };
                let cells = record.get_column_iter().filter(|(name, _)| *name == first);
                for (_, cell) in cells {
                    say(cell, rest, &mut |text| rows.push(*field, text));
                }
            }
        }
        self.rows = Some(reading);
        Ok(true)
    }

    /// What the first rows say at each of the columns, for people to look at.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sample(&mut self, limit: usize) -> Result<Vec<Vec<String>>, Failure> {
        let reader = SerializedFileReader::new(self.input.again()).map_err(|e| unreadable(&e))?;
        let mut rows = Vec::new();
        for record in RowIter::from_file_into(Box::new(reader)).take(limit) {
            let record = record.map_err(|e| unreadable(&e))?;
            let cells = self.columns.iter().map(|column| {
                let mut first = String::new();
                let path: Vec<String> = column.split('.').map(str::to_owned).collect();
                for (name, cell) in record.get_column_iter() {
                    if path.first() == Some(name) && first.is_empty() {
                        let rest = path.get(1..).unwrap_or_default();
                        say(cell, rest, &mut |text| {
                            if first.is_empty() {
                                text.clone_into(&mut first);
                            }
                        });
                    }
                }
                first
            });
            rows.push(cells.collect());
        }
        Ok(rows)
    }

    /// Begins to read, the wanted columns alone.
    fn begin(&self) -> Result<RowIter<'static>, Failure> {
        let is_wanted = |name: &str| {
            let mut wanted = self.wanted.iter().filter_map(|(path, _)| path.first());
            wanted.any(|first| first == name)
        };
        let fields = self.schema.get_fields().iter();
        let fields: Vec<_> = fields
            .filter(|field| is_wanted(field.name()))
            .map(Arc::clone)
            .collect();
        let schema = Type::group_type_builder(self.schema.name())
            .with_fields(fields)
            .build()
            .map_err(|e| unreadable(&e))?;
        let reader = SerializedFileReader::new(self.input.again()).map_err(|e| unreadable(&e))?;
        let rows = RowIter::from_file_into(Box::new(reader));
        rows.project(Some(schema)).map_err(|e| unreadable(&e))
    }
}

/// Names the paths to every value of a column; a list is named as its elements.
fn name(field: &Type, prefix: &str, depth: usize, columns: &mut Vec<String>) {
    if depth > MAX_DEPTH || columns.len() > MAX_COLUMNS {
        return;
    }
    let dot = if prefix.is_empty() { "" } else { "." };
    let path = format!("{prefix}{dot}{}", field.name());
    if field.is_primitive() {
        columns.push(path);
        return;
    }
    let kind = field.get_basic_info().converted_type();
    if kind == ConvertedType::LIST {
        // The group within is of no meaning; what is in that is.
        let inner = field.get_fields().first();
        let element = inner.and_then(|inner| match inner.is_primitive() {
            true => Some(inner),
            false => inner.get_fields().first(),
        });
        match element {
            Some(element) if element.is_group() => {
                for field in element.get_fields() {
                    name(field, &path, depth + 1, columns);
                }
            }
            Some(_) | None => columns.push(path),
        }
        return;
    }
    for field in field.get_fields() {
        name(field, &path, depth + 1, columns);
    }
}

/// Says every value at a path, through groups and lists.
fn say(cell: &Cell, path: &[String], f: &mut impl FnMut(&str)) {
    match cell {
        Cell::Group(row) => {
            let Some((first, rest)) = path.split_first() else {
                return;
            };
            for (name, cell) in row.get_column_iter() {
                if name == first {
                    say(cell, rest, f);
                }
            }
        }
        Cell::ListInternal(list) => list.elements().iter().for_each(|cell| say(cell, path, f)),
        Cell::Null | Cell::MapInternal(_) => {}
        Cell::Str(text) if path.is_empty() => f(text),
        Cell::Bytes(bytes) if path.is_empty() => f(&String::from_utf8_lossy(bytes.data())),
        Cell::Bool(truth) if path.is_empty() => f(if *truth { "yes" } else { "no" }),
        Cell::TimestampMillis(ms) if path.is_empty() => f(&crate::instant::exact(*ms)),
        Cell::TimestampMicros(us) if path.is_empty() => f(&crate::instant::exact(us / 1_000)),
        Cell::Date(days) if path.is_empty() => {
            let instant = crate::instant::show(i64::from(*days) * 86_400_000);
            f(instant.get(..10).unwrap_or_default());
        }
        Cell::Byte(_)
        | Cell::Short(_)
        | Cell::Int(_)
        | Cell::Long(_)
        | Cell::UByte(_)
        | Cell::UShort(_)
        | Cell::UInt(_)
        | Cell::ULong(_)
        | Cell::Float16(_)
        | Cell::Float(_)
        | Cell::Double(_)
        | Cell::Decimal(_)
        | Cell::TimeMillis(_)
        | Cell::TimeMicros(_)
            if path.is_empty() =>
        {
            f(&cell.to_string());
        }
        Cell::Str(_)
        | Cell::Bytes(_)
        | Cell::Bool(_)
        | Cell::TimestampMillis(_)
        | Cell::TimestampMicros(_)
        | Cell::Date(_)
        | Cell::Byte(_)
        | Cell::Short(_)
        | Cell::Int(_)
        | Cell::Long(_)
        | Cell::UByte(_)
        | Cell::UShort(_)
        | Cell::UInt(_)
        | Cell::ULong(_)
        | Cell::Float16(_)
        | Cell::Float(_)
        | Cell::Double(_)
        | Cell::Decimal(_)
        | Cell::TimeMillis(_)
        | Cell::TimeMicros(_) => {}
    }
}

fn refused(why: String) -> Failure {
    Failure::new(Exit::Usage, why).code("PARQUET_UNREADABLE")
}

fn unreadable(error: &ParquetError) -> Failure {
    refused(error.to_string())
}

/// The file in pieces, as the length it had when it was opened.
struct Chunks(Reading);

impl Chunks {
    fn again(&self) -> Self {
        Self(self.0.at(0))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.length()
    }
}

impl ChunkReader for Chunks {
    type T = Reading;

    fn get_read(&self, start: u64) -> Result<Reading, ParquetError> {
        Ok(self.0.at(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF("it ends before what it says".into()));
        }
        let mut bytes = Vec::with_capacity(length);
        let mut reading = self.0.at(start).take(length as u64);
        reading.read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("it ends before what it says".into()));
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::fs::File;
    use std::path::Path;

    const ROWS: usize = 5_000;

    /// Two row groups of two texts, one of them optional, a number and one within a group.
    fn write(path: &Path) {
        let schema = "message m { required binary mrn (UTF8); optional binary gtin (UTF8); \
                      required int64 item; \
                      optional group exporter { optional binary name (UTF8); } }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let properties = Arc::new(properties.build());
        let file = File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        for group in 0..2 {
            let mut columns = writer.next_row_group().unwrap();
            let text = |row: usize| ByteArray::from(format!("M{}", group * ROWS + row).as_str());
            let texts: Vec<ByteArray> = (0..ROWS).map(text).collect();
            let mut column = columns.next_column().unwrap().unwrap();
            let typed = column.typed::<ByteArrayType>();
            typed.write_batch(&texts, None, None).unwrap();
            column.close().unwrap();
            // Every second row says no item number.
            let levels: Vec<i16> = (0..ROWS).map(|row| i16::from(row % 2 == 0)).collect();
            let gtins = vec![ByteArray::from("4006381333931"); ROWS / 2];
            let mut column = columns.next_column().unwrap().unwrap();
            let typed = column.typed::<ByteArrayType>();
            typed.write_batch(&gtins, Some(&levels), None).unwrap();
            column.close().unwrap();
            let items: Vec<i64> = (0..5_000).collect();
            let mut column = columns.next_column().unwrap().unwrap();
            let typed = column.typed::<Int64Type>();
            typed.write_batch(&items, None, None).unwrap();
            column.close().unwrap();
            let names = vec![ByteArray::from("Müller"); ROWS];
            let mut column = columns.next_column().unwrap().unwrap();
            let typed = column.typed::<ByteArrayType>();
            typed
                .write_batch(&names, Some(&vec![2; ROWS]), None)
                .unwrap();
            column.close().unwrap();
            columns.close().unwrap();
        }
        writer.close().unwrap();
    }

    fn read(parquet: &mut Parquet) -> Result<Vec<Vec<String>>, Failure> {
        let (mut all, mut rows) = (Vec::new(), Rows::default());
        loop {
            let more = parquet.fill(&mut rows)?;
            for row in rows.rows() {
                assert_eq!(row.number, all.len() as u64 + 1);
                all.push(rows.values(*row).map(|value| value.1.to_owned()).collect());
            }
            rows.clear();
            if !more {
                return Ok(all);
            }
        }
    }

    #[test]
    fn the_columns_that_are_wanted_are_read_row_by_row() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.parquet");
        write(&path);
        let mut parquet = Parquet::open(&Input::open(&path).unwrap()).unwrap();
        assert_eq!(parquet.columns(), ["mrn", "gtin", "item", "exporter.name"]);
        let sample = parquet.sample(2).unwrap();
        assert_eq!(sample[1], ["M1", "", "1", "Müller"]);
        parquet.take(&[
            ("mrn".into(), Field::Declaration),
            ("gtin".into(), Field::Gtin),
            ("item".into(), Field::Item),
            ("exporter.name".into(), Field::Description),
        ]);
        let rows = read(&mut parquet).unwrap();
        assert_eq!(rows.len(), 2 * ROWS);
        assert_eq!(rows[0], ["M0", "4006381333931", "0", "Müller"]);
        assert_eq!(rows[9_999], ["M9999", "4999", "Müller"]);
        assert!(parquet.taken() <= parquet.length);
    }

    #[test]
    fn what_arrow_writes_is_read_with_its_lists_and_groups() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../data/parquet/declarations.parquet"
        );
        let mut parquet = Parquet::open(&Input::open(Path::new(path)).unwrap()).unwrap();
        let columns = ["mrn", "parties.name", "gtin", "declared"];
        assert_eq!(parquet.columns(), columns);
        let fields = [
            Field::Declaration,
            Field::Description,
            Field::Gtin,
            Field::At,
        ];
        let wanted = columns.map(str::to_owned).into_iter().zip(fields);
        parquet.take(&wanted.collect::<Vec<_>>());
        let rows = read(&mut parquet).unwrap();
        let instants = ["1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.002Z"];
        assert_eq!(rows[0], ["A", "x", "4006381333931", instants[0]]);
        assert_eq!(rows[1], ["B", "y", "z", instants[1]]);
    }

    #[test]
    fn a_damaged_file_is_refused_wherever_it_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.parquet");
        write(&path);
        let whole = std::fs::read(&path).unwrap();
        let refuse = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let opened = Parquet::open(&Input::open(&path).unwrap());
            let mut parquet = match opened {
                Ok(parquet) => parquet,
                Err(failure) => return failure.code.as_deref() == Some("PARQUET_UNREADABLE"),
            };
            parquet.take(&[("mrn".into(), Field::Declaration)]);
            read(&mut parquet)
                .is_err_and(|failure| failure.code.as_deref() == Some("PARQUET_UNREADABLE"))
        };
        assert!(refuse(b"PAR1"));
        assert!(refuse(b"PAR1PAR1"));
        assert!(refuse(whole.get(..whole.len() / 2).unwrap()));
        let mut cut = whole.clone();
        cut.drain(4..1_000);
        assert!(refuse(&cut));
        let mut overwritten = whole;
        for byte in overwritten.iter_mut().skip(4).take(200) {
            *byte = 0xff;
        }
        assert!(refuse(&overwritten));
    }
}
