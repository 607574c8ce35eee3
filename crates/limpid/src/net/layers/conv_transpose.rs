//! Transposed convolution: `x [h, w, in] -> y [h * stride, w * stride, filters]`, kernel `[ky, kx, filters, in]`.

use limpid_kernels::{ConvShape, Shape, conv::reference as conv};
use num_traits::Float;

use super::{Activation, activate, deactivate, fill_with_bias};

/// A 'SAME' transposed convolution with bias and activation: the adjoint of the convolution from its output to its
/// input, so its forward pass is that convolution's data gradient and the other way round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvTranspose {
    /// The adjoint's geometry: `shape.output` is the layer's input, `shape.input` its output.
    pub shape: ConvShape,
    /// What follows the bias.
    pub activation: Activation,
}

impl ConvTranspose {
    /// Fits the layer to its input.
    ///
    /// # Panics
    /// If a size is 0.
    pub fn new(input: Shape, filters: usize, kernel: usize, stride: usize, activation: Activation) -> Self {
        Self { shape: ConvShape::transposed_same(input, filters, kernel, stride), activation }
    }

    /// Shape of the input.
    #[expect(clippy::misnamed_getters, reason = "the adjoint has its sides the other way round")]
    pub fn input(&self) -> Shape {
        self.shape.output
    }

    /// Shape of the output.
    #[expect(clippy::misnamed_getters, reason = "the adjoint has its sides the other way round")]
    pub fn output(&self) -> Shape {
        self.shape.input
    }

    /// `[kernel rows, kernel columns, filters, input channels]`, as Keras keeps it (HWOI).
    pub fn kernel_shape(&self) -> [usize; 4] {
        let ConvShape { input, output, kernel, .. } = self.shape;
        [kernel, kernel, input.channels, output.channels]
    }

    /// `y = activation(bias + adjoint of kernel * x)`.
    pub fn forward<T: Float>(&self, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
        fill_with_bias(y, bias);
        conv::backward_data(&self.shape, x, kernel, y);
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
        conv::forward(&self.shape, &dz, kernel, dx);
        conv::backward_weights(&self.shape, &dz, x, dkernel);
        conv::backward_bias(&dz, dbias);
    }
}
