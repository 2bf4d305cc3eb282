//! Readers of request traces: streaming, in constant memory, with errors that name the place.

mod format;
mod error;
mod input;

mod blocks;
mod csv;
mod lines;
mod number;
mod records;
mod window;

use std::io::{self, Read};
use std::sync::Arc;

pub use error::{Compression, Malformed, TraceError};
pub use format::{Format, UnknownFormat};
pub use input::Bytes;

use crate::Request;
use blocks::{MAX_BLOCKS, Run};
use csv::Columns;
use lines::{Lines, Step};
use records::{RECORD_LEN, Records};

/// The longest line accepted, in bytes: 1 MiB.
pub const MAX_LINE_LEN: usize = 1024 * 1024;

/// The requests of a trace, in their order, in constant memory. After an error it yields nothing more.
pub struct Reader<R> {
    body: Body<R>,
    name: Arc<str>,
    bad_lines_left: u64,
    bad_lines: u64,
    ended: bool,
}

enum Body<R> {
    Csv { lines: Lines<R>, columns: Option<Columns> },
    OracleGeneral(Records<R>),
    Lis { lines: Lines<R>, run: Run },
    Keys(Lines<R>),
}

impl<R: Read> Reader<R> {
    /// Reads a trace from `input`, which holds it uncompressed. It does its own buffering.
    pub fn new(format: Format, input: R) -> Self {
        let body = match format {
            Format::Csv => Body::Csv { lines: Lines::new(input), columns: None },
            Format::OracleGeneral => Body::OracleGeneral(Records::new(input)),
            Format::Lis => Body::Lis { lines: Lines::new(input), run: Run::default() },
            Format::Keys => Body::Keys(Lines::new(input)),
        };
        Self { body, name: "trace".into(), bad_lines_left: 0, bad_lines: 0, ended: false }
    }

    /// Gives the trace the name that its errors tell.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Passes over up to `budget` malformed lines instead of failing at the first. A bad header or a
    /// record that is cut off is always an error.
    pub fn skip_bad(mut self, budget: u64) -> Self {
        self.bad_lines_left = budget;
        self
    }

    /// Malformed lines passed over so far.
    pub fn skipped(&self) -> u64 {
        self.bad_lines
    }

    fn read_request(&mut self) -> Result<Option<Request>, TraceError> {
        loop {
            let found = match &mut self.body {
                Body::OracleGeneral(records) => return next_record(records, &self.name),
                Body::Csv { lines, columns: Some(columns) } => next_row(lines, columns),
                Body::Csv { lines, columns } => {
                    *columns = Some(header(lines, &self.name)?);
                    continue;
                }
                Body::Lis { lines, run } => next_block(lines, run),
                Body::Keys(lines) => next_key(lines),
            };
            match found.map_err(|e| TraceError::from_io(&self.name, e))? {
                Found::Request(request) => return Ok(Some(request)),
                Found::End => return Ok(None),
                Found::Bad { line, reason } => self.pass_over(line, reason)?,
            }
        }
    }

    fn pass_over(&mut self, line: u64, reason: Malformed) -> Result<(), TraceError> {
        let Some(left) = self.bad_lines_left.checked_sub(1) else {
            return Err(TraceError::Line { input: Arc::clone(&self.name), line, reason });
        };
        self.bad_lines_left = left;
        self.bad_lines += 1;
        Ok(())
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Request, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let request = self.read_request().transpose();
        self.ended = !matches!(request, Some(Ok(_)));
        request
    }
}

/// What the next line of a text format holds.
enum Found {
    Request(Request),
    Bad { line: u64, reason: Malformed },
    End,
}

fn header<R: Read>(lines: &mut Lines<R>, name: &Arc<str>) -> Result<Columns, TraceError> {
    let columns = match lines.advance().map_err(|e| TraceError::from_io(name, e))? {
        Step::Line => Columns::from_header(lines.line()),
        Step::TooLong => Err(Malformed::LineTooLong),
        Step::End => Err(Malformed::NoHeader),
    };
    columns.map_err(|reason| TraceError::Line {
        input: Arc::clone(name),
        line: lines.number().max(1),
        reason,
    })
}

fn next_row<R: Read>(lines: &mut Lines<R>, columns: &Columns) -> io::Result<Found> {
    next_line(lines, |line| columns.request(line))
}

fn next_key<R: Read>(lines: &mut Lines<R>) -> io::Result<Found> {
    next_line(lines, |line| Ok(Request::of_key(number::key_of(line))))
}

fn next_block<R: Read>(lines: &mut Lines<R>, run: &mut Run) -> io::Result<Found> {
    loop {
        if let Some(block) = run.next() {
            return Ok(Found::Request(Request::of_key(block)));
        }
        let found = next_line(lines, |line| {
            *run = Run::from_line(line)?;
            Ok(Request::of_key(0))
        })?;
        if !matches!(found, Found::Request(_)) {
            return Ok(found);
        }
    }
}

/// The next line that is not blank, parsed.
fn next_line<R: Read>(
    lines: &mut Lines<R>,
    parse: impl FnOnce(&[u8]) -> Result<Request, Malformed>,
) -> io::Result<Found> {
    let bad = |lines: &Lines<R>, reason| Found::Bad { line: lines.number(), reason };
    loop {
        match lines.advance()? {
            Step::Line if lines.line().is_empty() => {}
            Step::Line => {
                return Ok(parse(lines.line()).map_or_else(|e| bad(lines, e), Found::Request));
            }
            Step::TooLong => return Ok(bad(lines, Malformed::LineTooLong)),
            Step::End => return Ok(Found::End),
        }
    }
}

fn next_record<R: Read>(
    records: &mut Records<R>,
    name: &Arc<str>,
) -> Result<Option<Request>, TraceError> {
    match records.advance().map_err(|e| TraceError::from_io(name, e))? {
        records::Step::Record(request) => Ok(Some(request)),
        records::Step::End => Ok(None),
        records::Step::CutOff(bytes) => Err(TraceError::Truncated {
            input: Arc::clone(name),
            record: records.number(),
            bytes,
            record_len: RECORD_LEN,
        }),
    }
}
