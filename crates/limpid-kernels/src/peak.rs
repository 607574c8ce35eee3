//! The most multiply-accumulates that a core can do: what the speed of a kernel is measured against.
//!
//! Formula: `a = a * b + c`, for independent values. Nothing is loaded or stored, and there are more chains than latency times
//! throughput needs (4 cycles x 2 units is usual on x86, 4 x 4 on large Arm cores), so only the units themselves are the limit.

use std::hint::black_box;

use crate::Isa;
use crate::isa::per_isa;
use crate::lanes::Lanes;

/// Chains: with the two operands they fit the registers.
const CHAINS_OF_16: usize = 12;
/// The same with twice the registers.
const CHAINS_OF_32: usize = 24;
/// Of the portable code; more of them the compiler no longer keeps in registers. As it multiplies and adds in two
/// instructions, each waits longer for its turn, and two thirds of what the units could do is what these few reach.
const PORTABLE_CHAINS: usize = 8;

/// Does `steps` dependent multiply-accumulates in each of several chains of vectors, and returns how many there were of
/// single values. Its time is for the caller to take.
///
/// ```
/// use limpid_kernels::{Isa, peak};
///
/// assert_eq!(peak::multiply_accumulates(Isa::SCALAR, 1000), 8 * 1000 * Isa::SCALAR.lanes() as u64);
/// ```
pub fn multiply_accumulates(isa: Isa, steps: usize) -> u64 {
    black_box(sum(isa, isa == Isa::SCALAR, steps, black_box(0.5), black_box(1.0)));
    (steps * chains(isa) * isa.lanes()) as u64
}

/// How many there are on an instruction set.
fn chains(isa: Isa) -> usize {
    if isa == Isa::SCALAR {
        PORTABLE_CHAINS
    } else if registers(isa) >= 32 {
        CHAINS_OF_32
    } else {
        CHAINS_OF_16
    }
}

per_isa! {
    fn registers<L>(lanes;) -> usize {
        L::REGISTERS
    }
}

per_isa! {
    /// The sum of all chains: from their starts they tend to `c / (1 - b)`.
    fn sum<L>(lanes; portable: bool, steps: usize, b: f32, c: f32) -> f32 {
        if portable {
            sum_of::<L, PORTABLE_CHAINS>(lanes, steps, b, c)
        } else if L::REGISTERS >= 32 {
            sum_of::<L, CHAINS_OF_32>(lanes, steps, b, c)
        } else {
            sum_of::<L, CHAINS_OF_16>(lanes, steps, b, c)
        }
    }
}

#[inline(always)]
fn sum_of<L: Lanes, const N: usize>(lanes: L, steps: usize, b: f32, c: f32) -> f32 {
    let (b, c) = (lanes.splat(b), lanes.splat(c));
    // Different starts, or the compiler would see that one chain is enough.
    let mut values: [L::F32; N] = std::array::from_fn(|i| lanes.splat(i as f32));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_reaches_its_limit() {
        for isa in Isa::available() {
            assert_eq!(
                sum(isa, isa == Isa::SCALAR, 100, 0.5, 1.0),
                2.0 * (chains(isa) * isa.lanes()) as f32,
                "{isa}"
            );
        }
    }
}
