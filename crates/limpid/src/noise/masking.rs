//! Masking noise: each pixel is, with probability `level`, set to black.
//!
//! P. Vincent, H. Larochelle, Y. Bengio, P.-A. Manzagol, "Extracting and composing robust features with denoising
//! autoencoders", ICML 2008, where the autoencoder first was a denoising one. There a fixed number of pixels of every image is
//! set to 0; here each pixel is drawn for itself, so that the number varies around that.

use limpid_kernels::Isa;
use limpid_kernels::noise::Stream;

use super::Family;
use super::draw::with_uniforms;

pub(super) const FAMILY: Family = Family {
    name: "masking",
    level: "fraction of masked pixels",
    unit: "",
    allowed: 0.0..=1.0,
    example: "0.25",
    corrupt,
};

fn corrupt(level: f32, isa: Isa, stream: Stream, image: &mut [f32]) {
    with_uniforms(isa, stream, image, |pixel, uniform| if uniform < level { 0.0 } else { pixel });
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    #[test]
    fn the_fraction_is_black_and_the_rest_untouched() {
        let noisy = noisy("masking:0.25", 0.75);
        let share = fraction(&noisy, 0.0);
        assert!((share - 0.25).abs() < 5.0 * (0.25_f64 * 0.75).sqrt() / 512.0, "{share}");
        assert!((share + fraction(&noisy, 0.75) - 1.0).abs() < 1e-12);
        let (mean, deviation) = mean_and_deviation(&noisy);
        assert!((mean - 0.5625).abs() < 0.004 && (deviation - 0.324_76).abs() < 0.004, "{mean} {deviation}");
    }

    #[test]
    fn none_and_all_are_exact() {
        assert_eq!(fraction(&noisy("masking:0", 0.75), 0.75), 1.0);
        assert_eq!(fraction(&noisy("masking:1", 0.75), 0.0), 1.0);
    }
}
