//! Glorot-uniform initialization (Glorot and Bengio 2010): variance preserved, on average of the two directions.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Fills a kernel with uniform values in `[-limit, limit)`, `limit = sqrt(6 / (fan_in + fan_out))`.
///
/// `fans` are the products of the kernel's area with its last two sizes, as Keras computes them; for a transposed
/// convolution they thereby change places, which the sum does not mind. Every `(seed, stream)` has values of its own.
pub(crate) fn fill(seed: u64, stream: u64, fans: (usize, usize), kernel: &mut [f32]) {
    let limit = (6.0 / (fans.0 + fans.1) as f64).sqrt() as f32;
    let mut random = random(seed, stream);
    for value in kernel {
        // 24 random bits are all the precision of an f32: a whole number of 2^-23 in [-1, 1), exact on every machine.
        let signed = (random.next_u32() >> 8) as i32 - (1 << 23);
        *value = limit * (signed as f32 / (1 << 23) as f32);
    }
}

/// The key is spelled out, not left to a library's way of stretching a `u64`, so that an update cannot change weights.
fn random(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut key = *b"________ limpid glorot-uniform 1";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    random.set_stream(stream);
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits were computed by a ChaCha8 written from RFC 8439 (8 rounds, 64-bit counter and stream), not by this code.
    #[test]
    fn the_values_stay_what_they_were() {
        let mut kernel = [0.0; 4];
        fill(1, 0, (9, 288), &mut kernel);
        assert_eq!(kernel.map(f32::to_bits), [1_024_402_696, 3_164_442_391, 1_038_460_703, 3_185_931_946]);
    }
}
