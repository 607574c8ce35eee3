//! Max-pooling: `x [h, w, c] -> y [h / size, w / size, c]`, no parameters.

use limpid_kernels::Shape;
use limpid_kernels::pool::{output_shape, reference as pool};
use num_traits::Float;

/// The maximum over windows of `size` x `size` that do not overlap; rows and columns that fill no window are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    input: Shape,
    size: usize,
}

impl MaxPool {
    /// Fits the layer to its input.
    ///
    /// # Panics
    /// If `size` is 0 or past 15, where positions in a window no longer fit a byte.
    pub fn new(input: Shape, size: usize) -> Self {
        assert!((1..=super::super::MAX_POOL).contains(&size), "a pool of {size}x{size}");
        Self { input, size }
    }

    /// Shape of the input.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Shape of the output.
    pub fn output(&self) -> Shape {
        output_shape(self.input, self.size)
    }

    /// Rows and columns of a window.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `y = max of each window of x`; `argmax`, as long as `y`, is the position of the maximum in its window.
    pub fn forward<T: Float>(&self, x: &[T], y: &mut [T], argmax: &mut [u8]) {
        pool::forward(self.input, self.size, x, y, argmax);
    }

    /// From the gradient `dy` of the output: overwrites `dx`.
    pub fn backward<T: Float>(&self, dy: &[T], argmax: &[u8], dx: &mut [T]) {
        pool::backward(self.input, self.size, dy, argmax, dx);
    }
}
