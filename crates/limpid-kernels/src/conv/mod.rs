//! 2-D convolution: forward, and the gradients of data, weights and bias.
//!
//! The forward pass and the data gradient are the same thing twice: a small stencil that slides over a zero-padded map
//! (`axis.rs` says how a strided layer splits into one stencil per phase). [`Convolution`] prepares either, for
//! layers of any size and stride. A transposed convolution is the adjoint of a convolution, so its forward pass is a
//! data gradient and its data gradient a forward pass.

mod axis;
mod bias;
mod convolution;
mod dot_tile;
mod output;
mod phases;
mod products;
pub mod reference;
mod sparse;
mod sparse_image;
mod stencil;
mod terms;
mod weights;
mod wide_tile;
mod winograd;

use crate::ConvShape;
use axis::Axis;
use stencil::Stencil;

pub use bias::backward_bias;
pub use convolution::{Convolution, ConvolutionScratch};
pub use sparse::{PooledConv, PooledScratch};
pub use sparse_image::{PooledImageConv, PooledImageScratch};
pub use terms::{Term, backward_data_terms, backward_weights_terms, forward_terms};
pub use weights::backward_weights;

/// Whether SIMD lanes go along the run of taps and input channels instead of over output channels: with so few of these
/// that most lanes would idle, provided that the run fills a vector.
fn lanes_over_run(lanes: usize, out_channels: usize, run: usize) -> bool {
    2 * out_channels <= lanes && run >= lanes
}

/// Pixels of zeros that the input of a geometry's forward pass, and of its weight gradient, must have on each side.
///
/// # Panics
/// If a size of the geometry is 0 or so large that positions overflow.
pub fn forward_input_pad(shape: &ConvShape) -> usize {
    shape.check();
    let axis = |outputs, pad| Axis::forward(outputs, shape.kernel, shape.stride, pad);
    let rows = axis(shape.output.height, shape.pad.0).pad(shape.input.height);
    rows.max(axis(shape.output.width, shape.pad.1).pad(shape.input.width))
}
