//! How entries come: at a steady or a changing rate, or many at once.

use std::collections::VecDeque;

pub(crate) const MICRO: u64 = 1_000;
pub(crate) const MILLI: u64 = 1_000 * MICRO;
pub(crate) const SECOND: u64 = 1_000 * MILLI;

/// Entries that expire, or are written, at the same time, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wave {
    pub(crate) at: u64,
    pub(crate) count: u64,
}

/// Waves in the order in which they come.
pub(crate) type Arrivals = VecDeque<Wave>;

/// Entries at `rate(t)` a second from the millisecond `from` to the millisecond `to`, spread evenly.
pub(crate) fn flow(from: u64, to: u64, rate: impl Fn(u64) -> f64) -> Arrivals {
    let mut arrivals = Arrivals::new();
    let mut sum = 0.5;
    for ms in from..to {
        sum += rate(ms) / 1_000.0;
        let count = sum as u64;
        sum -= count as f64;
        if count > 0 {
            arrivals.push_back(Wave { at: ms * MILLI, count });
        }
    }
    arrivals
}

/// Waves of both, in order.
pub(crate) fn merged(a: Arrivals, b: Arrivals) -> Arrivals {
    let mut both: Vec<Wave> = a.into_iter().chain(b).collect();
    both.sort_by_key(|wave| wave.at);
    both.into()
}

/// All at once, at the millisecond `ms`.
pub(crate) fn burst(ms: u64, count: u64) -> Arrivals {
    [Wave { at: ms * MILLI, count }].into()
}

/// How many there are up to the time `now`.
pub(crate) fn count_until(arrivals: &Arrivals, now: u64) -> u64 {
    arrivals.iter().take_while(|wave| wave.at <= now).map(|wave| wave.count).sum()
}

/// Takes up to `most` that have come by `now`, and calls `each` with the waves they are of.
pub(crate) fn take(
    arrivals: &mut Arrivals,
    now: u64,
    most: u64,
    mut each: impl FnMut(Wave),
) -> u64 {
    let mut taken = 0;
    while taken < most
        && let Some(wave) = arrivals.front_mut()
        && wave.at <= now
    {
        let count = wave.count.min(most - taken);
        each(Wave { count, ..*wave });
        taken += count;
        wave.count -= count;
        if wave.count == 0 {
            arrivals.pop_front();
        }
    }
    taken
}
