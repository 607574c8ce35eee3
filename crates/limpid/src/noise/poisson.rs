//! Shot noise: light comes in photons. `noisy = min(Poisson(level * clean) / level, 1)`, where `level` is the number of photons
//! that make a pixel white: the fewer, the more noise. The deviation is `sqrt(clean / level)`.
//!
//! S. W. Hasinoff, "Photon, Poisson noise", in Computer Vision: A Reference Guide, 2014.

use limpid_kernels::Isa;
use limpid_kernels::noise::{LARGEST_MEAN, Stream, poisson_from};

use super::Family;

pub(super) const FAMILY: Family = Family {
    name: "poisson",
    level: "number of photons in a white pixel",
    unit: "",
    allowed: 1e-3..=LARGEST_MEAN,
    example: "30",
    corrupt,
};

fn corrupt(level: f32, _: Isa, stream: Stream, image: &mut [f32]) {
    for pixel in image.iter_mut() {
        // What is above 1 or no number at all is not an image; it must not stop a run either.
        *pixel = if *pixel > 0.0 { pixel.min(1.0) * level } else { 0.0 };
    }
    poisson_from(stream, 0, image);
    for pixel in image {
        *pixel = (*pixel / level).min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    #[test]
    fn mean_and_deviation_are_those_of_counted_photons() {
        for (noise, photons, clean) in [("poisson:30", 30.0, 0.25_f32), ("poisson:400", 400.0, 0.5)] {
            let noisy = noisy(noise, clean);
            let (mean, deviation) = mean_and_deviation(&noisy);
            let want = (f64::from(clean) / photons).sqrt();
            assert!((mean - f64::from(clean)).abs() < 5.0 * want / 512.0, "{noise}: {mean}");
            assert!((deviation - want).abs() < 5.0 * want / 600.0, "{noise}: {deviation}");
            assert!(noisy.iter().all(|p| (f64::from(*p) * photons).fract().min(1.0) < 1e-3
                || (f64::from(*p) * photons).fract() > 0.999));
        }
    }

    #[test]
    fn black_stays_black_and_white_is_the_limit() {
        assert_eq!(fraction(&noisy("poisson:5", 0.0), 0.0), 1.0);
        assert!(noisy("poisson:5", 1.0).iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
