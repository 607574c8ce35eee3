//! The backward pass of a convolution under a max-pool: of the positions under a pooling window only that of the maximum has a
//! gradient, so most of the products of the dense backward pass are with zeros.
//!
//! Formulas, with `g` the gradient of a pooled cell and channel `co` (before the activation) and `q` the position of its maximum:
//!
//! ```text
//! dw[co][ky][kx, ci] += g * x[q + (ky, kx) - pad, ci]          dx[q + (ky, kx) - pad, ci] += g * w[co][ky][kx, ci]
//! ```
//!
//! Shapes: `g` and `argmax` are height/size x width/size x channels; weights are transposed, `[co][ky][kx][ci]`, so that one
//! kernel row of one output channel is a run of neighbours, as it is in the maps.
//!
//! Why it is fast: with windows of 2x2 a quarter of the products is left. For the weights, all kernel rows of one output channel
//! stay in registers over all cells. For the data, the channels whose maximum lies at one position are gathered, and their sum
//! over one kernel row stays in registers before it is added to the map.

use super::tiling::with_constant;
use crate::isa::per_isa;
use crate::lanes::{Lanes, read};
use crate::{ConvShape, FeatureMap, Isa};

/// A convolution of stride 1 under a max-pool over windows of `size` x `size`.
#[derive(Debug, Clone, Copy)]
pub struct PooledConv {
    isa: Isa,
    /// The convolution.
    shape: ConvShape,
    /// Side of a pooling window.
    size: usize,
}

/// Most vectors in a kernel row.
const MOST: usize = 12;

impl PooledConv {
    /// The sparse kernels for a geometry, if they have it: stride 1, and kernel rows of whole vectors, not too many.
    pub fn new(isa: Isa, shape: &ConvShape, size: usize) -> Option<Self> {
        let run = shape.kernel * shape.input.channels;
        let fits = shape.stride == 1
            && shape.input.height == shape.output.height
            && shape.input.width == shape.output.width
            && run.is_multiple_of(isa.lanes())
            && run / isa.lanes() <= MOST
            && (1..=crate::pool::MAX_SIZE).contains(&size);
        fits.then_some(Self { isa, shape: *shape, size })
    }

    /// Pixels of zeros that `x` and `dx` must have on each side.
    pub fn pad(&self) -> usize {
        super::forward_input_pad(&self.shape)
    }

    fn check(&self, map: &FeatureMap, pooled: &FeatureMap, argmax: &[u8], weights: &[f32]) {
        assert_eq!(map.shape(), self.shape.input, "the map must fit the convolution");
        assert!(map.pad() >= self.pad(), "the map needs a border of {}, not {}", self.pad(), map.pad());
        let want = crate::pool::output_shape(self.shape.output, self.size);
        assert_eq!(pooled.shape(), want, "the gradient must fit the pooling");
        assert_eq!(argmax.len(), want.len(), "one position per pooled value");
        assert_eq!(weights.len(), self.shape.kernel_len(), "the weights must fit the kernel");
        let positions = (self.size * self.size) as u8;
        assert!(argmax.iter().all(|&position| position < positions), "a position lies outside its window");
    }

    /// Adds the gradient of the weights of one image to `dw`, `[co][ky][kx][ci]`.
    ///
    /// # Panics
    /// If a size does not fit, a border is too narrow, or a position lies outside its window.
    pub fn backward_weights(&self, x: &FeatureMap, g: &FeatureMap, argmax: &[u8], dw: &mut [f32]) {
        self.check(x, g, argmax, dw);
        weights(self.isa, self, x, g, argmax, dw);
    }

    /// Writes the gradient of the data, for weights `w`, `[co][ky][kx][ci]`.
    ///
    /// # Panics
    /// As [`PooledConv::backward_weights`].
    pub fn backward_data(&self, g: &FeatureMap, argmax: &[u8], w: &[f32], dx: &mut FeatureMap) {
        self.check(dx, g, argmax, w);
        dx.values_mut().fill(0.0);
        data(self.isa, self, g, argmax, w, dx);
        dx.clear_border();
    }

    /// Offsets in the map, from the first pixel that the kernel reaches at a window's first position, of each other position.
    fn positions(&self, map: &FeatureMap) -> Vec<usize> {
        let channels = self.shape.input.channels;
        let at = |position: usize| position / self.size * map.row_stride() + position % self.size * channels;
        (0..self.size * self.size).map(at).collect()
    }

    /// Whether the registers hold all rows of a 3x3 kernel at once.
    #[inline(always)]
    fn has_three_rows_at_once<L: Lanes>(&self) -> bool {
        let vectors = self.shape.kernel * self.shape.input.channels / L::LEN;
        self.shape.kernel == 3 && 3 * vectors < L::REGISTERS - 4
    }

    /// Offset in the map of the first pixel that the kernel reaches at the first position of the window of cell `(y, x)`.
    #[inline(always)]
    fn corner(&self, map: &FeatureMap, y: usize, x: usize) -> usize {
        map.offset(
            (y * self.size) as isize - self.shape.pad.0 as isize,
            (x * self.size) as isize - self.shape.pad.1 as isize,
        )
    }
}

per_isa! {
    fn weights<L>(lanes; conv: &PooledConv, x: &FeatureMap, g: &FeatureMap, argmax: &[u8], dw: &mut [f32]) {
        let run = conv.shape.kernel * conv.shape.input.channels;
        let positions = conv.positions(x);
        let vectors = run / L::LEN;
        for (channel, dw) in dw.chunks_exact_mut(conv.shape.kernel * run).enumerate() {
            let call = Channel { conv, x, g, argmax, positions: &positions, channel };
            if conv.has_three_rows_at_once::<L>() {
                with_constant!(vectors, [1 2 3 4 5 6 7 8 9 10 11 12] as V => call.rows::<L, 3, V>(lanes, 0, dw));
            } else {
                for (ky, dw) in dw.chunks_exact_mut(run).enumerate() {
                    with_constant!(vectors, [1 2 3 4 5 6 7 8 9 10 11 12] as V => call.rows::<L, 1, V>(lanes, ky, dw));
                }
            }
        }
    }
}

/// One output channel.
struct Channel<'a> {
    conv: &'a PooledConv,
    x: &'a FeatureMap,
    g: &'a FeatureMap,
    argmax: &'a [u8],
    positions: &'a [usize],
    channel: usize,
}

impl Channel<'_> {
    /// `R` kernel rows of `V` vectors from row `ky` on.
    #[inline(always)]
    fn rows<L: Lanes, const R: usize, const V: usize>(&self, lanes: L, ky: usize, dw: &mut [f32]) {
        let Self { conv, x, g, argmax, positions, channel } = *self;
        let (values, shape) = (x.values(), g.shape());
        let mut sums = [[lanes.splat(0.0); V]; R];
        for cy in 0..shape.height {
            let gradients = g.row(cy);
            for cx in 0..shape.width {
                let cell = cx * shape.channels + channel;
                let position = argmax[cy * shape.width * shape.channels + cell];
                let from = conv.corner(x, cy, cx) + positions[usize::from(position)] + ky * x.row_stride();
                // SAFETY: `check` has seen that the position lies in its window, the window in the map, and that the border
                // holds what the kernel reaches around it.
                unsafe {
                    let gradient = lanes.splat(read(gradients, cell));
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (v, sum) in row.iter_mut().enumerate() {
                            let value = lanes.load(values, from + r * x.row_stride() + v * L::LEN);
                            *sum = lanes.mul_add(value, gradient, *sum);
                        }
                    }
                }
            }
        }
        let one = lanes.splat(1.0);
        for (r, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                let at = (r * V + v) * L::LEN;
                // SAFETY: `dw` has R rows of V vectors.
                unsafe { lanes.store(dw, at, lanes.mul_add(*sum, one, lanes.load(dw, at))) };
            }
        }
    }
}

per_isa! {
    fn data<L>(lanes; conv: &PooledConv, g: &FeatureMap, argmax: &[u8], w: &[f32], dx: &mut FeatureMap) {
        let run = conv.shape.kernel * conv.shape.input.channels;
        let vectors = run / L::LEN;
        let positions = conv.positions(dx);
        let shape = g.shape();
        // The channels of one cell by the position of their maximum: how many, and which.
        let mut gathered = vec![(0, vec![0_usize; shape.channels]); positions.len()];
        for (cy, argmax) in argmax.chunks_exact(shape.width * shape.channels).enumerate() {
            for (cx, argmax) in argmax.chunks_exact(shape.channels).enumerate() {
                for (count, _) in &mut gathered {
                    *count = 0;
                }
                let gradients = &g.row(cy)[cx * shape.channels..][..shape.channels];
                for (channel, (&position, &gradient)) in argmax.iter().zip(gradients).enumerate() {
                    let (count, channels) = &mut gathered[usize::from(position)];
                    channels[*count] = channel;
                    *count += usize::from(gradient != 0.0);
                }
                let corner = conv.corner(dx, cy, cx);
                for ((count, channels), &position) in gathered.iter().zip(&positions) {
                    if *count > 0 {
                        let call = Position { conv, gradients, channels: &channels[..*count], at: corner + position };
                        if conv.has_three_rows_at_once::<L>() {
                            with_constant!(vectors, [1 2 3 4 5 6 7 8 9 10 11 12] as V => call.rows::<L, 3, V>(lanes, 0, w, dx));
                        } else {
                            for ky in 0..conv.shape.kernel {
                                with_constant!(vectors, [1 2 3 4 5 6 7 8 9 10 11 12] as V => call.rows::<L, 1, V>(lanes, ky, w, dx));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One position of a window and the channels that have their maximum there.
struct Position<'a> {
    conv: &'a PooledConv,
    gradients: &'a [f32],
    channels: &'a [usize],
    /// Offset of the first pixel that the kernel reaches.
    at: usize,
}

impl Position<'_> {
    /// `R` kernel rows of `V` vectors from row `ky` on.
    #[inline(always)]
    fn rows<L: Lanes, const R: usize, const V: usize>(
        &self,
        lanes: L,
        ky: usize,
        w: &[f32],
        dx: &mut FeatureMap,
    ) {
        let run = V * L::LEN;
        let mut sums = [[lanes.splat(0.0); V]; R];
        for &channel in self.channels {
            let from = (channel * self.conv.shape.kernel + ky) * run;
            // SAFETY: channels are below those of the gradient, and the weights have so many kernels of whole rows.
            unsafe {
                let gradient = lanes.splat(read(self.gradients, channel));
                for (r, row) in sums.iter_mut().enumerate() {
                    for (v, sum) in row.iter_mut().enumerate() {
                        *sum = lanes.mul_add(lanes.load(w, from + r * run + v * L::LEN), gradient, *sum);
                    }
                }
            }
        }
        let (one, stride) = (lanes.splat(1.0), dx.row_stride());
        for (r, row) in sums.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                let at = self.at + (ky + r) * stride + v * L::LEN;
                let values = dx.values_mut();
                // SAFETY: `check` has seen that the position lies in its window, the window in the map, and that the border
                // holds what the kernel reaches around it.
                unsafe { lanes.store(values, at, lanes.mul_add(*sum, one, lanes.load(values, at))) };
            }
        }
    }
}
