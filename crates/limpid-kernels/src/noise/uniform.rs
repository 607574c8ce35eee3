//! Uniformly distributed random numbers: the 24 high bits of each random word, over 2^24.

use super::{BLOCKS, CHUNK, Stream, chunk_at, unit};
use crate::Isa;
use crate::isa::per_isa;

/// Fills `out` with multiples of 2^-24 in `[0, 1)`. A longer slice begins with the values of a shorter one.
pub fn uniform(isa: Isa, stream: Stream, out: &mut [f32]) {
    uniform_from(isa, stream, 0, out);
}

/// As [`uniform`], from the value number `first` of the stream on.
///
/// # Panics
/// If `first` is no multiple of [`CHUNK`].
pub fn uniform_from(isa: Isa, stream: Stream, first: usize, out: &mut [f32]) {
    fill(isa, stream, chunk_at(first), out);
}

per_isa! {
    fn fill<L>(_lanes; stream: Stream, first_chunk: usize, out: &mut [f32]) {
        for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
            let words = stream.words(first_chunk + chunk);
            let mut values = [[0.0_f32; BLOCKS]; 4];
            for word in 0..4 {
                for block in 0..BLOCKS {
                    values[word][block] = unit(words[word][block]);
                }
            }
            let len = out.len();
            out.copy_from_slice(&values.as_flattened()[..len]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream { seed: 7, index: 1, draw: 2, purpose: 0 };

    fn draw(isa: Isa, first: usize, len: usize) -> Vec<f32> {
        let mut out = vec![0.0; len];
        uniform_from(isa, STREAM, first, &mut out);
        out
    }

    #[test]
    fn every_instruction_set_draws_the_same_bits() {
        let len = if cfg!(miri) { 300 } else { 5000 };
        let want = draw(Isa::SCALAR, 0, len);
        for isa in Isa::available() {
            assert_eq!(draw(isa, 0, len), want, "{isa}");
            assert_eq!(draw(isa, 3 * CHUNK, 100), want[3 * CHUNK..][..100], "{isa}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "a million draws")]
    fn values_fill_the_unit_interval_evenly() {
        let values = draw(Isa::best(), 0, 1 << 20);
        let n = values.len() as f64;
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
        let mut counts = [0.0_f64; 64];
        for value in &values {
            counts[(value * 64.0) as usize] += 1.0;
        }
        // Chi-squared with 63 degrees of freedom: mean 63, deviation sqrt(126).
        let expected = n / 64.0;
        let chi: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
        assert!((chi - 63.0).abs() < 5.0 * 126.0_f64.sqrt(), "{chi}");
    }

    #[test]
    #[should_panic(expected = "a multiple of 64 values, not at 3")]
    fn a_draw_does_not_begin_within_a_chunk() {
        draw(Isa::SCALAR, 3, 1);
    }
}
