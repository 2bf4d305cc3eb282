//! What is asked of namespaces and told of them, in the form of the daemon's JSON.

use std::fmt::{self, Display};
use std::ops::AddAssign;
use std::str::FromStr;
use std::time::Duration;

use inval_core::{Config, ConfigError, Namespace, Strategy};
use inval_replay::quantity::{DurationError, parse_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Value, json};

/// A duration as JSON tells it.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A duration that is written as people write it: `1h30m`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    pub(crate) fn of_millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 6] = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "m"),
            (1_000_000, "s"),
            (1_000, "ms"),
            (1, "us"),
        ];
        let mut left_us = self.0.as_micros();
        if left_us == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (unit_us, unit) in UNITS {
            if left_us >= unit_us {
                text += &format!("{}{unit}", left_us / unit_us);
                left_us %= unit_us;
            }
        }
        f.pad(&text)
    }
}

impl FromStr for Span {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse_duration(text).map(Self)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

/// Types of other crates as texts.
mod as_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A namespace and what it keeps to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct NamespaceInfo {
    #[serde(with = "as_text")]
    pub(crate) name: Namespace,
    pub(crate) config: Settings,
    pub(crate) partitions: u32,
    /// Whether the daemon does no upkeep now; null straight at a store, where nobody can tell.
    pub(crate) paused: Option<bool>,
}

/// What a namespace keeps to.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    #[serde(with = "as_text")]
    pub(crate) strategy: Strategy,
    pub(crate) max_entries: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) ttl: Option<Span>,
    pub(crate) time_to_idle: Option<Span>,
    #[serde(default)]
    pub(crate) ttl_jitter: f64,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            strategy: config.strategy(),
            max_entries: config.max_entries(),
            max_bytes: config.max_bytes(),
            ttl: config.ttl().map(Span),
            time_to_idle: config.time_to_idle().map(Span),
            ttl_jitter: config.ttl_jitter(),
        }
    }
}

impl Settings {
    /// What [`Config::builder`] starts with.
    pub(super) const NONE: Self = Self {
        strategy: Strategy::S3Fifo,
        max_entries: None,
        max_bytes: None,
        ttl: None,
        time_to_idle: None,
        ttl_jitter: 0.0,
    };

    /// These settings with `changes`, or the first contradiction in that.
    pub(super) fn with(&self, changes: &Changes) -> Result<Config, ConfigError> {
        let limit = |change: Option<Change<_>>, now| change.map_or(now, Change::wanted);
        let mut builder = Config::builder()
            .strategy(changes.strategy.unwrap_or(self.strategy))
            .ttl_jitter(changes.ttl_jitter.map_or(self.ttl_jitter, |j| j.wanted().unwrap_or(0.0)));
        if let Some(entries) = limit(changes.max_entries, self.max_entries) {
            builder = builder.max_entries(entries);
        }
        if let Some(bytes) = limit(changes.max_bytes, self.max_bytes) {
            builder = builder.max_bytes(bytes);
        }
        if let Some(Span(ttl)) = changes.ttl.map_or(self.ttl, Change::wanted) {
            builder = builder.ttl(ttl);
        }
        if let Some(Span(idle)) = changes.time_to_idle.map_or(self.time_to_idle, Change::wanted) {
            builder = builder.time_to_idle(idle);
        }
        builder.build()
    }
}

/// What is to become of a setting.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Change<T> {
    To(T),
    /// It is to be set no longer.
    Off,
}

impl<T> Change<T> {
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::To(value) => Change::To(convert(value)),
            Self::Off => Change::Off,
        }
    }

    fn wanted(self) -> Option<T> {
        match self {
            Self::To(value) => Some(value),
            Self::Off => None,
        }
    }
}

/// What is to be set of a namespace, or to be changed. `None` leaves as it is.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) strategy: Option<Strategy>,
    pub(crate) max_entries: Option<Change<u64>>,
    pub(crate) max_bytes: Option<Change<u64>>,
    pub(crate) ttl: Option<Change<Span>>,
    pub(crate) time_to_idle: Option<Change<Span>>,
    pub(crate) ttl_jitter: Option<Change<f64>>,
    pub(crate) partitions: Option<u32>,
}

impl Changes {
    /// The body that creates a namespace.
    pub(super) fn creation(&self) -> Value {
        let fields = self.fields().into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(fields.collect())
    }

    /// The merge patch (RFC 7396) that changes a namespace.
    pub(super) fn patch(&self) -> Value {
        Value::Object(self.fields())
    }

    fn fields(&self) -> Map<String, Value> {
        fn put<T: Serialize>(fields: &mut Map<String, Value>, name: &str, value: Option<T>) {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        let mut fields = Map::new();
        put(&mut fields, "strategy", self.strategy.map(Strategy::name));
        put(&mut fields, "max_entries", self.max_entries.map(Change::wanted));
        put(&mut fields, "max_bytes", self.max_bytes.map(Change::wanted));
        put(&mut fields, "ttl", self.ttl.map(Change::wanted));
        put(&mut fields, "time_to_idle", self.time_to_idle.map(Change::wanted));
        put(&mut fields, "ttl_jitter", self.ttl_jitter.map(Change::wanted));
        put(&mut fields, "partitions", self.partitions);
        fields
    }
}

/// What came of creating a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Created {
    /// It is there now.
    New,
    /// It was there already, just so.
    Unchanged,
}

/// Whether to do something, or only to say what would be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Run {
    Real,
    Dry,
}

/// What came of deleting entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Invalidated {
    pub(crate) matched: u64,
    pub(crate) deleted: u64,
    pub(crate) dry_run: bool,
}

/// What upkeep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Upkeep {
    pub(crate) evicted: u64,
    pub(crate) expired: u64,
    pub(crate) records: u64,
    /// Whether nothing is left to do.
    pub(crate) is_done: bool,
}

impl AddAssign for Upkeep {
    /// Goes on with what was done next.
    fn add_assign(&mut self, next: Self) {
        self.evicted += next.evicted;
        self.expired += next.expired;
        self.records += next.records;
        self.is_done = next.is_done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_shown_as_it_is_read() {
        let check = |us: u64, want: &str| {
            let span = Span(Duration::from_micros(us));
            assert_eq!(span.to_string(), want);
            assert_eq!(want.parse(), Ok(span));
        };
        check(0, "0s");
        check(7, "7us");
        check(250_000, "250ms");
        check(5_400_000_000, "1h30m");
        check(90_061_001_000, "1d1h1m1s1ms");
    }

    #[test]
    fn a_patch_takes_off_what_a_creation_leaves_out() {
        let check = |changes: Changes, creation: &str, patch: &str| {
            assert_eq!(changes.creation().to_string(), creation);
            assert_eq!(changes.patch().to_string(), patch);
        };
        check(Changes::default(), "{}", "{}");
        let changes = Changes {
            strategy: Some(Strategy::Lru),
            max_entries: Some(Change::Off),
            max_bytes: Some(Change::To(1 << 20)),
            ttl: Some(Change::To(Span(Duration::from_secs(90)))),
            partitions: Some(3),
            ..Changes::default()
        };
        check(
            changes,
            r#"{"max_bytes":1048576,"partitions":3,"strategy":"lru","ttl":"1m30s"}"#,
            r#"{"max_bytes":1048576,"max_entries":null,"partitions":3,"strategy":"lru","ttl":"1m30s"}"#,
        );
    }

    #[test]
    fn settings_change_where_something_is_said() {
        let ttl = Span(Duration::from_secs(9));
        let now = Settings { max_entries: Some(5), ttl: Some(ttl), ..Settings::NONE };
        let check = |changes: Changes, want: Result<Settings, ConfigError>| {
            assert_eq!(now.with(&changes).map(|config| Settings::from(&config)), want);
        };
        let none = Changes::default();
        check(none, Ok(now));
        let lifted = Changes { max_entries: Some(Change::Off), ..none };
        check(lifted, Ok(Settings { max_entries: None, ..now }));
        let limited = Changes { max_bytes: Some(Change::To(7)), ..none };
        check(limited, Ok(Settings { max_bytes: Some(7), ..now }));
        check(Changes { ttl: Some(Change::Off), ..lifted }, Err(ConfigError::Unbounded));
    }
}
