//! The gradient of a convolution's weights.
//!
//! Formula: `dw[ky, kx, ci, co] += sum over output pixels of x[s*oy + ky - top, s*ox + kx - left, ci] * dy[oy, ox, co]`.
//! Shapes: `x` is `shape.input` with a border of at least [`forward_input_pad`](super::forward_input_pad), `dy` is
//! `shape.output`, `dw` is `[ky][kx][ci][co]`.
//!
//! Why it is fast: for one kernel row, `(kx, ci)` is a run of neighbours in memory. A tile of `K` values of the run times
//! `V` vectors of output channels stays in registers while the loop goes over all pixels: `K` values and `V` vectors
//! loaded give `K * V` multiply-adds. With few output channels the lanes go along the run instead.

use super::{Stencil, lanes_over_run};
use crate::isa::per_isa;
use crate::lanes::{Lanes, read};
use crate::tiling::{split, with_constant};
use crate::{ConvShape, FeatureMap, Isa};

/// Adds the gradient of the weights of one image to `dw` (`[ky][kx][channels of shape.input][channels of shape.output]`).
///
/// For a transposed convolution, `x` is the gradient of its output and `dy` its input.
///
/// # Panics
/// If a size does not fit the geometry, or the border of `x` is narrower than the kernel reaches.
pub fn backward_weights(isa: Isa, shape: &ConvShape, x: &FeatureMap, dy: &FeatureMap, dw: &mut [f32]) {
    assert_eq!((x.shape(), dy.shape()), (shape.input, shape.output), "the maps must fit the convolution");
    let needed = super::forward_input_pad(shape);
    assert_eq!(dw.len(), shape.kernel_len(), "the gradient must fit the kernel");
    assert!(x.pad() >= needed, "the input needs a border of {needed}, not {}", x.pad());
    let run = shape.kernel * shape.input.channels;
    if lanes_over_run(isa.lanes(), shape.output.channels, run) {
        along_run(isa, shape, x, dy, dw);
    } else {
        along_channels(isa, shape, x, dy, dw);
    }
}

/// Where a row of output pixels starts: the offset in `x` of the first pixel's first tap of kernel row `ky`, and that in `dy`.
#[inline(always)]
fn row_start(shape: &ConvShape, oy: usize, ky: usize, x: &FeatureMap, dy: &FeatureMap) -> (usize, usize) {
    let row = (shape.stride * oy + ky) as isize - shape.pad.0 as isize;
    (x.offset(row, -(shape.pad.1 as isize)), dy.offset(oy as isize, 0))
}

/// Visits the output pixels of an image: `visit(offset in x of the first tap of kernel row ky, offset in dy)`.
#[inline(always)]
fn for_each_pixel(
    shape: &ConvShape,
    ky: usize,
    x: &FeatureMap,
    dy: &FeatureMap,
    mut visit: impl FnMut(usize, usize),
) {
    for oy in 0..shape.output.height {
        let (mut from, mut gradient) = row_start(shape, oy, ky, x, dy);
        for _ in 0..shape.output.width {
            visit(from, gradient);
            from += shape.stride * shape.input.channels;
            gradient += shape.output.channels;
        }
    }
}

per_isa! {
    /// Lanes over output channels.
    fn along_channels<L>(lanes; shape: &ConvShape, x: &FeatureMap, dy: &FeatureMap, dw: &mut [f32]) {
        let channels = shape.output.channels;
        let run = shape.kernel * shape.input.channels;
        // As many accumulators as leave registers for the vectors of `dy` and one value.
        let most = if L::REGISTERS >= 32 { 12 } else { 6 };
        for first in (0..channels).step_by(Stencil::BLOCK * L::LEN) {
            let block = (channels - first).min(Stencil::BLOCK * L::LEN);
            for ky in 0..shape.kernel {
                for (k, count) in split(run, most) {
                    let tile = Tile { shape, ky, k, first, block };
                    with_constant!(block.div_ceil(L::LEN), [1 2] as V => {
                        with_constant!(count, [1 2 3 4 5 6 7 8 9 10 11 12] as K => {
                            if block == V * L::LEN {
                                tile.run::<L, K, V, true>(lanes, x, dy, dw);
                            } else {
                                tile.run::<L, K, V, false>(lanes, x, dy, dw);
                            }
                        });
                    });
                }
            }
        }
    }
}

/// A part of one kernel row: `K` values of the run from `k` on, times `block` output channels from `first` on.
struct Tile<'a> {
    shape: &'a ConvShape,
    ky: usize,
    k: usize,
    first: usize,
    block: usize,
}

impl Tile<'_> {
    /// `WHOLE` says that all vectors of the block are full.
    #[inline(always)]
    fn run<L: Lanes, const K: usize, const V: usize, const WHOLE: bool>(
        &self,
        lanes: L,
        x: &FeatureMap,
        dy: &FeatureMap,
        dw: &mut [f32],
    ) {
        let (values, gradients) = (x.values(), dy.values());
        let shape = self.shape;
        let last = self.block - (V - 1) * L::LEN;
        let mut sums = [[lanes.splat(0.0); V]; K];
        for oy in 0..shape.output.height {
            let (mut from, mut gradient) = row_start(shape, oy, self.ky, x, dy);
            for _ in 0..shape.output.width {
                // SAFETY: the pixel's block of channels lies in `dy`, of which `last` are left in the last vector; its taps lie
                // in `x`, border included.
                unsafe {
                    let dy: [L::F32; V] = std::array::from_fn(|v| {
                        let at = gradient + self.first + v * L::LEN;
                        if WHOLE || v + 1 < V {
                            lanes.load(gradients, at)
                        } else {
                            lanes.load_first(gradients, at, last)
                        }
                    });
                    for (k, row) in sums.iter_mut().enumerate() {
                        let value = lanes.splat(read(values, from + self.k + k));
                        for (sum, &dy) in row.iter_mut().zip(&dy) {
                            *sum = lanes.mul_add(value, dy, *sum);
                        }
                    }
                }
                from += shape.stride * shape.input.channels;
                gradient += shape.output.channels;
            }
        }
        let channels = self.shape.output.channels;
        let run = self.shape.kernel * self.shape.input.channels;
        for (i, row) in sums.iter().enumerate() {
            let to = (self.ky * run + self.k + i) * channels + self.first;
            for (v, sum) in row.iter().enumerate() {
                let count = if v + 1 < V { L::LEN } else { last };
                // SAFETY: `count` of the block's channels start at vector `v` of this row of `dw`.
                unsafe {
                    let old = lanes.load_first(dw, to + v * L::LEN, count);
                    let one = lanes.splat(1.0);
                    lanes.store_first(dw, to + v * L::LEN, count, lanes.mul_add(*sum, one, old));
                }
            }
        }
    }
}

per_isa! {
    /// Lanes over the run, one output channel at a time.
    fn along_run<L>(lanes; shape: &ConvShape, x: &FeatureMap, dy: &FeatureMap, dw: &mut [f32]) {
        let channels = shape.output.channels;
        let run = shape.kernel * shape.input.channels;
        let mut gradient_row = vec![0.0; run];
        for channel in 0..channels {
            for ky in 0..shape.kernel {
                for (vector, count) in split(run / L::LEN, 6) {
                    with_constant!(count, [1 2 3 4 5 6] as V => {
                        vectors::<L, V>(lanes, shape, (ky, vector * L::LEN, channel), x, dy, &mut gradient_row);
                    });
                }
                let tail = run % L::LEN;
                if tail > 0 {
                    let mut sum = lanes.splat(0.0);
                    for_each_pixel(shape, ky, x, dy, |from, gradient| {
                        // SAFETY: the pixel lies in `dy`, its taps in `x`, border included.
                        unsafe {
                            let dy = lanes.splat(read(dy.values(), gradient + channel));
                            sum = lanes.mul_add(lanes.load_first(x.values(), from + run - tail, tail), dy, sum);
                        }
                    });
                    // SAFETY: `tail` values are left in the row.
                    unsafe { lanes.store_first(&mut gradient_row, run - tail, tail, sum) };
                }
                for (k, value) in gradient_row.iter().enumerate() {
                    dw[(ky * run + k) * channels + channel] += value;
                }
            }
        }
    }
}

/// `V` vectors of the run of kernel row `ky` from `k` on, for one output channel.
#[inline(always)]
fn vectors<L: Lanes, const V: usize>(
    lanes: L,
    shape: &ConvShape,
    (ky, k, channel): (usize, usize, usize),
    x: &FeatureMap,
    dy: &FeatureMap,
    gradient_row: &mut [f32],
) {
    let mut sums = [lanes.splat(0.0); V];
    for_each_pixel(shape, ky, x, dy, |from, gradient| {
        // SAFETY: the pixel lies in `dy`, its taps in `x`, border included.
        unsafe {
            let dy = lanes.splat(read(dy.values(), gradient + channel));
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = lanes.mul_add(lanes.load(x.values(), from + k + v * L::LEN), dy, *sum);
            }
        }
    });
    for (v, sum) in sums.into_iter().enumerate() {
        // SAFETY: the run is at least `k + V * LEN` long, and the row has the run's length.
        unsafe { lanes.store(gradient_row, k + v * L::LEN, sum) };
    }
}
