//! Sigmoid cross-entropy with logits: the loss of a pixel and its gradient.
//!
//! Formula: `max(z, 0) - z * x + ln(1 + exp(-|z|))`, gradient `sigmoid(z) - x`; see [`mod@reference`].
//!
//! Why it is fast: one exponential serves both; elementary functions are polynomials without branches, so the compiler
//! vectorises the loop. Losses are added up in sixteen sums side by side.

pub mod reference;

use crate::isa::per_isa;
use crate::math::{exp_negative, ln_1p_unit};
use crate::{FeatureMap, Isa};

/// Sums side by side.
const SUMS: usize = 16;

/// The sum of the losses of all pixels, in nats. `target` is in `[0, 1]`, without a border. Each pixel's loss is exact to
/// about 3e-7 of the largest of its terms.
///
/// # Panics
/// If the sizes differ.
pub fn sigmoid_cross_entropy(isa: Isa, logits: &FeatureMap, target: &[f32]) -> f64 {
    assert_eq!(logits.shape().len(), target.len(), "one target per logit");
    losses(isa, logits, target)
}

/// The gradient, `dlogits = scale * (sigmoid(logits) - target)`.
///
/// # Panics
/// If the sizes differ.
pub fn backward(isa: Isa, scale: f32, logits: &FeatureMap, target: &[f32], dlogits: &mut FeatureMap) {
    assert_eq!(logits.shape(), dlogits.shape(), "logits and gradient must have one size");
    assert_eq!(logits.shape().len(), target.len(), "one target per logit");
    gradients(isa, scale, logits, target, dlogits);
}

/// `y = sigmoid(logits)`, without a border.
///
/// # Panics
/// If the sizes differ.
pub fn sigmoid(isa: Isa, logits: &FeatureMap, y: &mut [f32]) {
    assert_eq!(logits.shape().len(), y.len(), "one value per logit");
    sigmoids(isa, logits, y);
}

#[inline(always)]
fn sigmoid_of(z: f32) -> f32 {
    let e = exp_negative(-z.abs());
    (if z >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

#[inline(always)]
fn loss_of(z: f32, target: f32) -> f32 {
    let positive = if z > 0.0 { z } else { 0.0 };
    positive - z * target + ln_1p_unit(exp_negative(-z.abs()))
}

per_isa! {
    fn losses<L>(_lanes; logits: &FeatureMap, target: &[f32]) -> f64 {
        let mut sum = 0.0;
        let row_len = logits.shape().width * logits.shape().channels;
        for (row, target) in logits.rows().zip(target.chunks_exact(row_len)) {
            let mut sums = [0.0_f32; SUMS];
            let (chunks, rest) = row.as_chunks::<SUMS>();
            let (target_chunks, target_rest) = target.as_chunks::<SUMS>();
            for (logits, targets) in chunks.iter().zip(target_chunks) {
                for i in 0..SUMS {
                    sums[i] += loss_of(logits[i], targets[i]);
                }
            }
            for (sum, (&z, &target)) in sums.iter_mut().zip(rest.iter().zip(target_rest)) {
                *sum += loss_of(z, target);
            }
            sum += sums.iter().map(|&s| f64::from(s)).sum::<f64>();
        }
        sum
    }
}

per_isa! {
    fn gradients<L>(_lanes; scale: f32, logits: &FeatureMap, target: &[f32], dlogits: &mut FeatureMap) {
        let row_len = logits.shape().width * logits.shape().channels;
        for (y, target) in target.chunks_exact(row_len).enumerate() {
            for ((gradient, &z), &target) in dlogits.row_mut(y).iter_mut().zip(logits.row(y)).zip(target) {
                *gradient = scale * (sigmoid_of(z) - target);
            }
        }
    }
}

per_isa! {
    fn sigmoids<L>(_lanes; logits: &FeatureMap, y: &mut [f32]) {
        let row_len = logits.shape().width * logits.shape().channels;
        for (row, y) in logits.rows().zip(y.chunks_exact_mut(row_len)) {
            for (y, &z) in y.iter_mut().zip(row) {
                *y = sigmoid_of(z);
            }
        }
    }
}
