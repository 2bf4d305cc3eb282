//! The accounts of a partition: what is written to the server, and what earlier managers had written.

use crate::stats::{Histogram, RemovalCause, Stats, Usage};

/// The causes and their fields.
const CAUSES: [(RemovalCause, &str, &str); 5] = [
    (RemovalCause::Expired, "expired_entries", "expired_bytes"),
    (RemovalCause::Evicted, "evicted_entries", "evicted_bytes"),
    (RemovalCause::Invalidated, "invalidated_entries", "invalidated_bytes"),
    (RemovalCause::Replaced, "replaced_entries", "replaced_bytes"),
    (RemovalCause::Vanished, "vanished_entries", "vanished_bytes"),
];

/// The fields of a histogram's buckets: `<prefix>n` counts what has `n` binary digits, the last what has more.
macro_rules! buckets {
    ($prefix:literal: $($n:literal)*) => { [$(concat!($prefix, $n)),*] };
}
const AGES: [&str; Histogram::BUCKETS] = buckets!("age_":
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
    21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41);
const IDLES: [&str; Histogram::BUCKETS] = buckets!("idle_":
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
    21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41);

/// The scripts count in floating point, which is exact up to here. Sums are never counted by them.
const MOST: u64 = 1 << 53;
const SUM: &str = "_sum";

/// The field that a manager writes when it leaves.
pub(super) const LEFT: &str = "left";

/// What the accounts of a partition on the server say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accounts {
    /// What was counted. `dropped_journals` is the generation of the journal.
    pub stats: Stats,
    /// The last fencing token given out.
    pub token: u64,
    /// Records taken off the journal.
    pub drained: u64,
    /// The number of the last step of a manager.
    pub steps: u64,
    /// Of a thousand reads, how many are worth telling.
    pub touch_permille: u64,
    /// The fencing token of the last manager that gave up its lease of its own accord.
    pub left: u64,
}

impl Accounts {
    /// Reads the accounts from their fields. Unknown fields are passed over, missing ones are 0, and
    /// no count is more than a script can count to.
    pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut accounts = Self::default();
        for (field, value) in fields {
            if let Some(place) = accounts.place(field) {
                *place = if field.ends_with(SUM) { value } else { value.min(MOST) };
            }
        }
        let Stats { peak, usage, .. } = &mut accounts.stats;
        // Those of earlier programs lack it.
        *peak = peak.max(*usage);
        accounts
    }

    /// The fields that a manager writes, always the same in the same order.
    pub fn managed_fields(&self) -> Vec<(&'static str, u64)> {
        let Stats { usage, inserted, peak, evicted_age, evicted_idle, .. } = &self.stats;
        let mut fields = vec![
            ("entries", usage.entries),
            ("bytes", usage.bytes),
            ("peak_entries", peak.entries),
            ("peak_bytes", peak.bytes),
            ("inserted_entries", inserted.entries),
            ("inserted_bytes", inserted.bytes),
            ("poisoned", self.stats.poisoned),
            ("repaired", self.stats.repaired),
            ("touch_permille", self.touch_permille),
        ];
        for (cause, entries, bytes) in CAUSES {
            let removed = self.stats.removed(cause);
            fields.extend([(entries, removed.entries), (bytes, removed.bytes)]);
        }
        let histograms = [(&AGES, "age_sum", evicted_age), (&IDLES, "idle_sum", evicted_idle)];
        for (buckets, sum, histogram) in histograms {
            fields.push((sum, histogram.sum()));
            fields.extend(buckets.iter().copied().zip(histogram.counts().iter().copied()));
        }
        fields
    }

    fn place(&mut self, field: &str) -> Option<&mut u64> {
        let stats = &mut self.stats;
        Some(match field {
            "entries" => &mut stats.usage.entries,
            "bytes" => &mut stats.usage.bytes,
            "peak_entries" => &mut stats.peak.entries,
            "peak_bytes" => &mut stats.peak.bytes,
            "inserted_entries" => &mut stats.inserted.entries,
            "inserted_bytes" => &mut stats.inserted.bytes,
            "hits" => &mut stats.hits,
            "misses" => &mut stats.misses,
            "token" => &mut self.token,
            "generation" => &mut stats.dropped_journals,
            "drained" => &mut self.drained,
            "steps" => &mut self.steps,
            "poisoned" => &mut stats.poisoned,
            "repaired" => &mut stats.repaired,
            "touch_permille" => &mut self.touch_permille,
            LEFT => &mut self.left,
            _ if field.starts_with("age_") => place_in(&mut stats.evicted_age, &AGES, field)?,
            _ if field.starts_with("idle_") => place_in(&mut stats.evicted_idle, &IDLES, field)?,
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

fn place_in<'a>(
    histogram: &'a mut Histogram,
    buckets: &[&str],
    field: &str,
) -> Option<&'a mut u64> {
    let (counts, sum) = histogram.places();
    if field.ends_with(SUM) {
        return Some(sum);
    }
    counts.get_mut(buckets.iter().position(|bucket| *bucket == field)?)
}

/// What is known of the fields that a manager writes as they stand on the server, each in its place. That of buckets
/// is what the server says, so that empty ones are not written; nothing is known of the others.
pub(super) fn known(accounts: &Accounts) -> Vec<Option<u64>> {
    let is_bucket = |field: &str| AGES.contains(&field) || IDLES.contains(&field);
    let fields = accounts.managed_fields().into_iter();
    fields.map(|(field, value)| is_bucket(field).then_some(value)).collect()
}

/// The fields that are not on the server as they are `now`.
pub(super) fn changed(
    now: &[(&'static str, u64)],
    known: &[Option<u64>],
) -> Vec<(&'static str, u64)> {
    let fields = now.iter().zip(known);
    let changed = fields.filter(|((_, value), known)| **known != Some(*value));
    changed.map(|(field, _)| *field).collect()
}

/// What earlier ledgers of a partition had counted; a ledger begins at 0 after each rebuild.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    stats: Stats,
}

impl Carried {
    /// Goes on from accounts.
    pub(super) fn from_accounts(accounts: &Accounts) -> Self {
        Self { stats: accounts.stats.clone() }
    }

    /// Goes on from what has been counted up to now.
    pub(super) fn go_on_from(&mut self, ledger: &Stats) {
        self.stats = self.total(ledger);
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What has been counted in all. The books of a ledger take the place of those before, so that its peak is
    /// another one of the same partition.
    pub(super) fn total(&self, ledger: &Stats) -> Stats {
        let mut total = self.stats.clone();
        total += ledger;
        total.peak = self.stats.peak.max(ledger.peak);
        total
    }

    /// Counts a record that could not be read.
    pub(super) fn note_poisoned(&mut self) {
        self.stats.poisoned += 1;
    }

    /// Counts an entry whose books were put right.
    pub(super) fn note_repaired(&mut self) {
        self.stats.repaired += 1;
    }

    /// Notes how many journals have been dropped.
    pub(super) fn note_generation(&mut self, generation: u64) {
        self.stats.dropped_journals = generation;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        let mut accounts = Accounts::default();
        let Stats { evicted_age, evicted_idle, peak, .. } = &mut accounts.stats;
        [0, 16, 1_000, 1_000, u64::MAX].into_iter().for_each(|age| evicted_age.record(age));
        evicted_idle.record(5_000);
        *peak = Usage { entries: 3, bytes: 30 };
        accounts
    }

    fn read(fields: &[(&str, u64)]) -> Accounts {
        Accounts::from_fields(fields.iter().copied())
    }

    #[test]
    fn what_a_manager_writes_is_read_back() {
        let fields = accounts().managed_fields();
        assert_eq!(read(&fields), accounts());
        let is_told = |field, value| assert!(fields.contains(&(field, value)), "{field}");
        is_told("age_0", 1);
        is_told("age_5", 1);
        is_told("age_10", 2);
        is_told("age_41", 1);
        is_told("age_sum", u64::MAX);
        is_told("idle_13", 1);
        is_told("idle_sum", 5_000);
        is_told("peak_bytes", 30);
    }

    #[test]
    fn every_field_is_read_into_a_place_of_its_own() {
        let names: Vec<_> = accounts().managed_fields().into_iter().map(|(name, _)| name).collect();
        // The peaks are the highest, for they are never below what there is.
        let is_peak = |name: &str| name.starts_with("peak_");
        let rank = |nth: usize, name| 1 + nth as u64 + if is_peak(name) { 1_000 } else { 0 };
        let fields = names.iter().enumerate().map(|(nth, name)| (*name, rank(nth, name)));
        let fields: Vec<_> = fields.collect();
        assert_eq!(read(&fields).managed_fields(), fields);

        let others = ["hits", "misses", "token", "generation", "drained", "steps"];
        let read = read(&others.into_iter().zip(1..).collect::<Vec<_>>());
        let Accounts { stats, token, drained, steps, .. } = read;
        let places = [stats.hits, stats.misses, token, stats.dropped_journals, drained, steps];
        assert_eq!(places, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn only_what_has_changed_is_written_and_no_empty_bucket() {
        let before = accounts().managed_fields();
        let first = changed(&before, &known(&Accounts::default()));
        assert_eq!(read(&first), accounts());
        assert!(first.contains(&("evicted_entries", 0)) && !first.iter().any(|f| f.0 == "age_1"));
        let written: Vec<_> = before.iter().map(|(_, value)| Some(*value)).collect();
        assert!(changed(&before, &written).is_empty());
        let mut later = accounts();
        later.stats.evicted_age.record(1);
        later.stats.evicted_idle.record(1);
        let want = [("age_1", 1), ("idle_sum", 5_001), ("idle_1", 1)];
        assert_eq!(changed(&later.managed_fields(), &written), want);
    }

    #[test]
    fn a_bucket_that_others_filled_is_emptied_by_who_knows_better() {
        let fields = changed(&Accounts::default().managed_fields(), &known(&accounts()));
        assert!(fields.contains(&("age_10", 0)) && !fields.contains(&("age_11", 0)));
    }

    #[test]
    fn whatever_somebody_wrote_there_does_no_harm() {
        let names = accounts().managed_fields();
        let hostile: Vec<_> = names.iter().map(|(field, _)| (*field, u64::MAX)).collect();
        let accounts = read(&hostile);
        assert_eq!(accounts.stats.peak, Usage { entries: MOST, bytes: MOST });
        let mut total = accounts.stats.clone();
        (0..100).for_each(|_| total.evicted_age += &accounts.stats.evicted_age);
        assert_eq!(total.evicted_age.sum(), u64::MAX);
        assert!(total.evicted_age.count() >= MOST && total.evicted_age.quantile(0.5).is_some());
        let unknown = [("age_42", 1), ("age_", 1), ("idle_01", 1), ("idle_x", 1), ("peak", 1)];
        assert_eq!(read(&unknown), Accounts::default());
        assert_eq!(read(&[("entries", 5)]).stats.peak.entries, 5, "no peak below what there is");
    }

    #[test]
    fn histograms_add_up_and_the_peak_is_the_higher_one() {
        let carried = Carried::from_accounts(&accounts());
        let peak = Usage { entries: 2, bytes: 40 };
        let total = carried.total(&Stats { peak, ..accounts().stats });
        assert_eq!(total.peak, Usage { entries: 3, bytes: 40 });
        assert_eq!((total.evicted_age.count(), total.evicted_idle.sum()), (10, 10_000));
    }
}
