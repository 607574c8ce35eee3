//! Adam (Kingma and Ba 2015), as the formula is written.

use num_traits::Float;

/// One step of Adam over all parameters, in the form of the paper's section 2 end that Keras uses, where the bias
/// corrections are folded into the step size and `epsilon` is the paper's epsilon-hat:
///
/// ```text
/// m += (1 - beta1) (g - m)          v += (1 - beta2) (g^2 - v)
/// w -= learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)
/// ```
///
/// `step` is `t`, counted from 1. All slices have one length.
#[allow(clippy::too_many_arguments)]
pub fn step<T: Float>(
    (learning_rate, beta1, beta2, epsilon): (T, T, T, T),
    step: i32,
    gradient: &[T],
    parameters: &mut [T],
    first_moment: &mut [T],
    second_moment: &mut [T],
) {
    let one = T::one();
    let rate = learning_rate * (one - beta2.powi(step)).sqrt() / (one - beta1.powi(step));
    for (((w, &g), m), v) in parameters.iter_mut().zip(gradient).zip(first_moment).zip(second_moment) {
        *m = *m + (one - beta1) * (g - *m);
        *v = *v + (one - beta2) * (g * g - *v);
        *w = *w - rate * *m / (v.sqrt() + epsilon);
    }
}
