//! Sigmoid cross-entropy with logits, as the formula is written.

use num_traits::Float;

/// `1 / (1 + exp(-z))`, without overflow for any `z`.
pub fn sigmoid<T: Float>(z: T) -> T {
    let e = (-z.abs()).exp();
    if z >= T::zero() { T::one() / (T::one() + e) } else { e / (T::one() + e) }
}

/// The cross-entropy of a pixel in nats, `-x ln(p) - (1 - x) ln(1 - p)` with `p = sigmoid(z)`, in the form
/// `max(z, 0) - z * x + ln(1 + exp(-|z|))` that neither overflows nor loses digits (TensorFlow's
/// `sigmoid_cross_entropy_with_logits`). `target` is in `[0, 1]`.
pub fn sigmoid_cross_entropy<T: Float>(z: T, target: T) -> T {
    z.max(T::zero()) - z * target + (-z.abs()).exp().ln_1p()
}

/// Its derivative with respect to the logit: `sigmoid(z) - target`.
pub fn sigmoid_cross_entropy_gradient<T: Float>(z: T, target: T) -> T {
    sigmoid(z) - target
}
