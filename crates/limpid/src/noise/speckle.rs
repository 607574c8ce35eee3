//! Speckle: multiplicative noise, `noisy = clip(clean * (1 + level * N(0, 1)), 0, 1)`. Bright parts suffer, black stays black, as
//! in pictures by coherent light, radar and ultrasound.
//!
//! J.-S. Lee, "Speckle analysis and smoothing of synthetic aperture radar images", Computer Graphics and Image Processing 17,
//! 1981, from whom the multiplicative model with a deviation is.

use limpid_kernels::Isa;
use limpid_kernels::noise::Stream;

use super::Family;
use super::draw::with_normals;

pub(super) const FAMILY: Family = Family {
    name: "speckle",
    level: "deviation",
    unit: "relative to the brightness of the pixel",
    allowed: 0.0..=f32::MAX,
    example: "0.2",
    corrupt,
};

fn corrupt(level: f32, isa: Isa, stream: Stream, image: &mut [f32]) {
    with_normals(isa, stream, image, |pixel, normal| (pixel + level * normal * pixel).clamp(0.0, 1.0));
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    #[test]
    fn the_deviation_follows_the_brightness() {
        for clean in [0.25_f32, 0.5] {
            let (mean, deviation) = mean_and_deviation(&noisy("speckle:0.2", clean));
            let (want_mean, want) = (f64::from(clean), 0.2 * f64::from(clean));
            assert!((mean - want_mean).abs() < 5.0 * want / 512.0, "{mean}");
            assert!((deviation - want).abs() < 5.0 * want / 724.0, "{deviation}");
        }
    }

    #[test]
    fn black_stays_black() {
        assert_eq!(fraction(&noisy("speckle:3", 0.0), 0.0), 1.0);
        assert!(noisy("speckle:3", 0.7).iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
