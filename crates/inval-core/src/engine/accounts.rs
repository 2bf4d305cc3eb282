//! The accounts of a partition: what is written to the server, and what earlier managers had written.

use crate::stats::{RemovalCause, Stats, Usage};

/// The causes and their fields.
const CAUSES: [(RemovalCause, &str, &str); 5] = [
    (RemovalCause::Expired, "expired_entries", "expired_bytes"),
    (RemovalCause::Evicted, "evicted_entries", "evicted_bytes"),
    (RemovalCause::Invalidated, "invalidated_entries", "invalidated_bytes"),
    (RemovalCause::Replaced, "replaced_entries", "replaced_bytes"),
    (RemovalCause::Vanished, "vanished_entries", "vanished_bytes"),
];

/// The scripts count in floating point, which is exact up to here.
const MOST: u64 = 1 << 53;

/// What the accounts of a partition on the server say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accounts {
    /// What was counted. The histograms are empty and `peak` is 0: they are not kept on the server.
    pub stats: Stats,
    /// The last fencing token given out.
    pub token: u64,
    /// How often a journal was dropped.
    pub generation: u64,
    /// Records taken off the journal.
    pub drained: u64,
    /// The number of the last step of a manager.
    pub steps: u64,
    /// Records that could not be read.
    pub poisoned: u64,
    /// Entries whose books were put right by a look at the server.
    pub repaired: u64,
    /// Of a thousand reads, how many are worth telling.
    pub touch_permille: u64,
}

impl Accounts {
    /// Reads the accounts from their fields. Unknown fields are passed over, missing ones are 0, and
    /// none is more than a script can count to.
    pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut accounts = Self::default();
        for (field, value) in fields {
            if let Some(place) = accounts.place(field) {
                *place = value.min(MOST);
            }
        }
        accounts
    }

    /// The fields that a manager writes.
    pub fn managed_fields(&self) -> Vec<(&'static str, u64)> {
        let Stats { usage, inserted, .. } = &self.stats;
        let mut fields = vec![
            ("entries", usage.entries),
            ("bytes", usage.bytes),
            ("inserted_entries", inserted.entries),
            ("inserted_bytes", inserted.bytes),
            ("poisoned", self.poisoned),
            ("repaired", self.repaired),
            ("touch_permille", self.touch_permille),
        ];
        for (cause, entries, bytes) in CAUSES {
            let removed = self.stats.removed(cause);
            fields.extend([(entries, removed.entries), (bytes, removed.bytes)]);
        }
        fields
    }

    fn place(&mut self, field: &str) -> Option<&mut u64> {
        let stats = &mut self.stats;
        Some(match field {
            "entries" => &mut stats.usage.entries,
            "bytes" => &mut stats.usage.bytes,
            "inserted_entries" => &mut stats.inserted.entries,
            "inserted_bytes" => &mut stats.inserted.bytes,
            "hits" => &mut stats.hits,
            "misses" => &mut stats.misses,
            "token" => &mut self.token,
            "generation" => &mut self.generation,
            "drained" => &mut self.drained,
            "steps" => &mut self.steps,
            "poisoned" => &mut self.poisoned,
            "repaired" => &mut self.repaired,
            "touch_permille" => &mut self.touch_permille,
            _ => {
                let of_entries = CAUSES.iter().find(|(_, entries, _)| *entries == field);
                let of_bytes = CAUSES.iter().find(|(_, _, bytes)| *bytes == field);
                return match (of_entries, of_bytes) {
                    (Some((cause, ..)), _) => Some(&mut stats.removed_mut(*cause).entries),
                    (_, Some((cause, ..))) => Some(&mut stats.removed_mut(*cause).bytes),
                    _ => None,
                };
            }
        })
    }
}

/// What earlier ledgers of a partition had counted; a ledger begins at 0 after each rebuild.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    stats: Stats,
    pub(super) poisoned: u64,
    pub(super) repaired: u64,
}

impl Carried {
    /// Goes on from accounts.
    pub(super) fn from_accounts(accounts: &Accounts) -> Self {
        let Accounts { stats, poisoned, repaired, .. } = accounts.clone();
        Self { stats, poisoned, repaired }
    }

    /// Goes on from what has been counted up to now.
    pub(super) fn go_on_from(&mut self, ledger: &Stats) {
        self.stats = self.total(ledger);
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What has been counted in all.
    pub(super) fn total(&self, ledger: &Stats) -> Stats {
        let mut total = self.stats.clone();
        total += ledger;
        total
    }

    /// Ends a rebuild in which a look found `found` entries: they were counted as inserted anew, and
    /// what the books had beyond them has vanished.
    pub(super) fn settle(&mut self, found: Usage) {
        let known = std::mem::take(&mut self.stats.usage);
        let lost = Usage {
            entries: known.entries.saturating_sub(found.entries),
            bytes: known.bytes.saturating_sub(found.bytes),
        };
        self.stats.vanished += lost;
        self.stats.inserted = self.stats.removed_in_all();
    }
}
