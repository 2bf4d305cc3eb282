//! Random work that a server could do within a share of its time, so that being late is the controller's fault.

use proptest::collection::vec;
use proptest::prelude::{Strategy as Generate, any, prop_oneof};

use super::arrivals::{Arrivals, MILLI, Wave, flow, merged};
use super::partition::Partition;
use super::server::Costs;

/// What may come: in any time of length L, work for at most `share` of L and `depth` more, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) share: f64,
    pub(crate) depth: f64,
}

/// One of the things that happen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Happening {
    part: usize,
    ms: u64,
    count: u64,
    is_write: bool,
}

/// Up to `parts` partitions; a steady flow of expiries for each, and what happens beside in the first `ms` milliseconds.
pub(crate) fn cases(parts: usize, ms: u64) -> impl Generate<Value = (Vec<u64>, Vec<Happening>)> {
    let count = prop_oneof![4 => 1..50_u64, 3 => 50..5_000_u64, 2 => 5_000..1_000_000_u64];
    let happening = (0..parts, 0..ms, count, any::<bool>())
        .prop_map(|(part, ms, count, is_write)| Happening { part, ms, count, is_write });
    let rate = prop_oneof![3 => 0..10_u64, 2 => 10..1_000_u64, 1 => 1_000..50_000_u64];
    (vec(rate, 1..=parts), vec(happening, 0..40))
}

/// Partitions to which that much happens, as far as the envelope lets it through.
pub(crate) fn partitions(
    (rates, mut happenings): (Vec<u64>, Vec<Happening>),
    ms: u64,
    costs: Costs,
    envelope: Envelope,
) -> Vec<Partition> {
    let count = rates.len() as f64;
    let expiry = costs.expire as f64;
    let write = (costs.record + costs.evict) as f64;
    // A third of the share is for the steady flows.
    let most = envelope.share / 3.0 / count * 1e9 / expiry;
    let mut parts: Vec<(Partition, Arrivals)> = rates
        .iter()
        .map(|rate| {
            let expiries = flow(0, ms, |_| most.min(*rate as f64));
            (Partition { expiries, ..Partition::default() }, Arrivals::new())
        })
        .collect();
    happenings.sort_by_key(|happening| happening.ms);
    let (mut tokens, mut last) = (envelope.depth, 0);
    for Happening { part, ms, count, is_write } in happenings {
        tokens += (ms - last) as f64 * MILLI as f64 * envelope.share * 2.0 / 3.0;
        tokens = tokens.min(envelope.depth);
        last = ms;
        // In an embedded store writers evict themselves.
        let is_write = is_write && costs.network > 0;
        let cost = if is_write { write } else { expiry };
        let count = count.min((tokens / cost) as u64);
        if count == 0 {
            continue;
        }
        tokens -= count as f64 * cost;
        let (partition, expiries) = &mut parts[part % rates.len()];
        let wave = Wave { at: ms * MILLI, count };
        if is_write { partition.writes.push_back(wave) } else { expiries.push_back(wave) }
    }
    let whole = |(partition, expiries): (Partition, Arrivals)| Partition {
        expiries: merged(partition.expiries, expiries),
        ..partition
    };
    parts.into_iter().map(whole).collect()
}
