//! Additive white Gaussian noise: `noisy = clip(clean + factor * N(0, 1), 0, 1)`.

use limpid_kernels::Isa;
use limpid_kernels::noise::{Stream, normal};

/// Gaussian noise of a fixed strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// The deviation before clipping, in units of the pixel range; the tutorial's noise factor is 0.5.
    pub factor: f32,
}

impl Gaussian {
    /// From what stands behind the colon of `gaussian:0.5`; the error says what was expected.
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        match value.parse() {
            Ok(factor) if (0.0..=f32::MAX).contains(&factor) => Ok(Self { factor }),
            _ => Err(format!(
                "the deviation must be a number of 0 or more, in units of the pixel range [0, 1], for example \
                 gaussian:0.5; found {value:?}"
            )),
        }
    }

    pub(super) fn corrupt(&self, isa: Isa, stream: Stream, clean: &[f32], noisy: &mut [f32]) {
        assert_eq!(clean.len(), noisy.len(), "a noisy image is as large as its clean one");
        normal(isa, stream, noisy);
        for (noisy, &clean) in noisy.iter_mut().zip(clean) {
            *noisy = (clean + self.factor * *noisy).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_stream;

    fn corrupt(factor: f32, clean: f32) -> Vec<f32> {
        let mut noisy = vec![0.0; 1 << 18];
        let clean = vec![clean; noisy.len()];
        Gaussian { factor }.corrupt(Isa::best(), test_stream(3), &clean, &mut noisy);
        noisy
    }

    fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    /// At 0.5 with a deviation of 0.1, clipping does not matter: it takes five deviations.
    #[test]
    fn mean_and_deviation_are_those_asked_for() {
        let (mean, deviation) = mean_and_deviation(&corrupt(0.1, 0.5));
        assert!((mean - 0.5).abs() < 5.0 * 0.1 / 512.0, "{mean}");
        assert!((deviation - 0.1).abs() < 5.0 * 0.1 / 724.0, "{deviation}");
    }

    /// On black, half of the values are clipped to 0: the mean of `max(0, N(0, s))` is `s / sqrt(2 pi)`, its variance
    /// `s^2 (1/2 - 1/(2 pi))`. With 0.2, clipping at 1 again takes five deviations.
    #[test]
    fn noise_is_clipped_to_the_pixel_range() {
        let noisy = corrupt(0.2, 0.0);
        assert!(noisy.iter().all(|p| (0.0..=1.0).contains(p)));
        let clipped = noisy.iter().filter(|&&p| p == 0.0).count() as f64 / noisy.len() as f64;
        assert!((clipped - 0.5).abs() < 5.0 * 0.5 / 512.0, "{clipped}");
        let (mean, deviation) = mean_and_deviation(&noisy);
        assert!((mean - 0.079_788).abs() < 5.0 * 0.117 / 512.0, "{mean}");
        assert!((deviation - 0.116_765).abs() < 0.001, "{deviation}");
        assert!(corrupt(0.5, 1.0).contains(&1.0));
    }

    #[test]
    fn no_noise_leaves_the_image_as_it_is() {
        assert!(corrupt(0.0, 0.25).iter().all(|&p| p == 0.25));
    }
}
