//! The directory of a training run. This is the one module that knows what lies where in it.
//!
//! | file | what it is | when it is written |
//! |---|---|---|
//! | `config.toml` | what the run was asked to do | at the start |
//! | `log.jsonl` | one line of JSON per epoch | after each epoch |
//! | `checkpoint.safetensors` | the last state of the run | after each epoch, and where the run ends |
//! | `model.safetensors` | the network of the lowest validation loss | whenever it is the best so far |
//! | `loss.png`, `results.png`, `report.html` | for people | where the run ends |

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::atomic;
use crate::train::{Preset, TrainConfig};
use crate::train::history::EpochRecord;
use crate::{Error, Result};

/// The directory of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// What `config.toml` holds: the settings of the trainer, and where its images came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The version of limpid that ran.
    pub limpid: String,
    /// The name of the data set.
    pub data: String,
    /// Training images used.
    pub images: u64,
    /// The preset that the settings began with; `train` has them all, as they were changed.
    #[serde(default)]
    pub preset: Preset,
    /// The settings of the trainer.
    pub train: TrainConfig,
}

impl RunDir {
    /// Makes the directory of a new run.
    ///
    /// # Errors
    /// If the path exists and is not an empty directory, or cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        if path.is_file() {
            return Err(refuse(path, "it is a file, not a directory; choose another name"));
        }
        if path.is_symlink() && !path.exists() {
            return Err(refuse(path, "it is a link to something that does not exist; choose another name"));
        }
        fs::create_dir_all(path).map_err(|cause| not_created(path, &cause))?;
        let mut entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
        if entries.next().is_some() {
            return Err(refuse(
                path,
                "it is not empty, and no run is written over another; choose another directory",
            ));
        }
        Ok(Self { path: path.to_path_buf() })
    }

    /// Makes a new directory of this name, or of this name with `-2`, `-3`, ... behind it where it is taken.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create_new(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| not_created(path, &cause))?;
        }
        let mut candidate = path.to_path_buf();
        for number in 2_u64.. {
            match fs::create_dir(&candidate) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let mut name = path.as_os_str().to_os_string();
                    name.push(format!("-{number}"));
                    candidate = name.into();
                }
                Err(cause) => return Err(not_created(&candidate, &cause)),
            }
        }
        Ok(Self { path: candidate })
    }

    /// The names of the files in a directory, of which nothing is known yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// The directory of a run that was started before.
    ///
    /// # Errors
    /// If it has no `config.toml`.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self::at(path);
        let config = run.config_path();
        fs::metadata(&config).map_err(|source| Error::io("read", &config, source))?;
        Ok(run)
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

    /// Adds a line to `log.jsonl`, in place of a last line that a crash cut short.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn append_log(&self, record: &EpochRecord) -> Result<()> {
        let path = self.log_path();
        let mut line = serde_json::to_string(record).expect("a record is made of numbers");
        line.push('\n');
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            file.write_all(line.as_bytes())
        };
        append().map_err(|source| Error::io("write", &path, source))
    }

    /// Reads `log.jsonl`; a last line that a crash cut short does not count.
    ///
    /// # Errors
    /// If it cannot be read, or a line is not a record.
    pub fn read_log(&self) -> Result<Vec<EpochRecord>> {
        let path = self.log_path();
        let text = fs::read_to_string(&path).map_err(|source| Error::io("read", &path, source))?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let record = |(number, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|error| Error::data(&path, format!("line {} is no record: {error}", number + 1)))
        };
        whole.lines().enumerate().map(record).collect()
    }
}

fn refuse(path: &Path, problem: impl Into<String>) -> Error {
    Error::invalid(format!("run directory {}", path.display()), problem)
}

/// The user chose the place: what the system says of it is about what the user gave.
fn not_created(path: &Path, cause: &std::io::Error) -> Error {
    refuse(
        path,
        format!("it cannot be created ({cause}); choose a place where you may write, for example with --out"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: u32) -> EpochRecord {
        EpochRecord { epoch, training_loss: 0.5, validation_loss: 0.25, seconds: 1.5 }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(&dir.path().join("runs/first")).unwrap();
        let config = RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            images: 55_000,
            preset: Preset::Fast,
            train: TrainConfig::default(),
        };
        run.write_config(&config).unwrap();
        assert_eq!(RunDir::open(run.path()).unwrap().read_config().unwrap(), config);
        run.append_log(&record(1)).unwrap();
        run.append_log(&record(2)).unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1), record(2)]);
        assert_eq!(
            fs::read_to_string(run.log_path()).unwrap().lines().next().unwrap(),
            r#"{"epoch":1,"training_loss":0.5,"validation_loss":0.25,"seconds":1.5}"#
        );
    }

    #[test]
    fn two_runs_of_one_second_get_two_directories() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs/2026-01-01-120000");
        let names = [1, 2, 3].map(|_| RunDir::create_new(&path).unwrap().path().to_path_buf());
        let suffixes = names.map(|name| name.file_name().unwrap().to_str().unwrap()[17..].to_owned());
        assert_eq!(suffixes, ["", "-2", "-3"]);
    }

    #[test]
    fn a_line_that_was_cut_short_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        run.append_log(&record(1)).unwrap();
        fs::write(run.log_path(), [&fs::read(run.log_path()).unwrap()[..], b"{\"epoch\":2,\"trai"].concat())
            .unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1)]);
        run.append_log(&record(2)).unwrap();
        assert_eq!(run.read_log().unwrap(), [record(1), record(2)]);
        fs::write(run.log_path(), "{\"epoch\":2}\n").unwrap();
        assert!(run.read_log().unwrap_err().to_string().contains("line 1 is no record"));
    }

    #[test]
    fn the_largest_seed_survives() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path()).unwrap();
        let train = TrainConfig { seed: u64::MAX, warmup_steps: u64::MAX, ..TrainConfig::default() };
        let config = RunConfig { limpid: "0.1.0".into(), data: "MNIST".into(), images: 1, preset: Preset::Tutorial, train };
        run.write_config(&config).unwrap();
        assert_eq!(run.read_config().unwrap(), config);
    }

    #[test]
    fn places_where_no_directory_can_be_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "mine").unwrap();
        let problem = |path: &Path| match RunDir::create(path).unwrap_err() {
            Error::Invalid { problem, .. } => problem,
            other => panic!("{other}"),
        };
        assert_eq!(problem(&file), "it is a file, not a directory; choose another name");
        assert!(problem(&file.join("run")).starts_with("it cannot be created ("));
        assert!(RunDir::create_new(&file.join("run")).unwrap_err().to_string().contains("cannot be created"));
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(dir.path().join("nothing"), &link).unwrap();
            assert_eq!(problem(&link), "it is a link to something that does not exist; choose another name");
        }
    }

    #[test]
    fn no_run_is_written_over_another() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        let message = RunDir::create(dir.path()).unwrap_err().to_string();
        assert!(
            message
                .ends_with("it is not empty, and no run is written over another; choose another directory")
        );
        let message = RunDir::open(dir.path()).unwrap_err().to_string();
        assert!(message.starts_with("cannot read ") && message.contains("config.toml"), "{message}");
    }
}
