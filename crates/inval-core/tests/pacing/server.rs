//! The simulated server: it does one thing after the other, for upkeep and for clients.

use super::arrivals::{MICRO, MILLI};

/// What upkeep costs, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs {
    /// A script, or a lock, whatever it does.
    pub(crate) script: u64,
    pub(crate) expire: u64,
    pub(crate) record: u64,
    pub(crate) evict: u64,
    /// How long a script may hold the server.
    pub(crate) longest: u64,
    /// There and back again; 0 on the embedded store.
    pub(crate) network: u64,
}

impl Costs {
    /// A store in the same process, which takes `expire` for an entry that has expired.
    pub(crate) const fn embedded(expire: u64) -> Self {
        let (script, longest) = (MICRO, 500 * MICRO);
        Self { script, expire, record: 300, evict: 300, longest, network: 0 }
    }

    /// A server in the same network, as measured on Redis 7.
    pub(crate) const REMOTE: Self = Self {
        script: 15 * MICRO,
        expire: 450,
        record: 300,
        evict: 2 * MICRO,
        longest: 500 * MICRO,
        network: 100 * MICRO,
    };
}

/// What a client's request holds the server.
const SERVICE: u64 = 3 * MICRO;

#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) costs: Costs,
    /// Since when clients take which share of its time.
    load: Vec<(u64, f64)>,
    now: u64,
    /// The work that clients' requests have piled up.
    queue: f64,
    /// The longest that a client had to wait for an answer since this was last taken.
    worst_client: u64,
}

impl Server {
    /// Clients take the share `load` of its time.
    pub(crate) fn new(costs: Costs, load: f64) -> Self {
        Self { costs, load: vec![(0, load)], now: 0, queue: 0.0, worst_client: 0 }
    }

    /// From the millisecond `ms` on clients take the share `load`; to be called in order.
    pub(crate) fn set_load(&mut self, ms: u64, load: f64) {
        self.load.push((ms * MILLI, load));
    }

    /// Runs a script sent at `at`, which holds the server for `held`, and tells when the answer is there.
    pub(crate) fn run(&mut self, at: u64, held: u64) -> u64 {
        self.pass(at + self.costs.network / 2);
        let (load, _) = self.load();
        let wait = self.queue + jam(load);
        self.queue = load * (wait + held as f64);
        self.now += wait as u64 + held;
        // The client that was unlucky came just after the script.
        let worst = wait as u64 + held + SERVICE + self.costs.network;
        self.worst_client = self.worst_client.max(worst);
        self.now + self.costs.network / 2
    }

    /// The longest that a client had to wait since the last call, network included.
    pub(crate) fn take_worst_client(&mut self, now: u64) -> u64 {
        self.pass(now);
        let quiet = (self.queue + jam(self.load().0)) as u64 + SERVICE + self.costs.network;
        std::mem::take(&mut self.worst_client).max(quiet)
    }

    /// The share that clients take now, and until when.
    fn load(&self) -> (f64, u64) {
        let later = self.load.iter().position(|(from, _)| *from > self.now);
        let until = later.map_or(u64::MAX, |at| self.load[at].0);
        let load = self.load[later.unwrap_or(self.load.len()) - 1].1;
        (load, until)
    }

    /// Works on what clients ask for.
    fn pass(&mut self, to: u64) {
        while self.now < to {
            let (load, until) = self.load();
            let until = until.min(to);
            let elapsed = (until - self.now) as f64;
            self.queue = (self.queue - (1.0 - load) * elapsed).max(0.0);
            self.now = until;
        }
    }
}

/// How long requests wait for one another at random, on average (M/M/1).
fn jam(load: f64) -> f64 {
    let load = load.min(0.99);
    SERVICE as f64 * load / (1.0 - load)
}
