//! Opening a trace: file or standard input, plain, zstd or gzip.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::error::{Compression, CorruptData, TraceError};
use super::{Format, Reader};

/// The largest zstd window accepted: 128 MiB, as `zstd --long=27` writes it. More is refused, so a
/// hostile file cannot claim gigabytes of memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Any source of bytes.
pub type Bytes = Box<dyn Read + Send>;

impl Reader<Bytes> {
    /// Opens the trace at `path`, or standard input if `path` is `-`, whatever its compression.
    pub fn open(path: &Path, format: Format) -> Result<Self, TraceError> {
        let name = path.display().to_string();
        let bytes: Bytes = if path.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|e| TraceError::from_io(&Arc::from(&*name), e))?)
        };
        let name = if name == "-" { "stdin" } else { &name };
        Self::decompress(name, format, bytes)
    }

    /// Reads a trace called `name` from `bytes`, decompressing it if its first bytes say that it is
    /// compressed. A name that ends in `.zst` or `.gz` must tell the truth.
    pub fn decompress(name: &str, format: Format, bytes: Bytes) -> Result<Self, TraceError> {
        let (found, bytes) = detect(bytes).map_err(|e| TraceError::from_io(&name.into(), e))?;
        if let Some(compression) = Compression::of_name(name).filter(|told| found != Some(*told)) {
            return Err(TraceError::Corrupt { input: name.into(), compression });
        }
        let bytes = match found {
            None => bytes,
            Some(kind) => Decompressor::new(kind, bytes)
                .map(|it| Box::new(it) as Bytes)
                .map_err(|e| TraceError::from_io(&name.into(), e))?,
        };
        Ok(Self::new(format, bytes).named(name))
    }
}

impl Compression {
    /// The compression that the last extension of `name` tells of.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "zst" => Some(Self::Zstd),
            "gz" => Some(Self::Gzip),
            _ => None,
        }
    }

    /// The compression whose magic number `head` begins with. For gzip that is the number, its only
    /// method and flags without reserved bits (RFC 1952); for zstd a frame, or a frame to be skipped
    /// (RFC 8878).
    fn of_magic(head: &[u8]) -> Option<Self> {
        match *head {
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            [0x1f, 0x8b, 0x08, flags] if flags & 0xe0 == 0 => Some(Self::Gzip),
            _ => None,
        }
    }
}

/// How `bytes` are compressed, and the same bytes from their beginning.
fn detect(mut bytes: Bytes) -> io::Result<(Option<Compression>, Bytes)> {
    let mut head = Vec::with_capacity(4);
    bytes.by_ref().take(4).read_to_end(&mut head)?;
    let found = Compression::of_magic(&head);
    Ok((found, Box::new(Cursor::new(head).chain(bytes))))
}

/// Decompresses, and marks the errors that are the data's fault.
struct Decompressor {
    kind: Compression,
    plain: Bytes,
}

impl Decompressor {
    fn new(kind: Compression, bytes: Bytes) -> io::Result<Self> {
        let packed = BufReader::with_capacity(128 * 1024, bytes);
        let plain: Bytes = match kind {
            Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        };
        Ok(Self { kind, plain })
    }
}

impl Read for Decompressor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.plain.read(buffer).map_err(|error| {
            // What the operating system reports carries its code; what the decoders report does not.
            if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            io::Error::new(io::ErrorKind::InvalidData, CorruptData(self.kind))
        })
    }
}
