//! A cache of user names: limits and lifetimes, a value loaded once, what left, and the statistics.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use inval_memory::{Cache, Config, InsertOptions, Strategy};

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .strategy(Strategy::S3Fifo)
        .max_entries(10_000)
        .ttl(Duration::from_secs(600))
        .build()?;
    let cache: Cache<u64, String> = Cache::builder(config)
        .on_removal(|gone| println!("{} left: {:?}", gone.value, gone.cause))
        .build();

    cache.insert(1, "Ada".to_owned());
    println!("user 1 is {:?}", cache.get(&1));

    // However many threads ask, one loads and the others wait for it.
    println!("user 2 is {}", cache.get_or_insert_with(&2, || "Grace".to_owned()));
    // A load may fail. Then nothing is kept, and the next caller loads again.
    let number = cache.try_get_or_insert_with(&3, || "three".parse::<u32>().map(|n| n.to_string()));
    println!("user 3 is {number:?}");

    let short = InsertOptions { ttl: Some(Duration::from_secs(5)), ..InsertOptions::default() };
    cache.insert_with(4, "Guest".to_owned(), short).map_err(|refused| refused.reason)?;
    cache.insert(1, "Ada Lovelace".to_owned());
    cache.remove(&2);

    let stats = cache.stats();
    println!("{} entries, {} hits, {} misses", stats.usage.entries, stats.hits, stats.misses);
    Ok(())
}
