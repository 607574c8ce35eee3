//! Poisson distributed random numbers, each with a mean of its own.
//!
//! Below a mean of 10 by inversion: the smallest `k` at which the sum of the probabilities `e^-m m^j / j!`, j = 0..k, passes
//! one uniform number. From there on by transformed rejection, algorithm PTRS of W. Hörmann, "The transformed rejection
//! method for generating Poisson random variables", Insurance: Mathematics and Economics 12, 1993: of some 1.2 trials one
//! is accepted, mostly without a logarithm. Both are exact but for the rounding of probabilities (2e-7 of each at most).
//!
//! Value `i` of a stream takes its random words from counter `i`, trials beyond the second from counters that differ in the
//! high half of the purpose.

use super::{Stream, philox4x32};
use crate::math::{exp_negative, ln_f64};

/// No mean may be above this, so that every value is exact in `f32`.
pub const LARGEST_MEAN: f32 = 1e6;

/// From this mean on rejection is right, and faster than inversion.
const REJECTION: f64 = 10.0;

/// Replaces each mean by a value drawn with it: a count, 0, 1, 2...; `values[0]` is number `first` of the stream.
///
/// # Panics
/// If a mean is not in `[0, LARGEST_MEAN]`, or the stream's purpose is above 65,535.
pub fn poisson_from(stream: Stream, first: usize, values: &mut [f32]) {
    assert!(stream.purpose < 1 << 16, "the high half of the purpose counts trials");
    for (i, value) in values.iter_mut().enumerate() {
        let mean = *value;
        assert!((0.0..=LARGEST_MEAN).contains(&mean), "a mean of {mean}, expected 0 to {LARGEST_MEAN}");
        let words = |round: u32| {
            let counter = [(first + i) as u32, stream.index, stream.draw, stream.purpose | round << 16];
            philox4x32(counter, stream.key())
        };
        *value = match f64::from(mean) {
            0.0 => 0.0,
            mean if mean < REJECTION => by_inversion(mean, open_unit(words(0)[0])),
            mean => by_rejection(mean, words),
        } as f32;
    }
}

/// A word as a number in `(0, 1)`.
fn open_unit(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

fn by_inversion(mean: f64, u: f64) -> f64 {
    let mut k = 0.0;
    let mut probability = f64::from(exp_negative(-mean as f32));
    let mut sum = probability;
    // The sum may end a rounding below 1; where it stops growing there is nothing left to search.
    while u > sum && k < 100.0 {
        k += 1.0;
        probability *= mean / k;
        sum += probability;
    }
    k
}

/// The names are Hörmann's.
fn by_rejection(mean: f64, words: impl Fn(u32) -> [u32; 4]) -> f64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    for round in 0.. {
        let words = words(round);
        for pair in words.chunks_exact(2) {
            let (u, v) = (open_unit(pair[0]) - 0.5, open_unit(pair[1]));
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let hat = ln_f64(v * inverse_alpha / (a / (us * us) + b));
            if hat <= k * ln_f64(mean) - mean - ln_factorial(k) {
                return k;
            }
        }
        // A trial fails with a probability of 0.2 at most: 65,536 rounds never pass. Without a bound, though, the counters
        // would begin anew and might go round for ever.
        if round == u32::from(u16::MAX) {
            break;
        }
    }
    mean.floor()
}

/// `ln(k!)`: Stirling's series with three terms, or from a table below 10. The first term left out is below 6e-11.
fn ln_factorial(k: f64) -> f64 {
    const FACTORIALS: [f64; 10] = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40_320.0, 362_880.0];
    /// `ln(2 pi) / 2`.
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
    match FACTORIALS.get(k as usize) {
        Some(&factorial) => ln_f64(factorial),
        None => {
            let r = 1.0 / k;
            let series = r * (1.0 / 12.0 - r * r * (1.0 / 360.0 - r * r / 1260.0));
            (k + 0.5) * ln_f64(k) - k + HALF_LN_TAU + series
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream { seed: 7, index: 1, draw: 2, purpose: 0 };

    fn draw(mean: f32, count: usize) -> Vec<f32> {
        let mut values = vec![mean; count];
        poisson_from(STREAM, 0, &mut values);
        values
    }

    /// Of the Poisson distribution: mean and variance `m`, third central moment `m`, fourth `m + 3 m^2`.
    #[test]
    #[cfg_attr(miri, ignore = "a million draws")]
    fn moments_are_those_of_the_poisson_distribution() {
        for mean in [0.01, 0.5, 3.0, 9.99, 10.0, 12.5, 100.0, 5000.0, 1e6] {
            let values = draw(mean, 1 << 18);
            assert!(values.iter().all(|v| *v >= 0.0 && v.fract() == 0.0), "mean {mean}");
            let (n, m) = (values.len() as f64, f64::from(mean));
            let moment = |power: i32| values.iter().map(|&v| (f64::from(v) - m).powi(power)).sum::<f64>() / n;
            assert!(moment(1).abs() < 5.0 * (m / n).sqrt(), "mean {mean}: {}", moment(1));
            let fourth = m + 3.0 * m * m;
            let variance = moment(2);
            assert!((variance - m).abs() < 5.0 * ((fourth - m * m) / n).sqrt(), "mean {mean}: {variance}");
            // The sixth central moment is m + 25 m^2 + 15 m^3.
            let sixth = m + 25.0 * m * m + 15.0 * m * m * m;
            assert!((moment(3) - m).abs() < 5.0 * (sixth / n).sqrt(), "mean {mean}: {}", moment(3));
        }
    }

    /// Chi-squared over the counts that are expected at least 20 times, on both sides of the change of method.
    #[test]
    #[cfg_attr(miri, ignore = "a million draws")]
    fn probabilities_are_those_of_the_poisson_distribution() {
        for mean in [0.7_f32, 6.0, 10.5, 40.0, 300.0] {
            let values = draw(mean, 1 << 18);
            let (n, m) = (values.len() as f64, f64::from(mean));
            let mut counts = vec![0.0_f64; 2000];
            for value in values {
                counts[value as usize] += 1.0;
            }
            let (mut chi, mut degrees, mut rest, mut rest_expected) = (0.0, 0.0, n, n);
            let mut ln_probability = -m;
            for (k, &count) in counts.iter().enumerate() {
                if k > 0 {
                    ln_probability += (m / k as f64).ln();
                }
                let expected = n * ln_probability.exp();
                if expected >= 20.0 {
                    chi += (count - expected).powi(2) / expected;
                    degrees += 1.0;
                    rest -= count;
                    rest_expected -= expected;
                }
            }
            chi += (rest - rest_expected).powi(2) / rest_expected.max(1.0);
            assert!(chi < degrees + 5.0 * (2.0_f64 * degrees).sqrt(), "mean {mean}: {chi} of {degrees}");
        }
    }

    #[test]
    fn nothing_comes_of_a_mean_of_zero() {
        assert!(draw(0.0, 100).iter().all(|&v| v == 0.0));
    }

    #[test]
    fn a_draw_may_begin_anywhere() {
        let all = draw(25.0, 500);
        let mut end = vec![25.0; 363];
        poisson_from(STREAM, 137, &mut end);
        assert_eq!(end, all[137..]);
    }

    #[test]
    #[should_panic(expected = "a mean of NaN")]
    fn a_mean_must_be_one() {
        draw(f32::NAN, 1);
    }
}
