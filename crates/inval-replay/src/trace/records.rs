//! The oracleGeneral format of libCacheSim: records of 24 bytes, little-endian.

use std::io::{self, Read};

use super::window::Window;
use crate::Request;

/// Bytes of a record: `u32` time in seconds, `u64` object, `u32` size, `i64` time of the next access.
pub(super) const RECORD_LEN: usize = 24;

/// A cursor over the records of `input`.
pub(super) struct Records<R> {
    window: Window<R>,
    number: u64,
}

/// What [`Records::advance`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A record.
    Record(Request),
    /// The input ends after this many bytes of a record.
    CutOff(usize),
    /// The end of the input.
    End,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self { window: Window::new(input), number: 0 }
    }

    /// Number of the record last advanced to, the first being 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Moves on to the next record.
    pub(super) fn advance(&mut self) -> io::Result<Step> {
        loop {
            if let Some(record) = self.window.unread().first_chunk::<RECORD_LEN>() {
                let request = request(record);
                self.window.consume(RECORD_LEN);
                self.number += 1;
                return Ok(Step::Record(request));
            }
            if self.window.fill()? > 0 {
                continue;
            }
            let left = self.window.unread().len();
            if left == 0 {
                return Ok(Step::End);
            }
            self.number += 1;
            return Ok(Step::CutOff(left));
        }
    }
}

fn request(record: &[u8; RECORD_LEN]) -> Request {
    let [t0, t1, t2, t3, k0, k1, k2, k3, k4, k5, k6, k7, s0, s1, s2, s3, ..] = *record;
    let size = u32::from_le_bytes([s0, s1, s2, s3]);
    Request {
        time_ms: Some(u64::from(u32::from_le_bytes([t0, t1, t2, t3])) * 1000),
        key: u64::from_le_bytes([k0, k1, k2, k3, k4, k5, k6, k7]),
        size: (size > 0).then_some(size),
    }
}
