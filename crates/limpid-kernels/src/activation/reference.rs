//! The leaky rectifier, as the formula is written.

use num_traits::Float;

/// `y = max(slope * x, x)`: slope 0 is ReLU, 1 the identity, 0.1 the tutorial's leaky ReLU (Maas et al. 2013).
pub fn forward<T: Float>(slope: T, x: T) -> T {
    (slope * x).max(x)
}

/// `dx` from `dy` and the activation's *output*: for slopes in `[0, 1]` the output has the sign of the input, so the
/// input need not be kept. At 0 the slope of the negative side holds, as in TensorFlow.
pub fn backward<T: Float>(slope: T, y: T, dy: T) -> T {
    if y > T::zero() { dy } else { slope * dy }
}
