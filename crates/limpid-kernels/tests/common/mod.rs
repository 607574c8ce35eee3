//! What the property tests share: values to compute with, and the bound that every comparison states.

mod cases;

pub(crate) use cases::cases;
use limpid_kernels::{FeatureMap, Shape};
use proptest::prelude::*;

/// As many values as `len` in `[-1, 1)`.
pub(crate) fn values(len: usize) -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-1.0_f32..1.0, len)
}

/// A map with a border, filled.
pub(crate) fn map(shape: Shape, pad: usize, values: &[f32]) -> FeatureMap {
    let mut map = FeatureMap::new(shape, pad);
    map.copy_from(values);
    map
}

/// In f64, for the reference twins.
pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Asserts that each value is within `terms` rounding errors of sums whose magnitudes are at most `terms`: the bound of
/// any order of adding up `terms` products of values in `[-1, 1]`.
pub(crate) fn assert_close(got: &[f32], want: &[f64], terms: usize, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len());
    let bound = (terms as f64).powi(2) * f64::from(f32::EPSILON) / 4.0;
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        prop_assert!(
            (f64::from(got) - want).abs() <= bound,
            "{what}, value {i}: {got} instead of {want}, bound {bound}"
        );
    }
    Ok(())
}
