//! A height that rises at instants and never falls.

use std::time::Duration;

/// The greatest height among the steps up to an instant, with what the step is about.
#[derive(Debug)]
pub(super) struct Steps<T> {
    steps: Vec<(Duration, Duration, T)>,
}

impl<T: Copy> Steps<T> {
    /// The greatest height of the steps at an instant or before it.
    pub(super) fn by(&self, at: Duration) -> Option<(Duration, T)> {
        self.height_of(self.steps.partition_point(|step| step.0 <= at))
    }

    /// The greatest height of the steps before an instant.
    pub(super) fn before(&self, at: Duration) -> Option<(Duration, T)> {
        self.height_of(self.steps.partition_point(|step| step.0 < at))
    }

    fn height_of(&self, first: usize) -> Option<(Duration, T)> {
        let (_, height, about) = *self.steps.get(first.checked_sub(1)?)?;
        Some((height, about))
    }
}

impl<T: Copy> FromIterator<(Duration, Duration, T)> for Steps<T> {
    /// From the instant, the height and the matter of each step, in any order.
    fn from_iter<I: IntoIterator<Item = (Duration, Duration, T)>>(steps: I) -> Self {
        let mut steps: Vec<_> = steps.into_iter().collect();
        steps.sort_by_key(|step| step.0);
        let mut highest: Option<(Duration, T)> = None;
        for (_, height, about) in &mut steps {
            match highest {
                Some((reached, of)) if reached >= *height => (*height, *about) = (reached, of),
                _ => highest = Some((*height, *about)),
            }
        }
        Self { steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_height_is_the_greatest_so_far() {
        let ms = Duration::from_millis;
        let steps: Steps<char> =
            [(ms(5), ms(2), 'c'), (ms(1), ms(1), 'a'), (ms(3), ms(7), 'b')].into_iter().collect();
        let check =
            |at, by, before| assert_eq!((steps.by(ms(at)), steps.before(ms(at))), (by, before));
        check(0, None, None);
        check(1, Some((ms(1), 'a')), None);
        check(3, Some((ms(7), 'b')), Some((ms(1), 'a')));
        check(9, Some((ms(7), 'b')), Some((ms(7), 'b')));
    }
}
