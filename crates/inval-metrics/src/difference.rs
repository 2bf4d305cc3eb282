//! What has come to a histogram since it was last looked at, as single observations with the same sum.

use inval_core::Histogram;

/// How often something was observed in each bucket, and the sum of it all.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The least and greatest value of a bucket and how many observations fell into it; no bucket is empty.
    buckets: Vec<(f64, f64, u64)>,
    sum: u64,
}

impl Difference {
    /// What `later` has that `earlier` has not; all of it where `later` has started anew.
    pub(crate) fn between(earlier: &Histogram, later: &Histogram) -> Self {
        let counts = |histogram: &Histogram| -> Vec<u64> {
            histogram.buckets().map(|(_, count)| count).collect()
        };
        let (mut before, after) = (counts(earlier), counts(later));
        let mut sum_before = earlier.sum();
        if later.sum() < sum_before
            || after.iter().zip(&before).any(|(after, before)| after < before)
        {
            before.fill(0);
            sum_before = 0;
        }
        let sum = later.sum() - sum_before;
        let mut low = 0;
        let mut buckets = Vec::new();
        for ((bound, count), before) in later.buckets().zip(before) {
            // The last bucket has no bound, but nothing is more than all of it together.
            let high = bound.unwrap_or(sum.max(low));
            if count > before {
                buckets.push((low as f64, high as f64, count - before));
            }
            low = high.saturating_add(1);
        }
        Self { buckets, sum }
    }

    /// Values, each with how many times it is to be told: one for each bucket, within its bounds. All lie at the
    /// same share of the way through their buckets, chosen so that their sum is the true one.
    pub(crate) fn observations(&self) -> impl Iterator<Item = (f64, u64)> {
        let total = |value: fn(&(f64, f64, u64)) -> f64| -> f64 {
            self.buckets.iter().map(|bucket| value(bucket) * bucket.2 as f64).sum()
        };
        let least = total(|(low, _, _)| *low);
        let room = total(|(low, high, _)| high - low);
        let share = if room > 0.0 { (self.sum as f64 - least) / room } else { 0.0 };
        let share = share.clamp(0.0, 1.0);
        self.buckets.iter().map(move |&(low, high, count)| (low + share * (high - low), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|&value| histogram.record(value));
        histogram
    }

    /// The observations that make `later` of `earlier`, checked against `new`, the true ones.
    fn check(earlier: &Histogram, later: &Histogram, new: &[u64]) {
        let mut told = Histogram::default();
        let mut sum = 0.0;
        for (value, times) in Difference::between(earlier, later).observations() {
            sum += value * times as f64;
            (0..times).for_each(|_| told.record(value.round() as u64));
        }
        let wanted = histogram(new);
        assert!(told.buckets().eq(wanted.buckets()), "{new:?}");
        let wanted = wanted.sum() as f64;
        assert!((sum - wanted).abs() <= wanted * 1e-12, "{sum} for {wanted}");
    }

    #[test]
    fn observations_have_the_true_number_in_each_bucket_and_the_true_sum() {
        for new in [
            &[][..],
            &[0],
            &[0, 0, 1, 1],
            &[2, 2, 2, 3],
            &[4, 5, 6, 7, 1_000_000],
            &[1 << 39, 3, 700],
            &[1 << 40, (1 << 41) - 1, 12],
            &[1 << 60, 7, 7],
        ] {
            let earlier = histogram(&[5, 900, 900]);
            let mut later = earlier.clone();
            later += &histogram(new);
            check(&earlier, &later, new);
        }
    }

    #[test]
    fn a_histogram_that_started_anew_is_told_as_a_whole() {
        check(&histogram(&[1_000, 3]), &histogram(&[2]), &[2]);
        check(&histogram(&[1_000]), &histogram(&[70_000, 3]), &[70_000, 3]);
        check(&histogram(&[3, 3]), &histogram(&[3, 1_000]), &[3, 1_000]);
    }

    #[test]
    fn the_least_and_the_greatest_of_a_bucket_stay_in_it() {
        check(&Histogram::default(), &histogram(&[512]), &[512]);
        check(&Histogram::default(), &histogram(&[1_023]), &[1_023]);
    }
}
