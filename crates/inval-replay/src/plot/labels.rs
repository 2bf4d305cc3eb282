//! Keeps labels that stand one above another from overlapping.

/// Moves labels at `wanted` heights apart until neighbours are `gap` apart, all of them within
/// `low..=high` if they fit, each as near as may be to where it was wanted. The order stays.
///
/// Labels that collide form a block that is centred on where its members wanted to be (the pool of
/// adjacent violators).
pub(super) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut blocks: Vec<Block> = Vec::new();
    for index in &order {
        let mut block = Block { first: wanted[*index], sum: wanted[*index], len: 1 };
        block.settle(gap, low, high);
        while let Some(before) = blocks.pop_if(|before| before.end(gap) > block.first) {
            block = before.joined(&block, gap, low, high);
        }
        blocks.push(block);
    }
    let heights = blocks.iter().flat_map(|b| (0..b.len).map(|at| b.first + gap * at as f64));
    let mut spread = vec![0.0; wanted.len()];
    order.into_iter().zip(heights).for_each(|(index, height)| spread[index] = height);
    spread
}

/// Labels side by side at the least distance.
struct Block {
    first: f64,
    /// The sum of where the first label would be, as each member wants it.
    sum: f64,
    len: usize,
}

impl Block {
    /// Where the next label may stand.
    fn end(&self, gap: f64) -> f64 {
        self.first + gap * self.len as f64
    }

    fn joined(&self, next: &Self, gap: f64, low: f64, high: f64) -> Self {
        let shift = gap * (self.len * next.len) as f64;
        let mut block =
            Self { first: 0.0, sum: self.sum + next.sum - shift, len: self.len + next.len };
        block.settle(gap, low, high);
        block
    }

    fn settle(&mut self, gap: f64, low: f64, high: f64) {
        let highest_first = high - gap * (self.len - 1) as f64;
        self.first = (self.sum / self.len as f64).min(highest_first).max(low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        let check = |wanted: &[f64], want: &[f64]| {
            assert_eq!(spread(wanted, 10.0, 0.0, 100.0), want, "{wanted:?}");
        };
        check(&[], &[]);
        check(&[50.0], &[50.0]);
        check(&[20.0, 60.0], &[20.0, 60.0]);
        check(&[50.0, 50.0], &[45.0, 55.0]);
        check(&[52.0, 50.0], &[56.0, 46.0]);
        check(&[50.0, 50.0, 50.0, 90.0], &[40.0, 50.0, 60.0, 90.0]);
        check(&[0.0, 0.0, 12.0], &[0.0, 10.0, 20.0]);
        check(&[100.0, 100.0], &[90.0, 100.0]);
        check(&[200.0, -5.0], &[100.0, 0.0]);
    }
}
