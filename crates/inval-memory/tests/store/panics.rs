//! Panics in what the caller brings along: the cache stays sound and in use.

use std::hash::{BuildHasherDefault, Hasher};

use inval_memory::{Cache, Clock, Timestamp, Weight};

use crate::support::panics::{Bomb, Key, Value, explodes, pass};
use crate::support::setup::{Setup, for_each_setup, ms, ttl};

/// Few places, so that keys collide and are compared.
#[derive(Clone, Copy, Default)]
struct FewHashes(u64);

impl Hasher for FewHashes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = u64::from(bytes[0] % 3);
    }
    fn finish(&self) -> u64 {
        self.0 << 32 | self.0
    }
}

type TestCache = Cache<Key, Value, BuildHasherDefault<FewHashes>>;

struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        pass(Bomb::Clock);
        Timestamp::default()
    }
}

/// A cache with a few entries in each place and hardly any room.
fn full(setup: Setup) -> TestCache {
    let room = 5 + 3 * setup.shards as u64;
    let cache = setup
        .builder(setup.config().max_entries(room).time_to_idle(ms(10)))
        .hasher(BuildHasherDefault::default())
        .clock(TestClock)
        .weigher(|_, _| {
            pass(Bomb::Weigher);
            Weight::new(1)
        })
        .on_removal(|_| pass(Bomb::Listener))
        .build();
    (0..8).for_each(|key| cache.insert(Key(key), Value(key)));
    cache
}

/// In each of them something of the caller's is called.
const CALLS: [fn(&TestCache); 11] = [
    |cache| cache.insert(Key(7), Value(77)),
    |cache| cache.insert(Key(20), Value(20)),
    |cache| {
        cache.insert_with(Key(7), Value(87), ttl(0)).unwrap_err();
    },
    |cache| {
        cache.remove(&Key(7));
    },
    |cache| {
        cache.get(&Key(7));
    },
    |cache| assert!(!cache.contains(&Key(20))),
    |cache| cache.iter().for_each(drop),
    |cache| assert!(cache.maintain(Timestamp::from_millis(10)) <= 8),
    |cache| cache.clear(),
    |cache| {
        cache.get_or_insert_with(&Key(30), || Value(30));
    },
    |cache| {
        cache.get_or_insert_with(&Key(31), || {
            pass(Bomb::Loader);
            cache.insert(Key(32), Value(32));
            Value(31)
        });
    },
];

#[track_caller]
fn assert_sound(cache: &TestCache) {
    assert_eq!(cache.validate(), Ok(()));
    for key in [7, 20, 30, 31] {
        assert_eq!(cache.get_or_insert_with(&Key(key), || Value(key)).0 % 10, key % 10);
        cache.insert(Key(key), Value(key + 100));
        assert_eq!(cache.get(&Key(key)), Some(Value(key + 100)));
    }
    cache.clear();
    assert_eq!((cache.len(), cache.validate()), (0, Ok(())));
}

#[test]
fn a_panic_leaves_the_cache_sound_and_in_use() {
    let bombs = [Bomb::Eq, Bomb::Clone, Bomb::Weigher, Bomb::Listener, Bomb::Clock, Bomb::Loader];
    for_each_setup(|setup| {
        if cfg!(miri) && setup.shards > 1 {
            return;
        }
        for bomb in bombs {
            let mut explosions = 0;
            for (number, call) in CALLS.iter().enumerate() {
                for turn in 0..if cfg!(miri) { 1 } else { 12 } {
                    let cache = full(setup);
                    if !explodes(bomb, turn, || call(&cache)) {
                        break;
                    }
                    explosions += 1;
                    eprintln!("{bomb:?} in turn {turn} of call {number}");
                    assert_sound(&cache);
                }
            }
            assert!(explosions > 0, "{bomb:?} is never reached");
        }
    });
}
