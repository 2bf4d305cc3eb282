//! Properties of the ledger: whatever the calls, it answers as the naive cache does and its books stay sound.

mod support {
    pub(crate) mod cases;
    pub(crate) mod keys;
    pub(crate) mod naive;
    pub(crate) mod world;
}

use std::time::Duration;

use inval_core::{Config, MAX_LIFETIME, Strategy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy as Generate, prop_oneof};
use proptest::test_runner::TestRunner;
use support::cases::cases;
use support::keys::ms;
use support::world::{KEYS, Op, World};

/// Keeps a configuration with any mix of bounds, of those that the builder accepts.
fn configs(strategy: Strategy) -> impl Generate<Value = Config> {
    let lifetime = || option::weighted(0.4, prop_oneof![3 => 1..60_u64, 1 => 60..3_000_u64]);
    let bounds = (option::of(1..8_u64), option::of(1..64_u64), lifetime(), lifetime());
    bounds.prop_filter_map("no bound, or idle above ttl", move |(entries, bytes, ttl, idle)| {
        let mut builder = Config::builder().strategy(strategy);
        builder = entries.map_or(builder, |most| builder.max_entries(most));
        builder = bytes.map_or(builder, |most| builder.max_bytes(most));
        builder = ttl.map_or(builder, |ttl| builder.ttl(ms(ttl)));
        idle.map_or(builder, |idle| builder.time_to_idle(ms(idle))).build().ok()
    })
}

fn operations() -> impl Generate<Value = Op> {
    let key = || 0..KEYS;
    let weight = prop_oneof![20 => 0..16_u32, 4 => 16..80_u32, 1 => Just(u32::MAX)];
    let ttl = prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::from_micros(999)),
        12 => (1..80_u64).prop_map(ms),
        4 => (80..10_000_u64).prop_map(ms),
        1 => Just(MAX_LIFETIME),
        1 => Just(MAX_LIFETIME + ms(1)),
        1 => Just(Duration::MAX),
    ];
    let insert = (key(), weight, option::of(ttl));
    let limits = (option::of(1..8_u64), option::of(1..64_u64), option::of(1..3_000_u64));
    prop_oneof![
        120 => key().prop_map(Op::Get),
        120 => insert.prop_map(|(key, weight, ttl)| Op::Insert { key, weight, ttl }),
        20 => key().prop_map(Op::Remove),
        15 => (0..4_usize).prop_map(Op::Maintain),
        6 => limits.prop_map(|limits| Op::Reconfigure(limits.into())),
        2 => Just(Op::Clear),
        60 => (0..30_u64).prop_map(Op::Forward),
        8 => (30..20_000_u64).prop_map(Op::Forward),
        2 => (14..36_u32).prop_map(|log| Op::Forward(1 << log)),
        1 => prop_oneof![Just(1 << 47), Just(1 << 48), Just(u64::MAX)].prop_map(Op::Forward),
        8 => (1..100_u64).prop_map(Op::Back),
        1 => Just(Op::Back(u64::MAX)),
    ]
}

#[track_caller]
fn check(strategy: Strategy) {
    let length = if cfg!(miri) { 50 } else { 200 };
    let calls = (configs(strategy), vec(operations(), 0..length));
    let outcome = TestRunner::new(cases(96)).run(&calls, |(config, ops)| {
        World::run(&config, ops);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn ttl_does_as_the_naive_cache() {
    check(Strategy::Ttl);
}

#[test]
fn fifo_does_as_the_naive_cache() {
    check(Strategy::Fifo);
}

#[test]
fn lru_does_as_the_naive_cache() {
    check(Strategy::Lru);
}

#[test]
fn lfu_does_as_the_naive_cache() {
    check(Strategy::Lfu);
}

#[test]
fn sieve_does_as_the_naive_cache() {
    check(Strategy::Sieve);
}

#[test]
fn s3_fifo_keeps_to_the_rules_of_the_naive_cache() {
    check(Strategy::S3Fifo);
}

#[test]
fn w_tinylfu_keeps_to_the_rules_of_the_naive_cache() {
    check(Strategy::WTinyLfu);
}
