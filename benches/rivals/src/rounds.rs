//! One measurement: every contender in turn, several rounds, medians and pairwise ratios.

use std::hint::black_box;
use std::time::Instant;

use inval_rivals::Contender;

/// One contender, ready to be run, whatever its type.
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    /// Runs once over all requests; operations per second and hits.
    pub(crate) run: Box<dyn FnMut() -> (f64, u64)>,
}

/// What one contender achieved.
pub(crate) struct Score {
    pub(crate) name: &'static str,
    /// Operations per second, the median over the rounds.
    pub(crate) per_second: f64,
    /// The first entrant's speed by this one's, the median of the rounds' ratios.
    pub(crate) first_by_this: f64,
    pub(crate) hits: u64,
}

/// Runs all entrants in turn, `rounds` times and once before to warm up. The two of a pair run within
/// seconds of each other, so that a machine whose speed drifts hardly changes their ratio.
pub(crate) fn run(mut entrants: Vec<Entrant>, rounds: usize) -> Vec<Score> {
    let mut speeds = vec![Vec::new(); entrants.len()];
    let mut hits = vec![0; entrants.len()];
    for round in 0..=rounds {
        for (i, entrant) in entrants.iter_mut().enumerate() {
            let (speed, hit) = (entrant.run)();
            hits[i] = hit;
            if round > 0 {
                speeds[i].push(speed);
            }
        }
    }
    let first = speeds[0].clone();
    let scores = entrants.iter().zip(&speeds).zip(hits).map(|((entrant, speeds), hits)| Score {
        name: entrant.name,
        per_second: median(speeds.clone()),
        first_by_this: median(first.iter().zip(speeds).map(|(first, this)| first / this).collect()),
        hits,
    });
    scores.collect()
}

/// Lets each part of `requests` be served by a thread of its own, all at once. Returns operations per
/// second, by the clock on the wall, and hits.
pub(crate) fn serve<C: Contender>(
    cache: &C,
    requests: &[Vec<u64>],
    serve_one: impl Fn(&C, u64) -> bool + Sync,
) -> (f64, u64) {
    let start = Instant::now();
    let serve_part = |part: &Vec<u64>| {
        let hits = part.iter().filter(|&&key| serve_one(cache, key)).count();
        black_box(hits as u64)
    };
    let hits = std::thread::scope(|scope| {
        let threads: Vec<_> =
            requests.iter().map(|part| scope.spawn(|| serve_part(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    let count = requests.iter().map(Vec::len).sum::<usize>();
    (count as f64 / start.elapsed().as_secs_f64(), hits)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
