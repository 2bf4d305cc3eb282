//! Loads under way: one caller loads a value, the others wait for it.

use std::borrow::Borrow;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use hashbrown::HashTable;

use crate::sync::{Mutex, Thread, current, park};

/// The loads under way for the keys of one shard.
pub(crate) struct Flights<K, V> {
    table: HashTable<InFlight<K, V>>,
    /// The number of the next load.
    next: u64,
}

/// One load, seen from the shard. Dropped before it is finished, it lets those who wait load anew.
pub(crate) struct InFlight<K, V> {
    hash: u64,
    key: K,
    number: u64,
    /// Whether the value is to be kept: the key was neither written nor invalidated since.
    pub(crate) is_wanted: bool,
    /// Those who wait for the value, once there are any.
    waiting: Option<Arc<Flight<V>>>,
}

impl<K, V> InFlight<K, V> {
    /// Gives a value to all who wait, if anybody does.
    pub(crate) fn finish(mut self, value: impl FnOnce() -> V) {
        if let Some(waiting) = &self.waiting {
            waiting.finish(Some(value()));
            self.waiting = None;
        }
    }
}

impl<K, V> Drop for InFlight<K, V> {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            waiting.finish(None);
        }
    }
}

impl<K: Eq, V> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self { table: HashTable::new(), next: 0 }
    }

    /// Joins the load of `key` that is under way, if there is one.
    pub(crate) fn join<Q>(&mut self, hash: u64, key: &Q) -> Option<Arc<Flight<V>>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let flight = self.find(hash, key)?;
        Some(Arc::clone(flight.waiting.get_or_insert_with(|| Arc::new(Flight::new()))))
    }

    /// Starts a load of `key`, of which there is none under way, and returns its number.
    pub(crate) fn start(&mut self, hash: u64, key: K) -> u64 {
        let number = self.next;
        self.next += 1;
        let flight = InFlight { hash, key, number, is_wanted: true, waiting: None };
        self.table.insert_unique(hash, flight, |f| f.hash);
        number
    }

    /// Ends the load with this number.
    pub(crate) fn land(&mut self, hash: u64, number: u64) -> Option<InFlight<K, V>> {
        let place = self.table.find_entry(hash, |f| f.number == number).ok()?;
        Some(place.remove().0)
    }

    /// Cuts a load of `key` off from the cache: whoever waits for it still gets its value, but the
    /// value is not kept, and who comes later does not wait for it.
    #[inline]
    pub(crate) fn cut_off<Q>(&mut self, hash: u64, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if let Some(flight) = self.find(hash, key) {
            flight.is_wanted = false;
        }
    }

    /// Cuts all loads off from the cache.
    pub(crate) fn cut_off_all(&mut self) {
        self.table.iter_mut().for_each(|flight| flight.is_wanted = false);
    }

    #[inline]
    fn find<Q>(&mut self, hash: u64, key: &Q) -> Option<&mut InFlight<K, V>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if self.table.is_empty() {
            return None;
        }
        self.table.find_mut(hash, |f| f.is_wanted && f.key.borrow() == key)
    }
}

/// One load, seen from those who wait for it.
pub(crate) struct Flight<V>(Mutex<State<V>>);

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
