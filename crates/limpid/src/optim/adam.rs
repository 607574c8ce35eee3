//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015).

use std::fmt;

use limpid_kernels::{Isa, adam};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, number};

/// The settings of Adam; the defaults are Keras'.
///
/// At step `t`, counted from 1, with gradient `g`:
///
/// ```text
/// m += (1 - beta1) (g - m)          v += (1 - beta2) (g^2 - v)
/// w -= learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)
/// ```
///
/// where epsilon stands beside the uncorrected root, as in Keras (the paper's epsilon-hat); PyTorch corrects `v` first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Step size, above 0: roughly by how much a weight moves per step.
    pub learning_rate: f64,
    /// Decay of the mean gradient, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the mean squared gradient, in `[0, 1)`.
    pub beta2: f64,
    /// What keeps the division finite, above 0.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }
    }
}

/// With its name and all its settings.
impl fmt::Display for Adam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { learning_rate, beta1, beta2, epsilon } = self;
        let rate = number::short(*learning_rate);
        write!(f, "Adam, learning rate {rate}, beta1 {beta1}, beta2 {beta2}, epsilon {epsilon:e}")
    }
}

impl Adam {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// If one is not; the message names it.
    pub fn validate(&self) -> Result<()> {
        let positive = |what: &str, value: f64, example: &str| {
            // Both the setting itself and what is left of it in f32.
            if value as f32 > 0.0 && (value as f32).is_finite() {
                return Ok(());
            }
            Err(Error::invalid(
                format!("{what} {}", number::short(value)),
                format!("expected a number above 0 that fits 32-bit floating point, for example {example}"),
            ))
        };
        let decay = |what: &str, value: f64, example: &str| {
            if value >= 0.0 && (value as f32) < 1.0 {
                return Ok(());
            }
            Err(Error::invalid(
                format!("{what} {value}"),
                format!("expected a number of at least 0 and below 1, for example {example}"),
            ))
        };
        positive("learning rate", self.learning_rate, "1e-3")?;
        decay("beta1", self.beta1, "0.9")?;
        decay("beta2", self.beta2, "0.999")?;
        positive("epsilon", self.epsilon, "1e-7")
    }
}

/// What Adam remembers between steps: the running moments of every parameter's gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamState {
    /// Running means of the gradients.
    pub first: Vec<f32>,
    /// Running means of their squares.
    pub second: Vec<f32>,
    /// Steps done.
    pub step: u64,
}

impl AdamState {
    /// The state before the first step.
    pub fn new(parameters: usize) -> Self {
        Self { first: vec![0.0; parameters], second: vec![0.0; parameters], step: 0 }
    }

    /// Takes one step: moves `parameters` against `gradients`.
    ///
    /// A scheduled learning rate goes into `adam`:
    ///
    /// ```
    /// use limpid::optim::{Adam, AdamState, LearningRate, Schedule};
    ///
    /// let adam = Adam::default();
    /// let rate = LearningRate { peak: 1e-3, schedule: Schedule::Cosine, warmup_steps: 0, total_steps: 100 };
    /// let (mut weights, gradients) = ([1.0, 1.0], [0.3, -20.0]);
    /// let mut state = AdamState::new(2);
    /// let isa = limpid::net::plan::isa()?;
    /// state.update(isa, &Adam { learning_rate: rate.at(state.step + 1), ..adam }, &gradients, &mut weights);
    /// // The first step is one learning rate long, whatever the size of the gradient.
    /// assert!((weights[0] - 0.999).abs() < 1e-6 && (weights[1] - 1.001).abs() < 1e-6);
    /// # Ok::<(), limpid::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the numbers of parameters and gradients are not that of the state.
    pub fn update(&mut self, isa: Isa, settings: &Adam, gradients: &[f32], parameters: &mut [f32]) {
        assert_eq!(gradients.len(), self.first.len(), "as many gradients as the state has moments");
        assert_eq!(parameters.len(), self.first.len(), "as many parameters as the state has moments");
        self.step += 1;
        let Adam { learning_rate, beta1, beta2, epsilon } = *settings;
        let coefficients = adam::Coefficients::new(learning_rate, beta1, beta2, epsilon, self.step);
        adam::step(isa, coefficients, gradients, parameters, &mut self.first, &mut self.second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_range() {
        let message = |adam: Adam| adam.validate().unwrap_err().to_string();
        let good = Adam::default();
        assert!(good.validate().is_ok());
        assert!(Adam { beta1: 0.0, beta2: 0.0, ..good }.validate().is_ok());
        assert_eq!(
            message(Adam { learning_rate: 0.0, ..good }),
            "learning rate 0: expected a number above 0 that fits 32-bit floating point, for example 1e-3"
        );
        assert!(message(Adam { learning_rate: 1e-50, ..good }).starts_with("learning rate 1e-50: "));
        for learning_rate in [-1e-3, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            assert!(message(Adam { learning_rate, ..good }).starts_with("learning rate "));
        }
        assert_eq!(
            message(Adam { beta1: 1.0, ..good }),
            "beta1 1: expected a number of at least 0 and below 1, for example 0.9"
        );
        for beta2 in [-0.1, 1.0 - 1e-12, f64::NAN] {
            assert!(message(Adam { beta2, ..good }).ends_with("for example 0.999"));
        }
        assert_eq!(
            message(Adam { epsilon: -1.0, ..good }),
            "epsilon -1: expected a number above 0 that fits 32-bit floating point, for example 1e-7"
        );
    }

    #[test]
    fn settings_are_read_with_defaults_and_unknown_ones_refused() {
        assert_eq!(toml::from_str::<Adam>("").unwrap(), Adam::default());
        assert_eq!(toml::from_str::<Adam>("beta1 = 0.5").unwrap(), Adam { beta1: 0.5, ..Adam::default() });
        assert!(toml::from_str::<Adam>("momentum = 0.5").unwrap_err().to_string().contains("`momentum`"));
    }

    #[test]
    fn a_parabola_is_descended() {
        let (mut weights, mut state) = ([3.0_f32, -2.0], AdamState::new(2));
        let adam = Adam { learning_rate: 0.05, ..Adam::default() };
        for _ in 0..500 {
            let gradients = weights.map(|w| 2.0 * (w - 1.0));
            state.update(Isa::best(), &adam, &gradients, &mut weights);
        }
        assert_eq!(state.step, 500);
        assert!(weights.iter().all(|w| (w - 1.0).abs() < 1e-2), "{weights:?}");
    }
}
