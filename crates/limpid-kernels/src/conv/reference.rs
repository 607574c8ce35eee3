//! The convolution and its two gradients, as the formulas are written: the specification of the fast kernels.
//!
//! One image, HWC, no padding stored. `w` is `[ky][kx][input channel][output channel]`. Every function adds to what its
//! output holds, so a bias or a running gradient goes in beforehand.

use num_traits::Float;

use crate::ConvShape;

/// `y[oy, ox, co] += sum over ky, kx, ci of x[s*oy + ky - top, s*ox + kx - left, ci] * w[ky, kx, ci, co]`.
pub fn forward<T: Float>(shape: &ConvShape, x: &[T], w: &[T], y: &mut [T]) {
    for_each_product(shape, |x_index, w_index, y_index| {
        y[y_index] = y[y_index] + x[x_index] * w[w_index];
    });
}

/// `dx[iy, ix, ci] += sum of dy[oy, ox, co] * w[ky, kx, ci, co]` over all products that `x[iy, ix, ci]` has a part in.
/// This is also the forward pass of the transposed convolution from `shape.output` to `shape.input`.
pub fn backward_data<T: Float>(shape: &ConvShape, dy: &[T], w: &[T], dx: &mut [T]) {
    for_each_product(shape, |x_index, w_index, y_index| {
        dx[x_index] = dx[x_index] + dy[y_index] * w[w_index];
    });
}

/// `dw[ky, kx, ci, co] += sum over oy, ox of x[s*oy + ky - top, s*ox + kx - left, ci] * dy[oy, ox, co]`.
pub fn backward_weights<T: Float>(shape: &ConvShape, x: &[T], dy: &[T], dw: &mut [T]) {
    for_each_product(shape, |x_index, w_index, y_index| {
        dw[w_index] = dw[w_index] + x[x_index] * dy[y_index];
    });
}

/// `db[c] += sum over pixels of dy[pixel, c]`.
pub fn backward_bias<T: Float>(dy: &[T], db: &mut [T]) {
    for pixel in dy.chunks_exact(db.len()) {
        for (sum, &value) in db.iter_mut().zip(pixel) {
            *sum = *sum + value;
        }
    }
}

/// Calls `visit(x index, w index, y index)` for each multiply-accumulate that does not fall on padding.
fn for_each_product(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let ConvShape { input, output, kernel, stride, pad: (top, left) } = *shape;
    for oy in 0..output.height {
        for ox in 0..output.width {
            for ky in 0..kernel {
                for kx in 0..kernel {
                    // The padded position; subtracting the padding wraps exactly where it lies in front of the image.
                    let iy = (stride * oy + ky).wrapping_sub(top);
                    let ix = (stride * ox + kx).wrapping_sub(left);
                    if iy >= input.height || ix >= input.width {
                        continue;
                    }
                    for ci in 0..input.channels {
                        for co in 0..output.channels {
                            visit(
                                (iy * input.width + ix) * input.channels + ci,
                                ((ky * kernel + kx) * input.channels + ci) * output.channels + co,
                                (oy * output.width + ox) * output.channels + co,
                            );
                        }
                    }
                }
            }
        }
    }
}
