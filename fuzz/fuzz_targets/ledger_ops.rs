//! Whatever the calls and the configuration, a ledger does as the naive cache of its tests.
#![no_main]

#[path = "../../crates/inval-core/tests/support"]
mod support {
    pub(crate) mod keys;
    pub(crate) mod naive;
    pub(crate) mod world;
}

use std::time::Duration;

use inval_core::{Config, Strategy};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use support::world::{KEYS, Op, World};

#[derive(Arbitrary, Debug)]
struct Input {
    strategy: u8,
    max_entries: Option<u8>,
    max_bytes: Option<u16>,
    ttl_ms: Option<u16>,
    time_to_idle_ms: Option<u16>,
    seed: u8,
    calls: Vec<Call>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Call {
    Get(u8),
    Put { key: u8, weight: u8, ttl: Ttl },
    PutHeavy { key: u8, weight: u32 },
    Remove(u8),
    Maintain(u8),
    Reconfigure { max_entries: Option<u8>, max_bytes: Option<u16>, ttl_ms: Option<u16> },
    Clear,
    Forward(u8),
    Leap(u64),
    Back(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Ttl {
    Configured,
    Short(u8),
    Long(u64),
}

impl From<Call> for Op {
    fn from(call: Call) -> Self {
        let insert = |key, weight, ttl| Self::Insert { key: key % KEYS, weight, ttl };
        match call {
            Call::Get(key) => Self::Get(key % KEYS),
            Call::Put { key, weight, ttl } => insert(key, weight.into(), ttl.into()),
            Call::PutHeavy { key, weight } => insert(key, weight, None),
            Call::Remove(key) => Self::Remove(key % KEYS),
            Call::Maintain(most) => Self::Maintain(most.into()),
            Call::Reconfigure { max_entries, max_bytes, ttl_ms } => Self::Reconfigure([
                max_entries.map(u64::from),
                max_bytes.map(u64::from),
                ttl_ms.map(u64::from),
            ]),
            Call::Clear => Self::Clear,
            Call::Forward(by) => Self::Forward(by.into()),
            Call::Leap(by) => Self::Forward(by),
            Call::Back(by) => Self::Back(by.into()),
        }
    }
}

impl From<Ttl> for Option<Duration> {
    fn from(ttl: Ttl) -> Self {
        match ttl {
            Ttl::Configured => None,
            Ttl::Short(ms) => Some(Duration::from_millis(ms.into())),
            Ttl::Long(ms) => Some(Duration::from_millis(ms)),
        }
    }
}

/// The configuration, unless it is one that the builder rejects.
fn config(input: &Input) -> Option<Config> {
    let strategy = Strategy::ALL[usize::from(input.strategy) % Strategy::ALL.len()];
    let ms = |ms: u16| Duration::from_millis(ms.into());
    let mut builder = Config::builder().strategy(strategy).seed(input.seed.into());
    builder = input.max_entries.map_or(builder, |most| builder.max_entries(most.into()));
    builder = input.max_bytes.map_or(builder, |most| builder.max_bytes(most.into()));
    builder = input.ttl_ms.map_or(builder, |ttl| builder.ttl(ms(ttl)));
    input.time_to_idle_ms.map_or(builder, |idle| builder.time_to_idle(ms(idle))).build().ok()
}

fuzz_target!(|input: Input| if let Some(config) = config(&input) {
    World::run(&config, input.calls.into_iter().map(Op::from));
});
