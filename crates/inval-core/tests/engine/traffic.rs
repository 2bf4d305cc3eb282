//! What clients do, told or not, and what befalls the server and the managers, drawn from a seed.

use std::ops::Range;

use inval_core::Config;
use inval_core::record::Record;

use super::random::Random;
use super::world::World;

/// How clients go about it.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) keys: u64,
    pub(crate) bytes: Range<u64>,
    /// One write in so many has a TTL out of `ttl_ms`.
    pub(crate) expires_once_in: u64,
    pub(crate) ttl_ms: Range<u64>,
    pub(crate) pause_ms: Range<u64>,
    /// One operation in so many is that of somebody who tells nobody.
    pub(crate) foreign_once_in: u64,
    /// One operation in so many leaves something that is no record.
    pub(crate) poison_once_in: u64,
    /// Something bad happens once in so many operations.
    pub(crate) fault_once_in: u64,
    pub(crate) faults: &'static [Fault],
    /// The limits change once in so many operations.
    pub(crate) limits_once_in: u64,
    /// A journal longer than this is dropped by whoever notices.
    pub(crate) journal_cap: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Crash,
    Pause,
    ClockSet,
    Fork,
    Failover,
    FlushAll,
}

impl Traffic {
    /// Nothing goes wrong and everybody tells.
    pub(crate) fn calm() -> Self {
        Self {
            keys: 60,
            bytes: 0..200,
            expires_once_in: 3,
            ttl_ms: 1..4_000,
            pause_ms: 0..30,
            foreign_once_in: 0,
            poison_once_in: 0,
            fault_once_in: 0,
            faults: &[],
            limits_once_in: 0,
            journal_cap: u64::MAX,
        }
    }

    pub(crate) fn foreign() -> Self {
        Self { foreign_once_in: 15, poison_once_in: 200, journal_cap: 60, ..Self::calm() }
    }

    pub(crate) fn faulty() -> Self {
        use Fault::{ClockSet, Crash, Failover, FlushAll, Fork, Pause};
        let faults = &[Crash, Pause, ClockSet, Fork, Failover, FlushAll];
        Self { fault_once_in: 60, faults, ..Self::foreign() }
    }

    /// The same, for some seeds at up to twenty times the pace.
    pub(crate) fn hasty(self, seed: u64) -> Self {
        Self { pause_ms: 0..[30, 3, 2][seed as usize / 2 % 3], ..self }
    }

    /// Does `count` things, one after the other. Returns how many met an entry that had just
    /// expired or was about to.
    pub(crate) fn run(&self, world: &mut World, count: u32) -> u64 {
        let mut read = Vec::new();
        let mut unsure = 0;
        for nth in 0..count {
            let pause = world.random.within(self.pause_ms.clone());
            world.run(pause);
            if nth % 20 == 0 {
                world.remember();
            }
            let key = self.key(&mut world.random);
            unsure += u64::from(is_unsure(world, &key));
            if world.random.once_in(self.foreign_once_in) {
                self.act_untold(world, &key);
            } else if world.random.once_in(self.poison_once_in) {
                self.act_untold(world, &key);
                world.server.journal.push_back(b"2p nobody can read this".to_vec());
            } else if world.random.once_in(self.fault_once_in) {
                self.fail(world);
            } else if world.random.once_in(self.limits_once_in) {
                change_limits(world);
            } else {
                self.act(world, &key, &mut read);
            }
            world.server.overflow(self.journal_cap);
            assert!(world.server.journal.len() as u64 <= self.journal_cap);
        }
        unsure
    }

    fn key(&self, random: &mut Random) -> Vec<u8> {
        // Half of the operations go to a tenth of the keys.
        let keys = if random.once_in(2) { self.keys.div_ceil(10) } else { self.keys };
        random.below(keys).to_string().into_bytes()
    }

    fn value(&self, random: &mut Random) -> (u32, Option<u64>) {
        let expires = random.once_in(self.expires_once_in);
        let ttl_ms = expires.then(|| random.within(self.ttl_ms.clone()));
        (random.within(self.bytes.clone()) as u32, ttl_ms)
    }

    fn act(&self, world: &mut World, key: &[u8], read: &mut Vec<Vec<u8>>) {
        let World { server, random, .. } = world;
        match random.below(10) {
            0..5 => {
                let (bytes, ttl_ms) = self.value(random);
                server.put(key, bytes, ttl_ms);
                server.overwritten.remove(key);
            }
            5 => {
                server.delete(key);
                server.overwritten.remove(key);
            }
            _ => {
                if server.get(key) {
                    read.push(key.to_vec());
                }
                if read.len() > 10 {
                    server.tell_reads(&*read);
                    read.clear();
                }
            }
        }
    }

    fn act_untold(&self, world: &mut World, key: &[u8]) {
        let World { server, random, .. } = world;
        let (bytes, ttl_ms) = self.value(random);
        match random.below(4) {
            0 => {
                server.set(key, bytes.into(), ttl_ms);
                server.overwritten.insert(key.to_vec());
            }
            1 => _ = server.drop_value(key),
            2 => server.set_expiry(key, ttl_ms),
            // This one does tell, but not what.
            _ => {
                server.set(key, bytes.into(), ttl_ms);
                server.overwritten.remove(key);
                server.tell(&Record::Look { key });
            }
        }
    }

    fn fail(&self, world: &mut World) {
        let fault = world.random.pick(self.faults);
        let manager = world.random.below(world.managers.len() as u64) as usize;
        let long = world.random.below(9_000);
        match fault {
            Fault::Crash if world.managers[manager].is_alive => world.crash(manager),
            Fault::Crash => world.start(manager),
            Fault::Pause => world.pause(manager, long),
            Fault::ClockSet => world.set_clock(long as i64 * 1000 - 4_500_000),
            Fault::Fork => world.server.is_forking = !world.server.is_forking,
            Fault::Failover => world.fail_over(long / 20),
            Fault::FlushAll => world.server.flush_all(),
        }
    }
}

/// Gives every limit between a quarter of what it was and four times as much, but no less than one entry needs.
fn change_limits(world: &mut World) {
    let World { config, random, .. } = world;
    let mut builder = Config::builder().strategy(config.strategy()).seed(config.seed());
    let mut change =
        |limit: u64, least: u64| (limit * random.within(1..17) / 4).clamp(least, 100 * least);
    if let Some(entries) = config.max_entries() {
        builder = builder.max_entries(change(entries, 1));
    }
    if let Some(bytes) = config.max_bytes() {
        builder = builder.max_bytes(change(bytes, 210));
    }
    let config = builder.build().unwrap();
    world.reconfigure(config);
}

/// Whether it is uncertain in the eyes of a manager if the entry is alive.
fn is_unsure(world: &World, key: &[u8]) -> bool {
    const LATE_MS: u64 = 1_500;
    let now = world.server.now();
    let expires = world.server.values.get(key).and_then(|value| value.expires);
    expires.is_some_and(|at| at < now + LATE_MS)
}

/// Gets every manager going again.
pub(crate) fn heal(world: &mut World) {
    for manager in 0..world.managers.len() {
        if !world.managers[manager].is_alive {
            world.start(manager);
        }
    }
}
