//! A progress bar on standard error, shown only if somebody looks.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What the length of a bar counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    Requests(u64),
    /// Entries as they were booked, so that there may be more in the end.
    Entries(u64),
    /// Bytes of a file, as stored.
    Bytes(u64),
    /// Nobody knows; the bytes read so far are shown.
    Unknown,
}

/// A bar for a pass called `what`; it shows nothing unless standard error is a terminal.
pub(crate) fn bar(what: &'static str, extent: Extent) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (length, template) = match extent {
        Extent::Requests(n) => {
            (Some(n), "{msg} [{bar:30}] {human_pos} of {human_len} requests, {eta} left")
        }
        Extent::Entries(n) => {
            (Some(n), "{msg} [{bar:30}] {human_pos} of {human_len} entries, {eta} left")
        }
        Extent::Bytes(n) => (Some(n), "{msg} [{bar:30}] {bytes} of {total_bytes}, {eta} left"),
        Extent::Unknown => (None, "{msg} {spinner} {bytes}"),
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style)
        .with_message(what)
}
