//! The gradient of a bias: the sum of the output's gradient over all pixels.

use crate::isa::per_isa;
use crate::{FeatureMap, Isa};

/// Adds the gradient of the bias of one image to `db`: `db[c] += sum over pixels of dy[pixel, c]`.
///
/// # Panics
/// If `db` has not one value per channel of `dy`.
pub fn backward_bias(isa: Isa, dy: &FeatureMap, db: &mut [f32]) {
    assert_eq!(db.len(), dy.shape().channels, "one bias per channel");
    sum_pixels(isa, dy, db);
}

per_isa! {
    fn sum_pixels<L>(_lanes; dy: &FeatureMap, db: &mut [f32]) {
        for row in dy.rows() {
            for pixel in row.chunks_exact(db.len()) {
                for (sum, value) in db.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
        }
    }
}
