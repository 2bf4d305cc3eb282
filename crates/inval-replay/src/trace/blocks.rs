//! The `.lis` format of the ARC traces (Megiddo and Modha, FAST 2003): runs of consecutive blocks.

use super::error::Malformed;
use super::number::whole;

/// The most blocks one line may ask for: 8 GiB in blocks of 512 bytes.
pub(super) const MAX_BLOCKS: u64 = 1 << 24;

/// Consecutive blocks still to be requested; yielded one by one, never held in memory.
#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    next: u64,
    left: u64,
}

impl Run {
    /// The run that a line `start number_of_blocks ignored request_number` asks for.
    pub(super) fn from_line(line: &[u8]) -> Result<Self, Malformed> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let next = words.next().and_then(whole).ok_or(Malformed::FirstBlock)?;
        let left = words.next().and_then(whole).ok_or(Malformed::BlockCount)?;
        if left > MAX_BLOCKS {
            return Err(Malformed::TooManyBlocks);
        }
        next.checked_add(left).ok_or(Malformed::BlocksPastEnd)?;
        Ok(Self { next, left })
    }
}

impl Iterator for Run {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        self.next += 1;
        Some(self.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_run_of_blocks() {
        let check = |line: &str, want: Result<&[u64], Malformed>| {
            let got = Run::from_line(line.as_bytes()).map(Iterator::collect::<Vec<_>>);
            assert_eq!(got.as_deref().map_err(|e| *e), want, "{line:?}");
        };
        check("10 3 0 1", Ok(&[10, 11, 12]));
        check("  7\t1", Ok(&[7]));
        check("7 0 0 1", Ok(&[]));
        check("7", Err(Malformed::BlockCount));
        check("7 x 0 1", Err(Malformed::BlockCount));
        check("-7 1 0 1", Err(Malformed::FirstBlock));
        check(" ", Err(Malformed::FirstBlock));
        check("0 16777217 0 1", Err(Malformed::TooManyBlocks));
        check("18446744073709551615 1 0 1", Err(Malformed::BlocksPastEnd));
        check("18446744073709551614 1 0 1", Ok(&[u64::MAX - 1]));
    }
}
