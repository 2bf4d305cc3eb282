//! The world of the protocol's model: one server, two managers, two writers, and whatever may go wrong.

use super::manager::Manager;
use super::server::{Attempt, CAP, Change, Flaw, KEYS, Key, Reply, Server, Step, Version, Write};

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

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct World {
    pub(super) server: Server,
    pub(super) managers: [Manager; MANAGERS],
    /// Sorted, as they are all alike.
    pub(super) writers: [Writer; WRITERS],
    /// A step that may still reach the server, and what it is then; `None` if a later one was faster.
    late: Option<(Step, Option<Attempt>)>,
    /// What the server last expired under each key.
    pub(super) expired: [Option<Version>; KEYS],
    written: Version,
    left: Budget,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(super) struct Writer {
    todo: Todo,
    /// Records pushed since it last knew the backlog to be within the cap.
    pub(super) unsettled: usize,
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
pub(crate) enum Delivery {
    Answered,
    AnswerLost,
    /// The sender hears nothing, and the server gets it at once, later or never.
    Late,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Write(usize, Key, Change, Delivery),
    RepeatWrite(usize, Delivery),
    DropJournal(usize),
    ExpireLease,
    ExpireValue(Key),
    PassSecond,
    Acquire(usize, Delivery),
    Crash(usize),
    Scan(usize),
    Read(usize, usize),
    Doubt(usize, Key),
    Step(usize, Option<Key>, Delivery),
    LateStep,
}

impl World {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            server: Server::new(),
            managers: Default::default(),
            writers: Default::default(),
            late: None,
            expired: [None; KEYS],
            written: 0,
            left: budget,
        }
    }

    /// What may happen next, and some of what may not.
    pub(super) fn offer(&self, changes: &[Change], actions: &mut Vec<Action>) {
        actions.extend([Action::ExpireLease, Action::LateStep]);
        if self.left.seconds > 0 {
            actions.push(Action::PassSecond);
        }
        if self.left.expiries > 0 {
            actions.extend((0..KEYS).map(Action::ExpireValue));
        }
        (0..WRITERS).for_each(|writer| self.offer_writer(writer, changes, actions));
        (0..MANAGERS).for_each(|manager| self.offer_manager(manager, actions));
    }

    /// What may become of a request for which only the loss of its answer matters.
    fn deliveries(&self) -> &'static [Delivery] {
        if self.left.losses > 0 {
            &[Delivery::Answered, Delivery::AnswerLost]
        } else {
            &[Delivery::Answered]
        }
    }

    fn offer_writer(&self, at: usize, changes: &[Change], actions: &mut Vec<Action>) {
        // Those that are alike do alike.
        if self.writers[..at].contains(&self.writers[at]) {
            return;
        }
        let deliveries = self.deliveries().iter().copied();
        match self.writers[at].todo {
            Todo::DropJournal => actions.push(Action::DropJournal(at)),
            Todo::Repeat(_) => {
                actions.extend(deliveries.map(|delivery| Action::RepeatWrite(at, delivery)));
            }
            Todo::Nothing if self.left.writes == 0 => {}
            Todo::Nothing => {
                for &change in changes {
                    for key in 0..KEYS {
                        let action = |delivery| Action::Write(at, key, change, delivery);
                        actions.extend(deliveries.clone().map(action));
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
                actions.extend(
                    self.deliveries().iter().map(|delivery| Action::Acquire(at, *delivery)),
                );
            }
            return;
        }
        let victims: &[_] = match self.left.victims {
            _ if manager.is_waiting() => &[None],
            0 => &[None],
            _ => &[None, Some(0), Some(1)],
        };
        for victim in victims {
            for delivery in [Delivery::Answered, Delivery::Late] {
                actions.push(Action::Step(at, *victim, delivery));
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
    pub(super) fn act(&mut self, action: Action, flaw: Option<Flaw>) -> Option<()> {
        let Self { server, managers, .. } = self;
        match action {
            Action::Write(at, key, change, delivery) => {
                take(&mut self.left.writes)?;
                self.written += 1;
                let write = Write { key, change, version: self.written };
                server.write(write);
                self.wrote(at, write, delivery, flaw)?;
            }
            Action::RepeatWrite(at, delivery) => self.repeat_write(at, delivery, flaw)?,
            Action::DropJournal(at) => {
                server.overflow(flaw);
                self.writers[at] = Writer::default();
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
            Action::Acquire(at, delivery) => self.acquire(at, delivery, flaw)?,
            Action::Crash(at) => self.crash(at)?,
            Action::Scan(at) => managers[at].scan(server)?,
            Action::Read(at, count) => managers[at].read(count, server),
            Action::Doubt(at, key) => managers[at].doubt(key, self.expired[key]?)?,
            Action::Step(at, victim, Delivery::Late) => self.send_late(at, victim, flaw)?,
            Action::Step(at, victim, _) => self.step(at, victim, flaw)?,
            Action::LateStep => self.late_step(flaw)?,
        }
        self.writers.sort_unstable();
        let may_evict = self.left.victims > 0;
        self.managers.iter_mut().for_each(|manager| manager.forget(may_evict));
        Some(())
    }

    fn repeat_write(&mut self, at: usize, delivery: Delivery, flaw: Option<Flaw>) -> Option<()> {
        let Todo::Repeat(write) = self.writers[at].todo else { return None };
        if flaw == Some(Flaw::RepeatsRecordAlone) {
            self.server.journal.push(write);
        } else {
            self.server.write(write);
        }
        self.wrote(at, write, delivery, flaw)
    }

    /// Tells a writer of the backlog after its write, or nothing.
    fn wrote(
        &mut self,
        at: usize,
        write: Write,
        delivery: Delivery,
        flaw: Option<Flaw>,
    ) -> Option<()> {
        self.expired[write.key] = None;
        let writer = &mut self.writers[at];
        writer.unsettled += 1;
        let is_full = self.server.journal.len() > CAP;
        if delivery != Delivery::Answered {
            take(&mut self.left.losses)?;
            writer.todo = Todo::Repeat(write);
        } else if is_full && flaw != Some(Flaw::IgnoresBacklog) {
            writer.todo = Todo::DropJournal;
        } else {
            *writer = Writer::default();
        }
        Some(())
    }

    fn acquire(&mut self, at: usize, delivery: Delivery, flaw: Option<Flaw>) -> Option<()> {
        if self.server.lease.is_none() {
            take(&mut self.left.terms)?;
        }
        let token = self.server.acquire(at, flaw)?;
        if delivery != Delivery::Answered {
            return take(&mut self.left.losses);
        }
        self.managers[at].take_over(token, &self.server, flaw);
        Some(())
    }

    /// Ends a process and begins a new one, for which the lease of the old one is somebody else's.
    fn crash(&mut self, at: usize) -> Option<()> {
        take(&mut self.left.crashes)?;
        self.managers[at] = Manager::default();
        if let Some(lease) = &mut self.server.lease
            && lease.holder == Some(at)
        {
            lease.holder = None;
        }
        Some(())
    }

    fn compose(&mut self, at: usize, victim: Option<Key>, flaw: Option<Flaw>) -> Option<Step> {
        let manager = &self.managers[at];
        let step = manager.compose(self.left.tellings > 0, victim, flaw);
        if victim.is_some() {
            step.victim?;
            take(&mut self.left.victims)?;
        }
        if step.usage.is_some() && !manager.is_waiting() {
            take(&mut self.left.tellings)?;
        }
        Some(step)
    }

    /// Has a manager send a step, or the last one again, and hear nothing.
    fn send_late(&mut self, at: usize, victim: Option<Key>, flaw: Option<Flaw>) -> Option<()> {
        take(&mut self.left.losses)?;
        let step = self.compose(at, victim, flaw)?;
        self.late = Some((step.clone(), Some(self.managers[at].attempt())));
        self.managers[at].sent(step);
        Some(())
    }

    fn step(&mut self, at: usize, victim: Option<Key>, flaw: Option<Flaw>) -> Option<()> {
        let step = self.compose(at, victim, flaw)?;
        let reply = self.server.step(&step, self.managers[at].attempt(), flaw);
        if let Some((late, attempt)) = &mut self.late
            && late.token == step.token
        {
            *attempt = attempt.filter(|_| *late == step).map(|_| Attempt::Again);
        }
        self.managers[at].hear(&step, reply, &self.server, flaw);
        Some(())
    }

    fn late_step(&mut self, flaw: Option<Flaw>) -> Option<()> {
        let (step, attempt) = self.late.take()?;
        let outdated = (flaw == Some(Flaw::TakesOutdatedSteps)).then_some(Attempt::First);
        // The server knows an outdated step by its number.
        let Some(attempt) = attempt.or(outdated) else { return Some(()) };
        if let Reply::Done { .. } = self.server.step(&step, attempt, flaw) {
            self.managers.iter_mut().for_each(|manager| manager.was_done(&step));
        }
        Some(())
    }
}

fn take(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}
