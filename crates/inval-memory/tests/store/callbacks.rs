//! Listeners and destructors that call back into the cache: nothing of theirs runs under a lock.

use std::borrow::Borrow;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use inval_memory::{Clock, ManualClock, Removed, Weight};

use crate::support::setup::{FixedCache, Setup, at, for_each_setup, ms, ttl, weight};
use crate::support::tasks::without_deadlock;

const KEYS: u64 = if cfg!(miri) { 18 } else { 60 };
/// An entry under this key is too heavy.
const HEAVY: u64 = 1_000;

/// A cache small enough to evict, which its listener can reach.
fn cache<K, V>(
    setup: Setup,
    clock: &ManualClock,
    listener: impl Fn(&FixedCache<K, V>, &Removed<K, V>) + Send + Sync + 'static,
) -> Arc<FixedCache<K, V>>
where
    K: Hash + Eq + Borrow<u64> + Send + 'static,
    V: Clone + Send + 'static,
{
    let weigher = |key: &K, _: &V| Weight::new(if *key.borrow() == HEAVY { 20_000 } else { 1 });
    Arc::new_cyclic(|cache: &Weak<FixedCache<K, V>>| {
        let cache = cache.clone();
        let told = move |removed: &Removed<K, V>| {
            cache.upgrade().iter().for_each(|cache| listener(cache, removed));
        };
        let config = setup.config().max_entries(16).max_bytes(16_000);
        setup.builder(config).clock(clock.clone()).weigher(weigher).on_removal(told).build()
    })
}

/// Makes entries leave in every way there is.
fn every_way_out<K: Hash + Eq + Borrow<u64>, V: Clone>(
    cache: &FixedCache<K, V>,
    clock: &ManualClock,
    entry: impl Fn(u64) -> (K, V),
) {
    let insert = |id| {
        let (key, value) = entry(id);
        cache.insert(key, value);
    };
    let insert_with = |id, options| {
        let (key, value) = entry(id);
        drop(cache.insert_with(key, value, options));
    };
    insert(1);
    insert(1);
    cache.remove(&1);
    (0..KEYS).for_each(insert);
    insert(HEAVY);
    (0..4).for_each(|id| insert_with(id, weight(20_000)));
    (0..4).for_each(|id| insert_with(id, ttl(0)));
    cache.clear();
    for _ in 0..3 {
        (0..8).for_each(|id| insert_with(id, ttl(5)));
        clock.advance(ms(5));
        cache.get(&0);
        cache.remove(&1);
        insert(2);
        cache.maintain(clock.now());
    }
    (0..4).for_each(insert);
}

#[test]
fn a_listener_may_call_the_cache_with_the_same_key() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let clock = ManualClock::new();
            let cache = cache(setup, &clock, |cache, removed| {
                cache.contains(&removed.key);
                cache.get(&removed.key);
                if removed.value < 5_000 {
                    cache.insert(removed.key, removed.value + 5_000);
                    cache.get_or_insert_with(&removed.key, || 5_000);
                } else {
                    cache.remove(&removed.key);
                }
                cache.maintain(at(0));
                assert!(cfg!(miri) || cache.validate() == Ok(()));
            });
            every_way_out(&cache, &clock, |id| (id, id));
            cache.get_or_insert_with(&99, || 99);
        });
    });
}

/// Calls the cache that it is in when it, or a copy of it, is dropped.
struct Caller {
    id: u64,
    cache: Option<Arc<dyn Fn(u64) + Send + Sync>>,
    callers: Callers,
}

thread_local! {
    /// Whether a call is under way: what it drops calls nobody.
    static CALLS: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.callers.dropped.fetch_add(1, Ordering::SeqCst);
        if let Some(call) = self.cache.take()
            && !CALLS.replace(true)
        {
            call(self.id);
            CALLS.set(false);
        }
    }
}

impl Clone for Caller {
    fn clone(&self) -> Self {
        let mut copy = self.callers.silent(self.id);
        copy.cache.clone_from(&self.cache);
        copy
    }
}

impl Borrow<u64> for Caller {
    fn borrow(&self) -> &u64 {
        &self.id
    }
}

impl Hash for Caller {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Caller {}

/// Counts those it makes and those that were dropped.
#[derive(Clone, Default)]
struct Callers {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Callers {
    fn silent(&self, id: u64) -> Caller {
        self.made.fetch_add(1, Ordering::SeqCst);
        Caller { id, cache: None, callers: self.clone() }
    }

    /// One that reads, removes and writes when it is dropped; `entry` makes what it writes.
    fn calling<K, V>(
        &self,
        id: u64,
        cache: &Arc<FixedCache<K, V>>,
        entry: impl Fn(Caller) -> (K, V) + Send + Sync + 'static,
    ) -> Caller
    where
        K: Hash + Eq + Borrow<u64> + Send + 'static,
        V: Clone + Send + 'static,
    {
        let (callers, cache) = (self.clone(), Arc::downgrade(cache));
        let call = move |id| {
            let Some(cache) = cache.upgrade() else { return };
            cache.get(&id);
            cache.remove(&id);
            let (key, value) = entry(callers.silent(id));
            cache.insert(key, value);
            cache.maintain(at(0));
            assert!(cache.len() <= 16);
        };
        let mut caller = self.silent(id);
        caller.cache = Some(Arc::new(call));
        caller
    }

    #[track_caller]
    fn assert_all_dropped(&self) {
        let (made, dropped) = (&self.made, &self.dropped);
        assert_eq!(made.load(Ordering::SeqCst), dropped.load(Ordering::SeqCst));
    }
}

#[test]
fn a_value_may_call_the_cache_when_it_drops() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let (clock, callers) = (ManualClock::new(), Callers::default());
            let cache: Arc<FixedCache<u64, Caller>> = cache(setup, &clock, |_, _| {});
            let value = |id| callers.calling(id, &cache, |caller| (caller.id, caller));
            every_way_out(&cache, &clock, |id| (id, value(id)));
            cache.remove(&9);
            cache.get_or_insert_with(&9, || {
                cache.insert(9, value(9));
                value(9)
            });
            cache.get_or_insert_with(&HEAVY, || value(HEAVY));
            assert_eq!(cache.validate(), Ok(()));
            drop(cache);
            callers.assert_all_dropped();
        });
    });
}

#[test]
fn a_key_may_call_the_cache_when_it_drops() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let (clock, callers) = (ManualClock::new(), Callers::default());
            let cache: Arc<FixedCache<Caller, u64>> = cache(setup, &clock, |_, _| {});
            every_way_out(&cache, &clock, |id| {
                (callers.calling(id, &cache, |caller| (caller, 0)), id)
            });
            assert_eq!(cache.validate(), Ok(()));
            drop(cache);
            callers.assert_all_dropped();
        });
    });
}
