//! Uniform noise: `noisy = clip(clean + level * U(-1, 1), 0, 1)`. What rounding to few grey levels does to a picture behaves like
//! this, with half a step as the level: W. R. Bennett, "Spectra of quantized signals", Bell System Technical Journal 27, 1948.

use limpid_kernels::Isa;
use limpid_kernels::noise::Stream;

use super::Family;
use super::draw::with_uniforms;

pub(super) const FAMILY: Family = Family {
    name: "uniform",
    level: "largest change of a pixel",
    unit: "in units of the pixel range [0, 1]",
    allowed: 0.0..=f32::MAX,
    example: "0.3",
    corrupt,
};

fn corrupt(level: f32, isa: Isa, stream: Stream, image: &mut [f32]) {
    with_uniforms(isa, stream, image, |pixel, uniform| {
        (pixel + level * (2.0 * uniform - 1.0)).clamp(0.0, 1.0)
    });
}

#[cfg(test)]
mod tests {
    use super::super::sampled::{fraction, mean_and_deviation, noisy};

    #[test]
    fn mean_and_deviation_are_those_of_the_uniform_distribution() {
        let noisy = noisy("uniform:0.3", 0.5);
        let (mean, deviation) = mean_and_deviation(&noisy);
        let want = 0.3 / 3.0_f64.sqrt();
        assert!((mean - 0.5).abs() < 5.0 * want / 512.0, "{mean}");
        assert!((deviation - want).abs() < 5.0 * want / 724.0, "{deviation}");
        assert!(noisy.iter().all(|p| (0.2 - 1e-6..0.8 + 1e-6).contains(p)));
    }

    #[test]
    fn half_of_black_is_clipped() {
        let share = fraction(&noisy("uniform:0.3", 0.0), 0.0);
        assert!((share - 0.5).abs() < 5.0 * 0.5 / 512.0, "{share}");
    }
}
