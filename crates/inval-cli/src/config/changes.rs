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
    /// Whether all is equal that can be said of a namespace's pacing.
    pub(crate) fn is_paced_as(&self, other: &Self) -> bool {
        let pace = |settings: &Self| {
            let pacing = settings.pacing;
            let intervals = [pacing.max_lag, pacing.min_interval, pacing.max_interval];
            (intervals, pacing.least_batch, pacing.most_batch)
        };
        pace(self) == pace(other)
    }

    /// Whether anything differs that can be said for a namespace.
    fn differs_from(&self, other: &Self) -> bool {
        self.config != other.config
            || self.partitions != other.partitions
            || !self.is_paced_as(other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Variables;
    use super::*;

    fn check(ours: &str, theirs: &str, want: [&[&str]; 4]) {
        let parse = |text: &str| Settings::parse("", text, &Variables::default()).unwrap();
        let (ours, theirs) = (parse(ours), parse(theirs));
        let Changes { added, changed, removed, needs_restart } = ours.changes_to(&theirs);
        let names = |list: &[Namespace]| list.iter().map(Namespace::to_string).collect::<Vec<_>>();
        let got = [names(&added), names(&changed), names(&removed)];
        assert_eq!(got, [want[0], want[1], want[2]]);
        assert_eq!(needs_restart, want[3]);
    }

    #[test]
    fn equal_settings_have_no_changes() {
        check("", "", [&[]; 4]);
        let (minutes, seconds) =
            ("[namespaces.a]\nttl = \"1m\"", "namespaces.a = { ttl = \"60s\" }");
        check(minutes, seconds, [&[]; 4]);
    }

    #[test]
    fn namespaces_come_change_and_go() {
        let ours = "[namespaces]\na.ttl = \"1m\"\nb.max_entries = 5\nc.max_entries = 5";
        let theirs = "[namespaces]\nb.max_entries = 6\nc.max_entries = 5\nd.ttl = \"1m\"";
        check(ours, theirs, [&["d"], &["b"], &["a"], &[]]);
        let theirs = format!("{ours}\nc.partitions = 2");
        check(ours, &theirs, [&[], &["c"], &[], &[]]);
    }

    #[test]
    fn what_namespaces_inherit_changes_them_and_the_rest_needs_a_restart() {
        let ours = "[namespaces]\na.ttl = \"1m\"\nb.ttl = \"1m\"\nb.manager.max_lag = \"2s\"";
        check(ours, &format!("manager.max_lag = \"3s\"\n{ours}"), [&[], &["a"], &[], &[]]);
        let rest = "manager.duty_cycle = 0.1\nredis.lease = \"6s\"\nhttp.listen = \"[::]:1\"";
        let want = ["http.listen", "manager.duty_cycle", "redis.lease"];
        check(ours, &format!("{rest}\n{ours}"), [&[], &[], &[], &want]);
    }

    #[test]
    fn another_password_is_a_change() {
        let ours = "store = \"redis://:a@host\"";
        check(ours, "store = \"redis://:b@host\"", [&[], &[], &[], &["store"]]);
    }
}
