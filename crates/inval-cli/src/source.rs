//! Where the requests come from: a file, standard input or a synthetic workload.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::ProgressBar;
use inval_replay::trace::Bytes;
use inval_replay::{Format, Reader, Request, TraceError, Workload, workload};

use crate::args::ReplayArgs;
use crate::failure::UsageError;
use crate::progress::{Extent, bar};

/// The workload of a bare `inval replay`: popular keys, interrupted by scans.
const BUILT_IN: &str = "scan";

/// A trace or workload that can be opened for a pass.
pub(crate) enum Source {
    Trace { path: PathBuf, format: Format, skip_bad: u64 },
    Workload(Workload),
}

/// Shows the progress made each time this many requests have been generated.
const STRIDE: u64 = 8192;

impl Source {
    /// What the command line asks for.
    pub(crate) fn from_args(args: &ReplayArgs) -> anyhow::Result<Self> {
        if let Some(path) = &args.trace {
            let format = args.format.map_or_else(|| format_of(path), Ok)?;
            return Ok(Self::Trace { path: path.clone(), format, skip_bad: args.skip_bad });
        }
        let workload = args.workload.clone().map_or_else(|| BUILT_IN.parse(), Ok);
        Ok(Self::Workload(workload.context("the built-in workload")?))
    }

    /// The name that the results carry: of a file only its last part.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Trace { path, .. } if is_stdin(path) => "stdin".to_owned(),
            Self::Trace { path, .. } => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Self::Workload(workload) => workload.to_string(),
        }
    }

    /// Whether a second pass would see the same requests again.
    pub(crate) fn is_repeatable(&self) -> bool {
        match self {
            // A file that cannot be asked cannot be opened either, and that error says more.
            Self::Trace { path, .. } => {
                !is_stdin(path) && path.metadata().map_or(true, |file| file.is_file())
            }
            Self::Workload(_) => true,
        }
    }

    /// The requests from the first on, with a progress bar that is called `what`.
    pub(crate) fn open(&self, what: &'static str) -> Result<Requests, TraceError> {
        let (path, format, skip_bad) = match self {
            Self::Trace { path, format, skip_bad } => (path, *format, *skip_bad),
            Self::Workload(workload) => {
                let progress = bar(what, Extent::Requests(workload.request_count()));
                let origin = Origin::Workload(workload.requests());
                return Ok(Requests { origin, progress, count: 0 });
            }
        };
        let name = path.display().to_string();
        let (name, progress, bytes) = if is_stdin(path) {
            let progress = bar(what, Extent::Unknown);
            let bytes: Bytes = Box::new(progress.wrap_read(io::stdin()));
            ("stdin", progress, bytes)
        } else {
            let io_error = |source| TraceError::Io { input: name.as_str().into(), source };
            let file = File::open(path).map_err(io_error)?;
            let progress = bar(what, Extent::Bytes(file.metadata().map_err(io_error)?.len()));
            let bytes: Bytes = Box::new(progress.wrap_read(file));
            (name.as_str(), progress, bytes)
        };
        let reader = Reader::decompress(name, format, bytes)?.skip_bad(skip_bad);
        Ok(Requests { origin: Origin::Trace(Box::new(reader)), progress, count: 0 })
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn format_of(path: &Path) -> Result<Format, UsageError> {
    if is_stdin(path) {
        return Ok(Format::Csv);
    }
    Format::of_path(path).map_err(|_| UsageError::UnknownExtension)
}

/// The requests of one pass.
pub(crate) struct Requests {
    origin: Origin,
    progress: ProgressBar,
    count: u64,
}

enum Origin {
    Trace(Box<Reader<Bytes>>),
    Workload(workload::Requests),
}

impl Requests {
    /// How many malformed lines were passed over.
    pub(crate) fn skipped(&self) -> u64 {
        match &self.origin {
            Origin::Trace(reader) => reader.skipped(),
            Origin::Workload(_) => 0,
        }
    }
}

impl Iterator for Requests {
    type Item = Result<Request, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.origin {
            Origin::Trace(reader) => reader.next(),
            Origin::Workload(requests) => {
                self.count += 1;
                if self.count.is_multiple_of(STRIDE) {
                    self.progress.inc(STRIDE);
                }
                requests.next().map(Ok)
            }
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}
