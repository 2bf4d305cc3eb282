//! What another file changes that the settings in force cannot follow.

use super::fields::{FIELDS, NAMESPACE_FIELDS};
use super::settings::{NamespaceSettings, Settings};

impl Settings {
    /// The fields outside the namespaces, such as `http.listen`, in which `next` differs, in order. Those that
    /// namespaces take over are left out: the namespaces differ.
    pub(crate) fn needs_restart(&self, next: &Self) -> Vec<&'static str> {
        let is_inherited = |name: &str| NAMESPACE_FIELDS.iter().any(|field| field.name == name);
        let fields = FIELDS.iter().filter(|field| !is_inherited(field.name));
        fields.filter(|field| (field.differs)(self, next)).map(|field| field.name).collect()
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
}

#[cfg(test)]
mod tests {
    use super::super::Variables;
    use super::*;

    fn check(ours: &str, theirs: &str, want: &[&str]) {
        let parse = |text: &str| Settings::parse("", text, &Variables::default()).unwrap();
        assert_eq!(parse(ours).needs_restart(&parse(theirs)), want);
    }

    #[test]
    fn equal_settings_have_no_changes() {
        check("", "", &[]);
        let namespaces =
            |text| Settings::parse("", text, &Variables::default()).unwrap().namespaces;
        let minutes = namespaces("[namespaces.a]\nttl = \"1m\"");
        assert_eq!(minutes, namespaces("namespaces.a = { ttl = \"60s\" }"));
    }

    #[test]
    fn namespaces_come_change_and_go_without_a_restart() {
        let ours = "[namespaces]\na.ttl = \"1m\"\nb.max_entries = 5";
        check(ours, "[namespaces]\nb.max_entries = 6\nd.ttl = \"1m\"", &[]);
    }

    #[test]
    fn what_namespaces_inherit_changes_them_and_the_rest_needs_a_restart() {
        let ours = "[namespaces]\na.ttl = \"1m\"\nb.ttl = \"1m\"\nb.manager.max_lag = \"2s\"";
        check(ours, &format!("manager.max_lag = \"3s\"\n{ours}"), &[]);
        let rest = "manager.duty_cycle = 0.1\nredis.lease = \"6s\"\nhttp.listen = \"[::]:1\"";
        let want = ["http.listen", "manager.duty_cycle", "redis.lease"];
        check(ours, &format!("{rest}\n{ours}"), &want);
    }

    #[test]
    fn another_password_is_a_change() {
        check("store = \"redis://:a@host\"", "store = \"redis://:b@host\"", &["store"]);
    }
}
