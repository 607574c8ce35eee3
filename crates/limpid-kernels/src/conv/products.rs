//! The products of a tile: the routine in which training spends most of its time.
//!
//! Formula: for `R` x `Q` pixels of a tile and `V` vectors of output channels,
//! `start + sum over tap rows t, k of a run: x[from + t, k] * w[t, k]`. Plainly it is a loop over pixels, taps, input channels
//! and output channels.
//!
//! Shapes: the taps of a row are neighbours in memory, so they and the input channels form one run; weights are
//! `[tap row][run][V vectors]`.
//!
//! Why it is fast: the sums live in registers while the loop goes over taps and input channels. Each weight vector that is
//! loaded serves `R * Q` multiply-adds and each pixel value `V`, so the multiply-add units, not the loads, set the pace.

use crate::lanes::{Lanes, read};

/// What a tile multiplies.
pub(super) struct Products<'a> {
    /// `[tap row][run][V vectors]`.
    pub(super) weights: &'a [f32],
    pub(super) tap_rows: usize,
    /// Values of a row of taps, neighbours in memory.
    pub(super) run: usize,
    pub(super) x: &'a [f32],
    /// Where the first tap of the first pixel is.
    pub(super) from: usize,
    /// Distance between rows of taps.
    pub(super) tap_step: usize,
    /// Distance between the first taps of pixels one below the other.
    pub(super) down: usize,
    /// Distance between the first taps of pixels side by side.
    pub(super) right: usize,
}

impl Products<'_> {
    /// The sums for `R` x `Q` pixels x `V` vectors. `STEP` is [`Products::right`] where that is a constant: it makes every
    /// address in the tile a register plus a constant; 0 where it is known only at run time.
    ///
    /// # Safety
    /// The weights have all rows of taps, and all taps of all pixels lie in `x`.
    #[inline(always)]
    pub(super) unsafe fn sums<L: Lanes, const R: usize, const Q: usize, const V: usize, const STEP: usize>(
        &self,
        lanes: L,
        start: [L::F32; V],
    ) -> [[[L::F32; V]; Q]; R] {
        let right = if STEP > 0 { STEP } else { self.right };
        let mut sums = [[start; Q]; R];
        for tap_row in 0..self.tap_rows {
            let from = self.from + tap_row * self.tap_step;
            let weights = tap_row * self.run * V * L::LEN;
            for k in 0..self.run {
                // SAFETY: the caller's promise.
                unsafe {
                    let weights: [L::F32; V] =
                        std::array::from_fn(|v| lanes.load(self.weights, weights + (k * V + v) * L::LEN));
                    for (r, row) in sums.iter_mut().enumerate() {
                        for (q, pixel) in row.iter_mut().enumerate() {
                            let value = lanes.splat(read(self.x, from + k + r * self.down + q * right));
                            for (sum, &weight) in pixel.iter_mut().zip(&weights) {
                                *sum = lanes.mul_add(value, weight, *sum);
                            }
                        }
                    }
                }
            }
        }
        sums
    }
}
