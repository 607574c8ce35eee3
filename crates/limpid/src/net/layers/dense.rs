//! Dense layer: `x [any shape] -> y [any shape]`, every value of the one joined with every value of the other; kernel `[in, out]`.

use limpid_kernels::Shape;
use limpid_kernels::matrix::{Product, reference as matrix};
use num_traits::Float;

use super::{Activation, activate, deactivate};

/// The one matrix and its vectors, from their beginnings.
const WHOLE: [Product; 1] = [Product { m: 0, x: 0, y: 0 }];

/// A dense ("fully connected") layer with bias and activation. Its kernel has a weight for each pair of values, so it fits
/// images of one size only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dense {
    input: Shape,
    output: Shape,
    /// What follows the bias.
    pub activation: Activation,
}

impl Dense {
    /// Fits the layer to its input.
    pub fn new(input: Shape, output: Shape, activation: Activation) -> Self {
        Self { input, output, activation }
    }

    /// Shape of the input, whose values count in their order, channels last.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Shape of the output.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// `[values of the input, values of the output]`, as Keras keeps it.
    pub fn kernel_shape(&self) -> [usize; 2] {
        [self.input.len(), self.output.len()]
    }

    /// `y = activation(bias + x kernel)`.
    pub fn forward<T: Float>(&self, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
        y.copy_from_slice(bias);
        matrix::vector_matrix(self.size(), &WHOLE, x, kernel, y);
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
        matrix::matrix_vector(self.size(), &WHOLE, dx, kernel, &dz);
        matrix::outer(self.size(), &WHOLE, x, dkernel, &dz);
        for (sum, &d) in dbias.iter_mut().zip(&dz) {
            *sum = *sum + d;
        }
    }

    fn size(&self) -> (usize, usize) {
        (self.input.len(), self.output.len())
    }
}
