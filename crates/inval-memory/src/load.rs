//! Get or load: a missing value is loaded once, however many callers wait for it.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use crate::cache::{Cache, InsertOptions};
use crate::flight::Flight;

/// What a caller finds who asks for a key.
enum Found<'a, K: Hash + Eq, V: Clone, S: BuildHasher> {
    Value(V),
    /// Somebody else is loading it.
    Wait(Arc<Flight<V>>),
    /// It is this caller's to load.
    Load(Load<'a, K, V, S>),
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Cache<K, V, S> {
    /// The value under `key`, loaded by `load` and kept if there is none. Of all threads and tasks
    /// that ask for the key at the same time one loads, outside all locks; the others wait for it.
    /// If it panics, the next of them loads.
    ///
    /// `load` must not ask this cache for the same key: it would wait for itself. Nor may this be called
    /// on the thread that drives an async load of the key, for it blocks that thread.
    pub fn get_or_insert_with<Q>(&self, key: &Q, load: impl FnOnce() -> V) -> V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let Ok(value) = self.try_get_or_insert_with(key, || Ok::<_, Infallible>(load()));
        value
    }

    /// Like [`get_or_insert_with`](Self::get_or_insert_with) with a `load` that may fail. An error
    /// goes to the caller who loaded; the next of those who wait loads again.
    pub fn try_get_or_insert_with<Q, E>(
        &self,
        key: &Q,
        load: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        loop {
            match self.look_up(key) {
                Found::Value(value) => return Ok(value),
                Found::Load(mine) => {
                    return load().map(|value| mine.complete(key.to_owned(), value));
                }
                Found::Wait(flight) => {
                    if let Some(value) = flight.wait_blocking() {
                        return Ok(value);
                    }
                }
            }
        }
    }

    /// The value under `key`, loaded by the future `load` and kept if there is none. Works with any
    /// executor. Callers of this and of the blocking form wait for each other. If the future that
    /// loads is dropped before its end, the next of those who wait loads.
    pub async fn get_or_insert_async<Q>(&self, key: &Q, load: impl Future<Output = V>) -> V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let Ok(value) =
            self.try_get_or_insert_async(key, async { Ok::<_, Infallible>(load.await) }).await;
        value
    }

    /// Like [`get_or_insert_async`](Self::get_or_insert_async) with a `load` that may fail. An error
    /// goes to the caller who loaded; the next of those who wait loads again.
    pub async fn try_get_or_insert_async<Q, E>(
        &self,
        key: &Q,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        loop {
            match self.look_up(key) {
                Found::Value(value) => return Ok(value),
                Found::Load(mine) => {
                    return load.await.map(|value| mine.complete(key.to_owned(), value));
                }
                Found::Wait(flight) => {
                    if let Some(value) = flight.wait().await {
                        return Ok(value);
                    }
                }
            }
        }
    }

    fn look_up<Q>(&self, key: &Q) -> Found<'_, K, V, S>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let hash = self.hash(key);
        let books = &mut *self.lock(hash);
        let now = self.read_time(books);
        if let Some(value) = books.ledger.get(hash, key, now) {
            return Found::Value(value.clone());
        }
        match books.flights.join(hash, key) {
            Some(flight) => Found::Wait(flight),
            None => {
                let number = books.flights.start(hash, key.to_owned());
                Found::Load(Load { cache: self, hash, number, is_over: false })
            }
        }
    }
}

/// The duty to load a value. Dropped before it is complete, it lets the next caller load.
struct Load<'a, K: Hash + Eq, V: Clone, S: BuildHasher> {
    cache: &'a Cache<K, V, S>,
    hash: u64,
    number: u64,
    is_over: bool,
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Load<'_, K, V, S> {
    /// Keeps the value, unless the key was written or invalidated since the load began, and gives it
    /// to all who wait.
    fn complete(mut self, key: K, value: V) -> V {
        let arrival = self.cache.arrival(self.hash, key, value.clone(), InsertOptions::default());
        let flight = self.cache.land(self.number, arrival);
        self.is_over = true;
        if let Some(flight) = flight {
            flight.finish(|| value.clone());
        }
        value
    }
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Drop for Load<'_, K, V, S> {
    fn drop(&mut self) {
        if !self.is_over {
            let unfinished = self.cache.lock(self.hash).flights.land(self.hash, self.number);
            drop(unfinished);
        }
    }
}
