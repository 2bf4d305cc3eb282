//! Futures driven by hand, and threads that are waited for no longer than a deadline.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any of these tests takes: only a deadlock gets there.
const DEADLINE: Duration = Duration::from_secs(if cfg!(miri) { 3_600 } else { 30 });

/// A future that is polled when the test says so.
pub(crate) struct Task<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<'a, T> Task<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// A task that has been polled once and waits.
    #[track_caller]
    pub(crate) fn waiting(future: impl Future<Output = T> + 'a) -> Self {
        let mut task = Self::new(future);
        assert!(task.poll().is_pending(), "the task does not wait");
        task
    }

    pub(crate) fn poll(&mut self) -> Poll<T> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls the task, which must be at its end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> T {
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the task still waits"),
        }
    }

    /// Polls the task until it is at its end. It must be woken whenever it waits.
    #[track_caller]
    pub(crate) fn run(mut self) -> T {
        loop {
            match self.poll() {
                Poll::Ready(value) => return value,
                Poll::Pending => {
                    assert!(self.wakes.0.swap(0, Ordering::SeqCst) > 0, "the task waits");
                }
            }
        }
    }

    pub(crate) fn was_woken(&self) -> bool {
        self.wakes.0.load(Ordering::SeqCst) > 0
    }
}

/// A future that waits until it is given its value. Clones wait for the same value.
#[derive(Clone)]
pub(crate) struct Gate<T>(Arc<Mutex<Option<T>>>);

impl<T> Gate<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn open(&self, value: T) {
        *self.0.lock().unwrap() = Some(value);
    }
}

impl<T> Future for Gate<T> {
    type Output = T;

    /// Wakes nobody: the test polls again once it has opened the gate.
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        self.0.lock().unwrap().take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// A future that is at its end when it is polled for the second time.
pub(crate) fn yield_once() -> impl Future<Output = ()> {
    let mut was_polled = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut was_polled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Runs `work` in a thread of its own, so that a deadlock fails the test instead of hanging it.
#[track_caller]
pub(crate) fn without_deadlock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(DEADLINE) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("deadlock"),
        Err(RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => resume_unwind(panic),
            Ok(_) => unreachable!("it ended without sending"),
        },
    }
}

/// Yields until `condition` holds.
#[track_caller]
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "waited in vain");
        thread::yield_now();
    }
}
