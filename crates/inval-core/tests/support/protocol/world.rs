//! The protocol as a state machine: one server, two managers, two writers, and whatever may go wrong.

use stateright::{Model, Property};

use super::manager::Manager;
use super::server::{
    Attempt, CAP, Change, Fault, Flaw, KEYS, Key, Reply, Server, Step, Version, Write,
};

const MANAGERS: usize = 2;
const WRITERS: usize = 2;

/// How often each thing may happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Budget {
    pub(crate) writes: u8,
    /// Messages that are lost or come late.
    pub(crate) losses: u8,
    /// Times that a lease is taken.
    pub(crate) terms: u8,
    /// Entries that the server expires.
    pub(crate) expiries: u8,
    /// Seconds that pass.
    pub(crate) seconds: u8,
    /// Victims that are nominated.
    pub(crate) victims: u8,
    /// Times that a manager tells of the usage.
    pub(crate) tellings: u8,
    /// Processes that end and begin anew.
    pub(crate) crashes: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) budget: Budget,
    /// What writers may do.
    pub(crate) changes: &'static [Change],
    pub(crate) flaw: Option<Flaw>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    server: Server,
    managers: [Manager; MANAGERS],
    /// Sorted, as they are all alike.
    writers: [Writer; WRITERS],
    /// A step that may still reach the server, and what it is then; `None` if a later one was faster.
    late: Option<(Step, Option<Attempt>)>,
    /// What the server last expired under each key.
    expired: [Option<Version>; KEYS],
    written: Version,
    left: Budget,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
struct Writer {
    todo: Todo,
    /// Records pushed since it last knew the backlog to be within the cap.
    unsettled: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
enum Todo {
    #[default]
    Nothing,
    Repeat(Write),
    DropJournal,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Answered,
    AnswerLost,
    /// The sender hears nothing, and the server gets it at once, later or never.
    Late,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Write(usize, Key, Change, Fate),
    RepeatWrite(usize, Fate),
    DropJournal(usize),
    ExpireLease,
    ExpireValue(Key),
    PassSecond,
    Acquire(usize, Fate),
    Crash(usize),
    Scan(usize),
    Read(usize, usize),
    Doubt(usize, Key),
    Step(usize, Option<Key>, Fate),
    LateStep,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            server: Server::new(),
            managers: Default::default(),
            writers: Default::default(),
            late: None,
            expired: [None; KEYS],
            written: 0,
            left: self.budget,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        // What comes after a fault tells no more, unless it cost no more than an entry.
        if world.server.fault.is_some_and(|fault| fault != Fault::UnseenEvicted) {
            return;
        }
        actions.extend([Action::ExpireLease, Action::LateStep]);
        if world.left.seconds > 0 {
            actions.push(Action::PassSecond);
        }
        if world.left.expiries > 0 {
            actions.extend((0..KEYS).map(Action::ExpireValue));
        }
        (0..WRITERS).for_each(|writer| world.offer_writer(writer, self.changes, actions));
        (0..MANAGERS).for_each(|manager| world.offer_manager(manager, actions));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action, self.flaw)?;
        next.writers.sort_unstable();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FENCED, |_, world: &World| !world.has(Fault::UnfencedChange)),
            Property::always(READ_FIRST, |_, world: &World| !world.has(Fault::UnreadAcknowledged)),
            Property::always(SEEN_FIRST, |_, world: &World| !world.has(Fault::UnseenEvicted)),
            Property::always(RISING, |_, world: &World| !world.has(Fault::TokenNotRaised)),
            Property::always(TRUE_BOOKS, |_, world: &World| {
                world.steady().all(|m| world.agrees_with(m))
            }),
            Property::always(TRUE_USAGE, |_, world: &World| {
                world.steady().all(|m| world.knows_usage_of(m))
            }),
            Property::always(BOUNDED, |_, world: &World| world.is_bounded()),
            Property::sometimes(TAKEN_OVER, |_, world: &World| world.is_taken_over()),
            Property::sometimes(REBUILT, |_, world: &World| {
                world.server.generation > 0 && world.steady().next().is_some()
            }),
        ]
    }
}

pub(crate) const FENCED: &str = "nothing changes under a token that is not the last";
pub(crate) const READ_FIRST: &str = "no record is taken off that was not worked off";
pub(crate) const SEEN_FIRST: &str = "no version is evicted that its manager did not know";
pub(crate) const RISING: &str = "tokens rise";
pub(crate) const TRUE_BOOKS: &str = "the books of a steady manager are true";
pub(crate) const TRUE_USAGE: &str = "the usage that a steady manager has told is true";
pub(crate) const BOUNDED: &str = "the journal is bounded";
/// Can be reached only if two terms are allowed.
pub(crate) const TAKEN_OVER: &str = "a second manager is steady while the first believes to be";
/// Can be reached only if more writes are allowed than the journal holds.
pub(crate) const REBUILT: &str = "a manager is steady after a journal was dropped";

impl World {
    fn has(&self, fault: Fault) -> bool {
        self.server.fault == Some(fault)
    }

    /// The managers whose books should be true.
    fn steady(&self) -> impl Iterator<Item = &Manager> {
        self.managers.iter().filter(|manager| manager.is_steady(&self.server))
    }

    /// Whether the manager has on its books what the server has, but for what has expired.
    fn agrees_with(&self, manager: &Manager) -> bool {
        (0..KEYS).all(|key| {
            let booked = manager.entries[key].map(|entry| entry.version);
            let there = self.server.values[key].map(|value| value.version);
            booked == there || (there.is_none() && booked == self.expired[key])
        })
    }

    fn knows_usage_of(&self, manager: &Manager) -> bool {
        !manager.has_told() || self.server.usage == Some(manager.usage())
    }

    /// Each writer may have left the journal longer by what it pushed without knowing the backlog.
    fn is_bounded(&self) -> bool {
        let unsettled: usize = self.writers.iter().map(|writer| writer.unsettled).sum();
        self.server.journal.len() <= CAP + unsettled
    }

    fn is_taken_over(&self) -> bool {
        let outdated = |other: &Manager| other.is_holding && other.token < self.server.token;
        self.steady().next().is_some() && self.managers.iter().any(outdated)
    }

    /// What may become of a request for which only the loss of its answer matters.
    fn fates(&self) -> &'static [Fate] {
        if self.left.losses > 0 { &[Fate::Answered, Fate::AnswerLost] } else { &[Fate::Answered] }
    }

    fn offer_writer(&self, writer: usize, changes: &[Change], actions: &mut Vec<Action>) {
        // Those that are alike do alike.
        if self.writers[..writer].contains(&self.writers[writer]) {
            return;
        }
        let fates = self.fates().iter().copied();
        match self.writers[writer].todo {
            Todo::DropJournal => actions.push(Action::DropJournal(writer)),
            Todo::Repeat(_) => actions.extend(fates.map(|fate| Action::RepeatWrite(writer, fate))),
            Todo::Nothing if self.left.writes == 0 => {}
            Todo::Nothing => {
                for &change in changes {
                    for key in 0..KEYS {
                        let action = |fate| Action::Write(writer, key, change, fate);
                        actions.extend(fates.clone().map(action));
                    }
                }
            }
        }
    }

    fn offer_manager(&self, at: usize, actions: &mut Vec<Action>) {
        let manager = &self.managers[at];
        if self.left.crashes > 0 {
            actions.push(Action::Crash(at));
        }
        if !manager.is_holding {
            // They are alike, so let the first one be the first.
            if at == 0 || self.server.token > 0 {
                actions.extend(self.fates().iter().map(|fate| Action::Acquire(at, *fate)));
            }
            return;
        }
        let victims: &[_] = match self.left.victims {
            _ if manager.is_waiting() => &[None],
            0 => &[None],
            _ => &[None, Some(0), Some(1)],
        };
        for victim in victims {
            for fate in [Fate::Answered, Fate::Late] {
                actions.push(Action::Step(at, *victim, fate));
            }
        }
        if manager.may_read() {
            actions.push(Action::Read(at, self.server.journal.len()));
            if self.server.journal.len() > 1 {
                actions.push(Action::Read(at, 1));
            }
        }
        if !manager.is_waiting() {
            actions.push(Action::Scan(at));
            actions.extend((0..KEYS).map(|key| Action::Doubt(at, key)));
        }
    }

    /// Does `action`; `None` if it is not possible.
    fn act(&mut self, action: Action, flaw: Option<Flaw>) -> Option<()> {
        let Self { server, managers, .. } = self;
        match action {
            Action::Write(writer, key, change, fate) => {
                take(&mut self.left.writes)?;
                self.written += 1;
                let write = Write { key, change, version: self.written };
                server.write(write);
                self.wrote(writer, write, fate, flaw)?;
            }
            Action::RepeatWrite(writer, fate) => {
                let Todo::Repeat(write) = self.writers[writer].todo else { return None };
                if flaw == Some(Flaw::RepeatsRecordAlone) {
                    server.journal.push(write);
                } else {
                    server.write(write);
                }
                self.wrote(writer, write, fate, flaw)?;
            }
            Action::DropJournal(writer) => {
                server.overflow(flaw);
                self.writers[writer] = Writer::default();
            }
            Action::ExpireLease => server.lease = None,
            Action::ExpireValue(key) => {
                take(&mut self.left.expiries)?;
                self.expired[key] = Some(server.values[key].take()?.version);
            }
            Action::PassSecond => {
                take(&mut self.left.seconds)?;
                server.second += 1;
            }
            Action::Acquire(at, fate) => self.acquire(at, fate, flaw)?,
            Action::Crash(at) => {
                take(&mut self.left.crashes)?;
                managers[at] = Manager::default();
                if let Some(lease) = &mut server.lease
                    && lease.holder == Some(at)
                {
                    lease.holder = None;
                }
            }
            Action::Scan(at) if managers[at].is_scanned() => return None,
            Action::Scan(at) => managers[at].scan(server),
            Action::Read(at, count) => managers[at].read(count, server),
            Action::Doubt(at, key) => {
                let entry = managers[at].entries[key]?;
                (self.expired[key] == Some(entry.version)).then(|| managers[at].doubt(key))?;
            }
            Action::Step(at, victim, fate) => self.step(at, victim, fate, flaw)?,
            Action::LateStep => {
                let (step, attempt) = self.late.take()?;
                let outdated = (flaw == Some(Flaw::TakesOutdatedSteps)).then_some(Attempt::First);
                let reply = server.step(&step, attempt.or(outdated)?, flaw);
                if matches!(reply, Reply::Done { .. }) {
                    managers.iter_mut().for_each(|manager| manager.was_done(&step));
                }
            }
        }
        Some(())
    }

    /// Tells a writer of the backlog after its write, or nothing.
    fn wrote(&mut self, at: usize, write: Write, fate: Fate, flaw: Option<Flaw>) -> Option<()> {
        self.expired[write.key] = None;
        let writer = &mut self.writers[at];
        writer.unsettled += 1;
        let is_full = self.server.journal.len() > CAP;
        if fate != Fate::Answered {
            take(&mut self.left.losses)?;
            writer.todo = Todo::Repeat(write);
        } else if is_full && flaw != Some(Flaw::IgnoresBacklog) {
            writer.todo = Todo::DropJournal;
        } else {
            *writer = Writer::default();
        }
        Some(())
    }

    fn acquire(&mut self, at: usize, fate: Fate, flaw: Option<Flaw>) -> Option<()> {
        if self.server.lease.is_none() {
            take(&mut self.left.terms)?;
        }
        let token = self.server.acquire(at, flaw)?;
        match fate {
            Fate::Answered => self.managers[at].take_over(token, &self.server, flaw),
            Fate::AnswerLost | Fate::Late => take(&mut self.left.losses)?,
        }
        Some(())
    }

    fn step(
        &mut self,
        at: usize,
        victim: Option<Key>,
        fate: Fate,
        flaw: Option<Flaw>,
    ) -> Option<()> {
        let is_repeated = self.managers[at].is_waiting();
        let step = self.managers[at].compose(self.left.tellings > 0, victim, flaw);
        if !is_repeated {
            if victim.is_some() {
                step.victim?;
                take(&mut self.left.victims)?;
            }
            if step.usage.is_some() {
                take(&mut self.left.tellings)?;
            }
        }
        let attempt = self.managers[at].attempt();
        if fate == Fate::Late {
            take(&mut self.left.losses)?;
            self.late = Some((step.clone(), Some(attempt)));
            self.managers[at].sent(step);
            return Some(());
        }
        let reply = self.server.step(&step, attempt, flaw);
        if let Some((late, attempt)) = &mut self.late
            && late.token == step.token
        {
            *attempt = attempt.filter(|_| *late == step).map(|_| Attempt::Again);
        }
        self.managers[at].hear(&step, reply, flaw);
        Some(())
    }
}

fn take(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}
