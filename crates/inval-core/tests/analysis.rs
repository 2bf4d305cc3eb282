//! Properties of the analysis: it tells what a model without bounds tells, and its error bounds hold.
#![cfg(test)]

mod support {
    pub(crate) mod cases;
}

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use inval_core::analysis::{Analysis, AnalysisSettings};
use inval_core::{Cursor, EntryInfo, Histogram, Key, Lifetime, Page, Usage, Weighing, Weight};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy as Generate, prop_oneof};
use proptest::test_runner::TestRunner;
use support::cases::cases;

type Entry = (Key, EntryInfo);

fn times() -> impl Generate<Value = Duration> {
    (0..50_u32).prop_map(|log| Duration::from_millis(1 << log))
}

fn keys(prefixes: u32) -> impl Generate<Value = Key> {
    let prefixed = (0..prefixes, 0..50_u32).prop_map(|(a, b)| format!("p{a}:{b}"));
    let deep = (0..prefixes, 0..3_u32, 0..9_u32).prop_map(|(a, b, c)| format!("p{a}:{b}:{c}"));
    let bare = (0..50_u32).prop_map(|n| format!("bare{n}"));
    let text = prop_oneof![6 => prefixed, 2 => deep, 1 => bare];
    text.prop_map(|text| Key::new(text.as_bytes()).unwrap())
}

fn entries(prefixes: u32) -> impl Generate<Value = Vec<Entry>> {
    let weights = prop_oneof![4 => 0..100_u32, 1 => 0..100_000_u32].prop_map(Weight::new);
    let lifetimes = prop_oneof![times().prop_map(Lifetime::Remaining), Just(Lifetime::Unlimited)];
    let infos =
        (option::weighted(0.9, weights), lifetimes, option::of(times()), option::of(times()));
    let infos =
        infos.prop_map(|(weight, lifetime, idle, age)| EntryInfo { weight, lifetime, idle, age });
    vec((keys(prefixes), infos), 0..400)
}

fn analysed(settings: &AnalysisSettings, entries: &[Entry]) -> Analysis {
    let mut analysis = Analysis::new(settings.clone()).unwrap();
    entries.iter().for_each(|(key, info)| analysis.note(key, info));
    analysis
}

fn bytes((_, info): &Entry) -> u64 {
    info.weight.map_or(0, |weight| u64::from(weight.bytes()))
}

/// What the keys with each prefix weigh, and how many they are; under `None` those without.
fn by_prefix(settings: &AnalysisSettings, entries: &[Entry]) -> HashMap<Option<Vec<u8>>, Usage> {
    let mut sums: HashMap<_, Usage> = HashMap::new();
    for entry in entries {
        let text = entry.0.as_bytes();
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at + 1);
        let end = ends.take(settings.depth as usize).last();
        let prefix = end.map(|end| text[..end].to_vec());
        *sums.entry(prefix).or_default() += Usage { entries: 1, bytes: bytes(entry) };
    }
    sums
}

fn run(prefixes: u32, cases_: u32, property: impl Fn(&[Entry])) {
    let outcome = TestRunner::new(cases(cases_)).run(&entries(prefixes), |entries| {
        property(&entries);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn sums_and_distributions_are_those_of_all_entries() {
    run(5, 64, |entries| {
        let analysis = analysed(&AnalysisSettings::default(), entries);
        let total = Usage { entries: entries.len() as u64, bytes: entries.iter().map(bytes).sum() };
        assert_eq!(analysis.seen(), total);
        let check = |distribution: &inval_core::analysis::Distribution,
                     of: &dyn Fn(&EntryInfo) -> Option<u64>| {
            let mut histogram = Histogram::default();
            let values: Vec<u64> = entries.iter().filter_map(|(_, info)| of(info)).collect();
            values.iter().for_each(|value| histogram.record(*value));
            assert_eq!(distribution.histogram(), &histogram);
            assert_eq!(distribution.missing(), (entries.len() - values.len()) as u64);
        };
        let ms = |time: Duration| time.as_millis() as u64;
        check(analysis.weight(), &|info| info.weight.map(|weight| u64::from(weight.bytes())));
        check(analysis.idle(), &|info| info.idle.map(ms));
        check(analysis.age(), &|info| info.age.map(ms));
        check(analysis.remaining(), &|info| match info.lifetime {
            Lifetime::Remaining(left) => Some(ms(left)),
            _ => None,
        });
    });
}

#[test]
fn the_largest_are_the_largest_in_whatever_order_they_come() {
    run(5, 64, |entries| {
        // Each key once, as its last entry is.
        let each: BTreeMap<&Key, &EntryInfo> =
            entries.iter().map(|(key, info)| (key, info)).collect();
        let mut entries: Vec<Entry> =
            each.into_iter().map(|(k, info)| (k.clone(), *info)).collect();
        let mut want: Vec<(Key, Weight)> =
            entries.iter().filter_map(|(key, info)| Some((key.clone(), info.weight?))).collect();
        want.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        want.truncate(7);
        for _ in 0..3 {
            let settings = AnalysisSettings { top: 7, ..AnalysisSettings::default() };
            let analysis = analysed(&settings, &entries);
            let got: Vec<(Key, Weight)> =
                analysis.largest().iter().map(|large| (large.key.clone(), large.weight)).collect();
            assert_eq!(got, want);
            entries.reverse();
            let middle = entries.len() / 2;
            entries.rotate_left(middle);
        }
    });
}

#[test]
fn few_prefixes_are_weighed_exactly() {
    for depth in [1, 2] {
        let settings = AnalysisSettings { depth, ..AnalysisSettings::default() };
        run(12, 48, |entries| {
            let analysis = analysed(&settings, entries);
            let mut want = by_prefix(&settings, entries);
            assert_eq!(analysis.unprefixed(), want.remove(&None).unwrap_or_default());
            assert_eq!(analysis.most_uncounted(), 0);
            let prefixes = analysis.prefixes();
            assert!(prefixes.is_sorted_by_key(|prefix| std::cmp::Reverse(prefix.bytes)));
            assert_eq!(prefixes.len(), want.len());
            for prefix in prefixes {
                let usage = Usage { entries: prefix.entries, bytes: prefix.bytes };
                assert_eq!((want[&Some(prefix.prefix.to_vec())], prefix.error), (usage, 0));
            }
        });
    }
}

#[test]
fn of_many_prefixes_the_error_bounds_hold() {
    let settings = AnalysisSettings { prefixes: 8, ..AnalysisSettings::default() };
    run(60, 128, |entries| {
        let analysis = analysed(&settings, entries);
        let mut want = by_prefix(&settings, entries);
        want.remove(&None);
        let total: u64 = want.values().map(|usage| usage.bytes).sum();
        let prefixes = analysis.prefixes();
        assert!(prefixes.len() <= 8);
        assert_eq!(prefixes.iter().map(|prefix| prefix.bytes).sum::<u64>(), total);
        for prefix in prefixes {
            let Usage { entries, bytes } = want.remove(&Some(prefix.prefix.to_vec())).unwrap();
            assert!((prefix.bytes - prefix.error..=prefix.bytes).contains(&bytes), "{prefix:?}");
            assert!(prefix.error <= total / 8, "above an even share: {prefix:?}");
            assert!(prefix.entries <= entries);
        }
        let uncounted = want.values().map(|usage| usage.bytes).max().unwrap_or(0);
        assert!(uncounted <= analysis.most_uncounted());
    });
}

#[test]
fn an_entry_that_comes_twice_is_among_the_largest_once() {
    let info = |bytes| EntryInfo {
        weight: Some(Weight::new(bytes)),
        lifetime: Lifetime::Unlimited,
        idle: None,
        age: None,
    };
    let key = |text: &str| Key::new(text.as_bytes()).unwrap();
    let entries = [(key("a"), info(9)), (key("b"), info(5)), (key("a"), info(9))];
    let analysis = analysed(&AnalysisSettings::default(), &entries);
    let largest: Vec<u32> = analysis.largest().iter().map(|large| large.weight.bytes()).collect();
    assert_eq!(largest, [9, 5]);
    assert_eq!(analysis.seen().entries, 3);
}

#[test]
fn estimates_are_counted_and_absent_entries_are_not() {
    let entry = |weight: Option<u32>, lifetime| {
        let info = EntryInfo { weight: weight.map(Weight::new), lifetime, idle: None, age: None };
        (Key::new(b"a:secret").unwrap(), info)
    };
    let page = |weighing| Page {
        entries: vec![
            entry(Some(1), Lifetime::Unlimited),
            entry(None, Lifetime::Unlimited),
            entry(Some(1), Lifetime::Absent),
        ],
        weighing,
        next: Some(Cursor::START),
        begins_anew: false,
        held: Duration::ZERO,
    };
    let mut analysis = Analysis::new(AnalysisSettings::default()).unwrap();
    analysis.note_page(&page(Weighing::Charged));
    assert_eq!((analysis.seen(), analysis.estimated()), (Usage { entries: 2, bytes: 1 }, 0));
    analysis.note_page(&page(Weighing::Estimated));
    assert_eq!((analysis.seen(), analysis.estimated()), (Usage { entries: 4, bytes: 2 }, 1));
    let shown = format!("{analysis:?} {:?} {:?}", analysis.largest(), analysis.prefixes());
    assert!(!shown.contains("secret") && !shown.contains("a:"), "{shown}");
}
