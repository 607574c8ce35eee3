//! The backward pass of a convolution under a max-pool: of the positions under a pooling window only that of the maximum has a
//! gradient, so most of the products of the dense backward pass are with zeros.
//!
//! Formulas, with `g` the gradient of a pooled cell and channel `co` (before the activation) and `q` the position of its maximum:
//!
//! ```text
//! dw[co][ky, kx, ci] += g * x[q + (ky, kx) - pad, ci]          dx[q + (ky, kx) - pad, ci] += g * w[co][ky, kx, ci]
//! ```
//!
//! Shapes: `g` and `argmax` are height/size x width/size x channels; weights are packed, `[block of ci][co][ky][kx][ci of the
//! block]`, where a block is one vector.
//!
//! Why it is fast: with windows of 2x2 a quarter of the products is left. One block of input channels at a time, in a map of its
//! own, so that it and the weights stay in the first-level cache; and one vector for each kernel position stays in registers: for
//! the weights, over all cells of an output channel; for the data, over all channels whose maximum lies at one position.

use crate::aligned::Aligned;
use crate::isa::per_isa;
use crate::lanes::{Lanes, read};
use crate::tiling::with_constant;
use crate::{ConvShape, FeatureMap, Isa, Shape};

/// A convolution of stride 1 under a max-pool over windows of `size` x `size`.
#[derive(Debug, Clone)]
pub struct PooledConv {
    isa: Isa,
    /// The convolution.
    shape: ConvShape,
    /// Side of a pooling window.
    size: usize,
    /// Packed.
    weights: Aligned,
}

/// What the sparse kernels need for one image at a time. Made by [`PooledConv::scratch`].
#[derive(Debug)]
pub struct PooledScratch {
    /// One block of the input's channels.
    block: FeatureMap,
    /// The channels of each cell by the position of their maximum: `[cell][position][word]`, a bit for each channel.
    masks: Vec<u32>,
}

/// Channels in a word of a mask.
const WORD: usize = 32;

/// Largest kernel.
const MOST: usize = 7;

impl PooledConv {
    /// The sparse kernels for a geometry, if they have it: stride 1, input channels that fill their vectors, a kernel of at most
    /// 7x7.
    pub fn new(isa: Isa, shape: &ConvShape, size: usize) -> Option<Self> {
        let fits = shape.stride == 1
            && shape.input.height == shape.output.height
            && shape.input.width == shape.output.width
            && shape.input.channels.is_multiple_of(isa.lanes())
            && shape.kernel <= MOST
            && (1..=crate::pool::MAX_SIZE).contains(&size);
        fits.then(|| Self { isa, shape: *shape, size, weights: Aligned::zeros(shape.kernel_len()) })
    }

    /// Pixels that the kernel reaches beyond the map.
    fn pad(&self) -> usize {
        super::forward_input_pad(&self.shape)
    }

    /// Space for one image at a time.
    pub fn scratch(&self) -> PooledScratch {
        let Shape { height, width, .. } = self.shape.input;
        PooledScratch {
            block: FeatureMap::new(Shape::new(height, width, self.isa.lanes()), self.pad()),
            masks: Vec::new(),
        }
    }

    /// Takes the kernel, `[ky][kx][ci][co]`.
    ///
    /// # Panics
    /// If its length does not fit.
    pub fn set_weights(&mut self, kernel: &[f32]) {
        assert_eq!(kernel.len(), self.shape.kernel_len(), "the kernel tensor must fit the convolution");
        let (lanes, outputs) = (self.isa.lanes(), self.outputs());
        let mut packed = std::mem::replace(&mut self.weights, Aligned::zeros(0));
        self.for_each_run(|at, from| {
            for (to, from) in packed[at..at + lanes].iter_mut().zip(kernel[from..].iter().step_by(outputs)) {
                *to = *from;
            }
        });
        self.weights = packed;
    }

    /// A packed gradient, as [`PooledConv::backward_weights`] makes it, as that of the kernel, `[ky][kx][ci][co]`.
    ///
    /// # Panics
    /// If a length is not that of the kernel.
    pub fn unpack(&self, packed: &[f32], kernel: &mut [f32]) {
        assert!(
            kernel.len() == self.shape.kernel_len() && packed.len() == kernel.len(),
            "the weights must fit the kernel"
        );
        let outputs = self.outputs();
        self.for_each_run(|at, from| {
            for (to, from) in
                kernel[from..].iter_mut().step_by(outputs).zip(&packed[at..at + self.isa.lanes()])
            {
                *to = *from;
            }
        });
    }

    fn outputs(&self) -> usize {
        self.shape.output.channels
    }

    fn taps(&self) -> usize {
        self.shape.kernel * self.shape.kernel
    }

    /// Visits the vectors of the packed weights: where one starts, and where its first value is in the kernel.
    fn for_each_run(&self, mut visit: impl FnMut(usize, usize)) {
        let (inputs, outputs, lanes) = (self.shape.input.channels, self.outputs(), self.isa.lanes());
        let mut at = 0;
        for block in (0..inputs).step_by(lanes) {
            for output in 0..outputs {
                for tap in 0..self.taps() {
                    visit(at, (tap * inputs + block) * outputs + output);
                    at += lanes;
                }
            }
        }
    }

    fn check(
        &self,
        map: &FeatureMap,
        pooled: &FeatureMap,
        argmax: &[u8],
        PooledScratch { block, .. }: &PooledScratch,
    ) {
        let Shape { height, width, .. } = self.shape.input;
        let own = Shape::new(height, width, self.isa.lanes());
        assert!(block.shape() == own && block.pad() == self.pad(), "the scratch is another convolution's");
        assert_eq!(map.shape(), self.shape.input, "the map must fit the convolution");
        let want = crate::pool::output_shape(self.shape.output, self.size);
        assert_eq!(pooled.shape(), want, "the gradient must fit the pooling");
        assert_eq!(argmax.len(), want.len(), "one position per pooled value");
        // The largest, and not whether all are small: without an early end the compiler takes many at a time.
        let largest = argmax.iter().fold(0, |largest, &position| position.max(largest));
        assert!(usize::from(largest) < self.size * self.size, "a position lies outside its window");
    }

    /// Adds the gradient of the weights of one image to `dw`, packed.
    ///
    /// # Panics
    /// If a size does not fit, a position lies outside its window, or the scratch is another
    /// convolution's.
    pub fn backward_weights(
        &self,
        x: &FeatureMap,
        g: &FeatureMap,
        argmax: &[u8],
        dw: &mut [f32],
        scratch: &mut PooledScratch,
    ) {
        assert_eq!(dw.len(), self.shape.kernel_len(), "the gradient must fit the kernel");
        self.check(x, g, argmax, scratch);
        weights(self.isa, self, x, g, argmax, dw, &mut scratch.block);
    }

    /// Writes the gradient of the data.
    ///
    /// # Panics
    /// As [`PooledConv::backward_weights`].
    pub fn backward_data(
        &self,
        g: &FeatureMap,
        argmax: &[u8],
        dx: &mut FeatureMap,
        scratch: &mut PooledScratch,
    ) {
        self.check(dx, g, argmax, scratch);
        let PooledScratch { block, masks } = scratch;
        let channels = g.shape().channels;
        masks.clear();
        for argmax in argmax.chunks_exact(channels) {
            for position in 0..(self.size * self.size) as u8 {
                masks.extend(argmax.chunks(WORD).map(|argmax| mask(argmax, position)));
            }
        }
        data(self.isa, self, g, dx, block, masks);
        // The block's border was space to spill over into.
        block.clear_border();
    }

    /// Offsets in the map, from the first pixel that the kernel reaches at a window's first position, of each other position.
    fn positions(&self, map: &FeatureMap) -> Vec<usize> {
        let channels = map.shape().channels;
        let at = |position: usize| position / self.size * map.row_stride() + position % self.size * channels;
        (0..self.size * self.size).map(at).collect()
    }

    /// Whether the registers hold all rows of the kernel at once.
    #[inline(always)]
    fn has_all_rows_at_once<L: Lanes>(&self) -> bool {
        self.taps() < L::REGISTERS - 4
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

/// A bit for each of up to 32 channels: whether its maximum is at `position`.
fn mask(argmax: &[u8], position: u8) -> u32 {
    let bits = argmax.iter().enumerate().map(|(channel, &at)| u32::from(at == position) << channel);
    bits.fold(0, |mask, bit| mask | bit)
}

per_isa! {
    fn weights<L>(
        lanes;
        conv: &PooledConv,
        x: &FeatureMap,
        g: &FeatureMap,
        argmax: &[u8],
        dw: &mut [f32],
        block: &mut FeatureMap,
    ) {
        let positions = conv.positions(block);
        let kernel = conv.taps() * L::LEN;
        for (index, dw) in dw.chunks_exact_mut(conv.outputs() * kernel).enumerate() {
            for y in 0..x.shape().height {
                let pixels = x.row(y).chunks_exact(x.shape().channels);
                for (to, from) in block.row_mut(y).chunks_exact_mut(L::LEN).zip(pixels) {
                    to.copy_from_slice(&from[index * L::LEN..][..L::LEN]);
                }
            }
            for (channel, dw) in dw.chunks_exact_mut(kernel).enumerate() {
                let call = Channel { conv, block, g, argmax, positions: &positions, channel };
                with_constant!(conv.shape.kernel, [1 2 3 4 5 6 7] as K => {
                    if conv.has_all_rows_at_once::<L>() {
                        call.rows::<L, K, K>(lanes, 0, dw);
                    } else {
                        for (ky, dw) in dw.chunks_exact_mut(K * L::LEN).enumerate() {
                            call.rows::<L, 1, K>(lanes, ky, dw);
                        }
                    }
                });
            }
        }
    }
}

/// One output channel and one block of input channels.
struct Channel<'a> {
    conv: &'a PooledConv,
    block: &'a FeatureMap,
    g: &'a FeatureMap,
    argmax: &'a [u8],
    positions: &'a [usize],
    channel: usize,
}

impl Channel<'_> {
    /// `R` kernel rows of `K` positions from row `ky` on.
    #[inline(always)]
    fn rows<L: Lanes, const R: usize, const K: usize>(&self, lanes: L, ky: usize, dw: &mut [f32]) {
        let Self { conv, block, g, argmax, positions, channel } = *self;
        let (values, shape, stride) = (block.values(), g.shape(), block.row_stride());
        let mut sums = [[lanes.splat(0.0); K]; R];
        for cy in 0..shape.height {
            let gradients = g.row(cy);
            let mut corner = conv.corner(block, cy, 0) + ky * stride;
            let mut cell = channel;
            for _ in 0..shape.width {
                let position = argmax[cy * shape.width * shape.channels + cell];
                let from = corner + positions[usize::from(position)];
                // SAFETY: `check` has seen that the position lies in its window and the window in the map, and the block's
                // border holds what the kernel reaches around it.
                unsafe {
                    let gradient = lanes.splat(read(gradients, cell));
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (k, sum) in row.iter_mut().enumerate() {
                            let value = lanes.load(values, from + r * stride + k * L::LEN);
                            *sum = lanes.mul_add(value, gradient, *sum);
                        }
                    }
                }
                corner += conv.size * L::LEN;
                cell += shape.channels;
            }
        }
        for (at, sum) in sums.as_flattened().iter().enumerate() {
            let at = at * L::LEN;
            // SAFETY: `dw` has R rows of K vectors.
            unsafe { lanes.store(dw, at, lanes.add(*sum, lanes.load(dw, at))) };
        }
    }
}

per_isa! {
    fn data<L>(
        lanes;
        conv: &PooledConv,
        g: &FeatureMap,
        dx: &mut FeatureMap,
        block: &mut FeatureMap,
        masks: &[u32],
    ) {
        let positions = conv.positions(block);
        let shape = g.shape();
        let words = shape.channels.div_ceil(WORD);
        for (index, w) in conv.weights.chunks_exact(conv.outputs() * conv.taps() * L::LEN).enumerate() {
            block.values_mut().fill(0.0);
            for (cell, masks) in masks.chunks_exact(positions.len() * words).enumerate() {
                let (cy, cx) = (cell / shape.width, cell % shape.width);
                let corner = conv.corner(block, cy, cx);
                let gradients = &g.row(cy)[cx * shape.channels..][..shape.channels];
                for (masks, &position) in masks.chunks_exact(words).zip(&positions) {
                    let call = Position { gradients, masks, at: corner + position };
                    with_constant!(conv.shape.kernel, [1 2 3 4 5 6 7] as K => {
                        if conv.has_all_rows_at_once::<L>() {
                            call.rows::<L, K, K>(lanes, 0, w, block);
                        } else {
                            for ky in 0..K {
                                call.rows::<L, 1, K>(lanes, ky, w, block);
                            }
                        }
                    });
                }
            }
            let channels = dx.shape().channels;
            for y in 0..block.shape().height {
                let pixels = dx.row_mut(y).chunks_exact_mut(channels);
                for (to, from) in pixels.zip(block.row(y).chunks_exact(L::LEN)) {
                    to[index * L::LEN..][..L::LEN].copy_from_slice(from);
                }
            }
        }
    }
}

/// One position of a window and the channels that have their maximum there.
struct Position<'a> {
    gradients: &'a [f32],
    /// A bit for each of these channels.
    masks: &'a [u32],
    /// Offset of the first pixel that the kernel reaches.
    at: usize,
}

impl Position<'_> {
    /// `R` kernel rows of `K` positions from row `ky` on.
    #[inline(always)]
    fn rows<L: Lanes, const R: usize, const K: usize>(
        &self,
        lanes: L,
        ky: usize,
        w: &[f32],
        block: &mut FeatureMap,
    ) {
        let mut sums = [[lanes.splat(0.0); K]; R];
        for (word, &mask) in self.masks.iter().enumerate() {
            let mut mask = mask;
            while mask != 0 {
                let channel = word * WORD + mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let from = (channel * K + ky) * K * L::LEN;
                // SAFETY: the mask has bits for the channels of the gradient only, and the weights a kernel for each of them.
                unsafe {
                    let gradient = lanes.splat(read(self.gradients, channel));
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (k, sum) in row.iter_mut().enumerate() {
                            *sum = lanes.mul_add(lanes.load(w, from + (r * K + k) * L::LEN), gradient, *sum);
                        }
                    }
                }
            }
        }
        let stride = block.row_stride();
        for (r, row) in sums.iter().enumerate() {
            for (k, sum) in row.iter().enumerate() {
                let at = self.at + (ky + r) * stride + k * L::LEN;
                let values = block.values_mut();
                // SAFETY: `check` has seen that the position lies in its window and the window in the map, and the block's
                // border holds what the kernel reaches around it.
                unsafe { lanes.store(values, at, lanes.add(*sum, lanes.load(values, at))) };
            }
        }
    }
}
