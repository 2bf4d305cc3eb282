//! Bytes of heap per entry, for each contender: a process of its own, for its allocator counts.

use std::alloc::System;

use inval_rivals::{Contender, InvalTtl, for_each_contender};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Entries the caches hold.
const ENTRIES: usize = 1_000_000;

fn main() {
    macro_rules! weigh {
        ($cache:ty) => {
            println!("{}\t{:.1}", <$cache>::NAME, bytes_per_entry::<$cache>());
        };
    }
    for_each_contender!(weigh);
    weigh!(InvalTtl);
}

/// Fills the cache twice over, so that what it keeps of evicted keys is counted too.
fn bytes_per_entry<C: Contender>() -> f64 {
    let before = Region::new(HEAP);
    let cache = C::with_capacity(ENTRIES);
    for key in 0..2 * ENTRIES as u64 {
        cache.get_or_insert(key);
        if key % 1024 == 0 {
            cache.settle();
        }
    }
    cache.settle();
    let change = before.change();
    let held = (0..2 * ENTRIES as u64).filter(|&key| cache.get(key).is_some()).count();
    (change.bytes_allocated - change.bytes_deallocated) as f64 / held as f64
}
