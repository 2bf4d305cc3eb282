//! Limits and lifetimes that change while the cache is in use.

use std::sync::{Arc, Mutex};

use inval_memory::{
    Cache, ChangeError, ConfigBuilder, Key, ManualClock, RemovalCause, Store, Strategy, Usage,
};

use crate::support::journal::Journal;
use crate::support::setup::{FixedCache, Setup, at, for_each_setup, ms};

/// Entries written before the limit is lowered.
const MANY: u64 = 2_000;

fn full(setup: Setup, journal: &Journal<u64, u64>) -> FixedCache<u64, u64> {
    let builder = setup.builder(setup.config().max_entries(100_000));
    let cache = builder.clock(ManualClock::new()).on_removal(journal.listener()).build();
    (0..MANY).for_each(|key| cache.insert(key, key));
    cache
}

fn change(cache: &FixedCache<u64, u64>, config: ConfigBuilder) -> Result<(), ChangeError> {
    let outcome = cache.reconfigure(&config.build().unwrap());
    assert_eq!(cache.validate(), Ok(()));
    outcome
}

#[test]
fn upkeep_evicts_what_is_above_a_lowered_limit_and_no_more() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let cache = full(setup, &journal);
        assert_eq!(change(&cache, setup.config().max_entries(80)), Ok(()));
        assert_eq!((cache.len() as u64, cache.config().max_entries()), (MANY, Some(80)));
        let evicted = MANY as usize - 80;
        assert_eq!((cache.maintain(at(0)), cache.len()), (evicted, 80));
        assert_eq!((cache.maintain(at(0)), cache.validate()), (0, Ok(())));
        let told = journal.take();
        assert!(told.len() == evicted && told.iter().all(|r| r.cause == RemovalCause::Evicted));
    });
}

#[test]
fn writes_reach_a_lowered_limit_by_themselves() {
    for_each_setup(|setup| {
        let cache = full(setup, &Journal::new());
        assert_eq!(change(&cache, setup.config().max_entries(80)), Ok(()));
        for key in 0..MANY {
            let before = cache.len();
            cache.insert(MANY + key, key);
            assert!(cache.len() <= before.max(80) && cache.len() + 16 >= before);
        }
        assert_eq!((cache.len(), cache.validate()), (80, Ok(())));
    });
}

#[test]
fn a_raised_limit_lets_more_in() {
    for_each_setup(|setup| {
        let cache: FixedCache<u64, u64> = setup.builder(setup.config().max_entries(80)).build();
        (0..MANY).for_each(|key| cache.insert(key, key));
        assert_eq!(cache.len(), 80);
        assert_eq!(change(&cache, setup.config().max_bytes(1 << 20)), Ok(()));
        (0..MANY).for_each(|key| cache.insert(key, key));
        assert_eq!(cache.len() as u64, MANY);
    });
}

#[test]
fn a_ttl_is_for_what_is_written_from_then_on() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let config = setup.config().max_entries(100);
        let cache = setup.builder(config.ttl(ms(10))).clock(clock.clone()).build();
        cache.insert(0_u64, ());
        assert_eq!(cache.reconfigure(&config.build().unwrap()), Ok(()));
        cache.insert(1, ());
        assert_eq!(cache.reconfigure(&config.ttl(ms(30)).build().unwrap()), Ok(()));
        cache.insert(2, ());
        let live = |now| {
            clock.set(at(now));
            (0..3).filter(|key| cache.contains(key)).collect::<Vec<_>>()
        };
        assert_eq!([live(9), live(10), live(30)], [vec![0, 1, 2], vec![1, 2], vec![1]]);
    });
}

#[test]
fn what_cannot_change_is_refused_and_nothing_is_changed() {
    for_each_setup(|setup| {
        let cache = full(setup, &Journal::new());
        let (before, shards) = (cache.config(), cache.shards() as u32);
        let other = match setup.strategy {
            Strategy::Lru => Strategy::Fifo,
            _ => Strategy::Lru,
        };
        let config = || setup.config().max_entries(80);
        let fixed = |field| Err(ChangeError::Fixed { field });
        assert_eq!(change(&cache, config().strategy(other)), fixed("strategy"));
        assert_eq!(change(&cache, config().time_to_idle(ms(5))), fixed("time_to_idle"));
        if shards > 1 {
            let no_room = Err(ChangeError::NoRoom { partitions: shards });
            assert_eq!(change(&cache, setup.config().max_entries(1)), no_room);
            assert_eq!(change(&cache, setup.config().max_bytes(7).max_entries(80)), no_room);
        }
        assert_eq!((cache.config(), cache.maintain(at(0))), (before, 0));
        assert_eq!(change(&cache, config().seed(77)), Ok(()));
        assert_eq!(cache.config().seed(), before.seed());
    });
}

/// Keys, weights and causes that a listener noted.
type Notes = Arc<Mutex<Vec<(Vec<u8>, u32, RemovalCause)>>>;

#[test]
fn the_last_to_watch_is_told_besides_the_listener() {
    for_each_setup(|setup| {
        let told = Arc::new(Mutex::new(0));
        let count = Arc::clone(&told);
        let config = setup.config().max_entries(100).build().unwrap();
        let builder = Cache::of_bytes(config).shards(setup.shards);
        let cache = builder.on_removal(move |_| *count.lock().unwrap() += 1).build();
        let [first, second] = [Notes::default(), Notes::default()];
        let watch = |notes: &Notes| {
            let notes = Arc::clone(notes);
            cache.watch(Arc::new(move |removal| {
                let note = (removal.key.to_vec(), removal.weight.bytes(), removal.cause);
                notes.lock().unwrap().push(note);
            }));
        };
        let key = Key::new(b"key").unwrap();
        let write = |value: &'static str| cache.insert(key.clone(), value.into());
        write("1");
        write("12");
        watch(&first);
        write("123");
        watch(&second);
        cache.remove(&key);
        let note = |weight, cause| vec![(b"key".to_vec(), weight, cause)];
        assert_eq!(*first.lock().unwrap(), note(5, RemovalCause::Replaced));
        assert_eq!(*second.lock().unwrap(), note(6, RemovalCause::Invalidated));
        assert_eq!((*told.lock().unwrap(), cache.usage()), (3, Usage::default()));
    });
}
