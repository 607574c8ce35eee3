//! Where a convolution's values go: the activation, and the max-pool behind it, before the only store.

use crate::lanes::Lanes;
use crate::{FeatureMap, Shape};

/// The target of a convolution.
pub(super) enum Output<'a> {
    /// A map of the convolution's own size.
    Map(&'a mut FeatureMap),
    /// A map of half its height and width, of maxima over windows of 2x2, and the positions of these.
    Pooled { y: &'a mut FeatureMap, argmax: &'a mut [u8] },
}

/// `max(slope * z, z)`.
#[inline(always)]
pub(super) fn activate<L: Lanes>(lanes: L, slope: L::F32, z: L::F32) -> L::F32 {
    lanes.max(lanes.mul(slope, z), z)
}

/// Stores one vector of a cell under a pool over 2x2: the activation of the largest of `window` (which is the largest of the
/// activations, as activations do not fall) and its position, the first of equals.
///
/// # Safety
/// The cell lies inside `y`, the vector from `channel` on inside its channels, and `argmax` is as long as `y` has values.
#[inline(always)]
pub(super) unsafe fn store_maximum<L: Lanes>(
    lanes: L,
    slope: L::F32,
    window: [L::F32; 4],
    (y, argmax): (&mut FeatureMap, &mut [u8]),
    (row, column, channel): (usize, usize, usize),
) {
    let (mut best, mut position) = (window[0], lanes.splat(0.0));
    for (at, &value) in window.iter().enumerate().skip(1) {
        position = lanes.select_greater(value, best, lanes.splat(at as f32), position);
        best = lanes.select_greater(value, best, value, best);
    }
    let Shape { width, channels, .. } = y.shape();
    let to = y.offset(row as isize, column as isize) + channel;
    // SAFETY: the caller's promise.
    unsafe {
        lanes.store(y.values_mut(), to, activate(lanes, slope, best));
        lanes.store_bytes(argmax, (row * width + column) * channels + channel, position);
    }
}
