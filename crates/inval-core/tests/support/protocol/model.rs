//! The protocol as a model to be checked: what may happen, and what must be true.

use stateright::{Model, Property};

use super::manager::Manager;
use super::server::{CAP, Change, Fault, Flaw, KEYS};
use super::world::{Action, Budget, World};

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

/// The protocol within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) budget: Budget,
    /// What writers may do.
    pub(crate) changes: &'static [Change],
    pub(crate) flaw: Option<Flaw>,
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.budget)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        // What comes after a fault tells no more, unless it cost no more than an entry.
        if world.server.fault.is_none_or(|fault| fault == Fault::UnseenEvicted) {
            world.offer(self.changes, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action, self.flaw)?;
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = Property::<Self>::always;
        let sometimes = Property::<Self>::sometimes;
        vec![
            always(FENCED, |_, world| !world.has(Fault::UnfencedChange)),
            always(READ_FIRST, |_, world| !world.has(Fault::UnreadAcknowledged)),
            always(SEEN_FIRST, |_, world| !world.has(Fault::UnseenEvicted)),
            always(RISING, |_, world| !world.has(Fault::TokenNotRaised)),
            always(TRUE_BOOKS, |_, world| world.steady().all(|steady| world.agrees_with(steady))),
            always(TRUE_USAGE, |_, world| world.steady().all(|steady| world.was_told_by(steady))),
            always(BOUNDED, |_, world| world.is_bounded()),
            sometimes(TAKEN_OVER, |_, world| world.is_taken_over()),
            sometimes(REBUILT, |_, world| world.is_rebuilt()),
        ]
    }
}

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

    fn was_told_by(&self, manager: &Manager) -> bool {
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

    fn is_rebuilt(&self) -> bool {
        self.server.generation > 0 && self.steady().next().is_some()
    }
}
