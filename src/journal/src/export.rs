//! Handing records out: JSON lines, CSV, syslog (RFC 5424), CEF.
//!
//! Names in records come from media and devices: they are hostile text (security rule 12). In every format what would be
//! obeyed, by a terminal, a spreadsheet or a parser of logs, is shown instead.

mod cef;
mod csv;
mod fields;
mod json;
mod syslog;

pub use json::visible_json;

use crate::reader::Row;
use std::io::{self, Write};

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object in each line: the record as it was hashed, and its hash.
    JsonLines,
    /// RFC 4180, one line for each record, a header first.
    Csv,
    /// RFC 5424, one message in each line; files that were found have messages of their own.
    Syslog,
    /// ArcSight Common Event Format, version 0, one event in each line; files that were found have events of their own.
    Cef,
}

/// Writes records in one form.
pub struct Exporter<'a> {
    format: Format,
    /// HOSTNAME of syslog, `dvchost` of CEF: the station.
    host: String,
    out: &'a mut dyn Write,
}

impl<'a> Exporter<'a> {
    /// Begins; CSV gets its header. `host` names the station; what is not printable ASCII in it becomes `_`.
    ///
    /// # Errors
    /// What the output says.
    pub fn begin(format: Format, host: &str, out: &'a mut dyn Write) -> io::Result<Self> {
        if format == Format::Csv {
            out.write_all(csv::header().as_bytes())?;
        }
        Ok(Self { format, host: syslog::host(host), out })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// What the output says.
    pub fn record(&mut self, row: &Row) -> io::Result<()> {
        let text = match self.format {
            Format::JsonLines => json::line(row),
            Format::Csv => csv::line(row),
            Format::Syslog => syslog::lines(row, &self.host),
            Format::Cef => cef::lines(row, &self.host),
        };
        self.out.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests;
