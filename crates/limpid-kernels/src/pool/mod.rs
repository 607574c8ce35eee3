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

/// Channels whose maxima are searched side by side.
const GROUP: usize = 16;

/// The maximum and its position among the pixels of a window, for the channels of a group: `pixel(position)` are its values there.
#[inline(always)]
fn group_maximum<'a>(
    positions: usize,
    pixel: impl Fn(usize) -> &'a [f32; GROUP],
    y: &mut [f32; GROUP],
    argmax: &mut [u8; GROUP],
) {
    // Positions are kept as wide as the values, so that one compare selects both, and are narrowed once at the end.
    let (mut best, mut at) = (*pixel(0), [0_u32; GROUP]);
    for position in 1..positions {
        let x = pixel(position);
        for i in 0..GROUP {
            let larger = x[i] > best[i];
            best[i] = if larger { x[i] } else { best[i] };
            at[i] = if larger { position as u32 } else { at[i] };
        }
    }
    *y = best;
    for (narrow, wide) in argmax.iter_mut().zip(at) {
        *narrow = wide as u8;
    }
}

per_isa! {
    fn forward_rows<L>(_lanes; size: usize, x: &FeatureMap, y: &mut FeatureMap, argmax: &mut [u8]) {
        let Shape { height, width, channels } = y.shape();
        for (oy, argmax) in (0..height).zip(argmax.chunks_exact_mut(width * channels)) {
            let rows: [&[f32]; MAX_SIZE] =
                std::array::from_fn(|ky| if ky < size { x.row(oy * size + ky) } else { &[] });
            let cells = y.row_mut(oy).chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
            for (ox, (y, argmax)) in cells.enumerate() {
                let pixel = |position: usize| {
                    &rows[position / size][(ox * size + position % size) * channels..][..channels]
                };
                let (groups, rest) = y.as_chunks_mut::<GROUP>();
                let (argmax_groups, argmax_rest) = argmax.as_chunks_mut::<GROUP>();
                for (g, (y, argmax)) in groups.iter_mut().zip(argmax_groups).enumerate() {
                    group_maximum(size * size, |position| &pixel(position).as_chunks().0[g], y, argmax);
                }
                let first = channels - rest.len();
                for (c, (y, argmax)) in rest.iter_mut().zip(argmax_rest).enumerate() {
                    (*y, *argmax) = (pixel(0)[first + c], 0);
                    for position in 1..size * size {
                        let x = pixel(position)[first + c];
                        if x > *y {
                            (*y, *argmax) = (x, position as u8);
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
