//! The tile of a stencil with its lanes over output channels: the routine in which training spends most of its time.
//!
//! Formula: for each pixel of a tile and each output channel, `bias + sum over tap rows, run of x * w`, then the
//! activation. Plainly it is a loop over pixels, taps, input channels and output channels.
//!
//! Why it is fast: a tile of `R` rows x `Q` pixels x `V` vectors of channels lives in registers while the loop goes over
//! taps and input channels. Each weight vector that is loaded serves `R * Q` multiply-adds and each pixel value `V`, so
//! the multiply-add units, not the loads, set the pace. Borders are zeros in memory, so there are no branches. Bias
//! starts the accumulators and the activation is applied before the only store.

use super::stencil::Stencil;
use super::tiling::{split, with_constant};
use crate::FeatureMap;
use crate::isa::per_isa;
use crate::lanes::{Lanes, read};

per_isa! {
    /// Runs a stencil whose weights have the layout `Wide`.
    pub(super) fn run<L>(lanes; stencil: &Stencil, bias: &[f32], slope: f32, x: &FeatureMap, y: &mut FeatureMap) {
        let vectors = stencil.out_channels.div_ceil(L::LEN);
        for (first, count) in split_blocks(vectors) {
            let block = Block { first: first * L::LEN, channels: (count * L::LEN).min(stencil.out_channels - first * L::LEN) };
            with_constant!(count, [1 2] as V => {
                // 32 channels and stride 1 are the common case: a constant distance between pixels makes every address
                // in the tile a register plus a constant.
                if stencil.column.input_stride * stencil.in_channels == 32 {
                    sweep::<L, V, 32>(lanes, stencil, block, bias, slope, x, y);
                } else {
                    sweep::<L, V, 0>(lanes, stencil, block, bias, slope, x, y);
                }
            });
        }
    }
}

/// Output channels that one sweep computes.
#[derive(Clone, Copy)]
struct Block {
    /// The first channel.
    first: usize,
    /// Channels; only the last vector may be partly used.
    channels: usize,
}

/// `(first vector, vectors)` of each block: pairs, and a single one at the end of an odd number.
#[inline(always)]
fn split_blocks(vectors: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..vectors).step_by(Stencil::BLOCK).map(move |first| (first, Stencil::BLOCK.min(vectors - first)))
}

/// One block of channels over all rows.
#[inline(always)]
fn sweep<L: Lanes, const V: usize, const STEP: usize>(
    lanes: L,
    stencil: &Stencil,
    block: Block,
    bias: &[f32],
    slope: f32,
    x: &FeatureMap,
    y: &mut FeatureMap,
) {
    let depth = stencil.row.taps.len() * stencil.run_len();
    let weights = &stencil.weights[block.first * depth..][..depth * V * L::LEN];
    let bias = &bias[block.first..][..V * L::LEN];
    let mut row = 0;
    while row < stencil.row.count {
        // Two rows of seven need 28 accumulators and are exact on 28, 14 and 7 columns; with 16 registers, one row of six.
        let tile = RowOfTiles { stencil, block, weights, bias, slope, row };
        if L::REGISTERS >= 32 && row + 2 <= stencil.row.count {
            tile.run::<L, 2, V, STEP>(lanes, 7, x, y);
            row += 2;
        } else {
            tile.run::<L, 1, V, STEP>(lanes, if L::REGISTERS >= 32 { 7 } else { 6 }, x, y);
            row += 1;
        }
    }
}

/// The tiles of one row, or of several below each other.
struct RowOfTiles<'a> {
    stencil: &'a Stencil,
    block: Block,
    /// `[tap row][run][V vectors]`.
    weights: &'a [f32],
    bias: &'a [f32],
    slope: f32,
    /// The first of the rows, counted in output positions of the stencil.
    row: usize,
}

impl RowOfTiles<'_> {
    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        widest: usize,
        x: &FeatureMap,
        y: &mut FeatureMap,
    ) {
        for (column, count) in split(self.stencil.column.count, widest) {
            with_constant!(count, [1 2 3 4 5 6 7] as Q => self.tile::<L, R, Q, V, STEP>(lanes, column, x, y));
        }
    }

    /// One tile of `R` x `Q` pixels x `V` vectors. `STEP` is the distance between the inputs of neighbouring pixels, or 0
    /// if it is known only at run time.
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const Q: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        column: usize,
        x: &FeatureMap,
        y: &mut FeatureMap,
    ) {
        let stencil = self.stencil;
        let step = if STEP > 0 { STEP } else { stencil.column.input_stride * stencil.in_channels };
        let row_step = stencil.row.input_stride * x.row_stride();
        let run = stencil.run_len();
        let from = x.offset(
            stencil.row.input_start + (self.row * stencil.row.input_stride) as isize,
            stencil.column.input_start + (column * stencil.column.input_stride) as isize,
        );
        let values = x.values();

        // SAFETY: `weights` and `bias` were cut to V vectors for each of the tap rows times the run. The inputs of all
        // taps of all pixels lie in `x`, border included: `Convolution::run` has checked its size and border.
        let mut sums = unsafe {
            let bias: [L::F32; V] = std::array::from_fn(|v| lanes.load(self.bias, v * L::LEN));
            let mut sums = [[bias; Q]; R];
            for tap_row in 0..stencil.row.taps.len() {
                let from = from + tap_row * x.row_stride();
                let weights_row = tap_row * run * V * L::LEN;
                for k in 0..run {
                    let weights: [L::F32; V] =
                        std::array::from_fn(|v| lanes.load(self.weights, weights_row + (k * V + v) * L::LEN));
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (q, pixel) in row.iter_mut().enumerate() {
                            let value = lanes.splat(read(values, from + k + r * row_step + q * step));
                            for (sum, &weight) in pixel.iter_mut().zip(&weights) {
                                *sum = lanes.mul_add(value, weight, *sum);
                            }
                        }
                    }
                }
            }
            sums
        };

        let slope = lanes.splat(self.slope);
        for (r, row) in sums.iter_mut().enumerate() {
            for (q, pixel) in row.iter_mut().enumerate() {
                let to = y.offset(
                    (stencil.row.output_start + (self.row + r) * stencil.row.output_stride) as isize,
                    (stencil.column.output_start + (column + q) * stencil.column.output_stride) as isize,
                ) + self.block.first;
                for (v, sum) in pixel.iter().enumerate() {
                    let value = lanes.max(lanes.mul(slope, *sum), *sum);
                    let count = (self.block.channels - v * L::LEN).min(L::LEN);
                    // SAFETY: the pixel lies inside `y`, and the block's channels inside the pixel.
                    unsafe {
                        if count == L::LEN {
                            lanes.store(y.values_mut(), to + v * L::LEN, value);
                        } else {
                            lanes.store_first(y.values_mut(), to + v * L::LEN, count, value);
                        }
                    }
                }
            }
        }
    }
}
