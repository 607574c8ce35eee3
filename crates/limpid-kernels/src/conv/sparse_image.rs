//! The gradient of the weights of a convolution with one input channel (the image) under a max-pool over 2x2.
//!
//! Formula, with `g` the gradient of a pooled cell and channel `co` (before the activation) and `q` the position of its maximum:
//! `dw[ky, kx, co] += g * x[q + (ky, kx) - pad]`.
//!
//! Shapes: `x` is height x width x 1, `g` and `argmax` are height/2 x width/2 x channels, `dw` is `[ky][kx][co]`.
//!
//! Why it is fast: lanes over output channels, each of which looks up its own pixel: the four candidates of a cell and a kernel
//! position lie among 8 neighbours of a small copy of the image, so one permutation within a register finds them all. A quarter
//! of the products of the dense gradient is left, and no map of zeros is written and read for them.

use crate::isa::per_isa;
use crate::lanes::Lanes;
use crate::tiling::with_constant;
use crate::{ConvShape, FeatureMap, Isa, Shape, pool};

/// A convolution of one input channel and stride 1 under a max-pool over 2x2.
#[derive(Debug, Clone, Copy)]
pub struct PooledImageConv {
    isa: Isa,
    shape: ConvShape,
}

/// What it needs for one image at a time. Made by [`PooledImageConv::scratch`].
#[derive(Debug)]
pub struct PooledImageScratch {
    /// The pixels that the kernel reaches from the window of each cell, `[cell][kernel + 1][kernel + 1]`, and 8 more values.
    patches: Vec<f32>,
    /// For each value of `argmax`, how far behind the first pixel of its window it is in a patch.
    indices: Vec<u8>,
}

/// Values in a table of [`Lanes::look_up`].
const TABLE: usize = 8;
/// Largest kernel: the fourth pixel of a window must lie within a table that starts at the first.
const MOST: usize = 5;

impl PooledImageConv {
    /// The kernel for a geometry, if it has it: one input channel, stride 1, at most 5x5, a pool over 2x2, output channels that
    /// fill their vectors.
    pub fn new(isa: Isa, shape: &ConvShape, size: usize) -> Option<Self> {
        let fits = shape.input.channels == 1
            && shape.stride == 1
            && shape.kernel <= MOST
            && size == 2
            && shape.output.channels.is_multiple_of(isa.lanes())
            && shape.input.height == shape.output.height
            && shape.input.width == shape.output.width;
        fits.then_some(Self { isa, shape: *shape })
    }

    /// Space for one image at a time.
    pub fn scratch(&self) -> PooledImageScratch {
        let cells = pool::output_shape(self.shape.output, 2);
        let side = self.shape.kernel + 1;
        PooledImageScratch {
            patches: vec![0.0; cells.pixels() * side * side + TABLE],
            indices: vec![0; cells.len()],
        }
    }

    /// Adds the gradient of the weights of one image to `dw`, `[ky][kx][co]`.
    ///
    /// # Panics
    /// If a size does not fit, the border of `x` is narrower than the kernel reaches, a position lies outside its window, or the
    /// scratch is another convolution's.
    pub fn backward_weights(
        &self,
        x: &FeatureMap,
        g: &FeatureMap,
        argmax: &[u8],
        dw: &mut [f32],
        scratch: &mut PooledImageScratch,
    ) {
        let cells = pool::output_shape(self.shape.output, 2);
        let pad = super::forward_input_pad(&self.shape);
        assert_eq!(
            (x.shape(), g.shape()),
            (self.shape.input, cells),
            "the maps must fit the convolution and its pool"
        );
        assert!(x.pad() >= pad, "the input needs a border of {pad}, not {}", x.pad());
        assert_eq!(argmax.len(), cells.len(), "one position per pooled value");
        assert_eq!(dw.len(), self.shape.kernel_len(), "the gradient must fit the kernel");
        let side = self.shape.kernel + 1;
        let PooledImageScratch { patches, indices } = &mut *scratch;
        assert!(
            patches.len() == cells.pixels() * side * side + TABLE && indices.len() == cells.len(),
            "the scratch is another convolution's"
        );
        let mut largest = 0;
        for (index, &position) in indices.iter_mut().zip(argmax) {
            largest = position.max(largest);
            *index = (position >> 1 & 1) * side as u8 + (position & 1);
        }
        assert!(largest < 4, "a position lies outside its window");
        with_constant!(self.shape.kernel, [1 2 3 4 5] as K => match K {
            1 => self.copy_patches::<2>(x, cells, patches),
            2 => self.copy_patches::<3>(x, cells, patches),
            3 => self.copy_patches::<4>(x, cells, patches),
            4 => self.copy_patches::<5>(x, cells, patches),
            _ => self.copy_patches::<6>(x, cells, patches),
        });
        weights(self.isa, self, g, scratch, dw);
    }

    /// `SIDE` is a pixel more than the kernel: as a constant, so that a row is a load and a store.
    fn copy_patches<const SIDE: usize>(&self, x: &FeatureMap, cells: Shape, patches: &mut [f32]) {
        let (patches, _) = patches.as_chunks_mut::<SIDE>();
        let (top, left) = self.shape.pad;
        for (cy, patches) in patches.chunks_exact_mut(cells.width * SIDE).take(cells.height).enumerate() {
            for row in 0..SIDE {
                let from = &x.values()[x.offset((2 * cy + row) as isize - top as isize, -(left as isize))..];
                for (to, from) in
                    patches.iter_mut().skip(row).step_by(SIDE).zip(from.windows(SIDE).step_by(2))
                {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

per_isa! {
    fn weights<L>(lanes; conv: &PooledImageConv, g: &FeatureMap, scratch: &PooledImageScratch, dw: &mut [f32]) {
        for first in (0..g.shape().channels).step_by(L::LEN) {
            with_constant!(conv.shape.kernel, [1 2 3 4 5] as K => channels::<L, K>(lanes, first, g, scratch, dw));
        }
    }
}

/// One vector of output channels.
#[inline(always)]
fn channels<L: Lanes, const K: usize>(
    lanes: L,
    first: usize,
    g: &FeatureMap,
    scratch: &PooledImageScratch,
    dw: &mut [f32],
) {
    let Shape { width, channels, .. } = g.shape();
    let side = K + 1;
    let mut sums = [[lanes.splat(0.0); K]; K];
    for (cy, gradients) in g.rows().enumerate() {
        for cx in 0..width {
            let cell = cy * width + cx;
            // SAFETY: channels fill their vectors, there is an index for each value of `g`, below 8 in a patch of this side, and
            // behind the last patch there are 8 more values.
            unsafe {
                let index = lanes.load_index(&scratch.indices, cell * channels + first);
                let gradient = lanes.load(gradients, cx * channels + first);
                for (ky, row) in sums.iter_mut().enumerate() {
                    for (kx, sum) in row.iter_mut().enumerate() {
                        let pixels = lanes.look_up(&scratch.patches, (cell * side + ky) * side + kx, index);
                        *sum = lanes.mul_add(pixels, gradient, *sum);
                    }
                }
            }
        }
    }
    for (tap, sum) in sums.as_flattened().iter().enumerate() {
        let at = tap * channels + first;
        // SAFETY: `dw` has K x K rows of all channels.
        unsafe { lanes.store(dw, at, lanes.add(lanes.load(dw, at), *sum)) };
    }
}
