//! The layers, fitted to their input: geometry, cost, and the naive forward and backward pass side by side.
//!
//! The passes call the reference twins of the kernels, one image at a time, over `f32` or `f64`. They are the
//! specification of the fast plan and the oracle of its tests.

mod conv;
mod conv_transpose;
mod dense;
mod max_pool;

use limpid_kernels::{Shape, activation::reference as activation};
use num_traits::Float;

pub use self::{conv::Conv, conv_transpose::ConvTranspose, dense::Dense, max_pool::MaxPool};
use super::{Activation, LayerKind};

/// A layer that knows the shape of its input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Layer {
    /// A convolution.
    Conv(Conv),
    /// A max-pooling.
    MaxPool(MaxPool),
    /// A transposed convolution.
    ConvTranspose(ConvTranspose),
    /// A dense layer.
    Dense(Dense),
}

impl Layer {
    /// Fits a layer to its input.
    ///
    /// # Panics
    /// If a size is 0; [`NetSpec::layers`](super::NetSpec::layers) checks what comes from outside.
    pub fn new(kind: LayerKind, input: Shape) -> Self {
        match kind {
            LayerKind::Conv { filters, kernel, stride, activation } => {
                Self::Conv(Conv::new(input, filters, kernel, stride, activation))
            }
            LayerKind::MaxPool { size } => Self::MaxPool(MaxPool::new(input, size)),
            LayerKind::ConvTranspose { filters, kernel, stride, activation } => {
                Self::ConvTranspose(ConvTranspose::new(input, filters, kernel, stride, activation))
            }
            LayerKind::Dense { output, activation } => Self::Dense(Dense::new(input, output, activation)),
        }
    }

    /// Shape of the input.
    pub fn input(&self) -> Shape {
        match self {
            Self::Conv(layer) => layer.input(),
            Self::MaxPool(layer) => layer.input(),
            Self::ConvTranspose(layer) => layer.input(),
            Self::Dense(layer) => layer.input(),
        }
    }

    /// Shape of the output.
    pub fn output(&self) -> Shape {
        match self {
            Self::Conv(layer) => layer.output(),
            Self::MaxPool(layer) => layer.output(),
            Self::ConvTranspose(layer) => layer.output(),
            Self::Dense(layer) => layer.output(),
        }
    }

    /// Shape of the kernel tensor as Keras keeps it; none for a pooling.
    pub fn kernel_shape(&self) -> Option<Vec<usize>> {
        match self {
            Self::Conv(layer) => Some(layer.kernel_shape().to_vec()),
            Self::MaxPool(_) => None,
            Self::ConvTranspose(layer) => Some(layer.kernel_shape().to_vec()),
            Self::Dense(layer) => Some(layer.kernel_shape().to_vec()),
        }
    }

    /// Number of biases: one per channel of a convolution's output, one per value of a dense layer's; none for a pooling.
    pub fn biases(&self) -> usize {
        match self {
            Self::Conv(_) | Self::ConvTranspose(_) => self.output().channels,
            Self::MaxPool(_) => 0,
            Self::Dense(layer) => layer.output().len(),
        }
    }

    /// Number of parameters, kernel and bias.
    pub fn parameters(&self) -> usize {
        self.kernel_shape().map_or(0, |shape| shape.iter().product::<usize>() + self.biases())
    }

    /// Multiply-accumulates of the forward pass over one image, those with padding zeros counted too, as is usual.
    pub fn macs(&self) -> u64 {
        match self {
            Self::Conv(layer) => layer.shape.macs(),
            Self::MaxPool(_) => 0,
            Self::ConvTranspose(layer) => layer.shape.macs(),
            Self::Dense(layer) => layer.kernel_shape().iter().map(|&size| size as u64).product(),
        }
    }
}

/// Replaces the sums `y[..]` of a layer by their activations.
fn activate<T: Float>(function: Activation, y: &mut [T]) {
    let slope = slope(function);
    for value in y {
        *value = activation::forward(slope, *value);
    }
}

/// The gradient with respect to the sums of a layer, from its output `y[..]` and the output's gradient `dy[..]`.
fn deactivate<T: Float>(function: Activation, y: &[T], dy: &[T]) -> Vec<T> {
    let slope = slope(function);
    y.iter().zip(dy).map(|(&y, &dy)| activation::backward(slope, y, dy)).collect()
}

fn slope<T: Float>(function: Activation) -> T {
    T::from(function.slope()).expect("a float holds a slope in [0, 1]")
}

/// `y[pixel, channel] = bias[channel]`.
fn fill_with_bias<T: Float>(y: &mut [T], bias: &[T]) {
    for pixel in y.chunks_exact_mut(bias.len()) {
        pixel.copy_from_slice(bias);
    }
}
