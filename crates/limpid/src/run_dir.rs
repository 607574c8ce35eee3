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

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Interval, atomic};
use crate::train::{Preset, TrainConfig};
use crate::denoise::Losses;
use crate::train::history::EpochRecord;
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
    /// Makes the directory of a new run. With `overwrite`, one that holds a run already is emptied of that run's files.
    ///
    /// # Errors
    /// If the path exists and is not an empty directory nor a run to be overwritten, if another program writes there, or if
    /// it cannot be created.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        if path.is_file() {
            return Err(refuse(path, "it is a file, not a directory; choose another name"));
        }
        if path.is_symlink() && !path.exists() {
            return Err(refuse(path, "it is a link to something that does not exist; choose another name"));
        }
        fs::create_dir_all(path).map_err(|cause| not_created(path, &cause))?;
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        let unfinished = FILES.map(|name| Some(atomic::temporary(Path::new(name)).into_os_string()));
        let entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
        if entries.map(|entry| entry.ok().map(|entry| entry.file_name())).all(|name| unfinished.contains(&name)) {
            run.remove_unfinished();
            return Ok(run);
        }
        match (run.read_config(), overwrite) {
            (Ok(_), true) => run.clear()?,
            (Ok(_), false) => {
                let problem = "it holds a run already: --resume goes on with it, --overwrite replaces it; or choose another \
                               directory";
                return Err(refuse(path, problem));
            }
            (Err(_), _) => return Err(refuse(path, "it is not empty and holds no run; choose another directory")),
        }
        Ok(run)
    }

    /// Removes the files of a run. Its settings go last: until then it can be seen what it was, and removed again.
    fn clear(&self) -> Result<()> {
        self.remove_unfinished();
        for name in FILES.iter().rev() {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a program that was killed had begun to write. If something cannot be removed, writing will say so.
    fn remove_unfinished(&self) {
        for name in FILES {
            let _ = fs::remove_file(atomic::temporary(&self.path.join(name)));
        }
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
        Ok(Self { _lock: lock(&candidate)?, path: candidate })
    }

    /// The names of the files in a directory, of which nothing is known yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf(), _lock: None }
    }

    /// The directory of a run that was started before, to go on with it.
    ///
    /// # Errors
    /// If there is no such directory, it has no `config.toml`, or another program writes there.
    pub fn open(path: &Path) -> Result<Self> {
        let entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
        drop(entries);
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        if !run.config_path().exists() {
            return Err(refuse(path, "it has no config.toml, so no run was begun there; expected the directory of a run"));
        }
        run.remove_unfinished();
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
        let line = line(record);
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        append().map_err(|source| Error::io("write", &path, source))
    }

    /// Makes `log.jsonl` end where a run goes on, and gives back what it holds then: one record for each of the finished
    /// epochs, whose losses these are. Lines of later epochs, which will be trained again, are dropped; lines that somebody
    /// removed are written again, without their seconds.
    ///
    /// # Errors
    /// If it cannot be read or written, or a line is not a record.
    pub fn rewind_log(&self, finished: &[Losses]) -> Result<Vec<EpochRecord>> {
        let before = self.read_log()?;
        let record = |(epoch, losses): (u32, &Losses)| {
            let known = before.iter().find(|record| record.epoch == epoch);
            let seconds = known.map_or(0.0, |record| record.seconds);
            EpochRecord { epoch, training_loss: losses.training, validation_loss: losses.validation, seconds }
        };
        let records: Vec<EpochRecord> = (1..).zip(finished).map(record).collect();
        if records != before {
            let lines: Vec<String> = records.iter().map(line).collect();
            atomic::write(&self.log_path(), lines.concat().as_bytes())?;
        }
        Ok(records)
    }

    /// Reads `log.jsonl`; without one, there are no records, and a last line that a crash cut short does not count.
    ///
    /// # Errors
    /// If it cannot be read, or a line is not a record.
    pub fn read_log(&self) -> Result<Vec<EpochRecord>> {
        let path = self.log_path();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.map_err(|source| Error::io("read", &path, source))?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let record = |(number, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|error| Error::data(&path, format!(
                    "line {} is no record: {error}; without this file, a run goes on with the losses in its checkpoint",
                    number + 1
                )))
        };
        whole.lines().enumerate().map(record).collect()
    }
}

/// A record as it stands in the log.
fn line(record: &EpochRecord) -> String {
    let mut line = serde_json::to_string(record).expect("a record is made of numbers");
    line.push('\n');
    line
}

/// Makes sure that no other program writes to a directory, as long as what is given back lives. Some systems have no locks on
/// directories: there nothing is given back.
fn lock(directory: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(directory) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(refuse(directory, "another limpid is writing there; wait for its end, or end it"))
        }
        Err(TryLockError::Error(_)) => Ok(None),
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
        let run = RunDir::create(dir.path(), false).unwrap();
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

    #[test]
    fn places_where_no_directory_can_be_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "mine").unwrap();
        let problem = |path: &Path| match RunDir::create(path, false).unwrap_err() {
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

    fn config() -> RunConfig {
        RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            data_dir: None,
            images: 9,
            preset: Preset::Tutorial,
            checkpoint_every: None,
            train: TrainConfig::default(),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    }

    fn create(path: &Path, overwrite: bool) -> std::result::Result<(), String> {
        RunDir::create(path, overwrite).map(drop).map_err(|error| match error {
            Error::Invalid { problem, .. } => problem,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_directory_without_a_run_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        fs::write(dir.path().join("report.html.tmp"), "mine").unwrap();
        fs::write(dir.path().join("config.toml"), "mine = true").unwrap();
        for overwrite in [false, true] {
            let problem = create(dir.path(), overwrite).unwrap_err();
            assert_eq!(problem, "it is not empty and holds no run; choose another directory");
        }
        assert_eq!(names(dir.path()), ["config.toml", "notes.txt", "report.html.tmp"]);
        fs::remove_file(dir.path().join("config.toml")).unwrap();
        let message = RunDir::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains("it has no config.toml, so no run was begun there"), "{message}");
        let message = RunDir::open(&dir.path().join("nothing")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read ") && message.contains("nothing: "), "{message}");
    }

    #[test]
    fn a_run_is_overwritten_where_that_is_asked_for_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        run.write_config(&config()).unwrap();
        for name in FILES.into_iter().chain(["checkpoint.safetensors.tmp", "notes.txt"]) {
            if name != "config.toml" {
                fs::write(dir.path().join(name), "old").unwrap();
            }
        }
        drop(run);
        assert!(create(dir.path(), false).unwrap_err().starts_with("it holds a run already: --resume goes on"));
        assert_eq!(names(dir.path()).len(), 9);
        create(dir.path(), true).unwrap();
        assert_eq!(names(dir.path()), ["notes.txt"]);
    }

    #[test]
    fn a_directory_in_which_a_program_was_killed_at_once_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml.tmp"), "limp").unwrap();
        create(dir.path(), false).unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    #[cfg(unix)]
    fn two_programs_do_not_write_to_one_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunDir::create(dir.path(), false).unwrap();
        first.write_config(&config()).unwrap();
        for overwrite in [false, true] {
            let problem = create(dir.path(), overwrite).unwrap_err();
            assert_eq!(problem, "another limpid is writing there; wait for its end, or end it");
        }
        assert!(RunDir::open(dir.path()).unwrap_err().to_string().contains("another limpid is writing there"));
        drop(first);
        RunDir::open(dir.path()).unwrap();
    }

    #[test]
    fn the_log_goes_on_where_the_run_does() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        let losses = Losses { training: 0.5, validation: 0.25 };
        assert_eq!(run.rewind_log(&[]).unwrap(), []);
        (1..=3).for_each(|epoch| run.append_log(&record(epoch)).unwrap());
        assert_eq!(run.rewind_log(&[losses; 3]).unwrap(), [1, 2, 3].map(record));
        assert_eq!(run.rewind_log(&[losses; 2]).unwrap(), [1, 2].map(record));
        assert_eq!(run.read_log().unwrap(), [1, 2].map(record));
        // What is lost is written again; nobody knows its seconds.
        fs::remove_file(run.log_path()).unwrap();
        let rebuilt = [1, 2].map(|epoch| EpochRecord { seconds: 0.0, ..record(epoch) });
        assert_eq!(run.rewind_log(&[losses; 2]).unwrap(), rebuilt);
        assert_eq!(run.read_log().unwrap(), rebuilt);
    }
}
