//! The formats of traces, their names and the file extensions that tell them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

use super::Compression;

/// How the requests of a trace are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Text with a header. Columns are found by name: `key` (required), `time_s` (seconds, may have a
    /// fraction) and `size_bytes`; an empty field is unknown, other columns are ignored, `op` among
    /// them, for every request is a read that inserts on a miss.
    Csv,
    /// The binary oracleGeneral format of libCacheSim: 24-byte records; a size of 0 is unknown.
    OracleGeneral,
    /// The text format of the ARC traces: `start number_of_blocks ignored request_number`, a request
    /// for each of the consecutive blocks.
    Lis,
    /// One key a line, of any bytes; blank lines are passed over.
    Keys,
}

/// A text or file name that tells no [`Format`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("unknown trace format; known are csv, oracleGeneral (also .bin), lis and keys (also .txt)")]
pub struct UnknownFormat;

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::OracleGeneral, Self::Lis, Self::Keys];

    /// The name by which the command line knows the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::OracleGeneral => "oracleGeneral",
            Self::Lis => "lis",
            Self::Keys => "keys",
        }
    }

    /// The format that a file's extension tells, once `.zst` or `.gz` is taken off.
    pub fn of_path(path: &Path) -> Result<Self, UnknownFormat> {
        let mut name = path.file_name().and_then(|name| name.to_str()).ok_or(UnknownFormat)?;
        if Compression::of_name(name).is_some() {
            (name, _) = name.rsplit_once('.').ok_or(UnknownFormat)?;
        }
        let (_, extension) = name.rsplit_once('.').ok_or(UnknownFormat)?;
        match extension.to_ascii_lowercase().as_str() {
            "bin" => Ok(Self::OracleGeneral),
            "txt" => Ok(Self::Keys),
            other => other.parse(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|f| f.name().eq_ignore_ascii_case(name)).ok_or(UnknownFormat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format() {
        let check = |path: &str, want| assert_eq!(Format::of_path(path.as_ref()), want, "{path:?}");
        check("a.csv", Ok(Format::Csv));
        check("dir.d/a.b.csv.zst", Ok(Format::Csv));
        check("a.CSV.GZ", Ok(Format::Csv));
        check("w1.oracleGeneral", Ok(Format::OracleGeneral));
        check("w1.oracleGeneral.bin.zst", Ok(Format::OracleGeneral));
        check("P1.lis.gz", Ok(Format::Lis));
        check("a.txt", Ok(Format::Keys));
        check("a.keys", Ok(Format::Keys));
        check("a.parquet", Err(UnknownFormat));
        check("a.zst", Err(UnknownFormat));
        check("csv", Err(UnknownFormat));
        check("", Err(UnknownFormat));
    }

    #[test]
    fn every_name_is_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert!(UnknownFormat.to_string().contains(format.name()));
        }
    }
}
