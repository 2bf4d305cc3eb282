//! What another file would change of the settings in force.

use inval_core::Namespace;

use super::fields::{FIELDS, NAMESPACE_FIELDS};
use super::settings::{NamespaceSettings, Settings};

/// What differs between two settings, by name and in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Changes {
    /// Namespaces only of the second.
    pub(crate) added: Vec<Namespace>,
    /// Namespaces of both that keep to something else.
    pub(crate) changed: Vec<Namespace>,
    /// Namespaces only of the first.
    pub(crate) removed: Vec<Namespace>,
    /// Fields outside the namespaces that differ, such as `http.listen`, but for those that namespaces
    /// take over: they show as changed namespaces.
    pub(crate) needs_restart: Vec<&'static str>,
}

impl Settings {
    /// What `next` would change.
    #[allow(dead_code, reason = "for the daemon")]
    pub(crate) fn changes_to(&self, next: &Self) -> Changes {
        let only_in = |ours: &Self, theirs: &Self| {
            let names =
                ours.namespaces.keys().filter(|name| !theirs.namespaces.contains_key(*name));
            names.cloned().collect()
        };
        let changed = self.namespaces.iter().filter(|(name, ours)| {
            next.namespaces.get(*name).is_some_and(|theirs| ours.differs_from(theirs))
        });
        let is_inherited = |name: &str| NAMESPACE_FIELDS.iter().any(|field| field.name == name);
        let fields = FIELDS.iter().filter(|field| !is_inherited(field.name));
        Changes {
            added: only_in(next, self),
            changed: changed.map(|(name, _)| name.clone()).collect(),
            removed: only_in(self, next),
            needs_restart: fields
                .filter(|field| (field.differs)(self, next))
                .map(|field| field.name)
                .collect(),
        }
    }
}

impl NamespaceSettings {
    /// Whether anything differs that can be said for a namespace.
    fn differs_from(&self, other: &Self) -> bool {
        let pace = |settings: &Self| {
            let manager = settings.manager;
            let intervals = [manager.max_lag, manager.min_interval, manager.max_interval];
            (intervals, manager.least_batch, manager.most_batch)
        };
        self.config != other.config
            || self.partitions != other.partitions
            || pace(self) != pace(other)
    }
}
