//! Loads under way: one caller loads a value, the others wait for it.

use std::borrow::Borrow;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use hashbrown::HashTable;

use crate::sync::{Mutex, Thread, current, park};

/// The loads under way for the keys of one shard.
#[derive(Debug)]
pub(crate) struct Flights<K, V>(HashTable<InFlight<K, V>>);

#[derive(Debug)]
struct InFlight<K, V> {
    hash: u64,
    key: K,
    flight: Arc<Flight<V>>,
}

impl<K: Eq, V> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self(HashTable::new())
    }

    /// The load of `key` that is under way, if there is one.
    pub(crate) fn find<Q>(&self, hash: u64, key: &Q) -> Option<Arc<Flight<V>>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.0.find(hash, |f| f.key.borrow() == key).map(|f| Arc::clone(&f.flight))
    }

    /// Starts a load of `key`, of which there is none under way.
    pub(crate) fn start(&mut self, hash: u64, key: K) -> Arc<Flight<V>> {
        let flight = Arc::new(Flight::new());
        let entry = InFlight { hash, key, flight: Arc::clone(&flight) };
        self.0.insert_unique(hash, entry, |f| f.hash);
        flight
    }

    /// Ends `flight` and gives its key back; `None` if it was cut off before.
    pub(crate) fn land(&mut self, hash: u64, flight: &Arc<Flight<V>>) -> Option<K> {
        let is_it = |f: &InFlight<K, V>| Arc::ptr_eq(&f.flight, flight);
        let place = self.0.find_entry(hash, is_it).ok()?;
        Some(place.remove().0.key)
    }

    /// Cuts a load of `key` off from the cache: whoever waits for it still gets its value, but the
    /// value is not kept, for the key was written or invalidated after the load began.
    #[inline]
    pub(crate) fn cut_off<Q>(&mut self, hash: u64, key: &Q) -> Option<K>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if self.0.is_empty() {
            return None;
        }
        let place = self.0.find_entry(hash, |f| f.key.borrow() == key).ok()?;
        Some(place.remove().0.key)
    }

    /// Cuts all loads off from the cache and hands back their keys.
    pub(crate) fn cut_off_all(&mut self) -> Vec<K> {
        self.0.drain().map(|f| f.key).collect()
    }
}

/// One load, seen from those who wait for it.
#[derive(Debug)]
pub(crate) struct Flight<V>(Mutex<State<V>>);

#[derive(Debug)]
enum State<V> {
    Loading(Vec<Waker>),
    Loaded(V),
    Failed,
}

impl<V: Clone> Flight<V> {
    /// Waits for the load, blocking the thread. `None` if it failed.
    pub(crate) fn wait_blocking(&self) -> Option<V> {
        let waker = Waker::from(Arc::new(Unpark(current())));
        let mut context = Context::from_waker(&waker);
        let mut place = None;
        loop {
            match self.poll(&mut context, &mut place) {
                Poll::Ready(value) => return value,
                Poll::Pending => park(),
            }
        }
    }

    /// Waits for the load. `None` if it failed.
    pub(crate) async fn wait(&self) -> Option<V> {
        let mut place = None;
        std::future::poll_fn(|context| self.poll(context, &mut place)).await
    }

    fn poll(&self, context: &mut Context<'_>, place: &mut Option<usize>) -> Poll<Option<V>> {
        match &mut *self.0.lock() {
            State::Loaded(value) => Poll::Ready(Some(value.clone())),
            State::Failed => Poll::Ready(None),
            State::Loading(wakers) => {
                match place.and_then(|place| wakers.get_mut(place)) {
                    Some(waker) => waker.clone_from(context.waker()),
                    None => {
                        *place = Some(wakers.len());
                        wakers.push(context.waker().clone());
                    }
                }
                Poll::Pending
            }
        }
    }
}

impl<V> Flight<V> {
    fn new() -> Self {
        Self(Mutex::new(State::Loading(Vec::new())))
    }

    /// Ends the load with a value, or without one, and wakes all who wait.
    pub(crate) fn finish(&self, value: Option<V>) {
        let state = value.map_or(State::Failed, State::Loaded);
        let before = std::mem::replace(&mut *self.0.lock(), state);
        if let State::Loading(wakers) = before {
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
