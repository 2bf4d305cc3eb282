//! What all clients of a namespace must agree on, as it is kept on the server.

use std::fmt::{self, Write};
use std::time::Duration;

use inval_core::digest::Fingerprint;
use inval_core::{Config, Strategy};
use thiserror::Error;

use crate::error::{Error as CallError, Estrangement};

/// The versions of the text that this program reads and writes: of namespaces whose keys are kept as they are, and
/// of those where digests stand for them, which programs that know nothing of that must not touch.
const VERSION: u32 = 1;
const VERSION_WITH_DIGESTS: u32 = 2;
/// The field of the latter that says by which secrets.
const KEY_SECRET: &str = "key_secret";
/// One, and another that it takes the place of.
const MOST_SECRETS: usize = 2;
/// The fields that cannot change while clients work, and those that can.
const FIXED: [&str; 4] = ["strategy", "time_to_idle_ms", "partitions", "journal_cap"];
const CHANGEABLE: [&str; 4] = ["max_entries", "max_bytes", "ttl_ms", "ttl_jitter"];
/// What a field is where it is missing, if it may be: texts of earlier programs lack it.
const DEFAULTS: [(&str, &str); 1] = [("ttl_jitter", "0")];
const MOST_PARTITIONS: u32 = 16_384;

/// The configuration of a namespace as far as its clients must agree. As text it is `1` and then a word
/// `field=value` for each field, `-` where nothing is set.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Agreement {
    pub(crate) config: Config,
    pub(crate) partitions: u32,
    pub(crate) journal_cap: u64,
    /// By which secrets digests stand for keys, the newest first, or none if keys are kept as they are.
    pub(crate) secrets: Vec<Fingerprint>,
    /// Words that only a later program knows, which found them not worth another version.
    others: Vec<String>,
}

/// Why a client cannot work with a namespace.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Disagreement {
    /// The namespace was made by a program that writes another version of the configuration.
    #[error(
        "the namespace's configuration has version {0}, this program knows up to \
         {VERSION_WITH_DIGESTS}; upgrade it"
    )]
    UnknownVersion(u32),
    /// What is on the server is no configuration.
    #[error(
        "the namespace's configuration on the server cannot be read; something else wrote there"
    )]
    Unreadable,
    /// The namespace has a strategy that this program does not know.
    #[error("the namespace's strategy is {0}, which this program does not know; upgrade it")]
    UnknownStrategy(Setting),
    /// A field differs. Of several, one that cannot change is told.
    #[error(
        "{field} is {ours} here but {theirs} on the server; all clients of a namespace must agree"
    )]
    Field {
        /// The field that differs.
        field: &'static str,
        /// Its value in this client.
        ours: Setting,
        /// Its value on the server.
        theirs: Setting,
    },
    /// The namespace keeps keys as they are, and this client has a secret to digest them with.
    #[error("the namespace keeps keys as they are; leave the key secret out, or take another name")]
    PlainKeys,
    /// The namespace keeps digests of keys, and this client has no secret.
    #[error("the namespace keeps digests of keys; give its key secret")]
    NoKeySecret,
    /// The namespace keeps digests of keys by another secret, or by another one as well.
    #[error(
        "the namespace keeps digests of keys by another secret than here; give its key secret, and \
         while that is rotated, both"
    )]
    OtherKeySecret,
}

impl Disagreement {
    /// True if only such fields differ as can be changed while clients work: by
    /// [`Cache::attach`](crate::Cache::attach) and [`Store::reconfigure`](inval_core::Store::reconfigure).
    pub fn is_changeable(&self) -> bool {
        matches!(self, Self::Field { field, .. } if CHANGEABLE.contains(field))
    }
}

/// Why a namespace cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
    /// The server could not be asked.
    #[error(transparent)]
    Server(#[from] CallError),
    /// The namespace keeps to another configuration.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// There is no such namespace.
    #[error("there is no such namespace on the server; open it with a configuration to create it")]
    Unknown,
    /// Both a TTL and a time to idle: the one command that reads could not keep to both.
    #[error("ttl and time_to_idle cannot be had together on Redis; leave one of them out")]
    IdleWithTtl,
    /// No such number of partitions, or one that would leave a partition without any room.
    #[error("{0} partitions: give 1 to 16384, and no more than the limits have room for")]
    Partitions(u32),
}

/// The value of a field of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting(String);

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 == "-" { "not set" } else { &self.0 })
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Agreement {
    /// What a client with this configuration has to agree on, if it can be kept to.
    pub(crate) fn new(
        config: Config,
        partitions: u32,
        journal_cap: u64,
    ) -> Result<Self, OpenError> {
        if config.time_to_idle().is_some() && config.ttl().is_some() {
            return Err(OpenError::IdleWithTtl);
        }
        let (secrets, others) = (Vec::new(), Vec::new());
        let agreement = Self { config, partitions, journal_cap, secrets, others };
        agreement.parts().map(|_| agreement).ok_or(OpenError::Partitions(partitions))
    }

    /// The same with another configuration, which can be kept to.
    pub(crate) fn with(&self, config: Config) -> Self {
        Self { config, ..self.clone() }
    }

    /// The same where digests by these secrets stand for keys.
    pub(crate) fn with_secrets(&self, secrets: Vec<Fingerprint>) -> Self {
        Self { secrets, ..self.clone() }
    }

    /// What falls to each partition; `None` if there is no such number of them, or one has no room.
    pub(crate) fn parts(&self) -> Option<Box<[Config]>> {
        let count = Some(self.partitions).filter(|count| (1..=MOST_PARTITIONS).contains(count))?;
        (0..count).map(|index| self.config.partition(index.into(), count.into())).collect()
    }

    /// The text that is kept on the server.
    pub(crate) fn text(&self) -> String {
        let has_digests = !self.secrets.is_empty();
        let mut text = if has_digests { VERSION_WITH_DIGESTS } else { VERSION }.to_string();
        for (field, value) in self.fields() {
            // Writing into a string cannot fail.
            let _ = write!(text, " {field}={value}");
        }
        if has_digests {
            let secrets: Vec<_> = self.secrets.iter().map(Fingerprint::to_string).collect();
            let _ = write!(text, " {KEY_SECRET}={}", secrets.join(","));
        }
        self.others.iter().for_each(|word| _ = write!(text, " {word}"));
        text
    }

    /// Reads the text that is on the server.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Disagreement> {
        let words = Words::of(text)?;
        let strategy = words.value("strategy")?;
        let unknown = |_| Disagreement::UnknownStrategy(Setting(strategy.to_owned()));
        let mut config = Config::builder().strategy(strategy.parse::<Strategy>().map_err(unknown)?);
        let ttl_jitter = words.value("ttl_jitter")?.parse();
        config = config.ttl_jitter(ttl_jitter.map_err(|_| Disagreement::Unreadable)?);
        config = words.number("max_entries")?.map_or(config, |most| config.max_entries(most));
        config = words.number("max_bytes")?.map_or(config, |most| config.max_bytes(most));
        config = words.millis("ttl_ms")?.map_or(config, |ttl| config.ttl(ttl));
        config = words.millis("time_to_idle_ms")?.map_or(config, |idle| config.time_to_idle(idle));
        let config = config.build().map_err(|_| Disagreement::Unreadable)?;
        let partitions = words.number("partitions")?.and_then(|count| u32::try_from(count).ok());
        let partitions = partitions.ok_or(Disagreement::Unreadable)?;
        let journal_cap = words.number("journal_cap")?.ok_or(Disagreement::Unreadable)?;
        let agreement = Self::new(config, partitions, journal_cap);
        let agreement = agreement.map_err(|_| Disagreement::Unreadable)?;
        Ok(Self { secrets: words.secrets.clone(), others: words.others(), ..agreement })
    }

    /// This agreement, if the text on the server says the same.
    pub(crate) fn confirmed_by(self, text: &[u8]) -> Result<Self, Disagreement> {
        let words = Words::of(text)?;
        let fields = self.fields();
        for field in FIXED.into_iter().chain(CHANGEABLE) {
            let theirs = words.value(field)?;
            let ours = fields.iter().find(|(name, _)| *name == field);
            if let Some((_, ours)) = ours.filter(|(_, ours)| ours != theirs) {
                let (ours, theirs) = (Setting(ours.clone()), Setting(theirs.to_owned()));
                return Err(Disagreement::Field { field, ours, theirs });
            }
        }
        match (self.secrets.is_empty(), words.secrets.is_empty()) {
            (true, false) => Err(Disagreement::NoKeySecret),
            (false, true) => Err(Disagreement::PlainKeys),
            _ => Ok(Self { secrets: words.secrets.clone(), others: words.others(), ..self }),
        }
    }

    /// What the text on the server now says, if a client that has kept to this can go on with it.
    pub(crate) fn followed_to(&self, text: &[u8]) -> Result<Self, Estrangement> {
        match self.clone().confirmed_by(text) {
            Ok(same) => return Ok(same),
            Err(error) if error.is_changeable() => {}
            Err(Disagreement::Field { field, .. }) => return Err(Estrangement::Fixed { field }),
            Err(Disagreement::NoKeySecret | Disagreement::PlainKeys) => {
                return Err(Estrangement::Fixed { field: KEY_SECRET });
            }
            Err(Disagreement::UnknownVersion(version)) => {
                return Err(Estrangement::UnknownVersion(version));
            }
            Err(_) => return Err(Estrangement::Unreadable),
        }
        let theirs = Self::read(text).map_err(|_| Estrangement::Unreadable)?;
        if theirs.secrets.is_empty() != self.secrets.is_empty() {
            return Err(Estrangement::Fixed { field: KEY_SECRET });
        }
        let config = self.config.changed_to(&theirs.config);
        Ok(Self { config: config.map_err(|_| Estrangement::Unreadable)?, ..theirs })
    }

    fn fields(&self) -> [(&'static str, String); 8] {
        let number = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
        let millis = |time: Option<Duration>| number(time.map(|time| time.as_millis() as u64));
        let config = &self.config;
        let ttl_jitter = match config.ttl_jitter() {
            0.0 => "0".to_owned(),
            // With an exponent where that is shorter.
            share => format!("{share:?}"),
        };
        [
            ("strategy", config.strategy().name().to_owned()),
            ("max_entries", number(config.max_entries())),
            ("max_bytes", number(config.max_bytes())),
            ("ttl_ms", millis(config.ttl())),
            ("time_to_idle_ms", millis(config.time_to_idle())),
            ("partitions", self.partitions.to_string()),
            ("journal_cap", self.journal_cap.to_string()),
            ("ttl_jitter", ttl_jitter),
        ]
    }
}

/// The words of a text on the server, each a field and its value.
struct Words<'a> {
    pairs: Vec<(&'a str, &'a str)>,
    /// What the field of them says, which only one version has.
    secrets: Vec<Fingerprint>,
}

impl<'a> Words<'a> {
    fn of(text: &'a [u8]) -> Result<Self, Disagreement> {
        let text = std::str::from_utf8(text).map_err(|_| Disagreement::Unreadable)?;
        let mut words = text.split(' ');
        let has_digests = match words.next().map(str::parse) {
            Some(Ok(VERSION)) => false,
            Some(Ok(VERSION_WITH_DIGESTS)) => true,
            Some(Ok(version)) => return Err(Disagreement::UnknownVersion(version)),
            _ => return Err(Disagreement::Unreadable),
        };
        let pairs: Option<Vec<_>> = words.map(|word| word.split_once('=')).collect();
        let pairs: Vec<(&str, &str)> = pairs.ok_or(Disagreement::Unreadable)?;
        let secrets = pairs.iter().find(|(field, _)| *field == KEY_SECRET);
        let read = |(_, list): &(_, &str)| list.split(',').map(str::parse).collect();
        let secrets: Vec<_> =
            secrets.map_or(Ok(Vec::new()), read).map_err(|_| Disagreement::Unreadable)?;
        if secrets.is_empty() == has_digests || secrets.len() > MOST_SECRETS {
            return Err(Disagreement::Unreadable);
        }
        Ok(Self { pairs, secrets })
    }

    fn value(&self, field: &str) -> Result<&'a str, Disagreement> {
        let of = |(name, _): &&(&str, _)| *name == field;
        let value =
            self.pairs.iter().find(of).or(DEFAULTS.iter().find(of)).map(|(_, value)| *value);
        let is_sane = |value: &&str| value.len() <= 32 && value.is_ascii();
        value.filter(is_sane).ok_or(Disagreement::Unreadable)
    }

    fn number(&self, field: &str) -> Result<Option<u64>, Disagreement> {
        match self.value(field)? {
            "-" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| Disagreement::Unreadable),
        }
    }

    fn millis(&self, field: &str) -> Result<Option<Duration>, Disagreement> {
        Ok(self.number(field)?.map(Duration::from_millis))
    }

    /// Those that this program does not know.
    fn others(&self) -> Vec<String> {
        let is_known = |field: &str| {
            FIXED.contains(&field) || CHANGEABLE.contains(&field) || field == KEY_SECRET
        };
        let others = self.pairs.iter().filter(|(field, _)| !is_known(field));
        others.map(|(field, value)| format!("{field}={value}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement() -> Agreement {
        let config =
            Config::builder().max_entries(100).ttl(Duration::from_secs(60)).build().unwrap();
        Agreement::new(config, 1, 1000).unwrap()
    }

    const TEXT: &str = "1 strategy=s3-fifo max_entries=100 max_bytes=- ttl_ms=60000 \
                        time_to_idle_ms=- partitions=1 journal_cap=1000 ttl_jitter=0";

    #[test]
    fn the_text_is_that_of_the_documentation() {
        assert_eq!(agreement().text(), TEXT);
        assert_eq!(agreement().confirmed_by(TEXT.as_bytes()), Ok(agreement()));
        assert_eq!(Agreement::read(TEXT.as_bytes()), Ok(agreement()));
        let earlier = TEXT.replace(" ttl_jitter=0", "");
        assert_eq!(agreement().confirmed_by(earlier.as_bytes()), Ok(agreement()));
    }

    #[test]
    fn what_was_written_is_read_back() {
        let check = |config: inval_core::ConfigBuilder| {
            let agreement = Agreement::new(config.build().unwrap(), 7, 0).unwrap();
            assert_eq!(Agreement::read(agreement.text().as_bytes()), Ok(agreement));
        };
        for strategy in Strategy::ALL {
            check(Config::builder().strategy(strategy).max_entries(7));
        }
        let jittered = |share| Config::builder().ttl(Duration::from_millis(1)).ttl_jitter(share);
        [0.1, 1e-300, 1.0 - f64::EPSILON / 2.0]
            .into_iter()
            .for_each(|share| check(jittered(share)));
        check(Config::builder().max_bytes(u64::MAX).time_to_idle(inval_core::MAX_LIFETIME));
    }

    #[test]
    fn a_difference_is_told_by_the_fields_name() {
        let check = |from: &str, to: &str, want: &str, is_changeable: bool| {
            let text = TEXT.replace(from, to);
            let error = agreement().confirmed_by(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
            assert_eq!(error.is_changeable(), is_changeable, "{error}");
        };
        check(
            "max_entries=100",
            "max_entries=200",
            "max_entries is 100 here but 200 on the server",
            true,
        );
        check("max_bytes=-", "max_bytes=5", "max_bytes is not set here but 5", true);
        check("ttl_jitter=0", "ttl_jitter=0.5", "ttl_jitter is 0 here but 0.5", true);
        check("s3-fifo", "lru", "strategy is s3-fifo here but lru", false);
        check("s3-fifo max_entries=100", "lru max_entries=7", "strategy is", false);
        check("journal_cap=1000", "journal_cap=1", "journal_cap is 1000 here but 1", false);
        check("1 strategy", "3 strategy", "version 3", false);
        check("1 strategy", "2 strategy", "cannot be read", false);
        let secret = "2 key_secret=0123456789abcdef strategy";
        check("1 strategy", secret, "keeps digests of keys", false);
        check("1 strategy", &secret.replace('2', "1"), "cannot be read", false);
        check("1 strategy", &secret.replace("0123", "012"), "cannot be read", false);
        check("1 strategy", "one strategy", "cannot be read", false);
        check("max_entries=100 ", "", "cannot be read", false);
        check("partitions=1", "partitions=\u{7f}é", "cannot be read", false);
        check(TEXT, "", "cannot be read", false);
    }

    #[test]
    fn what_makes_no_sense_cannot_be_read() {
        let check = |from: &str, to: &str, want: Disagreement| {
            assert_eq!(Agreement::read(TEXT.replace(from, to).as_bytes()), Err(want), "{to}");
        };
        let unreadable = || Disagreement::Unreadable;
        check("s3-fifo", "arc", Disagreement::UnknownStrategy(Setting("arc".into())));
        check("max_entries=100", "max_entries=0", unreadable());
        check("max_entries=100", "max_entries=many", unreadable());
        check("partitions=1", "partitions=0", unreadable());
        check("partitions=1", "partitions=101", unreadable());
        check("partitions=1", "partitions=4294967297", unreadable());
        check("journal_cap=1000", "journal_cap=-", unreadable());
        check("time_to_idle_ms=-", "time_to_idle_ms=5", unreadable());
        check("ttl_jitter=0", "ttl_jitter=1", unreadable());
        check("ttl_jitter=0", "ttl_jitter=NaN", unreadable());
    }

    #[test]
    fn limits_and_lifetimes_are_followed_and_nothing_else() {
        let follow =
            |from: &str, to: &str| agreement().followed_to(TEXT.replace(from, to).as_bytes());
        let followed = follow("max_entries=100", "max_entries=7 colour=red").unwrap();
        assert_eq!(followed.config.max_entries(), Some(7));
        let changed = TEXT.replace("max_entries=100", "max_entries=7");
        assert_eq!(followed.text(), format!("{changed} colour=red"), "nothing is lost");
        assert_eq!(follow("ttl_ms=60000", "ttl_ms=-").unwrap().config.ttl(), None);
        let check = |from: &str, to: &str, want: Estrangement| {
            assert_eq!(follow(from, to), Err(want), "{to}");
        };
        check("s3-fifo", "arc", Estrangement::Fixed { field: "strategy" });
        check("partitions=1", "partitions=2", Estrangement::Fixed { field: "partitions" });
        check("1 strategy", "3 strategy", Estrangement::UnknownVersion(3));
        let secret = "2 key_secret=0123456789abcdef strategy";
        check("1 strategy", secret, Estrangement::Fixed { field: "key_secret" });
        check("max_entries=100", "max_entries=0", Estrangement::Unreadable);
        check("max_entries=100", "max_entries=-1", Estrangement::Unreadable);
        check(TEXT, "", Estrangement::Unreadable);
    }

    #[test]
    fn secrets_are_followed_but_not_from_none_to_one() {
        let prints = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let one = agreement().with_secrets(prints(&["0123456789abcdef"]));
        let two = one.with_secrets(prints(&["fedcba9876543210", "0123456789abcdef"]));
        let text = "2 strategy=s3-fifo max_entries=100 max_bytes=- ttl_ms=60000 time_to_idle_ms=- partitions=1 \
                    journal_cap=1000 ttl_jitter=0 key_secret=fedcba9876543210,0123456789abcdef";
        assert_eq!(two.text(), text);
        assert_eq!(Agreement::read(text.as_bytes()), Ok(two.clone()));
        assert_eq!(one.followed_to(text.as_bytes()), Ok(two.clone()));
        assert_eq!(one.clone().confirmed_by(text.as_bytes()), Ok(two));
        let fixed = Err(Estrangement::Fixed { field: "key_secret" });
        assert_eq!(one.followed_to(TEXT.as_bytes()), fixed);
        assert_eq!(one.followed_to(TEXT.replace("entries=100", "entries=9").as_bytes()), fixed);
        assert_eq!(one.confirmed_by(TEXT.as_bytes()), Err(Disagreement::PlainKeys));
        let more = text.replace("key_secret=", "key_secret=0000000000000000,");
        assert_eq!(Agreement::read(more.as_bytes()), Err(Disagreement::Unreadable));
    }

    #[test]
    fn following_keeps_the_seed_that_only_this_client_has() {
        let config = Config::builder().max_entries(100).seed(7).build().unwrap();
        let agreement = Agreement::new(config, 1, 1000).unwrap();
        let text = agreement.text().replace("=100 ", "=50 ");
        let followed = agreement.followed_to(text.as_bytes()).unwrap();
        assert_eq!((followed.config.seed(), followed.config.max_entries()), (7, Some(50)));
    }
}
