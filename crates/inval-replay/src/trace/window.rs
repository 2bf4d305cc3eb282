//! A window over a byte stream: one buffer, reused, that grows no further than a line may be long.

use std::io::{self, Read};

const FIRST_LEN: usize = 256 * 1024;

/// The bytes of `input` that were read and not yet consumed, contiguous.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; FIRST_LEN], start: 0, end: 0 }
    }

    /// The bytes read and not yet consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The last `len` bytes before the unread ones. They stay until the next [`fill`](Self::fill).
    pub(super) fn consumed(&self, len: usize) -> &[u8] {
        &self.buffer[self.start - len..self.start]
    }

    /// Counts the next `len` unread bytes as read.
    pub(super) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Reads more behind the unread bytes, in a larger buffer if need be; returns how many bytes were
    /// added, 0 at the end of the input.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            self.make_room();
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(added) => {
                    self.end += added;
                    return Ok(added);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Moves the unread bytes to the front if that frees half of the buffer, or else doubles it, so
    /// that a byte is moved a bounded number of times however little each read brings.
    fn make_room(&mut self) {
        if self.start < self.buffer.len() / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }
}
