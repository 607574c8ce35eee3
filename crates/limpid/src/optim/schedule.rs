//! The learning rate over a run: constant, or falling along half a cosine, after an optional linear warm-up.
//!
//! The cosine is that of Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017),
//! equation 5, with one cycle, no restarts and a least rate of 0.

use std::{f64::consts::PI, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The form of a schedule, written `constant` or `cosine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same rate all through.
    #[default]
    Constant,
    /// Half a cosine, from the peak down to 0 where the run ends.
    Cosine,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
        })
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "constant" => Ok(Self::Constant),
            "cosine" => Ok(Self::Cosine),
            _ => Err(Error::invalid(format!("schedule {text:?}"), "expected constant or cosine")),
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
    /// With a cosine, step `w + 1` behind a warm-up of `w` has the peak, and the rate would reach 0 one step past the
    /// last, so that no step is wasted: `peak * (1 + cos(pi * (step - 1 - w) / (total - w))) / 2`.
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
        match self.schedule {
            Schedule::Constant => self.peak,
            Schedule::Cosine => {
                let done = step.saturating_sub(1).saturating_sub(self.warmup_steps);
                let whole = self.total_steps.saturating_sub(self.warmup_steps).max(1);
                let progress = (done as f64 / whole as f64).min(1.0);
                self.peak * (1.0 + (PI * progress).cos()) / 2.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(schedule: Schedule, warmup_steps: u64, total_steps: u64) -> LearningRate {
        LearningRate { peak: 1e-3, schedule, warmup_steps, total_steps }
    }

    #[test]
    fn what_is_printed_can_be_parsed() {
        for schedule in [Schedule::Constant, Schedule::Cosine] {
            assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
            assert_eq!(serde_json::to_string(&schedule).unwrap(), format!("\"{schedule}\""));
        }
        assert_eq!(
            "linear".parse::<Schedule>().unwrap_err().to_string(),
            "schedule \"linear\": expected constant or cosine"
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
        for schedule in [Schedule::Constant, Schedule::Cosine] {
            let rate = rate(schedule, 4, 10);
            assert_eq!([1, 2, 3, 4, 5].map(|step| rate.at(step)), [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3]);
        }
    }

    #[test]
    fn runs_shorter_than_the_warm_up_have_finite_rates() {
        for (warmup, total) in [(10, 5), (5, 5), (0, 0), (0, 1)] {
            let rate = rate(Schedule::Cosine, warmup, total);
            assert!((0..=20).all(|step| (0.0..=1e-3).contains(&rate.at(step))), "{warmup} of {total}");
        }
    }
}
