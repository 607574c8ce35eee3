//! The one error type of the library. Every message says what, where, what was expected and what to try.

use std::path::{Path, PathBuf};

/// The result of everything in limpid that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, in terms of what the user gave.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// What was attempted, as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
        /// What the operating system said. It is part of the message, so it is not the error's `source` as well.
        cause: std::io::Error,
    },

    /// A data file exists but does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Data {
        /// The file concerned.
        path: PathBuf,
        /// What was found, what was expected, what to try.
        problem: String,
    },

    /// A setting, specification or argument does not make sense.
    #[error("{what}: {problem}")]
    Invalid {
        /// Which setting, e.g. `noise "gausian:0.5"` or `layer "pool2"`.
        what: String,
        /// What was found, what was expected, what to try.
        problem: String,
    },

    /// The loss became infinite or not-a-number; the best model so far is kept by the trainer.
    #[error(
        "the loss is {} at step {step} (epoch {epoch}): training has diverged; \
         try a smaller learning rate, for example --lr {:.0e}",
        crate::number::loss(*loss), (learning_rate / 10.0).min(1e-3)
    )]
    Diverged {
        /// The value of the loss, infinite or NaN.
        loss: f64,
        /// The step, counted from 1 over the whole run; behind an epoch's last one, the validation loss failed.
        step: u64,
        /// The epoch, counted from 1.
        epoch: u32,
        /// The learning rate that was asked for, the peak of its schedule.
        learning_rate: f64,
    },
}

impl Error {
    /// Wraps an [`std::io::Error`] with what was attempted (a verb) and on which path.
    pub fn io(action: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::Io { action, path: path.to_path_buf(), cause }
    }

    /// A file that does not hold what it should.
    pub fn data(path: &Path, problem: impl Into<String>) -> Self {
        Self::Data { path: path.to_path_buf(), problem: problem.into() }
    }

    /// A setting that does not make sense.
    pub fn invalid(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn the_advice_is_a_rate_that_can_work() {
        let advice = |learning_rate| {
            let error = Error::Diverged { loss: f64::NAN, step: 7, epoch: 1, learning_rate };
            error.to_string().rsplit_once(' ').unwrap().1.to_owned()
        };
        assert_eq!([1e30, 0.5, 0.005, 1e-3, 1e-6].map(advice), ["1e-3", "1e-3", "5e-4", "1e-4", "1e-7"]);
    }
}
