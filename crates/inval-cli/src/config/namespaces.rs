//! The namespaces of the file: from what is said of each to what it keeps to.

use std::collections::BTreeMap;
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{Config, ConfigError, Namespace, Strategy};
use inval_redis::SecretSource;
use inval_replay::ByteSize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Origin, Problem};
use super::fields::NAMESPACE_FIELDS;
use super::reader::Reader;
use super::rules::AtMost;
use super::settings::{KeySecretSources, NamespaceSettings, Settings};
use crate::args::Place;

const MOST_PARTITIONS: u32 = 16_384;
const MOST_SHARDS: u32 = 65_536;

/// What is said of a namespace, not yet checked.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) strategy: Strategy,
    pub(super) max_entries: Option<u64>,
    pub(super) max_bytes: Option<ByteSize>,
    pub(super) ttl: Option<Duration>,
    pub(super) time_to_idle: Option<Duration>,
    pub(super) ttl_jitter: f64,
    pub(super) partitions: Option<u32>,
    pub(super) key_secret: Option<SecretSource>,
    pub(super) old_key_secret: Option<SecretSource>,
    pub(super) pacing: PacingSettings,
}

type Errors = Vec<(Origin, Problem)>;

/// What is to be kept to, by name.
#[derive(Default)]
pub(super) struct Namespaces {
    pub(super) settings: BTreeMap<Namespace, NamespaceSettings>,
    pub(super) key_secrets: BTreeMap<Namespace, KeySecretSources>,
}

/// The namespaces in `table`, with the defaults and on the store of `settings`, and what is wrong with
/// them. Without `rules`, for the defaults are wrong themselves, their pacing is not looked into.
pub(super) fn read(
    table: Option<&Spanned<DeValue<'_>>>,
    settings: &Settings,
    rules: &[AtMost<Draft>],
) -> (Namespaces, Errors) {
    let (mut namespaces, mut errors) = (Namespaces::default(), Vec::new());
    let Some(value) = table else { return (namespaces, errors) };
    let DeValue::Table(table) = value.get_ref() else {
        return (namespaces, vec![(Origin::File(value.span()), Problem::NotATable)]);
    };
    for (key, value) in table {
        let at = Origin::File(key.span());
        let name = key.get_ref().parse::<Namespace>();
        if let Err(error) = &name {
            errors.push((at.clone(), Problem::NamespaceName(*error)));
        }
        let namespace = match value.get_ref() {
            DeValue::Table(table) => read_one(at, table, settings, rules),
            _ => Err(vec![(Origin::File(value.span()), Problem::NotATable)]),
        };
        match (name, namespace) {
            (Ok(name), Ok((namespace, key_secrets))) => {
                namespaces.key_secrets.extend(key_secrets.map(|sources| (name.clone(), sources)));
                namespaces.settings.insert(name, namespace);
            }
            (_, Err(more)) => errors.extend(more),
            (Err(_), Ok(_)) => {}
        }
    }
    (namespaces, errors)
}

/// The namespace whose name stands `at` a place.
fn read_one(
    at: Origin,
    table: &DeTable<'_>,
    settings: &Settings,
    rules: &[AtMost<Draft>],
) -> Result<(NamespaceSettings, Option<KeySecretSources>), Errors> {
    let mut reader = Reader::new(NAMESPACE_FIELDS, Draft::new(settings.pacing), &[]);
    reader.read_table(table, "");
    reader.keep_to(rules);
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let read = reader.settings.finish(&settings.store).and_then(|namespace| match rules {
        [] => Ok(namespace),
        _ => namespace.pacing.validate().map(|()| namespace).map_err(|error| ("", error.into())),
    });
    let read = read.and_then(|namespace| {
        reader.settings.key_secrets().map(|key_secrets| (namespace, key_secrets))
    });
    read.map_err(|(field, problem)| vec![(reader.origin(field).unwrap_or(at), problem)])
}

impl Draft {
    /// What a namespace of which nothing is said begins with.
    pub(super) fn new(pacing: PacingSettings) -> Self {
        Self {
            strategy: Strategy::default(),
            max_entries: None,
            max_bytes: None,
            ttl: None,
            time_to_idle: None,
            ttl_jitter: 0.0,
            partitions: None,
            key_secret: None,
            old_key_secret: None,
            pacing,
        }
    }

    /// What is to be kept to in `store`, or a contradiction and the field that makes it.
    fn finish(&self, store: &Place) -> Result<NamespaceSettings, (&'static str, Problem)> {
        let config = self.config().map_err(|error| (field_of(&error), error.into()))?;
        let most = match store {
            Place::Memory => MOST_SHARDS,
            Place::Server(_) => MOST_PARTITIONS,
        };
        if matches!(store, Place::Server(_)) && self.ttl.and(self.time_to_idle).is_some() {
            return Err(("time_to_idle", Problem::IdleWithTtl));
        }
        if let Some(wanted) = self.partitions {
            // The last partition has the smallest share.
            let last = wanted.checked_sub(1).filter(|_| wanted <= most);
            if last.and_then(|last| config.partition(last.into(), wanted.into())).is_none() {
                return Err(("partitions", Problem::Partitions { wanted, most }));
            }
        }
        Ok(NamespaceSettings { config, partitions: self.partitions, pacing: self.pacing })
    }

    /// Where the key secrets come from, if digests are to stand for keys.
    fn key_secrets(&self) -> Result<Option<KeySecretSources>, (&'static str, Problem)> {
        match (self.key_secret.clone(), self.old_key_secret.clone()) {
            (Some(current), old) => Ok(Some(KeySecretSources { current, old })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(("old_key_secret", Problem::OldKeySecretAlone)),
        }
    }

    fn config(&self) -> Result<Config, ConfigError> {
        let mut builder = Config::builder().strategy(self.strategy).ttl_jitter(self.ttl_jitter);
        if let Some(entries) = self.max_entries {
            builder = builder.max_entries(entries);
        }
        if let Some(ByteSize(bytes)) = self.max_bytes {
            builder = builder.max_bytes(bytes);
        }
        if let Some(ttl) = self.ttl {
            builder = builder.ttl(ttl);
        }
        if let Some(idle) = self.time_to_idle {
            builder = builder.time_to_idle(idle);
        }
        builder.build()
    }
}

/// The field where a contradiction stands; empty for the namespace as a whole.
fn field_of(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::Unbounded => "",
        ConfigError::ZeroMaxEntries => "max_entries",
        ConfigError::ZeroMaxBytes => "max_bytes",
        ConfigError::LifetimeTooShort { field } | ConfigError::LifetimeTooLong { field } => field,
        ConfigError::IdleNotBelowTtl { .. } => "time_to_idle",
        ConfigError::JitterOutOfRange(_) => "ttl_jitter",
    }
}
