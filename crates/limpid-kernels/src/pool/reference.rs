//! Max-pooling, as the formula is written: the specification of the fast kernel.

use num_traits::Float;

use crate::Shape;

/// Max-pooling over windows of `size` x `size` that do not overlap; rows and columns that fill no whole window are left
/// out (TensorFlow's `'VALID'`). `x` has the shape `input`, `y` and `argmax` have `height / size` x `width / size` x
/// `channels` values. `argmax` is the position of the maximum in its window, row by row, the first one on ties.
pub fn forward<T: Float>(input: Shape, size: usize, x: &[T], y: &mut [T], argmax: &mut [u8]) {
    for_each_window(input, size, |out, window| {
        let (mut best, mut best_value) = (0, x[window(0)]);
        for position in 1..size * size {
            if x[window(position)] > best_value {
                (best, best_value) = (position, x[window(position)]);
            }
        }
        (y[out], argmax[out]) = (best_value, best as u8);
    });
}

/// `dx` at each window's maximum is `dy` of the window, and 0 everywhere else.
pub fn backward<T: Float>(input: Shape, size: usize, dy: &[T], argmax: &[u8], dx: &mut [T]) {
    dx.fill(T::zero());
    for_each_window(input, size, |out, window| dx[window(usize::from(argmax[out]))] = dy[out]);
}

/// Calls `visit(output index, window)`, where `window(position)` is the input index of a position in the window.
fn for_each_window(input: Shape, size: usize, mut visit: impl FnMut(usize, &dyn Fn(usize) -> usize)) {
    let (height, width) = (input.height / size, input.width / size);
    for oy in 0..height {
        for ox in 0..width {
            for c in 0..input.channels {
                let window = |position: usize| {
                    let (iy, ix) = (oy * size + position / size, ox * size + position % size);
                    (iy * input.width + ix) * input.channels + c
                };
                visit((oy * width + ox) * input.channels + c, &window);
            }
        }
    }
}
