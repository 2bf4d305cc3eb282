//! Hits, misses and touches of one partition, gathered here and told to the server now and then.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use inval_core::Key;
use inval_core::record::AccessBatch;

/// Reads told at once, at the most, and the time after which few are told as well: at first, and then
/// twice as long from one time to the next, up to the longest. For a cache that fills soon will have to
/// know soon of which reads are worth telling.
const BATCH: usize = 256;
const FIRST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// How long touches wait to be told while there are fewer than a batch.
const TOUCH_INTERVAL: Duration = Duration::from_millis(50);

/// What this client has read of a partition since it last told.
pub(crate) struct Reads {
    hits: AtomicU64,
    misses: AtomicU64,
    /// Of a thousand reads, how many the manager wants to be told of.
    permille: AtomicU32,
    touched: Mutex<HashSet<Key>>,
    origin: Instant,
    /// When to tell next, in milliseconds since `origin`.
    due: AtomicU64,
    /// How long after that the next time is, in milliseconds, while there are no touches to tell.
    interval: AtomicU64,
    is_telling: AtomicBool,
}

/// What is to be told.
pub(crate) struct Report {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) touched: AccessBatch,
}

impl Report {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.hits == 0 && self.misses == 0 && self.touched.is_empty()
    }

    /// Strikes off what the server has taken, by its replies to the hits and the misses, as far as there are any.
    pub(crate) fn strike_off<V, E>(&mut self, replies: &[Result<V, E>]) {
        let mut replies = replies.iter();
        for count in [&mut self.hits, &mut self.misses] {
            if *count > 0 && replies.next().is_some_and(Result::is_ok) {
                *count = 0;
            }
        }
    }
}

impl Reads {
    pub(crate) fn new() -> Self {
        Self {
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            permille: AtomicU32::new(0),
            touched: Mutex::new(HashSet::new()),
            origin: Instant::now(),
            // Soon, to learn how many reads are worth telling.
            due: AtomicU64::new(0),
            interval: AtomicU64::new(FIRST_INTERVAL.as_millis() as u64),
            is_telling: AtomicBool::new(false),
        }
    }

    /// Counts a read. Returns whether it is time to tell: whoever is told so must call
    /// [`begin`](Self::begin).
    pub(crate) fn count(&self, key: &Key, is_hit: bool) -> bool {
        let counter = if is_hit { &self.hits } else { &self.misses };
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let is_full = is_hit && self.is_worth_telling(number) && self.touch(key);
        is_full || self.now_ms() >= self.due.load(Ordering::Relaxed)
    }

    /// Of every thousand numbers, as many as the manager wants, evenly spread.
    fn is_worth_telling(&self, number: u64) -> bool {
        let permille = self.permille.load(Ordering::Relaxed);
        permille > 0 && (number.wrapping_mul(617) % 1000) < u64::from(permille)
    }

    fn touch(&self, key: &Key) -> bool {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        if touched.len() < BATCH && !touched.contains(key) {
            touched.insert(key.clone());
        }
        touched.len() >= BATCH
    }

    /// Takes what is to be told; `None` if somebody is telling already.
    pub(crate) fn begin(&self) -> Option<Report> {
        if self.is_telling.swap(true, Ordering::Acquire) {
            return None;
        }
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = AccessBatch::new();
        touched.drain().for_each(|key| batch.push(&key));
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        Some(Report { hits: take(&self.hits), misses: take(&self.misses), touched: batch })
    }

    /// Ends what [`begin`](Self::begin) began, with what the manager wants to be told from now on.
    pub(crate) fn told(&self, permille: Option<u64>) {
        if let Some(permille) = permille {
            self.permille.store(permille.min(1000) as u32, Ordering::Relaxed);
        }
        self.end();
    }

    /// Takes back what is left of a report, to be told the next time, but for its touches.
    pub(crate) fn keep(&self, report: &Report) {
        self.hits.fetch_add(report.hits, Ordering::Relaxed);
        self.misses.fetch_add(report.misses, Ordering::Relaxed);
    }

    fn end(&self) {
        let interval = if self.permille.load(Ordering::Relaxed) > 0 {
            TOUCH_INTERVAL.as_millis() as u64
        } else {
            let interval = self.interval.load(Ordering::Relaxed);
            let next = (2 * interval).min(LONGEST_INTERVAL.as_millis() as u64);
            self.interval.store(next, Ordering::Relaxed);
            interval
        };
        self.due.store(self.now_ms() + interval, Ordering::Relaxed);
        self.is_telling.store(false, Ordering::Release);
    }

    fn now_ms(&self) -> u64 {
        self.origin.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Key {
        Key::new(&number.to_le_bytes()).unwrap()
    }

    fn reads(permille: u64) -> Reads {
        let reads = Reads::new();
        assert!(reads.begin().is_some());
        reads.told(Some(permille));
        reads
    }

    #[test]
    fn hits_and_misses_are_told_once() {
        let reads = reads(0);
        (0..10).for_each(|n| _ = reads.count(&key(n), n < 3));
        let report = reads.begin().unwrap();
        assert_eq!((report.hits, report.misses), (3, 7));
        assert!(report.touched.is_empty());
        assert!(reads.begin().is_none(), "somebody is telling");
        reads.told(None);
        let report = reads.begin().unwrap();
        assert_eq!((report.hits, report.misses), (0, 0));
    }

    #[test]
    fn what_could_not_be_told_is_kept() {
        let reads = reads(0);
        reads.count(&key(1), true);
        let report = reads.begin().unwrap();
        reads.count(&key(1), true);
        reads.keep(&report);
        reads.told(None);
        assert_eq!(reads.begin().unwrap().hits, 2);
    }

    #[test]
    fn only_what_the_server_took_is_struck_off() {
        let check = |(hits, misses), replies: &[Result<(), ()>], want| {
            let mut report = Report { hits, misses, touched: AccessBatch::new() };
            report.strike_off(replies);
            assert_eq!((report.hits, report.misses), want, "{replies:?}");
        };
        check((3, 7), &[Ok(()), Ok(()), Err(())], (0, 0));
        check((3, 7), &[Ok(()), Err(()), Ok(())], (0, 7));
        check((3, 7), &[Err(()), Ok(()), Ok(())], (3, 0));
        check((0, 7), &[Ok(()), Err(())], (0, 0));
        check((3, 0), &[Err(()), Ok(())], (3, 0));
        check((3, 7), &[], (3, 7));
    }

    #[test]
    fn a_full_batch_of_different_keys_is_told_at_once() {
        let reads = reads(1000);
        for n in 0..BATCH as u32 - 1 {
            reads.count(&key(n), true);
            reads.count(&key(n), true);
        }
        reads.count(&key(9_999), false);
        assert!(reads.count(&key(10_000), true));
        let report = reads.begin().unwrap();
        assert_eq!(AccessBatch::keys(report.touched.as_bytes()).count(), BATCH);
    }

    #[test]
    fn the_first_tellings_come_soon_and_later_ones_seldom() {
        let reads = Reads::new();
        let check = |permille, want| {
            assert!(reads.begin().is_some());
            let before = reads.now_ms();
            reads.told(Some(permille));
            let due = reads.due.load(Ordering::Relaxed);
            assert!((before..=reads.now_ms()).contains(&(due - want)), "{due} and not {want}");
        };
        [10, 20, 40, 80, 160, 320, 640, 1000, 1000].into_iter().for_each(|want| check(0, want));
        check(1000, 50);
        check(0, 1000);
    }

    #[test]
    fn as_many_reads_are_told_as_the_manager_wants() {
        let check = |permille: u64| {
            let reads = reads(permille);
            let told = (0..1000).filter(|&n| reads.is_worth_telling(n)).count();
            assert_eq!(told as u64, permille);
        };
        check(0);
        check(1);
        check(250);
        check(1000);
    }
}
