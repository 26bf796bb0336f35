//! Files of declarations: CSV, JSON Lines, Parquet and the XML of the WCO data model, read row by
//! row with every length bounded, and brought to the fields that screening compares.
//!
//! A file is never trusted: an encoding is detected and said, a row that cannot be read is told
//! with its line and reason, and a quote without its partner costs its row, not the file. Begin at
//! [`source::Source::open`]; [`mapping`] says which column means what.

pub mod csv;
pub mod encoding;
pub mod field;
pub mod filed;
pub mod guess;
pub mod input;
pub mod json;
pub mod mapping;
pub mod parquet;
pub mod rows;
pub mod source;
pub mod wco;
