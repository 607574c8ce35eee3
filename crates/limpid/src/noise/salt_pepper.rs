//! Salt-and-pepper noise: each pixel is, with probability `level`, replaced by black or white with equal chance; else it
//! stays as it is. Dead and saturated pixels, dust, transmission errors.
//!
//! As a corruption for denoising autoencoders: P. Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010, section 3.3.

use limpid_kernels::Isa;
use limpid_kernels::noise::Stream;

use super::Family;
use super::draw::with_uniforms;

pub(super) const FAMILY: Family = Family {
    name: "salt-pepper",
    level: "fraction of replaced pixels",
    unit: "",
    allowed: 0.0..=1.0,
    example: "0.05",
    corrupt,
};

fn corrupt(level: f32, isa: Isa, stream: Stream, image: &mut [f32]) {
    let half = 0.5 * level;
    with_uniforms(isa, stream, image, |pixel, uniform| {
        if uniform < half {
            0.0
        } else if uniform >= 1.0 - half {
            1.0
        } else {
            pixel
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    #[test]
    fn the_fraction_is_replaced_half_by_black_half_by_white() {
        let noisy = noisy("salt-pepper:0.1", 0.25);
        for value in [0.0, 1.0] {
            let share = fraction(&noisy, value);
            assert!((share - 0.05).abs() < 5.0 * (0.05_f64 * 0.95).sqrt() / 512.0, "{share}");
        }
        assert!(noisy.iter().all(|p| [0.0, 0.25, 1.0].contains(p)));
        let (mean, _) = mean_and_deviation(&noisy);
        assert!((mean - (0.9 * 0.25 + 0.05)).abs() < 0.002, "{mean}");
    }

    #[test]
    fn none_and_all_are_exact() {
        assert_eq!(fraction(&noisy("salt-pepper:0", 0.25), 0.25), 1.0);
        assert_eq!(fraction(&noisy("salt-pepper:1", 0.25), 0.25), 0.0);
    }
}
