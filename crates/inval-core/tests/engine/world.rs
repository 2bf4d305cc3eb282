//! The simulated world: one server, managers, a network that loses things, and a queue of events.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use inval_core::Config;
use inval_core::engine::{EngineSettings, Reply, Request, Standing, StepReply, Verdict};

use super::manager::Manager;
use super::random::Random;
use super::server::Server;

/// Unix time at the beginning.
const EPOCH_MS: i64 = 1_800_000_000_000;
/// How long a manager waits for a reply.
const TIMEOUT_MS: u64 = 40;
/// What the idle clock cannot tell apart: the rest of a second, and one more at the turn of a second.
const IDLE_CLOCK_ERROR_MS: u64 = 2_000;

#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) delay_ms: Range<u64>,
    /// One request in so many is lost, or its reply is, or it is done late.
    pub(crate) loses_once_in: u64,
}

enum Event {
    Wake,
    /// A manager hears of the configuration that there is by then.
    Reconfigure,
    Execute {
        flight: u64,
        holder: u32,
        request: Request,
        reply_at: Option<u64>,
    },
    Deliver {
        flight: u64,
        request: Request,
        reply: Reply,
        done_at: u64,
    },
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) managers: Vec<Manager>,
    pub(crate) network: Network,
    pub(crate) random: Random,
    pub(crate) config: Config,
    pub(crate) settings: EngineSettings,
    /// What a manager of which life is to do when.
    events: BTreeMap<(u64, u64), (usize, u32, Event)>,
    count: u64,
    pub(crate) clock_set_at: u64,
    /// At how many keys managers have looked.
    pub(crate) looks: usize,
    /// The server as it was, for failovers.
    pub(crate) past: VecDeque<Server>,
    /// Everything that was sent.
    pub(crate) trace: DefaultHasher,
    pub(crate) requests: u64,
    /// Those of them that scanned the server.
    pub(crate) pages: u64,
    pub(crate) steps: u64,
    /// Whether the books are recounted after every reply.
    pub(crate) audits: bool,
}

impl World {
    pub(crate) fn new(config: Config, settings: EngineSettings, managers: u32, seed: u64) -> Self {
        let mut world = Self {
            server: Server::new(seed, EPOCH_MS),
            managers: Vec::new(),
            network: Network { delay_ms: 1..2, loses_once_in: 0 },
            random: Random::new(seed),
            config,
            settings,
            events: BTreeMap::new(),
            count: 0,
            clock_set_at: 0,
            looks: 0,
            past: VecDeque::new(),
            trace: DefaultHasher::new(),
            requests: 0,
            pages: 0,
            steps: 0,
            audits: true,
        };
        (0..managers).for_each(|_| world.add_manager());
        world
    }

    pub(crate) fn now(&self) -> u64 {
        self.server.true_ms
    }

    fn add_manager(&mut self) {
        let holder = self.managers.len() as u32 + 1;
        self.managers.push(Manager::new(&self.config, self.settings, holder));
        self.schedule(self.now(), self.managers.len() - 1, Event::Wake);
    }

    fn schedule(&mut self, at: u64, manager: usize, event: Event) {
        self.count += 1;
        let life = self.managers[manager].life;
        self.events.insert((at, self.count), (manager, life, event));
    }

    /// Changes what everybody keeps to. Managers hear of it one by one, within a second.
    pub(crate) fn reconfigure(&mut self, config: Config) {
        self.config = config;
        for manager in 0..self.managers.len() {
            let at = self.now() + self.random.below(1_000);
            self.schedule(at, manager, Event::Reconfigure);
        }
    }

    /// Kills a manager. What it has sent may still arrive.
    pub(crate) fn crash(&mut self, manager: usize) {
        let manager = &mut self.managers[manager];
        manager.is_alive = false;
        manager.life += 1;
    }

    /// Puts a new process in the place of a manager.
    pub(crate) fn start(&mut self, manager: usize) {
        let life = self.managers[manager].life + 1;
        let holder = self.managers.iter().map(|m| m.holder).max().unwrap_or(0) + 1;
        self.managers[manager] = Manager::new(&self.config, self.settings, holder);
        self.managers[manager].life = life;
        self.schedule(self.now(), manager, Event::Wake);
    }

    pub(crate) fn pause(&mut self, manager: usize, for_ms: u64) {
        self.managers[manager].paused_until = self.now() + for_ms;
    }

    /// Sets the server's clock.
    pub(crate) fn set_clock(&mut self, by_ms: i64) {
        self.server.ahead_ms += by_ms;
        self.clock_set_at = self.now();
        self.server.expire();
    }

    /// A replica takes over that had not got everything since `ms` ago.
    pub(crate) fn fail_over(&mut self, ms: u64) {
        let (now, ahead_ms) = (self.now(), self.server.ahead_ms);
        let is_old = |server: &Server| server.true_ms + ms <= now;
        let Some(server) = self.past.iter().rev().find(|server| is_old(server)).cloned() else {
            return;
        };
        self.past.retain(|past| past.true_ms <= server.true_ms);
        self.server = server;
        (self.server.true_ms, self.server.ahead_ms) = (now, ahead_ms);
        self.server.forget_reads();
        self.server.expire();
    }

    pub(crate) fn remember(&mut self) {
        self.past.push_back(self.server.clone());
        self.past.drain(..self.past.len().saturating_sub(8));
    }

    /// The first manager whose books are true.
    pub(crate) fn steady(&self) -> Option<&Manager> {
        let is_steady = |m: &&Manager| m.is_alive && m.engine.standing() == Standing::Steady;
        self.managers.iter().find(is_steady)
    }

    /// Lets `ms` milliseconds go by.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now() + ms;
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), (manager, life, event)) = entry.remove_entry();
            self.server.true_ms = self.server.true_ms.max(at);
            self.happen(manager, life, event);
        }
        self.server.true_ms = end;
        self.server.expire();
    }

    /// Lets time go by until `is_so`, and panics if it takes longer than `ms`.
    #[track_caller]
    pub(crate) fn run_until(&mut self, ms: u64, is_so: impl Fn(&Self) -> bool) -> u64 {
        let begin = self.now();
        while !is_so(self) {
            assert!(self.now() < begin + ms, "not so after {ms} ms");
            self.run(5);
        }
        self.now() - begin
    }

    fn happen(&mut self, at: usize, life: u32, event: Event) {
        if let Event::Execute { flight, holder, request, reply_at } = event {
            let reply = self.execute(at, holder, &request);
            // Where the process has died meanwhile, nobody takes the reply.
            if let Some(reply_at) = reply_at.filter(|_| self.managers[at].life == life) {
                let done_at = self.now();
                self.schedule(reply_at, at, Event::Deliver { flight, request, reply, done_at });
            }
            return;
        }
        let manager = &mut self.managers[at];
        if manager.life != life || !manager.is_alive {
            return;
        }
        if manager.paused_until > self.server.true_ms {
            return self.schedule(self.managers[at].paused_until, at, event);
        }
        if let Event::Reconfigure = event {
            manager.reconfigure(&self.config);
        }
        if let Event::Deliver { flight, request, reply, done_at } = event {
            if manager.flight.is_none_or(|(number, _)| number != flight) {
                return;
            }
            manager.handle(&request, reply, done_at, self.server.true_ms);
            if self.audits {
                assert_eq!(manager.engine.validate(), Ok(()));
            }
        }
        self.wake(at);
    }

    fn wake(&mut self, at: usize) {
        let (now, manager) = (self.now(), &mut self.managers[at]);
        if manager.flight.is_some() {
            return;
        }
        let local = manager.local(now);
        match manager.engine.poll(local).cloned() {
            Some(request) => {
                manager.flight = Some((self.count, local));
                self.send(at, request);
            }
            None => {
                if let Some(wake) = manager.wakes_at(now) {
                    self.schedule(wake.max(now + 1), at, Event::Wake);
                }
            }
        }
    }

    fn send(&mut self, at: usize, request: Request) {
        self.requests += 1;
        self.pages += u64::from(matches!(request, Request::Scan { .. }));
        let (now, flight) = (self.now(), self.count);
        (now, at, fingerprint(&request)).hash(&mut self.trace);
        let (way, back) = (self.delay(), self.delay());
        let holder = self.managers[at].holder;
        let failed =
            Event::Deliver { flight, request: request.clone(), reply: Reply::Failed, done_at: 0 };
        if !self.random.once_in(self.network.loses_once_in) {
            let reply_at = Some(now + way + back);
            let execute = Event::Execute { flight, holder, request, reply_at };
            return self.schedule(now + way, at, execute);
        }
        self.schedule(now + TIMEOUT_MS, at, failed);
        let done = match self.random.below(3) {
            0 => return,
            1 => now + way,
            _ => now + TIMEOUT_MS + self.random.below(200),
        };
        self.schedule(done, at, Event::Execute { flight, holder, request, reply_at: None });
    }

    fn delay(&mut self) -> u64 {
        self.random.within(self.network.delay_ms.clone())
    }

    fn execute(&mut self, at: usize, holder: u32, request: &Request) -> Reply {
        let accessed = self.accessed(request);
        let reply = self.server.perform(request, holder);
        if self.managers[at].holder == holder {
            self.check_evictions(at, request, &reply, &accessed);
        }
        reply
    }

    /// When the entries to be evicted were last accessed, as the idle clock saw it.
    fn accessed(&self, request: &Request) -> Vec<Option<u64>> {
        let Request::Step(step) = request else { return Vec::new() };
        let value = |key: &[u8]| self.server.values.get(key).map(|value| value.accessed_ms);
        step.evict.iter().map(|candidate| value(&candidate.key)).collect()
    }

    /// What was unlinked had not been accessed since the manager last heard of it.
    fn check_evictions(
        &mut self,
        at: usize,
        request: &Request,
        reply: &Reply,
        accessed: &[Option<u64>],
    ) {
        let (Request::Step(step), Reply::Stepped(StepReply::Done(outcome))) = (request, reply)
        else {
            return;
        };
        self.steps += 1;
        self.looks += step.look.len();
        for ((candidate, verdict), accessed) in
            step.evict.iter().zip(&outcome.evicted).zip(accessed)
        {
            let heard = self.managers[at].news.get(&candidate.key[..]).copied().unwrap_or(0);
            let accessed = accessed.unwrap_or(0);
            let is_telling = self.clock_set_at + 10_000 < heard.min(accessed).min(self.now())
                || self.clock_set_at == 0;
            if *verdict == Verdict::Unlinked && is_telling && !self.server.has_lfu {
                assert!(
                    accessed <= heard + IDLE_CLOCK_ERROR_MS,
                    "accessed at {accessed}, evicted with what was known at {heard}"
                );
            }
        }
    }
}

fn fingerprint(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    match request {
        Request::Acquire { lease, above } => (lease, above).hash(&mut hasher),
        Request::Scan { cursor, count } => (cursor, count).hash(&mut hasher),
        Request::Step(step) => {
            (step.number, step.token, step.position, &step.last_record).hash(&mut hasher);
            (&step.accounts, &step.look, &step.verify).hash(&mut hasher);
            let evict = step.evict.iter().map(|candidate| (&candidate.key, candidate.known));
            evict.for_each(|candidate| candidate.hash(&mut hasher));
        }
    }
    hasher.finish()
}
