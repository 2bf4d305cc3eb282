//! Zipf-distributed ranks in constant time and memory: rejection-inversion sampling (Hörmann and
//! Derflinger, ACM TOMACS 6(3), 1996).

use libm::{exp, expm1, log, log1p};

use super::random::Random;

/// Draws rank `k` out of `1..=n` with a probability proportional to `k^-skew`.
///
/// The logarithms come from `libm`, not from the platform, so that a seed gives the same ranks
/// everywhere.
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    ranks: f64,
    skew: f64,
    area_of_first: f64,
    area_of_all: f64,
    shortcut: f64,
}

impl Zipf {
    /// A distribution over `ranks` ranks (1 to 2^53). `skew` is finite and not negative: 0 is
    /// uniform, 1 is the classic law of Zipf.
    pub(super) fn new(ranks: u64, skew: f64) -> Self {
        let mut zipf =
            Self { ranks: ranks as f64, skew, area_of_first: 0.0, area_of_all: 0.0, shortcut: 0.0 };
        zipf.area_of_first = zipf.area(1.5) - 1.0;
        zipf.area_of_all = zipf.area(zipf.ranks + 0.5);
        zipf.shortcut = 2.0 - zipf.area_inverse(zipf.area(2.5) - zipf.density(2.0));
        zipf
    }

    pub(super) fn sample(&self, random: &mut Random) -> u64 {
        loop {
            let area =
                self.area_of_all + random.next_f64() * (self.area_of_first - self.area_of_all);
            let x = self.area_inverse(area);
            let rank = libm::floor(x + 0.5).clamp(1.0, self.ranks);
            let accepted =
                rank - x <= self.shortcut || area >= self.area(rank + 0.5) - self.density(rank);
            if accepted {
                return rank as u64;
            }
        }
    }

    /// `x^-skew`.
    fn density(&self, x: f64) -> f64 {
        exp(-self.skew * log(x))
    }

    /// The integral of the density from 1 to `x`: `(x^(1-skew) - 1) / (1-skew)`, or `ln x` for 1.
    fn area(&self, x: f64) -> f64 {
        let log_x = log(x);
        expm1_over((1.0 - self.skew) * log_x) * log_x
    }

    fn area_inverse(&self, area: f64) -> f64 {
        // Rounding may carry the argument a hair below the domain of the logarithm.
        let t = (area * (1.0 - self.skew)).max(-1.0);
        exp(log1p_over(t) * area)
    }
}

/// `log1p(x) / x`, with its limit near 0.
fn log1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { log1p(x) / x } else { 1.0 - x * (0.5 - x * (1.0 / 3.0 - 0.25 * x)) }
}

/// `expm1(x) / x`, with its limit near 0.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        expm1(x) / x
    } else {
        1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + 0.25 * x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the share of every rank with the law, within five standard deviations.
    fn check(ranks: u64, skew: f64) {
        const DRAWS: u64 = 40_000;
        let zipf = Zipf::new(ranks, skew);
        let mut random = Random::new(7);
        let mut counts = vec![0_u64; ranks as usize + 1];
        for _ in 0..DRAWS {
            counts[zipf.sample(&mut random) as usize] += 1;
        }
        assert_eq!(counts[0], 0, "ranks begin at 1");
        let total: f64 = (1..=ranks).map(|k| (k as f64).powf(-skew)).sum();
        for rank in 1..=ranks {
            let p = (rank as f64).powf(-skew) / total;
            let want = p * DRAWS as f64;
            let got = counts[rank as usize] as f64;
            let tolerance = 5.0 * (want * (1.0 - p)).sqrt() + 1.0;
            assert!((got - want).abs() <= tolerance, "rank {rank} of {ranks}, skew {skew}");
        }
    }

    #[test]
    fn ranks_follow_the_law() {
        for skew in [0.0, 0.5, 1.0, 1.001, 3.0] {
            for ranks in [1, 2, 3, 10, 100] {
                check(ranks, skew);
            }
        }
    }

    #[test]
    fn the_greatest_number_of_ranks_and_skew_are_drawn_from() {
        for (ranks, skew) in [(1 << 53, 0.0), (1 << 53, 1.0), (1 << 53, 20.0), (10, 20.0)] {
            let zipf = Zipf::new(ranks, skew);
            let mut random = Random::new(1);
            for _ in 0..1000 {
                assert!((1..=ranks).contains(&zipf.sample(&mut random)));
            }
        }
    }
}
