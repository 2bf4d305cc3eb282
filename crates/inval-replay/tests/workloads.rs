//! Workloads from the outside: their texts, and what they ask for.

#![cfg(test)]

use std::collections::HashMap;

use inval_replay::workload::{Field, Kind, Workload, WorkloadError};

fn keys(text: &str) -> Vec<u64> {
    text.parse::<Workload>().unwrap().requests().map(|request| request.key).collect()
}

#[test]
fn a_text_is_read_back_with_its_defaults() {
    let check = |text: &str, want: Result<&str, WorkloadError>| {
        let got = text.parse::<Workload>().map(|workload| workload.to_string());
        assert_eq!(got.as_deref().map_err(|e| *e), want, "{text:?}");
        if let Ok(shown) = got {
            assert_eq!(shown.parse::<Workload>(), text.parse(), "{shown:?}");
        }
    };
    check("zipf", Ok("zipf:keys=100000,skew=1,requests=1000000,seed=1"));
    check("zipf:", Ok("zipf:keys=100000,skew=1,requests=1000000,seed=1"));
    check(" zipf:skew=0.75, seed=9", Ok("zipf:keys=100000,skew=0.75,requests=1000000,seed=9"));
    check(
        "scan:every=10,length=2",
        Ok("scan:keys=100000,skew=1,every=10,length=2,requests=1000000,seed=1"),
    );
    check(
        "hotspot:keys=10,hot=10",
        Ok("hotspot:keys=10,hot=10,share=0.9,every=50000,requests=1000000,seed=1"),
    );
    check("loop:keys=5", Ok("loop:keys=5,requests=1000000"));
    check("", Err(WorkloadError::UnknownKind));
    check("uniform", Err(WorkloadError::UnknownKind));
    check("zipf:keys", Err(WorkloadError::NotAField));
    check("zipf:keys=1,", Err(WorkloadError::NotAField));
    check("zipf:size=1", Err(WorkloadError::UnknownField { kind: Kind::Zipf }));
    check("loop:skew=1", Err(WorkloadError::UnknownField { kind: Kind::Loop }));
    check("zipf:keys=1,keys=2", Err(WorkloadError::Twice { field: Field::Keys }));
    check("zipf:keys=0", Err(WorkloadError::BadValue { field: Field::Keys }));
    check("zipf:keys=9007199254740993", Err(WorkloadError::BadValue { field: Field::Keys }));
    check("zipf:skew=-1", Err(WorkloadError::BadValue { field: Field::Skew }));
    check("zipf:skew=NaN", Err(WorkloadError::BadValue { field: Field::Skew }));
    check("zipf:skew=inf", Err(WorkloadError::BadValue { field: Field::Skew }));
    check("zipf:requests=0", Err(WorkloadError::BadValue { field: Field::Requests }));
    check("hotspot:share=1.5", Err(WorkloadError::BadValue { field: Field::Share }));
    check("hotspot:keys=10,hot=11", Err(WorkloadError::HotBeyondKeys));
}

#[test]
fn an_error_names_what_would_be_right() {
    let check = |text: &str, want: &str| {
        assert_eq!(text.parse::<Workload>().unwrap_err().to_string(), want);
    };
    check("uniform", "unknown workload; known are zipf, scan, hotspot and loop");
    check("zipf:size=1", "zipf has no such field; it has keys, skew, requests, seed");
    check("zipf:keys=many", "keys is a whole number from 1 to 2^53");
}

#[test]
fn a_seed_gives_the_same_requests_everywhere() {
    let check = |text: &str, want: &[u64]| assert_eq!(keys(text), want, "{text:?}");
    check("zipf:keys=1000,requests=8,seed=1", &[13, 3, 0, 35, 35, 2, 0, 19]);
    check("zipf:keys=1000,requests=8,seed=2", &[11, 3, 10, 2, 96, 73, 3, 3]);
    check(
        "scan:keys=100,every=3,length=2,requests=12,seed=1",
        &[4, 1, 0, 100, 101, 9, 9, 1, 102, 103, 0, 6],
    );
    check(
        "hotspot:keys=100,hot=5,every=4,requests=12,seed=1",
        &[3, 44, 3, 2, 8, 8, 7, 5, 14, 14, 10, 10],
    );
    check("loop:keys=3,requests=7", &[0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn requests_follow_their_rule() {
    let check = |text: &str, rule: fn(usize, u64) -> bool| {
        let broken = keys(text).into_iter().enumerate().position(|(at, key)| !rule(at, key));
        assert_eq!(broken, None, "{text:?}");
    };
    check("zipf:keys=50,requests=1000", |_, key| key < 50);
    check("scan:keys=50,every=7,length=3,requests=1000", |at, key| (at % 10 < 7) == (key < 50));
    check("hotspot:keys=100,hot=10,share=1,every=20,requests=1000", |at, key| {
        key / 10 == (at as u64 / 20) % 10
    });
    check("loop:keys=7,requests=1000", |at, key| key == at as u64 % 7);
}

#[test]
fn scans_go_through_their_table_and_begin_again() {
    let scanned: Vec<u64> = keys("scan:keys=4,every=1,length=3,requests=16")
        .into_iter()
        .filter(|key| *key >= 4)
        .collect();
    assert_eq!(scanned, [4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7]);
}

#[test]
fn a_higher_skew_makes_the_first_key_more_popular() {
    let share_of_first = |skew: &str| {
        let mut counts = HashMap::new();
        for key in keys(&format!("zipf:keys=1000,skew={skew},requests=20000")) {
            *counts.entry(key).or_insert(0_u32) += 1;
        }
        counts[&0]
    };
    let shares = ["0", "0.5", "1", "2"].map(share_of_first);
    assert!(shares.is_sorted(), "{shares:?}");
}

proptest::proptest! {
    #[test]
    fn whatever_the_numbers_requests_come_and_stay_in_range(
        keys in 1..=1_u64 << 53,
        skew in 0.0..=20.0_f64,
        seed in proptest::num::u64::ANY,
    ) {
        let text = format!("zipf:keys={keys},skew={skew},seed={seed},requests=100");
        let drawn = self::keys(&text);
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|key| *key < keys), "{text}");
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "(zipf|scan|hotspot|loop)?[:=,.0-9a-zA-Z% -]{0,40}") {
        let _ = text.parse::<Workload>();
        let _ = text.parse::<inval_replay::Capacity>().map(|capacity| capacity.entries(u64::MAX));
        let _ = text.parse::<inval_replay::ByteSize>();
        let _ = text.parse::<inval_replay::Format>();
        let _ = inval_replay::quantity::parse_duration(&text);
    }
}
