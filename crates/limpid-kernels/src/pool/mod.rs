//! Max-pooling over windows that do not overlap.
//!
//! Formula: `y[oy, ox, c] = max over ky, kx of x[size*oy + ky, size*ox + kx, c]`, with the position `size*ky + kx` of the
//! (first) maximum kept as a byte; backward, the gradient goes to that position and nowhere else. Rows and columns that
//! fill no window are left out ('VALID') and get no gradient.
//!
//! Why it is fast: the channels of a pixel are neighbours, so the loop over channels is innermost and without branches:
//! the compiler turns it into compares and selects of whole vectors.

pub mod reference;

use crate::isa::per_isa;
use crate::{FeatureMap, Isa, Shape};

/// Largest window side: the position of the maximum has to fit a byte.
pub const MAX_SIZE: usize = 15;

/// The output's shape.
pub fn output_shape(input: Shape, size: usize) -> Shape {
    Shape::new(input.height / size, input.width / size, input.channels)
}

fn check(size: usize, large: &FeatureMap, small: &FeatureMap, argmax: &[u8]) {
    assert!((1..=MAX_SIZE).contains(&size), "a pooling window has 1 to {MAX_SIZE} rows, not {size}");
    assert_eq!(output_shape(large.shape(), size), small.shape(), "the maps must fit the pooling");
    assert_eq!(argmax.len(), small.shape().len(), "one position per pooled value");
}

/// `y` and `argmax` from `x`. Exact: no arithmetic is done.
///
/// # Panics
/// If the sizes do not fit, or `size` is not in `1..=`[`MAX_SIZE`].
pub fn forward(isa: Isa, size: usize, x: &FeatureMap, y: &mut FeatureMap, argmax: &mut [u8]) {
    check(size, x, y, argmax);
    forward_rows(isa, size, x, y, argmax);
}

/// `dx` from `dy` and the positions of the maxima.
///
/// # Panics
/// As [`forward`].
pub fn backward(isa: Isa, size: usize, dy: &FeatureMap, argmax: &[u8], dx: &mut FeatureMap) {
    check(size, dx, dy, argmax);
    backward_rows(isa, size, dy, argmax, dx);
}

per_isa! {
    fn forward_rows<L>(_lanes; size: usize, x: &FeatureMap, y: &mut FeatureMap, argmax: &mut [u8]) {
        let Shape { height, width, channels } = y.shape();
        for (oy, argmax) in (0..height).zip(argmax.chunks_exact_mut(width * channels)) {
            let cells = y.row_mut(oy).chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
            for (ox, (y, argmax)) in cells.enumerate() {
                for position in 0..size * size {
                    let row = x.row(oy * size + position / size);
                    let pixel = &row[(ox * size + position % size) * channels..][..channels];
                    if position == 0 {
                        y.copy_from_slice(pixel);
                        argmax.fill(0);
                    } else {
                        for ((y, argmax), &x) in y.iter_mut().zip(argmax.iter_mut()).zip(pixel) {
                            let larger = x > *y;
                            *y = if larger { x } else { *y };
                            *argmax = if larger { position as u8 } else { *argmax };
                        }
                    }
                }
            }
        }
    }
}

per_isa! {
    fn backward_rows<L>(_lanes; size: usize, dy: &FeatureMap, argmax: &[u8], dx: &mut FeatureMap) {
        let Shape { height, width, channels } = dy.shape();
        for y in height * size..dx.shape().height {
            dx.row_mut(y).fill(0.0);
        }
        for (oy, argmax) in (0..height).zip(argmax.chunks_exact(width * channels)) {
            for ky in 0..size {
                let row = dx.row_mut(oy * size + ky);
                row[width * size * channels..].fill(0.0);
                let cells = dy.row(oy).chunks_exact(channels).zip(argmax.chunks_exact(channels));
                for ((dy, argmax), window) in cells.zip(row.chunks_exact_mut(size * channels)) {
                    for (kx, pixel) in window.chunks_exact_mut(channels).enumerate() {
                        let position = (ky * size + kx) as u8;
                        for ((dx, &dy), &argmax) in pixel.iter_mut().zip(dy).zip(argmax) {
                            *dx = if argmax == position { dy } else { 0.0 };
                        }
                    }
                }
            }
        }
    }
}
