//! What a scenario has at hand: the servers, the daemons, the time that is left, and what it did so far.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use inval_redis::Cache;
use tokio::runtime::Handle;

use crate::check::{Disturbance, Kind};
use crate::daemon::{Daemon, Recipe};
use crate::history::{Act, Event, Outcome};
use crate::load::{self, STRANGER, Shared};
use crate::site::Site;

const POLL: Duration = Duration::from_millis(10);

/// Where a scenario plays.
pub(crate) struct Stage {
    pub(crate) site: Arc<Site>,
    pub(crate) daemons: Vec<Daemon>,
    pub(crate) recipe: Recipe,
    pub(crate) rng: fastrand::Rng,
    pub(crate) handle: Handle,
    pub(crate) shared: Arc<Shared>,
    /// When to end, on the clock of the histories.
    pub(crate) end: Duration,
    /// Whether this is the short form.
    pub(crate) is_short: bool,
    pub(crate) done: Deeds,
}

/// What a scenario did.
#[derive(Default)]
pub(crate) struct Deeds {
    /// How many faults it has injected.
    pub(crate) faults: u64,
    /// What explains that entries are gone, or back.
    pub(crate) disturbances: Vec<Disturbance>,
    /// How far the server's clock was set back.
    pub(crate) set_back: Duration,
    /// What it did to entries of the roomy namespace, past all clients.
    pub(crate) events: Vec<Event>,
    /// What it found that breaks a promise.
    pub(crate) violations: Vec<String>,
    /// What a reader of the report should know.
    pub(crate) remarks: Vec<String>,
    /// Calls it has made itself.
    pub(crate) calls: u64,
}

impl Stage {
    pub(crate) fn now(&self) -> Duration {
        self.shared.chronicle.now()
    }

    /// Whether there is time for another fault.
    pub(crate) fn is_on(&self) -> bool {
        self.now() < self.end
    }

    /// Lets the load go on for a random time between these, in milliseconds, but not beyond the end.
    pub(crate) fn go_on(&mut self, least_ms: u64, most_ms: u64) {
        let pause = Duration::from_millis(self.rng.u64(least_ms..=most_ms));
        std::thread::sleep(pause.min(self.end.saturating_sub(self.now())));
    }

    /// One of several.
    pub(crate) fn any<T: Copy>(&mut self, several: &[T]) -> T {
        several[self.rng.usize(0..several.len())]
    }

    /// Counts a fault.
    pub(crate) fn count(&mut self) {
        self.done.faults += 1;
    }

    /// Does something that may make entries vanish.
    pub(crate) fn losing<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.disturbing(Kind::Lost, act)
    }

    /// Does something that may undo what was acknowledged.
    pub(crate) fn undoing<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.disturbing(Kind::Undone, act)
    }

    fn disturbing<T>(&mut self, kind: Kind, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let from = self.now();
        let outcome = act(self);
        self.done.disturbances.push(Disturbance { from, to: self.now(), kind });
        self.count();
        outcome
    }

    /// Does something to an entry of the roomy namespace, past all clients.
    pub(crate) fn as_a_stranger(
        &mut self,
        key: u32,
        act: impl FnOnce(&mut Self) -> Result<Act>,
    ) -> Result<()> {
        let asked = self.now();
        let outcome = act(self);
        let answered = self.now();
        // What failed may have been done.
        let done = *outcome.as_ref().unwrap_or(&Act::Invalidate(Outcome::Unknown));
        self.done.events.push(Event { client: STRANGER, key, asked, answered, act: done });
        self.count();
        outcome.map(|_| ())
    }

    /// A namespace as the user sees it whom no fault hits.
    pub(crate) fn attach(&self, namespace: &str) -> Result<Cache> {
        self.handle.block_on(load::attach(&self.site, "checker", namespace))
    }

    /// Waits until something holds.
    pub(crate) fn until(
        &self,
        what: &str,
        patience: Duration,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Result<()> {
        let deadline = self.now() + patience;
        while !holds(self) {
            if self.now() > deadline {
                bail!("waited in vain until {what}");
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Ends every fault that the scenario may have left: doors are open, everybody runs.
    pub(crate) fn heal(&mut self) -> Result<()> {
        self.site.lift_all();
        for daemon in &mut self.daemons {
            daemon.resume()?;
            daemon.revive(&self.recipe)?;
        }
        Ok(())
    }
}
