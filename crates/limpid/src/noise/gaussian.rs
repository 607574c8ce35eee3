//! Additive white Gaussian noise: `noisy = clip(clean + level * N(0, 1), 0, 1)`; the tutorial's, whose noise factor is 0.5.
//!
//! As a corruption for denoising autoencoders: P. Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010.

use limpid_kernels::Isa;
use limpid_kernels::noise::Stream;

use super::Family;
use super::draw::with_normals;

pub(super) const FAMILY: Family = Family {
    name: "gaussian",
    level: "deviation",
    unit: "in units of the pixel range [0, 1]",
    allowed: 0.0..=f32::MAX,
    example: "0.5",
    corrupt,
};

fn corrupt(level: f32, isa: Isa, stream: Stream, image: &mut [f32]) {
    with_normals(isa, stream, image, |pixel, normal| (pixel + level * normal).clamp(0.0, 1.0));
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    /// At 0.5 with a deviation of 0.1, clipping does not matter: it takes five deviations.
    #[test]
    fn mean_and_deviation_are_those_asked_for() {
        let (mean, deviation) = mean_and_deviation(&noisy("gaussian:0.1", 0.5));
        assert!((mean - 0.5).abs() < 5.0 * 0.1 / 512.0, "{mean}");
        assert!((deviation - 0.1).abs() < 5.0 * 0.1 / 724.0, "{deviation}");
    }

    /// On black, half of the values are clipped to 0: the mean of `max(0, N(0, s))` is `s / sqrt(2 pi)`, its variance
    /// `s^2 (1/2 - 1/(2 pi))`. With 0.2, clipping at 1 again takes five deviations.
    #[test]
    fn noise_is_clipped_to_the_pixel_range() {
        let noisy_black = noisy("gaussian:0.2", 0.0);
        assert!(noisy_black.iter().all(|p| (0.0..=1.0).contains(p)));
        let clipped = fraction(&noisy_black, 0.0);
        assert!((clipped - 0.5).abs() < 5.0 * 0.5 / 512.0, "{clipped}");
        let (mean, deviation) = mean_and_deviation(&noisy_black);
        assert!((mean - 0.079_788).abs() < 5.0 * 0.117 / 512.0, "{mean}");
        assert!((deviation - 0.116_765).abs() < 0.001, "{deviation}");
        assert!(noisy("gaussian:0.5", 1.0).contains(&1.0));
    }

    #[test]
    fn no_noise_leaves_the_image_as_it_is() {
        assert!(noisy("gaussian:0", 0.25).iter().all(|&p| p == 0.25));
    }
}
