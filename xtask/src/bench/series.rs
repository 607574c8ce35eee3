//! What a contender measured, a figure per round.

/// One figure per round, all of the same thing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Series(pub(crate) Vec<f64>);

impl Series {
    /// The middle one, or the mean of the two in the middle; NaN if there are none.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            len if len % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// The smallest and the largest.
    pub(crate) fn range(&self) -> [f64; 2] {
        self.0.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)])
    }

    /// Each figure over that of `other` in the same round, so that what slowed a whole round down cancels out.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// `f` of each figure.
    pub(crate) fn map(&self, f: impl FnMut(&f64) -> f64) -> Self {
        Self(self.0.iter().map(f).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Series(vec![3.0, 1.0, 9.0]).median(), 3.0);
        assert_eq!(Series(vec![3.0, 1.0, 9.0, 4.0]).median(), 3.5);
        assert!(Series::default().median().is_nan());
        assert_eq!(Series(vec![3.0, 1.0, 9.0]).range(), [1.0, 9.0]);
    }

    #[test]
    fn ratios_are_those_of_each_round() {
        // The second round was twice as slow for both.
        let (slow, fast) = (Series(vec![10.0, 20.0, 12.0]), Series(vec![1.0, 2.0, 1.0]));
        assert_eq!(slow.over(&fast), Series(vec![10.0, 10.0, 12.0]));
    }
}
