//! Whatever the text, arguments of the command line are refused or keep to what they promise.
#![no_main]

use inval_core::Strategy;
use inval_replay::quantity::parse_duration;
use inval_replay::{ByteSize, Capacity, Format, Workload};
use libfuzzer_sys::fuzz_target;

/// Requests drawn from a workload, out of the billions it may have.
const MOST: usize = 1000;

fuzz_target!(|text: &str| {
    if let Ok(workload) = text.parse() {
        check_workload(&workload);
    }
    if let Ok(capacity) = text.parse() {
        check_capacity(capacity);
    }
    if let Ok(ByteSize(bytes)) = text.parse() {
        assert_eq!(format!("{bytes} B").parse(), Ok(ByteSize(bytes)));
    }
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&format!("{}us", duration.as_micros())), Ok(duration));
        assert!(u64::try_from(duration.as_millis()).is_ok());
        assert!(duration.subsec_nanos().is_multiple_of(1000));
    }
    if let Ok(format) = text.parse::<Format>() {
        assert!(format.name().eq_ignore_ascii_case(text));
    }
    if let Ok(strategy) = text.parse::<Strategy>() {
        assert_eq!(strategy.name(), text);
    }
});

fn check_workload(workload: &Workload) {
    assert_eq!(workload.to_string().parse().as_ref(), Ok(workload));
    let drawn = || workload.requests().take(MOST);
    assert!(drawn().eq(drawn()));
    let expected = usize::try_from(workload.request_count()).unwrap_or(MOST).min(MOST);
    assert_eq!(drawn().count(), expected);
}

fn check_capacity(capacity: Capacity) {
    let counts = [0, 1, 99, 100, 1 << 32, u64::MAX];
    let entries = counts.map(|unique_keys| capacity.entries(unique_keys));
    assert!(entries[0] > 0 && entries.is_sorted());
    assert!(capacity.needs_unique_keys() || entries[0] == entries[counts.len() - 1]);
}
