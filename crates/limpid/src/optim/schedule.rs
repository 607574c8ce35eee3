//! The learning rate over a run: constant, or falling to 0 along a line or half a cosine, after an optional linear warm-up.
//!
//! The cosine is that of Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017),
//! equation 5, with one cycle, no restarts and a least rate of 0.

use std::{f64::consts::PI, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The form of a schedule, written `constant`, `cosine` or `linear`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same rate all through.
    #[default]
    Constant,
    /// Half a cosine, from the peak down to 0 where the run ends.
    Cosine,
    /// A straight line, from the peak down to 0 where the run ends.
    Linear,
}

impl Schedule {
    /// Whether the rate of a step depends on how long the run is: a run that is made longer then has other rates from the
    /// start than one that was as long from its beginning.
    pub fn ends_with_the_run(self) -> bool {
        self != Self::Constant
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
            Self::Linear => "linear",
        })
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "constant" => Ok(Self::Constant),
            "cosine" => Ok(Self::Cosine),
            "linear" => Ok(Self::Linear),
            _ => Err(Error::invalid(format!("schedule {text:?}"), "expected constant, cosine or linear")),
        }
    }
}

/// The learning rate at every step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// The largest rate.
    pub peak: f64,
    /// What follows the warm-up.
    pub schedule: Schedule,
    /// Steps of linear warm-up: step `t` of the first `warmup_steps` has `peak * t / warmup_steps`. 0 for none.
    pub warmup_steps: u64,
    /// Steps of the run, warm-up included.
    pub total_steps: u64,
}

impl LearningRate {
    /// The rate of a step, counted from 1.
    ///
    /// With `p = (step - 1 - w) / (total - w)` behind a warm-up of `w` steps, a cosine is at `peak * (1 + cos(pi * p)) / 2`
    /// and a line at `peak * (1 - p)`: step `w + 1` has the peak, and the rate would reach 0 one step past the last, so that
    /// no step is wasted.
    ///
    /// ```
    /// use limpid::optim::{LearningRate, Schedule};
    ///
    /// let rate = LearningRate { peak: 0.4, schedule: Schedule::Cosine, warmup_steps: 2, total_steps: 6 };
    /// let rates = [1, 2, 3, 5].map(|step| (rate.at(step) * 1e6).round() / 1e6);
    /// assert_eq!(rates, [0.2, 0.4, 0.4, 0.2]);
    /// ```
    pub fn at(&self, step: u64) -> f64 {
        if (1..=self.warmup_steps).contains(&step) {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let done = step.saturating_sub(1).saturating_sub(self.warmup_steps);
        let whole = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = (done as f64 / whole as f64).min(1.0);
        match self.schedule {
            Schedule::Constant => self.peak,
            Schedule::Cosine => self.peak * (1.0 + (PI * progress).cos()) / 2.0,
            Schedule::Linear => self.peak * (1.0 - progress),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Schedule; 3] = [Schedule::Constant, Schedule::Cosine, Schedule::Linear];

    fn rate(schedule: Schedule, warmup_steps: u64, total_steps: u64) -> LearningRate {
        LearningRate { peak: 1e-3, schedule, warmup_steps, total_steps }
    }

    #[test]
    fn what_is_printed_can_be_parsed() {
        for schedule in ALL {
            assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
            assert_eq!(serde_json::to_string(&schedule).unwrap(), format!("\"{schedule}\""));
        }
        assert_eq!(
            "step".parse::<Schedule>().unwrap_err().to_string(),
            "schedule \"step\": expected constant, cosine or linear"
        );
    }

    #[test]
    fn constant_is_constant() {
        let rate = rate(Schedule::Constant, 0, 10);
        assert!((1..=20).all(|step| rate.at(step) == 1e-3));
    }

    #[test]
    fn the_cosine_falls_from_the_peak_to_nothing() {
        let rate = rate(Schedule::Cosine, 0, 1000);
        assert_eq!(rate.at(1), 1e-3);
        assert!((rate.at(501) - 0.5e-3).abs() < 1e-15);
        assert!((1..=1000).all(|step| rate.at(step + 1) < rate.at(step)));
        assert!(rate.at(1000) > 0.0 && rate.at(1000) < 1e-8);
        // Past the end the rate stays 0: it does not rise again.
        assert_eq!([rate.at(1001), rate.at(5000)], [0.0, 0.0]);
    }

    #[test]
    fn the_warm_up_rises_in_equal_steps_and_joins_at_the_peak() {
        for schedule in ALL {
            let rate = rate(schedule, 4, 10);
            assert_eq!([1, 2, 3, 4, 5].map(|step| rate.at(step)), [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3]);
        }
    }

    #[test]
    fn the_line_falls_by_the_same_amount_at_every_step() {
        let line = LearningRate { peak: 8.0, schedule: Schedule::Linear, warmup_steps: 2, total_steps: 10 };
        let rates: Vec<f64> = (1..=12).map(|step| line.at(step)).collect();
        assert_eq!(rates, [4.0, 8.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn runs_shorter_than_the_warm_up_have_finite_rates() {
        for (warmup, total) in [(10, 5), (5, 5), (0, 0), (0, 1)] {
            for schedule in ALL {
                let rate = rate(schedule, warmup, total);
                assert!((0..=20).all(|step| (0.0..=1e-3).contains(&rate.at(step))), "{warmup} of {total}");
            }
        }
    }

    proptest! {
        /// What holds for every schedule that ends with the run, however long the run and its warm-up.
        #[test]
        fn behind_the_warm_up_the_rate_falls_from_the_peak_to_above_nothing(
            warmup_steps in 0..500_u64, steps in 1..5000_u64, at in any::<prop::sample::Index>(), cosine in any::<bool>(),
        ) {
            let schedule = if cosine { Schedule::Cosine } else { Schedule::Linear };
            let total_steps = warmup_steps + steps;
            let rate = LearningRate { peak: 1.5e-2, schedule, warmup_steps, total_steps };
            let step = warmup_steps + 1 + at.index(steps as usize) as u64;
            prop_assert_eq!(rate.at(warmup_steps + 1), 1.5e-2);
            prop_assert!(rate.at(step) > 0.0 && rate.at(step + 1) < rate.at(step));
            prop_assert_eq!(rate.at(total_steps + 1), 0.0);
        }
    }
}
