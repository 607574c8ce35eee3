//! The tile of a stencil with its lanes over the run: for layers with one or few output channels.
//!
//! Formula: as `wide_tile`, for one output channel at a time. Plainly, a dot product per pixel and tap row.
//!
//! Why it is fast: with one output channel (the logits), lanes over output channels would leave all but one idle. A run
//! of taps and input channels is contiguous in both the map and the weights, so the lanes go along it. `Q` pixels share
//! each weight vector, and their `Q` sums hide the latency of the multiply-add. Lanes are added up once per pixel.

use super::stencil::Stencil;
use crate::FeatureMap;
use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::tiling::{split, with_constant};

/// Pixels of a tile at most: enough sums to hide the latency of a multiply-add on 16 registers.
const WIDEST: usize = 7;

per_isa! {
    /// Runs a stencil whose weights have the layout `Dot`.
    pub(super) fn run<L>(lanes; stencil: &Stencil, bias: &[f32], slope: f32, x: &FeatureMap, y: &mut FeatureMap) {
        for row in 0..stencil.row.count {
            for (column, count) in split(stencil.column.count, WIDEST) {
                with_constant!(count, [1 2 3 4 5 6 7] as Q => {
                    tile::<L, Q>(lanes, stencil, (row, column), bias, slope, x, y);
                });
            }
        }
    }
}

/// `Q` pixels of a row from `(row, column)` on, all output channels.
#[inline(always)]
fn tile<L: Lanes, const Q: usize>(
    lanes: L,
    stencil: &Stencil,
    (row, column): (usize, usize),
    bias: &[f32],
    slope: f32,
    x: &FeatureMap,
    y: &mut FeatureMap,
) {
    let (run, tap_rows) = (stencil.run_len(), stencil.row.taps.len());
    let step = stencil.column.input_stride * stencil.in_channels;
    let from = x.offset(
        stencil.row.input_start + (row * stencil.row.input_stride) as isize,
        stencil.column.input_start + (column * stencil.column.input_stride) as isize,
    );
    let values = x.values();
    let tail = run % L::LEN;
    for (channel, bias) in bias.iter().enumerate().take(stencil.out_channels) {
        let mut sums = [lanes.splat(0.0); Q];
        for tap_row in 0..tap_rows {
            let from = from + tap_row * x.row_stride();
            let weights = &stencil.weights[(channel * tap_rows + tap_row) * run..][..run];
            // SAFETY: `k` stays below the run, which `weights` has as its length; the inputs of all taps of all pixels
            // lie in `x`, border included: `Convolution::run` has checked its size and border.
            unsafe {
                for k in (0..run - tail).step_by(L::LEN) {
                    let weight = lanes.load(weights, k);
                    for (q, sum) in sums.iter_mut().enumerate() {
                        *sum = lanes.mul_add(lanes.load(values, from + q * step + k), weight, *sum);
                    }
                }
                if tail > 0 {
                    let weight = lanes.load_first(weights, run - tail, tail);
                    for (q, sum) in sums.iter_mut().enumerate() {
                        let value = lanes.load_first(values, from + q * step + run - tail, tail);
                        *sum = lanes.mul_add(value, weight, *sum);
                    }
                }
            }
        }
        for (q, sum) in sums.into_iter().enumerate() {
            let z = lanes.sum(sum) + bias;
            let to = y.offset(
                (stencil.row.output_start + row * stencil.row.output_stride) as isize,
                (stencil.column.output_start + (column + q) * stencil.column.output_stride) as isize,
            );
            let activated = slope * z;
            y.values_mut()[to + channel] = if activated > z { activated } else { z };
        }
    }
}
