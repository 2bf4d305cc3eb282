//! How long the oldest of what is owed has been owed, where only sums are told.

use std::collections::VecDeque;
use std::time::Duration;

/// So many parts of a debt are told apart; more are joined, and count as old as the older one.
const PARTS: usize = 16;

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
    /// Learns that `paid` was paid and `owed` is owed now. What is owed now and was not before counts as new.
    pub(super) fn settle(&mut self, paid: u64, owed: u64) {
        let forgiven = self.owed.saturating_sub(owed);
        self.pay(paid.max(forgiven));
        if owed > self.owed {
            if self.parts.len() >= PARTS {
                self.join();
            }
            self.parts.push_back(Part { age: Duration::ZERO, sum: owed - self.owed });
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

    /// Joins each second part with the older one before it.
    fn join(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        for (at, part) in parts.into_iter().enumerate() {
            match self.parts.back_mut() {
                Some(older) if at % 2 == 1 => older.sum += part.sum,
                _ => self.parts.push_back(part),
            }
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
            debt.settle(paid, owed);
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
            debt.settle(100, 250);
            debt.pass(MS);
            assert!(debt.age() <= 4 * MS, "{debt:?}");
        }
    }

    #[test]
    fn joined_parts_count_as_the_older_and_their_number_is_bounded() {
        let mut debt = Debt::default();
        for owed in 1..=1_000 {
            debt.settle(0, owed);
            debt.pass(MS);
            assert!(debt.parts.len() <= PARTS);
        }
        assert_eq!(debt.age(), 1_000 * MS);
        debt.settle(500, 500);
        let age = debt.age();
        assert!(age >= 500 * MS && age <= 1_000 * MS, "{age:?}");
        assert_eq!(debt.parts.iter().map(|part| part.sum).sum::<u64>(), 500);
    }

    #[test]
    fn sums_and_ages_saturate() {
        let mut debt = Debt::default();
        debt.settle(u64::MAX, u64::MAX);
        debt.pass(Duration::MAX);
        debt.pass(Duration::MAX);
        debt.settle(u64::MAX, u64::MAX);
        assert_eq!((debt.owed(), debt.age()), (u64::MAX, Duration::ZERO));
    }
}
