//! The most multiply-accumulates that a core can do: what the speed of a kernel is measured against.
//!
//! Formula: `a = a * b + c`, for independent values. Nothing is loaded or stored, and there are more chains than any CPU's
//! latency times throughput needs (4 cycles x 2 units is the usual), so only the units themselves are the limit.

use std::hint::black_box;

use crate::Isa;
use crate::isa::per_isa;

/// Chains: with the two operands they fit the 16 registers that most instruction sets have.
const CHAINS: usize = 12;

/// Does `steps` dependent multiply-accumulates in each of several chains of vectors, and returns how many there were of
/// single values. Its time is for the caller to take; the portable form multiplies and adds in two instructions.
///
/// ```
/// use limpid_kernels::{Isa, peak};
///
/// let isa = Isa::best();
/// assert_eq!(peak::multiply_accumulates(isa, 1000), 12_000 * isa.lanes() as u64);
/// ```
pub fn multiply_accumulates(isa: Isa, steps: usize) -> u64 {
    black_box(chains(isa, steps, black_box(0.5), black_box(1.0)));
    (steps * CHAINS * isa.lanes()) as u64
}

per_isa! {
    /// The sum of all chains: from their starts they tend to `c / (1 - b)`.
    fn chains<L>(lanes; steps: usize, b: f32, c: f32) -> f32 {
        let (b, c) = (lanes.splat(b), lanes.splat(c));
        // Different starts, or the compiler would see that one chain is enough.
        let mut values: [L::F32; CHAINS] = std::array::from_fn(|i| lanes.splat(i as f32));
        for _ in 0..steps {
            for value in &mut values {
                *value = lanes.mul_add(*value, b, c);
            }
        }
        let mut sum = 0.0;
        for value in values {
            sum += lanes.sum(value);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_reaches_its_limit() {
        for isa in Isa::available() {
            let sum = chains(isa, 100, 0.5, 1.0);
            assert_eq!(sum, 2.0 * (CHAINS * isa.lanes()) as f32, "{isa}");
        }
    }
}
