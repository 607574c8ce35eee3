//! The axes of a plot: a range with round numbers along it.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// A linear axis for plotters, with our own marks: plotters' choice has fractions of epochs and `0.10999999`.
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ticks: Ticks,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let fraction = (value - self.low) / (self.high - self.low);
        start + (fraction * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // plotters asks a second time for the lighter marks in between, of which there are none.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.values.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.label(*value)
    }
}

/// The marks of an axis, equally spaced by 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    /// Ascending, all inside the range.
    pub(crate) values: Vec<f64>,
    step: f64,
}

impl Ticks {
    /// At most `most` marks within `[low, high]`, which must be finite and `low < high`.
    pub(crate) fn new(low: f64, high: f64, most: usize) -> Self {
        let step = round_step((high - low) / most as f64);
        Self::at_multiples(low, high, step)
    }

    /// At most about `most` whole numbers within `[low, high]`; the lowest is among them, for an axis of epochs
    /// that starts at 1 should say so.
    pub(crate) fn whole(low: u32, high: u32, most: usize) -> Self {
        let step = round_step(f64::from(high - low) / most as f64).max(1.0);
        // Fives over twos: 25 epochs read better as 1, 5, 10 … 25 than as 1, 2, 4 … 24.
        let step = if step == 2.0 { 5.0 } else { step };
        let mut ticks = Self::at_multiples(f64::from(low), f64::from(high), step);
        // Room for the text of the first mark: the next one gives way if it is closer than half a step.
        if ticks
            .values
            .first()
            .is_some_and(|&first| first != f64::from(low) && first - f64::from(low) < step / 2.0)
        {
            ticks.values.remove(0);
        }
        if ticks.values.first() != Some(&f64::from(low)) {
            ticks.values.insert(0, f64::from(low));
        }
        ticks
    }

    fn at_multiples(low: f64, high: f64, step: f64) -> Self {
        let (first, last) = ((low / step).ceil(), (high / step).floor());
        let count = (last - first + 1.0).max(0.0) as usize;
        Self { values: (0..count).map(|i| (first + i as f64) * step).collect(), step }
    }

    /// All marks as text.
    pub(crate) fn labels(&self) -> impl Iterator<Item = String> {
        self.values.iter().map(|&value| self.label(value))
    }

    /// A mark as text, with as many decimals as tell it from its neighbours.
    pub(crate) fn label(&self, value: f64) -> String {
        let largest = self.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        if largest >= 1e6 || (largest > 0.0 && largest < 1e-4) {
            let digits = (largest.log10().floor() - self.step.log10().floor()).clamp(0.0, 9.0) as usize;
            return if value == 0.0 { "0".into() } else { format!("{value:.digits$e}") };
        }
        // The small addition absorbs the rounding of log10 at exact powers of ten.
        let decimals = (-(self.step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
        let value = value + 0.0; // -0 becomes 0
        format!("{value:.decimals$}")
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|m| m * power)
        .into_iter()
        .find(|&step| step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<String> {
        ticks.labels().collect()
    }

    #[test]
    fn losses_get_round_labels() {
        assert_eq!(labels(&Ticks::new(0.0911, 0.1470, 7)), ["0.10", "0.11", "0.12", "0.13", "0.14"]);
        assert_eq!(labels(&Ticks::new(0.0945, 0.0962, 5)), ["0.0945", "0.0950", "0.0955", "0.0960"]);
        assert_eq!(labels(&Ticks::new(-0.1, 2.3, 5)), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(labels(&Ticks::new(0.0, 3e9, 4)), ["0", "1e9", "2e9", "3e9"]);
    }

    #[test]
    fn the_first_mark_keeps_its_value_among_large_steps() {
        assert_eq!(labels(&Ticks::whole(1, 1000, 12))[..2], ["1", "100"]);
    }

    #[test]
    fn epochs_are_whole_and_start_at_the_first() {
        let values = |low, high| Ticks::whole(low, high, 12).values;
        assert_eq!(values(1, 1), [1.0]);
        assert_eq!(values(1, 2), [1.0, 2.0]);
        assert_eq!(values(1, 12), (1..=12).map(f64::from).collect::<Vec<_>>());
        assert_eq!(values(1, 25), [1.0, 5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(values(1, 50), [1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0]);
        assert_eq!(values(9, 59), [9.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0]);
        assert_eq!(
            values(1, 1000),
            [1.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0]
        );
    }

    proptest::proptest! {
        #[test]
        fn marks_are_few_inside_and_told_apart(low in -1e12..1e12, exponent in -5.0..12.0) {
            let low: f64 = low;
            let high = low + 10_f64.powf(exponent).max(low.abs() * 1e-6);
            let ticks = Ticks::new(low, high, 7);
            assert!((1..=8).contains(&ticks.values.len()), "{ticks:?}");
            let slack = (high - low) * 1e-6;
            assert!(ticks.values.iter().all(|v| (low - slack..=high + slack).contains(v)), "{ticks:?}");
            let mut texts = labels(&ticks);
            texts.dedup();
            assert_eq!(texts.len(), ticks.values.len(), "{texts:?}");
        }
    }
}
