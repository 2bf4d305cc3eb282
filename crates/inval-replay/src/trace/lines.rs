//! Lines of a byte stream, counted, without copying and with a limit on their length.

use std::io::{self, Read};

use super::MAX_LINE_LEN;
use super::window::Window;

/// What [`Lines::advance`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A line; [`Lines::line`] shows it.
    Line,
    /// A line longer than [`MAX_LINE_LEN`], passed over.
    TooLong,
    /// The end of the input.
    End,
}

/// A cursor over the lines of `input`.
pub(super) struct Lines<R> {
    window: Window<R>,
    line_len: usize,
    newline_len: usize,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { window: Window::new(input), line_len: 0, newline_len: 0, number: 0 }
    }

    /// Number of the line last advanced to, the first being 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line last advanced to, without its `\n` or `\r\n`.
    pub(super) fn line(&self) -> &[u8] {
        let line = &self.window.consumed(self.line_len + self.newline_len)[..self.line_len];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Moves on to the next line. The last one needs no newline.
    pub(super) fn advance(&mut self) -> io::Result<Step> {
        let mut searched = 0;
        loop {
            let unread = self.window.unread();
            if let Some(at) = memchr::memchr(b'\n', &unread[searched..]) {
                return Ok(self.take(searched + at, 1));
            }
            searched = unread.len();
            if searched > MAX_LINE_LEN {
                return self.pass_over();
            }
            if self.window.fill()? == 0 {
                return Ok(if searched == 0 { Step::End } else { self.take(searched, 0) });
            }
        }
    }

    fn take(&mut self, line_len: usize, newline_len: usize) -> Step {
        self.window.consume(line_len + newline_len);
        self.number += 1;
        (self.line_len, self.newline_len) = (line_len, newline_len);
        if line_len > MAX_LINE_LEN {
            return Step::TooLong;
        }
        Step::Line
    }

    /// Leaves an overlong line behind, up to and with its newline, without keeping any of it.
    fn pass_over(&mut self) -> io::Result<Step> {
        self.number += 1;
        loop {
            let unread = self.window.unread();
            let newline = memchr::memchr(b'\n', unread);
            let passed = newline.map_or(unread.len(), |at| at + 1);
            self.window.consume(passed);
            if newline.is_some() || self.window.fill()? == 0 {
                (self.line_len, self.newline_len) = (0, 0);
                return Ok(Step::TooLong);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields at most `step` bytes a read, so that lines straddle reads.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(self.1).min(buffer.len());
            let (now, later) = self.0.split_at(len);
            buffer[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    fn check(input: &[u8], want: &[Option<&[u8]>]) {
        for step in [1, 1000, usize::MAX] {
            let mut lines = Lines::new(Drip(input, step));
            let mut got = Vec::new();
            loop {
                match lines.advance().unwrap() {
                    Step::Line => got.push(Some(lines.line().to_vec())),
                    Step::TooLong => got.push(None),
                    Step::End => break,
                }
                assert_eq!(lines.number(), got.len() as u64);
            }
            let want: Vec<_> = want.iter().map(|line| line.map(<[u8]>::to_vec)).collect();
            assert!(got == want, "input of {} bytes, {step} a read", input.len());
        }
    }

    #[test]
    fn lines_end_at_newlines_and_at_the_end() {
        check(b"", &[]);
        check(b"\n", &[Some(b"")]);
        check(b"a\nbc\r\n\nd", &[Some(b"a"), Some(b"bc"), Some(b""), Some(b"d")]);
        check(b"a\rb\n", &[Some(b"a\rb")]);
    }

    #[test]
    fn a_line_of_the_greatest_length_passes_and_a_longer_one_does_not() {
        let lines = |len: usize| [&vec![b'x'; len][..], b"\nnext"].concat();
        let longest = vec![b'x'; MAX_LINE_LEN];
        check(&lines(MAX_LINE_LEN), &[Some(&longest), Some(b"next")]);
        check(&lines(MAX_LINE_LEN + 1), &[None, Some(b"next")]);
        check(&lines(5 * MAX_LINE_LEN), &[None, Some(b"next")]);
        check(&vec![b'x'; MAX_LINE_LEN + 1], &[None]);
    }
}
