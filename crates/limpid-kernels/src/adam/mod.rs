//! The Adam optimizer and the sum of gradients that it takes.

pub mod reference;

use crate::Isa;
use crate::isa::per_isa;

/// What a step of Adam needs beside the tensors; see [`reference::step`] for the formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// Step size with the bias corrections in it: `learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t)`.
    pub rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
}

impl Coefficients {
    /// The coefficients of step `step`, counted from 1; the corrections are computed in `f64`.
    pub fn new(learning_rate: f64, beta1: f64, beta2: f64, epsilon: f64, step: u64) -> Self {
        let t = step as f64;
        Self {
            rate: (learning_rate * (1.0 - beta2.powf(t)).sqrt() / (1.0 - beta1.powf(t))) as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
        }
    }
}

/// One step over all parameters. All slices have one length.
///
/// # Panics
/// If the lengths differ.
pub fn step(
    isa: Isa,
    coefficients: Coefficients,
    gradient: &[f32],
    parameters: &mut [f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
) {
    let len = gradient.len();
    assert!(
        parameters.len() == len && first_moment.len() == len && second_moment.len() == len,
        "one gradient and two moments per parameter"
    );
    update(isa, coefficients, gradient, parameters, first_moment, second_moment);
}

per_isa! {
    fn update<L>(
        _lanes;
        coefficients: Coefficients,
        gradient: &[f32],
        parameters: &mut [f32],
        first_moment: &mut [f32],
        second_moment: &mut [f32],
    ) {
        let Coefficients { rate, beta1, beta2, epsilon } = coefficients;
        for (((w, &g), m), v) in parameters.iter_mut().zip(gradient).zip(first_moment).zip(second_moment) {
            *m += (1.0 - beta1) * (g - *m);
            *v += (1.0 - beta2) * (g * g - *v);
            *w -= rate * *m / (v.sqrt() + epsilon);
        }
    }
}

/// `sum += gradient`, value by value.
///
/// # Panics
/// If the lengths differ.
pub fn add(isa: Isa, gradient: &[f32], sum: &mut [f32]) {
    assert_eq!(gradient.len(), sum.len(), "gradients of one length");
    add_values(isa, gradient, sum);
}

per_isa! {
    fn add_values<L>(_lanes; gradient: &[f32], sum: &mut [f32]) {
        for (sum, &value) in sum.iter_mut().zip(gradient) {
            *sum += value;
        }
    }
}
