//! The leaky rectifier. Its forward pass is the last step of the convolution that it follows.

pub mod reference;

use crate::isa::per_isa;
use crate::{FeatureMap, Isa};

/// Turns the gradient of an activation's output into that of its input, in place: `dy *= slope` wherever the output `y`
/// is not positive. Slope 1 is no activation.
///
/// # Panics
/// If the maps differ in size.
pub fn backward(isa: Isa, slope: f32, y: &FeatureMap, dy: &mut FeatureMap) {
    assert_eq!(y.shape(), dy.shape(), "output and gradient must have one size");
    if slope != 1.0 {
        backward_rows(isa, slope, y, dy);
    }
}

per_isa! {
    fn backward_rows<L>(_lanes; slope: f32, y: &FeatureMap, dy: &mut FeatureMap) {
        for row in 0..y.shape().height {
            for (dy, &y) in dy.row_mut(row).iter_mut().zip(y.row(row)) {
                *dy *= if y > 0.0 { 1.0 } else { slope };
            }
        }
    }
}
