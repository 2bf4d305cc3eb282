//! From values to places on an axis, and the round values worth a tick.

/// A range that spans at least this factor is drawn on a logarithmic axis.
const WIDE: f64 = 20.0;
/// Most ticks that stand on an axis without crowding.
const MAX_TICKS: usize = 10;

/// An axis over a range of values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    min: f64,
    max: f64,
    steps: Steps,
}

#[derive(Clone, Copy, Debug)]
enum Steps {
    /// Equal steps of this size.
    Equal(f64),
    /// Equal factors.
    Factors,
}

impl Scale {
    /// An axis for capacities, which are above 0: logarithmic if their range is wide, with a little
    /// room at both ends.
    pub(super) fn of_capacities(values: impl Iterator<Item = f64>) -> Self {
        let (min, max) = range(values).unwrap_or((1.0, 10.0));
        if max / min >= WIDE {
            let room = (max / min).powf(0.03);
            return Self { min: min / room, max: max * room, steps: Steps::Factors };
        }
        let room = if max > min { (max - min) * 0.03 } else { max * 0.5 };
        let step = round_step((max - min + 2.0 * room) / 6.0).max(1.0);
        Self { min: min - room, max: max + room, steps: Steps::Equal(step) }
    }

    /// An axis for ratios: ends on round values, and begins at 0 unless all of them are far from it.
    pub(super) fn of_ratios(values: impl Iterator<Item = f64>) -> Self {
        let (min, max) = range(values).unwrap_or((0.0, 1.0));
        let low = if min < (max - min) * 1.5 { 0.0 } else { min };
        let step = round_step((max - low).max(0.05) / 6.0);
        let steps_up = |value: f64| (value / step - 1e-9).ceil();
        let top = steps_up(max).max(1.0);
        let bottom = (low / step + 1e-9).floor().min(top - 1.0);
        Self { min: bottom * step, max: top * step, steps: Steps::Equal(step) }
    }

    /// Where `value` stands: 0 at the beginning of the axis, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.steps {
            Steps::Equal(_) => (value - self.min) / (self.max - self.min),
            Steps::Factors => (value / self.min).ln() / (self.max / self.min).ln(),
        }
    }

    /// Round values within the range, rising.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.steps {
            Steps::Equal(step) => self.equal_ticks(step),
            Steps::Factors => self.log_ticks(),
        }
    }

    fn equal_ticks(&self, step: f64) -> Vec<f64> {
        let (first, last) = ((self.min / step - 1e-9).ceil(), (self.max / step + 1e-9).floor());
        (0..=(last - first) as u32).map(|at| (first + f64::from(at)) * step).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let digits: [&[f64]; 2] = [&[1.0, 2.0, 5.0], &[1.0]];
        let decades = self.min.log10().floor() as i32..=self.max.log10().ceil() as i32;
        let within = |digits: &[f64]| -> Vec<f64> {
            let all = decades.clone().flat_map(|d| digits.iter().map(move |n| n * 10_f64.powi(d)));
            all.filter(|tick| (self.min..=self.max).contains(tick)).collect()
        };
        let fine = within(digits[0]);
        if fine.len() <= MAX_TICKS { fine } else { within(digits[1]) }
    }
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, value| {
        let (min, max) = range.unwrap_or((value, value));
        Some((value.min(min), value.max(max)))
    })
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10_f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|n| n * power);
    steps.into_iter().find(|step| *step >= raw * 0.999_999).unwrap_or(10.0 * power)
}

/// A capacity as an axis shows it: `500`, `20,000`, `5 M`.
pub(super) fn capacity_label(value: f64) -> String {
    let units = [(1e12, " T"), (1e9, " G"), (1e6, " M")];
    if let Some((unit, suffix)) = units.into_iter().find(|(unit, _)| value >= *unit) {
        return format!("{}{suffix}", value / unit);
    }
    let whole = format!("{value:.0}");
    match whole.len() {
        0..=3 => whole,
        len => format!("{},{}", &whole[..len - 3], &whole[len - 3..]),
    }
}

/// A ratio as an axis shows it, with as many decimals as its neighbour at `step` needs.
pub(super) fn ratio_label(value: f64, step: f64) -> String {
    let decimals = (-step.log10()).ceil().clamp(1.0, 4.0) as usize;
    format!("{:.decimals$}", value.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(capacity_label).collect()
    }

    #[test]
    fn capacities_have_round_ticks() {
        let check = |values: &[f64], want: &[&str]| {
            assert_eq!(labels(Scale::of_capacities(values.iter().copied())), want, "{values:?}");
        };
        check(&[100.0, 500.0], &["100", "200", "300", "400", "500"]);
        check(&[100.0, 2000.0], &["100", "200", "500", "1,000", "2,000"]);
        check(&[10.0, 1e6], &["10", "100", "1,000", "10,000", "100,000", "1 M"]);
        check(&[5000.0], &["3,000", "4,000", "5,000", "6,000", "7,000"]);
        check(&[1.0], &["1"]);
    }

    #[test]
    fn ratios_begin_at_zero_unless_far_from_it() {
        let check = |values: &[f64], want: &[&str]| {
            let ticks = Scale::of_ratios(values.iter().copied()).ticks();
            let step = ticks[1] - ticks[0];
            let got: Vec<_> = ticks.into_iter().map(|tick| ratio_label(tick, step)).collect();
            assert_eq!(got, want, "{values:?}");
        };
        check(&[0.1, 0.9], &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(&[0.8, 0.9], &["0.80", "0.82", "0.84", "0.86", "0.88", "0.90"]);
        check(&[0.0], &["0.00", "0.01"]);
        check(&[1.0], &["0.99", "1.00"]);
        check(&[], &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    }

    #[test]
    fn places_run_from_0_to_1() {
        let linear = Scale { min: 10.0, max: 30.0, steps: Steps::Equal(5.0) };
        let log = Scale { min: 10.0, max: 1000.0, steps: Steps::Factors };
        assert_eq!([10.0, 20.0, 30.0].map(|v| linear.place(v)), [0.0, 0.5, 1.0]);
        assert_eq!([10.0, 100.0, 1000.0].map(|v| log.place(v)), [0.0, 0.5, 1.0]);
    }
}
