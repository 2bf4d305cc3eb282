//! The names of one replay on the server, which no other replay has.

use std::hash::{BuildHasher, RandomState};

use inval_core::keyspace::Keyspace;
use inval_core::{Config, Namespace, NamespaceError};

/// A new namespace, and the names of the keys of its partitions.
#[derive(Clone, Debug)]
pub(super) struct Names {
    namespace: Namespace,
    partitions: Vec<Keyspace>,
}

impl Names {
    /// A namespace called after strategy and capacity, and 64 random bits.
    pub(super) fn new(config: &Config, partitions: u32) -> Result<Self, NamespaceError> {
        let capacity = match (config.max_entries(), config.max_bytes()) {
            (Some(entries), _) => entries.to_string(),
            (None, Some(bytes)) => format!("{bytes}B"),
            (None, None) => "unlimited".to_owned(),
        };
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("replay-{}-{capacity}-{random:016x}", config.strategy());
        let namespace = name.parse()?;
        let partitions = (0..partitions).map(|at| Keyspace::new(&namespace, at)).collect();
        Ok(Self { namespace, partitions })
    }

    pub(super) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(super) fn partitions(&self) -> &[Keyspace] {
        &self.partitions
    }

    /// What matches all keys of the namespace, as `redis-cli --scan --pattern` takes it.
    pub(super) fn pattern(&self) -> String {
        format!("inval:{{{}*", self.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inval_core::Strategy;

    #[test]
    fn names_tell_strategy_and_capacity_and_never_meet() {
        let check = |entries: Option<u64>, bytes: Option<u64>, want: &str| {
            let mut config = Config::builder().strategy(Strategy::WTinyLfu);
            config = entries.map_or(config, |entries| config.max_entries(entries));
            config = bytes.map_or(config, |bytes| config.max_bytes(bytes));
            let config = config.build().unwrap();
            let [one, other] = [(); 2].map(|()| Names::new(&config, 2).unwrap());
            assert!(one.namespace().as_str().starts_with(want), "{one:?}");
            assert_ne!(one.namespace(), other.namespace());
            assert_eq!(one.partitions().len(), 2);
        };
        check(Some(500), None, "replay-w-tinylfu-500-");
        check(Some(u64::MAX), Some(1), "replay-w-tinylfu-18446744073709551615-");
        check(None, Some(u64::MAX), "replay-w-tinylfu-18446744073709551615B-");
    }
}
