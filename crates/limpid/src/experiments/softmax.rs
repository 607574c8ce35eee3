//! Softmax cross-entropy: the loss of a classifier and its gradient.

/// Replaces `logits` by the probabilities of the classes, `p = exp(z) / sum of exp(z)`.
pub fn softmax(logits: &mut [f32]) {
    let largest = logits.iter().fold(f32::NEG_INFINITY, |largest, &z| largest.max(z));
    let mut sum = 0.0;
    for z in &mut *logits {
        *z = (*z - largest).exp();
        sum += *z;
    }
    for p in logits {
        *p /= sum;
    }
}

/// The loss `-ln p[label]`, in nats; `logits` is replaced by its gradient, `p - [class = label]`.
pub(super) fn cross_entropy(logits: &mut [f32], label: usize) -> f64 {
    softmax(logits);
    let loss = -f64::from(logits[label].max(f32::MIN_POSITIVE)).ln();
    logits[label] -= 1.0;
    loss
}

/// The class of the largest logit; of several, the first.
pub(super) fn winner(logits: &[f32]) -> usize {
    let best = |best: usize, class: usize| if logits[class] > logits[best] { class } else { best };
    (0..logits.len()).fold(0, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let logits = [0.3_f32, -1.2, 2.0, 0.7];
        let loss = |logits: &[f32]| cross_entropy(&mut logits.to_vec(), 1);
        let mut gradient = logits;
        cross_entropy(&mut gradient, 1);
        for i in 0..4 {
            let moved = |by: f32| {
                let mut moved = logits;
                moved[i] += by;
                loss(&moved)
            };
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((slope - f64::from(gradient[i])).abs() < 1e-4, "{i}: {slope} and {}", gradient[i]);
        }
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let mut logits = [1000.0, -1000.0];
        assert!(cross_entropy(&mut logits, 1).is_finite());
        assert_eq!((logits, winner(&[1.0, 3.0, 3.0])), ([1.0, -1.0], 1));
    }
}
