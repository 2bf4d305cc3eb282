//! How long the oldest of what is owed has been owed, where only sums are told.

use std::collections::VecDeque;
use std::time::Duration;

use super::from_seconds;

/// What comes within this part of the age of the oldest counts as one part, and as old as the first of it.
const RESOLUTION: u32 = 8;
/// The most parts that are told apart.
const PARTS: usize = 64;

/// A sum that is paid off oldest part first. Where a sum never goes down to nothing because as much is
/// added as is paid, its oldest part is young all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Debt {
    /// Oldest first.
    parts: VecDeque<Part>,
    owed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    age: Duration,
    sum: u64,
}

impl Debt {
    /// Learns that `paid` was paid and `owed` is owed now. What neither was owed before came evenly within the last
    /// `span`, as far as is known, the oldest of it being paid first.
    pub(super) fn settle(&mut self, paid: u64, owed: u64, span: Duration) {
        let new_paid = paid.saturating_sub(self.owed);
        let forgiven = self.owed.saturating_sub(owed);
        self.pay(paid.max(forgiven));
        let sum = owed.saturating_sub(self.owed);
        if sum > 0 {
            let part_left = sum as f64 / (sum as f64 + new_paid as f64);
            self.add(Part { age: from_seconds(span.as_secs_f64() * part_left), sum });
            self.owed = owed;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.parts.iter_mut().for_each(|part| part.age = part.age.saturating_add(elapsed));
    }

    /// What is owed.
    pub(super) fn owed(&self) -> u64 {
        self.owed
    }

    /// How long the oldest part has been owed, at most; zero if nothing is.
    pub(super) fn age(&self) -> Duration {
        self.parts.front().map_or(Duration::ZERO, |part| part.age)
    }

    fn pay(&mut self, mut paid: u64) {
        while let Some(part) = self.parts.front_mut() {
            let sum = part.sum.min(paid);
            part.sum -= sum;
            self.owed -= sum;
            paid -= sum;
            if part.sum > 0 {
                break;
            }
            self.parts.pop_front();
        }
    }

    fn add(&mut self, part: Part) {
        let (width, is_full) = (self.age() / RESOLUTION, self.parts.len() >= PARTS);
        match self.parts.back_mut() {
            Some(newest) if newest.age <= part.age.saturating_add(width) || is_full => {
                newest.age = newest.age.max(part.age);
                newest.sum += part.sum;
            }
            _ => self.parts.push_back(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_oldest_is_paid_first() {
        let mut debt = Debt::default();
        let check = |debt: &mut Debt, paid, owed, age: u32| {
            debt.settle(paid, owed, Duration::ZERO);
            assert_eq!((debt.owed(), debt.age()), (owed, age * MS));
            debt.pass(10 * MS);
        };
        check(&mut debt, 0, 0, 0);
        check(&mut debt, 0, 5, 0);
        check(&mut debt, 0, 7, 10);
        check(&mut debt, 4, 3, 20);
        check(&mut debt, 1, 2, 20);
        // All that was owed is paid, and as much is owed anew.
        check(&mut debt, 9, 2, 0);
        // Less is owed than was, for another reason than payment.
        check(&mut debt, 0, 1, 10);
        check(&mut debt, 0, 0, 0);
    }

    #[test]
    fn a_debt_that_never_ends_is_young_if_it_is_paid() {
        let mut debt = Debt::default();
        for _ in 0..1_000 {
            debt.settle(100, 250, Duration::ZERO);
            debt.pass(MS);
            assert!(debt.age() <= 4 * MS, "{debt:?}");
        }
    }

    /// Against a queue that knows the age of everything in it.
    #[test]
    fn the_age_is_that_of_the_oldest_or_little_more() {
        let mut debt = Debt::default();
        let mut queue: VecDeque<u32> = VecDeque::new();
        for ms in 0..20_000_u32 {
            // Falls behind and catches up again, over and over.
            let (comes, goes) = (5 + ms / 7 % 3, if ms % 4_000 < 3_000 { 5 } else { 13 });
            let paid = queue.len().min(goes);
            queue.drain(..paid);
            queue.extend((0..comes).map(|_| ms));
            debt.settle(paid as u64, queue.len() as u64, Duration::ZERO);
            let age = queue.front().map_or(0, |from| ms - from) * MS;
            assert!(debt.age() >= age && debt.age() <= age + age / 3 + 2 * MS, "{age:?} {debt:?}");
            assert_eq!(debt.parts.iter().map(|part| part.sum).sum::<u64>(), queue.len() as u64);
            assert!(debt.parts.len() <= PARTS);
            debt.pass(MS);
        }
    }

    #[test]
    fn a_debt_may_be_old_when_it_is_taken_over() {
        let mut debt = Debt::default();
        debt.settle(0, 5, 30 * MS);
        debt.pass(10 * MS);
        // Taken over later and yet older, so it is joined with what it cannot be told apart from.
        debt.settle(0, 7, 50 * MS);
        assert_eq!(debt.age(), 50 * MS);
        // Of four that came within 20 ms the first three are paid.
        debt.settle(7 + 3, 1, 20 * MS);
        assert_eq!((debt.owed(), debt.age()), (1, 5 * MS));
    }

    #[test]
    fn sums_and_ages_saturate() {
        let mut debt = Debt::default();
        debt.settle(u64::MAX, u64::MAX, Duration::ZERO);
        debt.pass(Duration::MAX);
        debt.pass(Duration::MAX);
        debt.settle(u64::MAX, u64::MAX, Duration::ZERO);
        assert_eq!((debt.owed(), debt.age()), (u64::MAX, Duration::ZERO));
    }
}
