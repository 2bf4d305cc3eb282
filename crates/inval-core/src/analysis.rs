//! The analysis of a namespace: what many entries add up to, taken in one by one and kept in bounded memory.
//!
//! ```
//! use inval_core::analysis::{Analysis, AnalysisSettings};
//! use inval_core::{EntryInfo, Key, Lifetime, Weight};
//!
//! let mut analysis = Analysis::new(AnalysisSettings::default())?;
//! for (key, bytes) in [("user:1", 40), ("user:2", 60), ("session:9", 500)] {
//!     let info = EntryInfo {
//!         weight: Some(Weight::new(bytes)),
//!         lifetime: Lifetime::Unlimited,
//!         idle: None,
//!         age: None,
//!     };
//!     analysis.note(&Key::new(key.as_bytes())?, &info);
//! }
//! assert_eq!((analysis.seen().entries, analysis.seen().bytes), (3, 600));
//! assert_eq!(analysis.remaining().missing(), 3); // none of them expires
//! assert_eq!(analysis.largest()[0].key.as_bytes(), b"session:9");
//! let prefixes = analysis.prefixes();
//! assert_eq!((prefixes[1].prefix, prefixes[1].bytes), (&b"user:"[..], 100));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod settings;
mod largest;
mod prefixes;

use std::fmt;
use std::time::Duration;

use crate::stats::{Histogram, Usage};
use crate::store::{EntryInfo, Lifetime, Page, Weighing};
use crate::units::{Key, millis};
pub use largest::LargeEntry;
use largest::Largest;
pub use prefixes::PrefixWeight;
use prefixes::Prefixes;
pub use settings::{AnalysisError, AnalysisSettings};

/// What entries add up to. Its memory depends on the settings and not on the number of entries. `Debug`
/// shows no keys.
#[derive(Clone)]
pub struct Analysis {
    settings: AnalysisSettings,
    seen: Usage,
    estimated: u64,
    weight: Distribution,
    remaining: Distribution,
    idle: Distribution,
    age: Distribution,
    largest: Largest,
    unprefixed: Usage,
    prefixes: Prefixes,
}

/// How a quantity is spread over entries, and how many have none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Distribution {
    histogram: Histogram,
    missing: u64,
}

impl Distribution {
    /// The entries that have the quantity.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// How many entries do not have it, or nobody knows.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    fn note(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.histogram.record(value),
            None => self.missing += 1,
        }
    }

    fn note_time(&mut self, time: Option<Duration>) {
        self.note(time.map(millis));
    }
}

impl Analysis {
    /// An analysis that has seen nothing.
    pub fn new(settings: AnalysisSettings) -> Result<Self, AnalysisError> {
        settings.validate()?;
        Ok(Self {
            seen: Usage::default(),
            estimated: 0,
            weight: Distribution::default(),
            remaining: Distribution::default(),
            idle: Distribution::default(),
            age: Distribution::default(),
            largest: Largest::new(settings.top),
            unprefixed: Usage::default(),
            prefixes: Prefixes::new(settings.prefixes),
            settings,
        })
    }

    /// What it goes by.
    pub fn settings(&self) -> &AnalysisSettings {
        &self.settings
    }

    /// Takes in an entry. One that comes twice counts twice, but is among the largest once.
    pub fn note(&mut self, key: &Key, info: &EntryInfo) {
        let bytes = info.weight.map(|weight| u64::from(weight.bytes()));
        let remaining = match info.lifetime {
            Lifetime::Remaining(remaining) => Some(remaining),
            Lifetime::Unlimited => None,
            Lifetime::Absent => return,
        };
        self.weight.note(bytes);
        self.remaining.note_time(remaining);
        self.idle.note_time(info.idle);
        self.age.note_time(info.age);
        if let Some(weight) = info.weight {
            self.largest.note(key, weight);
        }
        let one = Usage { entries: 1, bytes: bytes.unwrap_or(0) };
        self.seen += one;
        match self.settings.prefix_of(key.as_bytes()) {
            Some(prefix) => self.prefixes.note(prefix, one.bytes),
            None => self.unprefixed += one,
        }
    }

    /// Takes in all entries of a page.
    pub fn note_page(&mut self, page: &Page) {
        let before = self.weight.histogram.count();
        page.entries.iter().for_each(|(key, info)| self.note(key, info));
        if page.weighing == Weighing::Estimated {
            self.estimated += self.weight.histogram.count() - before;
        }
    }

    /// How many entries it has seen, and the sum of their weights as far as they are known.
    pub fn seen(&self) -> Usage {
        self.seen
    }

    /// Of how many entries the weight is the server's estimate and not what they are charged.
    pub fn estimated(&self) -> u64 {
        self.estimated
    }

    /// Weights in bytes. Missing is what nobody knows.
    pub fn weight(&self) -> &Distribution {
        &self.weight
    }

    /// How long entries have still to live, in milliseconds. Missing is what never expires.
    pub fn remaining(&self) -> &Distribution {
        &self.remaining
    }

    /// How long ago entries were last read or written, in milliseconds. Missing is what nobody knows.
    pub fn idle(&self) -> &Distribution {
        &self.idle
    }

    /// How long ago entries were written, in milliseconds. Missing is what nobody knows.
    pub fn age(&self) -> &Distribution {
        &self.age
    }

    /// The largest entries, largest first; of equal ones those whose keys come first.
    pub fn largest(&self) -> Vec<LargeEntry<'_>> {
        self.largest.sorted()
    }

    /// All entries whose keys have no prefix.
    pub fn unprefixed(&self) -> Usage {
        self.unprefixed
    }

    /// The prefixes that are counted, heaviest first. As many as [`AnalysisSettings::prefixes`] allows: the
    /// weights are exact while there are no more.
    pub fn prefixes(&self) -> Vec<PrefixWeight<'_>> {
        self.prefixes.sorted()
    }

    /// No prefix that is not among [`prefixes`](Self::prefixes) weighs more bytes than this.
    pub fn most_uncounted(&self) -> u64 {
        self.prefixes.most_uncounted()
    }
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("seen", &self.seen).finish_non_exhaustive()
    }
}
