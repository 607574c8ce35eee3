//! Convolution: `x [h, w, in] -> y [ceil(h / stride), ceil(w / stride), filters]`, kernel `[ky, kx, in, filters]`.

use limpid_kernels::{ConvShape, Shape, conv::reference as conv};
use num_traits::Float;

use super::{Activation, activate, deactivate, fill_with_bias};

/// A 'SAME' convolution with bias and activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv {
    /// The geometry: `shape.input` is the layer's input, `shape.output` its output.
    pub shape: ConvShape,
    /// What follows the bias.
    pub activation: Activation,
}

impl Conv {
    /// Fits the layer to its input.
    ///
    /// # Panics
    /// If a size is 0.
    pub fn new(input: Shape, filters: usize, kernel: usize, stride: usize, activation: Activation) -> Self {
        Self { shape: ConvShape::same(input, filters, kernel, stride), activation }
    }

    /// Shape of the input.
    pub fn input(&self) -> Shape {
        self.shape.input
    }

    /// Shape of the output.
    pub fn output(&self) -> Shape {
        self.shape.output
    }

    /// `[kernel rows, kernel columns, input channels, filters]`, as Keras keeps it (HWIO).
    pub fn kernel_shape(&self) -> [usize; 4] {
        let ConvShape { input, output, kernel, .. } = self.shape;
        [kernel, kernel, input.channels, output.channels]
    }

    /// `y = activation(bias + kernel * x)`.
    pub fn forward<T: Float>(&self, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
        fill_with_bias(y, bias);
        conv::forward(&self.shape, x, kernel, y);
        activate(self.activation, y);
    }

    /// From the gradient `dy` of the output: overwrites `dx`, adds to `dkernel` and `dbias`.
    #[allow(clippy::too_many_arguments)]
    pub fn backward<T: Float>(
        &self,
        x: &[T],
        kernel: &[T],
        y: &[T],
        dy: &[T],
        dx: &mut [T],
        dkernel: &mut [T],
        dbias: &mut [T],
    ) {
        let dz = deactivate(self.activation, y, dy);
        dx.fill(T::zero());
        conv::backward_data(&self.shape, &dz, kernel, dx);
        conv::backward_weights(&self.shape, x, &dz, dkernel);
        conv::backward_bias(&dz, dbias);
    }
}
