//! Looks at the servers all the while, past every door: how long buffers get, what is above a limit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use inval_core::Namespace;
use inval_core::keyspace::Keyspace;
use inval_test_servers::{CommandError, Server};

use crate::load::{TIGHT, TIGHT_ENTRIES};
use crate::site::Site;

const INTERVAL: Duration = Duration::from_millis(60);
/// The most batches of an access buffer.
const MOST_BATCHES: i64 = 256;
/// By how many records a journal may be longer than its cap: those of a transaction of each client.
const JOURNAL_SLACK: i64 = 2048;

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings {
    /// How often all was looked at.
    pub(crate) looks: u64,
    /// The longest journal.
    pub(crate) journal: i64,
    /// The longest access buffer.
    pub(crate) accesses: i64,
    /// The most entries above the limit of the tight namespace.
    pub(crate) overshoot: u64,
    /// How often a lease had no end.
    pub(crate) endless_leases: u64,
}

impl Sightings {
    /// What breaks a promise.
    pub(crate) fn violations(&self, journal_cap: u64) -> Vec<String> {
        let mut violations = Vec::new();
        if self.journal > journal_cap as i64 + JOURNAL_SLACK {
            violations.push(format!("a journal had {} records", self.journal));
        }
        if self.accesses > MOST_BATCHES {
            violations.push(format!("an access buffer had {} batches", self.accesses));
        }
        if self.endless_leases > 0 {
            violations.push(format!("a lease had no end, seen {} times", self.endless_leases));
        }
        violations
    }
}

/// A thread that looks until it is told to end.
pub(crate) struct Watch {
    sightings: Arc<Mutex<Sightings>>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Looks at what these namespaces have on the servers, and at how many entries the tight one has.
    pub(crate) fn begin(site: Arc<Site>, namespaces: Vec<Namespace>) -> Self {
        let sightings = Arc::new(Mutex::new(Sightings::default()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (seen, ends) = (Arc::clone(&sightings), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                look(&site, &namespaces, &seen);
                thread::sleep(INTERVAL);
            }
        });
        Self { sightings, is_over, thread }
    }

    pub(crate) fn end(self) -> Sightings {
        self.is_over.store(true, Ordering::Relaxed);
        drop(self.thread.join());
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A server that does not answer is passed over: it is one of those that are broken on purpose.
fn look(site: &Site, namespaces: &[Namespace], seen: &Mutex<Sightings>) {
    let mut found = Sightings::default();
    // Of two who hold themselves for the master of a partition, one has just what the other had.
    let mut held = vec![0; site.topology.partitions() as usize];
    for server in site.masters() {
        let _may_be_down = look_at(server, namespaces, &mut held, &mut found);
    }
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.looks += 1;
    seen.journal = seen.journal.max(found.journal);
    seen.accesses = seen.accesses.max(found.accesses);
    seen.overshoot = seen.overshoot.max(held.iter().sum::<u64>().saturating_sub(TIGHT_ENTRIES));
    seen.endless_leases += found.endless_leases;
}

fn look_at(
    server: &Server,
    namespaces: &[Namespace],
    held: &mut [u64],
    found: &mut Sightings,
) -> Result<(), CommandError> {
    let mut connection = server.connect()?;
    for (partition, held) in held.iter_mut().enumerate() {
        for namespace in namespaces {
            let names = Keyspace::new(namespace, partition as u32);
            // Another node's is an error, no number.
            let mut ask = |command: &str, name: &str| -> Result<i64, CommandError> {
                Ok(connection.command(&[command, name])?.int().unwrap_or_default())
            };
            found.journal = found.journal.max(ask("LLEN", names.journal())?);
            found.accesses = found.accesses.max(ask("LLEN", names.accesses())?);
            found.endless_leases += u64::from(ask("PTTL", names.lease())? == -1);
        }
        let names = Keyspace::pattern(TIGHT, &partition.to_string());
        let names = connection.command(&["KEYS", &format!("{}*", names.entries())])?;
        *held = names.items().len().max(*held as usize) as u64;
    }
    Ok(())
}
