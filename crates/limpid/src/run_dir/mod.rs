//! The directory of a training run. This is the one module that knows what lies where in it.
//!
//! | file | what it is | when it is written |
//! |---|---|---|
//! | `config.toml` | what the run was asked to do | at the start |
//! | `log.jsonl` | one line of JSON per epoch | after each epoch |
//! | `model.safetensors` | the network of the lowest validation loss | after each epoch that is the best so far |
//! | `checkpoint.safetensors` | the last state of the run | then; at the interval that was asked for; where the run ends |
//! | `loss.png`, `results.png`, `report.html` | for people | where the run ends |
//!
//! The checkpoint is written last, so that whatever it says is done has its line in the log and its model. What was written
//! for an epoch that no checkpoint knows of is written again, the same, when the run goes on.

mod log;
mod place;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Interval, atomic};
use crate::train::{Preset, TrainConfig};
use crate::{Error, Result};

/// The directory of a run.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Held by the one program that writes there, where the system has locks on directories.
    _lock: Option<File>,
}

/// The names of the files.
const FILES: [&str; 7] = [
    "config.toml",
    "log.jsonl",
    "model.safetensors",
    "checkpoint.safetensors",
    "loss.png",
    "results.png",
    "report.html",
];

/// What `config.toml` holds: the settings of the trainer, and where its images came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The version of limpid that ran.
    pub limpid: String,
    /// The name of the data set.
    pub data: String,
    /// The folder that it was read from; none for the one inside the program, or if the name is not Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
    /// Training images used.
    pub images: u64,
    /// The preset that the settings began with; `train` has them all, as they were changed.
    #[serde(default)]
    pub preset: Preset,
    /// How often the checkpoint is written between the ends of epochs; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<Interval>,
    /// The settings of the trainer.
    pub train: TrainConfig,
}

impl RunDir {
    /// The names of the files in a directory, of which nothing is known yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf(), _lock: None }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `log.jsonl`.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// `model.safetensors`.
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// `checkpoint.safetensors`.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    /// `loss.png`.
    pub fn loss_path(&self) -> PathBuf {
        self.path.join("loss.png")
    }

    /// `results.png`.
    pub fn results_path(&self) -> PathBuf {
        self.path.join("results.png")
    }

    /// `report.html`.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn write_config(&self, config: &RunConfig) -> Result<()> {
        let text = toml::to_string(config).expect("a configuration is made of strings and numbers");
        atomic::write(&self.config_path(), text.as_bytes())
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    /// If it cannot be read or is not what [`RunDir::write_config`] writes.
    pub fn read_config(&self) -> Result<RunConfig> {
        let path = self.config_path();
        let text = fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        toml::from_str(&text).map_err(|error| Error::data(&path, error.to_string().trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(&dir.path().join("runs/first"), false).unwrap();
        let config = RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            images: 55_000,
            data_dir: Some("/data/digits".into()),
            preset: Preset::Fast,
            checkpoint_every: Some(Interval::Steps(500)),
            train: TrainConfig::default(),
        };
        run.write_config(&config).unwrap();
        assert_eq!(RunDir::at(run.path()).read_config().unwrap(), config);
    }

    #[test]
    fn the_largest_seed_survives() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        let train = TrainConfig { seed: u64::MAX, warmup_steps: u64::MAX, ..TrainConfig::default() };
        let config = RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            data_dir: None,
            images: 1,
            preset: Preset::Tutorial,
            checkpoint_every: None,
            train,
        };
        run.write_config(&config).unwrap();
        assert_eq!(run.read_config().unwrap(), config);
    }
}
