//! A stencil with its lanes over output channels, as tiles of pixels.
//!
//! Formula: for each pixel and each output channel, `bias + sum over tap rows, run of x * w`, then the activation, and the
//! max-pool where there is one behind.
//!
//! Why it is fast: `products.rs` says why the sums are. Borders are zeros in memory, so there are no branches. Bias starts the
//! sums, activation and pool are applied to them in registers, before the only store.

use super::output::{activate, store_maximum};
use super::products::Products;
use super::stencil::Stencil;
use crate::FeatureMap;
use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::tiling::{split, with_constant};

per_isa! {
    /// Runs a stencil whose weights have the layout `Wide`.
    pub(super) fn run<L>(lanes; stencil: &Stencil, bias: &[f32], slope: f32, x: &FeatureMap, y: &mut FeatureMap) {
        for block in blocks::<L>(stencil) {
            with_constant!(block.vectors, [1 2] as V => {
                // 32 channels and stride 1 are the common case.
                if stencil.column.input_stride * stencil.in_channels == 32 {
                    sweep::<L, V, 32>(lanes, stencil, block, bias, slope, x, y);
                } else {
                    sweep::<L, V, 0>(lanes, stencil, block, bias, slope, x, y);
                }
            });
        }
    }
}

per_isa! {
    /// Runs a stencil whose weights have the layout `Wide`, whose outputs are all pixels and whose output channels fill their
    /// vectors, with a max-pool over 2x2 behind it.
    pub(super) fn run_pooled<L>(
        lanes;
        stencil: &Stencil,
        bias: &[f32],
        slope: f32,
        x: &FeatureMap,
        y: &mut FeatureMap,
        argmax: &mut [u8],
    ) {
        let cells = y.shape();
        for block in blocks::<L>(stencil) {
            for row in 0..cells.height {
                // Accumulators for two rows of six pixels x two vectors, or of two pixels.
                let tile = RowOfTiles { stencil, block, bias, slope, row: 2 * row };
                for (column, count) in split(cells.width, if L::REGISTERS >= 32 { 3 } else { 1 }) {
                    with_constant!(block.vectors, [1 2] as V => with_constant!(count, [1 2 3] as CELLS => match CELLS {
                        1 => tile.pooled::<L, 2, V>(lanes, column, x, y, argmax),
                        2 => tile.pooled::<L, 4, V>(lanes, column, x, y, argmax),
                        _ => tile.pooled::<L, 6, V>(lanes, column, x, y, argmax),
                    }));
                }
            }
        }
    }
}

/// Output channels that one sweep computes.
#[derive(Clone, Copy)]
struct Block {
    /// The first channel.
    first: usize,
    /// Vectors, only the last of which may be partly used.
    vectors: usize,
    /// Channels.
    channels: usize,
}

/// The blocks of channels: pairs of vectors, and a single one at the end of an odd number.
#[inline(always)]
fn blocks<L: Lanes>(stencil: &Stencil) -> impl Iterator<Item = Block> {
    let (channels, most) = (stencil.out_channels, Stencil::BLOCK * L::LEN);
    (0..channels).step_by(most).map(move |first| {
        let channels = most.min(channels - first);
        Block { first, vectors: channels.div_ceil(L::LEN), channels }
    })
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
    let mut row = 0;
    while row < stencil.row.count {
        // Two rows of seven need 28 accumulators and are exact on 28, 14 and 7 columns; with 16 registers, one row of six.
        let tile = RowOfTiles { stencil, block, bias, slope, row };
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

    /// The sums of `R` x `Q` pixels x `V` vectors from a column on.
    #[inline(always)]
    fn sums<L: Lanes, const R: usize, const Q: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        column: usize,
        x: &FeatureMap,
    ) -> [[[L::F32; V]; Q]; R] {
        let stencil = self.stencil;
        let (tap_rows, run) = (stencil.row.taps.len(), stencil.run_len());
        let products = Products {
            weights: &stencil.weights[self.block.first * tap_rows * run..][..tap_rows * run * V * L::LEN],
            tap_rows,
            run,
            x: x.values(),
            from: x.offset(
                stencil.row.input_start + (self.row * stencil.row.input_stride) as isize,
                stencil.column.input_start + (column * stencil.column.input_stride) as isize,
            ),
            tap_step: x.row_stride(),
            down: stencil.row.input_stride * x.row_stride(),
            right: stencil.column.input_stride * stencil.in_channels,
        };
        let bias = &self.bias[self.block.first..][..V * L::LEN];
        // SAFETY: `weights` and `bias` were cut to V vectors. The inputs of all taps of all pixels lie in `x`, border included:
        // `Convolution::run` has checked its size and border.
        unsafe {
            let bias = std::array::from_fn(|v| lanes.load(bias, v * L::LEN));
            products.sums::<L, R, Q, V, STEP>(lanes, bias)
        }
    }

    /// One tile of `R` x `Q` pixels x `V` vectors.
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const Q: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        column: usize,
        x: &FeatureMap,
        y: &mut FeatureMap,
    ) {
        let Stencil { row: rows, column: columns, .. } = self.stencil;
        let sums = self.sums::<L, R, Q, V, STEP>(lanes, column, x);
        let slope = lanes.splat(self.slope);
        for (r, row) in sums.iter().enumerate() {
            for (q, pixel) in row.iter().enumerate() {
                let to = y.offset(
                    (rows.output_start + (self.row + r) * rows.output_stride) as isize,
                    (columns.output_start + (column + q) * columns.output_stride) as isize,
                ) + self.block.first;
                for (v, sum) in pixel.iter().enumerate() {
                    let value = activate(lanes, slope, *sum);
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

    /// The cells of a pool over 2x2 from cell `first` on, `Q` pixels wide.
    #[inline(always)]
    fn pooled<L: Lanes, const Q: usize, const V: usize>(
        &self,
        lanes: L,
        first: usize,
        x: &FeatureMap,
        y: &mut FeatureMap,
        argmax: &mut [u8],
    ) {
        let sums = self.sums::<L, 2, Q, V, 0>(lanes, 2 * first, x);
        let slope = lanes.splat(self.slope);
        for cell in 0..Q / 2 {
            #[allow(clippy::needless_range_loop, reason = "a vector has its place in four pixels")]
            for v in 0..V {
                let window = [
                    sums[0][2 * cell][v],
                    sums[0][2 * cell + 1][v],
                    sums[1][2 * cell][v],
                    sums[1][2 * cell + 1][v],
                ];
                let to = (self.row / 2, first + cell, self.block.first + v * L::LEN);
                // SAFETY: the cell lies inside `y`, and `Convolution::run_pooled` has checked that `argmax` is as long and that
                // the channels fill their vectors.
                unsafe { store_maximum(lanes, slope, window, (&mut *y, &mut *argmax), to) };
            }
        }
    }
}
