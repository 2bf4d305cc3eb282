//! The types it takes: keys by any borrowed form, without `Clone`, under any hasher; and what it is itself.

use std::borrow::Borrow;
use std::future::ready;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use inval_memory::{Builder, Cache, Config, Iter};

use crate::support::setup::for_each_setup;

/// Sends every key to the same place.
#[derive(Clone, Copy, Default)]
struct OneHash;

impl Hasher for OneHash {
    fn write(&mut self, _: &[u8]) {}
    fn finish(&self) -> u64 {
        0
    }
}

/// Writes, reads and removes 40 entries by a borrowed form of their keys.
fn check<K, V, S, Q>(builder: Builder<K, V, S>, entry: impl Fn(u32) -> (K, V))
where
    K: Hash + Eq + Borrow<Q>,
    V: Clone + PartialEq,
    S: BuildHasher,
    Q: Hash + Eq + ?Sized,
{
    let cache = builder.build();
    for (key, value) in (0..40).map(&entry) {
        cache.insert(key, value);
    }
    for (key, value) in (0..40).map(&entry) {
        assert!(cache.contains(key.borrow()) && cache.get(key.borrow()) == Some(value.clone()));
        assert!(cache.remove(key.borrow()) == Some(value) && cache.get(key.borrow()).is_none());
    }
    assert_eq!((cache.len(), cache.validate()), (0, Ok(())));
}

#[test]
fn keys_are_looked_up_by_any_borrowed_form() {
    #[derive(PartialEq, Eq, Hash)]
    struct NotClone(u32);
    #[derive(Clone, PartialEq)]
    struct NotCopy(Box<u32>);
    for_each_setup(|setup| {
        let room = setup.roomy();
        check::<String, String, _, str>(setup.builder(room), |n| (n.to_string(), n.to_string()));
        check::<Vec<u8>, u32, _, [u8]>(setup.builder(room), |n| (vec![n as u8; n as usize], n));
        check::<Arc<str>, u32, _, str>(setup.builder(room), |n| (n.to_string().into(), n));
        check::<NotClone, NotCopy, _, NotClone>(setup.builder(room), |n| {
            (NotClone(n), NotCopy(Box::new(n)))
        });
        check::<Box<u32>, (), _, u32>(setup.builder(room), |n| (Box::new(n), ()));
    });
}

#[test]
fn any_hasher_will_do_even_one_that_tells_nothing_apart() {
    for_each_setup(|setup| {
        let one = BuildHasherDefault::<OneHash>::default();
        let builder = setup.builder::<u32, u32>(setup.roomy()).hasher(one);
        check::<u32, u32, _, u32>(builder, |n| (n, n));
        let random = std::hash::RandomState::new();
        let builder = setup.builder::<u32, u32>(setup.roomy()).hasher(random);
        check::<u32, u32, _, u32>(builder, |n| (n, n));
    });
}

#[test]
fn the_default_cache_needs_only_a_configuration() {
    let cache = Cache::new(Config::builder().max_entries(10).build().unwrap());
    cache.insert("a".to_owned(), 1);
    assert_eq!((cache.get("a"), cache.remove("a"), cache.get("a")), (Some(1), Some(1), None));
}

/// What need not be shared between threads can still be cached.
#[test]
fn values_that_stay_in_one_thread_are_welcome() {
    let cache = Cache::new(Config::builder().max_entries(10).build().unwrap());
    cache.insert(1, Rc::new(1));
    assert_eq!(cache.get(&1).as_deref(), Some(&1));
}

#[test]
fn a_cache_is_send_and_sync_and_so_are_its_futures_and_walks() {
    fn check<T: Send + Sync>(_: &T) {}
    fn check_send<T: Send>(_: T) {}
    let cache: Cache<String, Arc<str>> =
        Cache::new(Config::builder().max_entries(10).build().unwrap());
    check(&cache);
    let walk: Iter<'_, _, _> = cache.iter();
    check_send(walk);
    check_send(cache.get_or_insert_async("a", ready("b".into())));
    let load = ready(Err::<_, std::io::Error>(std::io::ErrorKind::Other.into()));
    check_send(cache.try_get_or_insert_async("a", load));
}

#[test]
fn debug_shows_no_entry() {
    let cache = Cache::new(Config::builder().max_entries(10).build().unwrap());
    cache.insert("a secret", "another");
    assert_eq!(format!("{cache:?}"), "Cache { shards: 1, .. }");
}
