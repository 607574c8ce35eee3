//! Sigmoid cross-entropy: how far a reconstruction is from the clean image.
//!
//! The network ends in logits `z`; a reconstructed pixel is `p = sigmoid(z) = 1 / (1 + exp(-z))`. Its loss against the
//! clean pixel `x` in `[0, 1]` is the cross-entropy in nats
//!
//! ```text
//! -x ln(p) - (1 - x) ln(1 - p)  =  max(z, 0) - z x + ln(1 + exp(-|z|))
//! ```
//!
//! whose right side neither overflows nor loses digits, and whose derivative in `z` is `p - x`. It is TensorFlow's
//! `sigmoid_cross_entropy_with_logits`. The loss of a batch is the mean over all pixels of all images. Its least value is
//! not 0 but the entropy of the clean pixels, since gray pixels are no certainties.

use limpid_kernels::loss::reference;
use num_traits::Float;

/// The name of the loss, as people say it.
pub const NAME: &str = "mean sigmoid cross-entropy";

/// The mean loss over all pixels.
///
/// ```
/// // Without knowledge every pixel is as likely black as white: ln 2.
/// assert_eq!(limpid::loss::mean(&[0.0, 0.0], &[0.0, 1.0]), std::f64::consts::LN_2);
/// ```
///
/// # Panics
/// If there are no pixels, or not as many logits as targets.
pub fn mean<T: Float>(logits: &[T], targets: &[T]) -> T {
    check(logits, targets);
    let sum = logits
        .iter()
        .zip(targets)
        .fold(T::zero(), |sum, (&z, &x)| sum + reference::sigmoid_cross_entropy(z, x));
    sum / count(logits)
}

/// The gradient of [`mean`] with respect to the logits: `(sigmoid(z) - x) / pixels`.
///
/// # Panics
/// As [`mean`].
pub fn mean_gradient<T: Float>(logits: &[T], targets: &[T]) -> Vec<T> {
    check(logits, targets);
    let count = count(logits);
    let gradient = |(&z, &x)| reference::sigmoid_cross_entropy_gradient(z, x) / count;
    logits.iter().zip(targets).map(gradient).collect()
}

fn check<T>(logits: &[T], targets: &[T]) {
    assert!(!logits.is_empty(), "the mean loss of no pixels");
    assert_eq!(logits.len(), targets.len(), "as many logits as targets");
}

fn count<T: Float>(logits: &[T]) -> T {
    T::from(logits.len()).expect("a float holds a number of pixels")
}
