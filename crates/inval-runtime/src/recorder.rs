//! Notes removals in the middle of a store's operations, for which it never waits.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use foldhash::quality::RandomState;
use inval_core::{Removal, RemovalCause};
use tokio::time::Instant;

use crate::explain::{PastRemoval, Remembered};
use crate::recent::{Gone, Recent, is_included};

/// How far back it is to reach, if need be by remembering fewer keys.
const HORIZON: Duration = Duration::from_secs(600);
/// Of so many removals that are not remembered, by the digests of their keys, one has it looked whether more could be.
const REVIEWED: u64 = 16;

/// What is remembered of the removals of a namespace: digests in place of keys, under a key of their own that no one
/// knows.
pub(crate) struct Recorder {
    hasher: RandomState,
    started: Instant,
    /// The level of `recent`, to be read without the lock.
    level: AtomicU32,
    missed: AtomicU64,
    /// `None` if nothing is to be remembered.
    recent: Option<Mutex<Recent>>,
}

impl Recorder {
    /// Remembers up to `most` removals.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            started: Instant::now(),
            level: AtomicU32::new(0),
            missed: AtomicU64::new(0),
            recent: (most > 0).then(|| Mutex::new(Recent::new(most, HORIZON))),
        }
    }

    /// Notes a removal, unless it was an overwrite: the key is still there, and overwrites would push out the rest.
    /// If another is just being noted, this one is missed.
    pub(crate) fn note(&self, removal: &Removal<'_>) {
        let Removal { key, weight, cause } = *removal;
        let Some(recent) = self.recent.as_ref().filter(|_| cause != RemovalCause::Replaced) else {
            return;
        };
        let digest = self.hasher.hash_one(key);
        let is_included = is_included(digest, self.level.load(Ordering::Relaxed));
        if !is_included && digest >> 32 & (REVIEWED - 1) != 0 {
            return;
        }
        match recent.try_lock() {
            Ok(recent) => self.add(recent, Gone { digest, cause, weight }),
            Err(TryLockError::Poisoned(recent)) => {
                self.add(recent.into_inner(), Gone { digest, cause, weight });
            }
            Err(TryLockError::WouldBlock) => {
                self.missed.fetch_add(u64::from(is_included), Ordering::Relaxed);
            }
        }
    }

    /// The removals that are remembered of what has gone by any of these names, newest first, and which are of all
    /// of them; `None` if none are remembered at all, or there is no name.
    pub(crate) fn recall<'a>(
        &self,
        names: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<(Vec<PastRemoval>, Remembered)> {
        let mut recent = self.recent.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.started.elapsed();
        let of_each = names.into_iter().map(|name| recent.recall(self.hasher.hash_one(name), now));
        let (mut removals, remembered) = of_each.reduce(|(mut removals, all), (more, other)| {
            removals.extend(more);
            (removals, all.and(other))
        })?;
        removals.sort_by_key(|removal| removal.ago);
        self.level.store(recent.level(), Ordering::Relaxed);
        let missed = self.missed.load(Ordering::Relaxed);
        Some((removals, Remembered { missed, ..remembered }))
    }

    fn add(&self, mut recent: MutexGuard<'_, Recent>, gone: Gone) {
        recent.note(gone, self.started.elapsed());
        self.level.store(recent.level(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use inval_core::Weight;

    use super::*;

    fn note(recorder: &Recorder, key: u64, cause: RemovalCause) {
        let removal = Removal { key: &key.to_le_bytes(), weight: Weight::new(9), cause };
        recorder.note(&removal);
    }

    fn recall(recorder: &Recorder, key: u64) -> (Vec<RemovalCause>, Remembered) {
        let (removals, remembered) = recorder.recall([&key.to_le_bytes()[..]]).unwrap();
        (removals.iter().map(|removal| removal.cause).collect(), remembered)
    }

    #[test]
    fn overwrites_are_left_out_and_who_would_wait_is_missed() {
        let recorder = Recorder::new(8);
        RemovalCause::ALL.iter().for_each(|&cause| note(&recorder, 1, cause));
        let (causes, _) = recall(&recorder, 1);
        let mut want = RemovalCause::ALL.to_vec();
        want.retain(|cause| *cause != RemovalCause::Replaced);
        want.reverse();
        assert_eq!(causes, want);
        {
            let _noting = recorder.recent.as_ref().unwrap().lock().unwrap();
            note(&recorder, 2, RemovalCause::Evicted);
            note(&recorder, 2, RemovalCause::Replaced);
        }
        let (causes, remembered) = recall(&recorder, 2);
        assert_eq!((causes, remembered.missed), (vec![], 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_went_by_several_names_is_told_in_one_order() {
        let recorder = Recorder::new(8);
        for (key, cause) in [
            (1, RemovalCause::Expired),
            (2, RemovalCause::Evicted),
            (3, RemovalCause::Vanished),
            (1, RemovalCause::Invalidated),
        ] {
            tokio::time::advance(HORIZON / 100).await;
            note(&recorder, key, cause);
        }
        let names = [1_u64, 2].map(u64::to_le_bytes);
        let (removals, remembered) = recorder.recall(names.iter().map(|name| &name[..])).unwrap();
        let causes: Vec<_> = removals.iter().map(|removal| removal.cause).collect();
        assert_eq!(
            causes,
            [RemovalCause::Invalidated, RemovalCause::Evicted, RemovalCause::Expired]
        );
        assert!(remembered.includes_key);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_flood_more_keys_are_remembered_although_nobody_asks() {
        let recorder = Recorder::new(64);
        (0..100_000).for_each(|key| note(&recorder, key, RemovalCause::Evicted));
        assert!(recorder.level.load(Ordering::Relaxed) >= 9);
        tokio::time::advance(3 * HORIZON).await;
        // A few more, of which hardly any is remembered.
        (0..1_000).for_each(|key| note(&recorder, key, RemovalCause::Expired));
        assert!(recorder.level.load(Ordering::Relaxed) <= 5);
    }
}
