//! The reader of the run that writes: log, checkpoint, best model, report.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use limpid::checkpoint::{Checkpoint, Interval};
use limpid::data::Samples;
use limpid::denoise::Autoencoder;
use limpid::evaluate::Evaluation;
use limpid::report::run::{Ending, Examples, Run};
use limpid::run_dir::{RunConfig, RunDir};
use limpid::train::Trainer;
use limpid::train::history::EpochRecord;

/// The run's directory and what has been written to it.
pub(super) struct Files {
    directory: RunDir,
    config: RunConfig,
    history: Vec<EpochRecord>,
    best: Autoencoder,
    /// The state of the run that is on the disk.
    saved: Option<Place>,
    saved_at: Instant,
}

impl Files {
    /// Makes the directory, `runs/DATE-TIME` if none is named, and writes the settings.
    pub(super) fn create(
        path: Option<&Path>,
        overwrite: bool,
        config: RunConfig,
        trainer: &Trainer,
    ) -> limpid::Result<Self> {
        let directory = match path {
            Some(path) => RunDir::create(path, overwrite)?,
            None => RunDir::create_new(
                &Path::new("runs").join(jiff::ZonedDateTime::now().strftime("%Y-%m-%d-%H%M%S").to_string()),
            )?,
        };
        directory.write_config(&config)?;
        Ok(Self::new(directory, config, Vec::new(), trainer))
    }

    /// Goes on in the directory of a run, from where the trainer stands.
    pub(super) fn open(directory: RunDir, config: RunConfig, trainer: &Trainer) -> limpid::Result<Self> {
        let history = directory.rewind_log(&trainer.state().history)?;
        let saved = directory.checkpoint_path().exists().then(|| Place::of(trainer));
        Ok(Self { saved, ..Self::new(directory, config, history, trainer) })
    }

    fn new(directory: RunDir, config: RunConfig, history: Vec<EpochRecord>, trainer: &Trainer) -> Self {
        let best = trainer.best_model_of(config.data.clone());
        Self { directory, config, history, best, saved: None, saved_at: Instant::now() }
    }

    pub(super) fn directory(&self) -> &RunDir {
        &self.directory
    }

    /// The epochs so far.
    pub(super) fn history(&self) -> &[EpochRecord] {
        &self.history
    }

    /// The best model so far.
    pub(super) fn best(&self) -> &Autoencoder {
        &self.best
    }

    /// Writes what an epoch adds: a line of the log, the model if it is the best so far, and, last, the checkpoint.
    pub(super) fn epoch(
        &mut self,
        trainer: &Trainer,
        record: EpochRecord,
        is_best: bool,
    ) -> Result<(), NotWritten> {
        self.history.push(record);
        let log = self.directory.append_log(&record);
        log.map_err(|cause| self.not_written(trainer, cause))?;
        if is_best {
            self.model(trainer)?;
        }
        self.checkpoint(trainer)
    }

    /// Writes the checkpoint behind a step where the interval wants it.
    pub(super) fn step(&mut self, trainer: &Trainer) -> Result<(), NotWritten> {
        let is_due = match self.config.checkpoint_every {
            None => false,
            Some(Interval::Steps(steps)) => trainer.state().adam.step.is_multiple_of(steps),
            Some(Interval::Time(time)) => self.saved_at.elapsed() >= time,
        };
        if is_due { self.checkpoint(trainer) } else { Ok(()) }
    }

    /// Writes the state of the run.
    pub(super) fn checkpoint(&mut self, trainer: &Trainer) -> Result<(), NotWritten> {
        let written = Checkpoint::of(trainer).save(&self.directory.checkpoint_path());
        written.map_err(|cause| self.not_written(trainer, cause))?;
        (self.saved, self.saved_at) = (Some(Place::of(trainer)), Instant::now());
        Ok(())
    }

    /// Writes the best model, or, if no epoch was finished, the present one.
    pub(super) fn model(&mut self, trainer: &Trainer) -> Result<(), NotWritten> {
        self.best = trainer.best_model_of(self.config.data.clone());
        let written = self.best.save(&self.directory.model_path());
        written.map_err(|cause| self.not_written(trainer, cause))
    }

    /// Writes what people look at. Gives back the first `count` test images as the model sees and restores them.
    pub(super) fn report(
        &self,
        ending: Ending,
        test: &dyn Samples,
        evaluation: &Evaluation,
        machine: &str,
        count: usize,
    ) -> limpid::Result<[Examples; 3]> {
        let Self { directory, config, history, best, .. } = self;
        let run = Run { config, history, ending, model: best, test, evaluation, machine };
        run.write(directory)?;
        run.examples(count)
    }

    fn not_written(&self, trainer: &Trainer, cause: limpid::Error) -> NotWritten {
        let directory = self.directory.path().to_path_buf();
        NotWritten { cause, directory, stopped: Place::of(trainer), saved: self.saved }
    }
}

/// A point of a run.
#[derive(Debug, Clone, Copy)]
struct Place {
    epoch: u32,
    step: u64,
}

impl Place {
    fn of(trainer: &Trainer) -> Self {
        let state = trainer.state();
        Self { epoch: state.epoch, step: state.step }
    }
}

/// As what has been done by then.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { epoch, step: 0 } => write!(f, "the end of epoch {}", epoch - 1),
            Self { epoch, step } => write!(f, "step {step} of epoch {epoch}"),
        }
    }
}

/// A file of the run could not be written, and what that means for the run.
#[derive(Debug)]
pub(super) struct NotWritten {
    cause: limpid::Error,
    directory: PathBuf,
    stopped: Place,
    saved: Option<Place>,
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, directory, stopped, saved } = self;
        write!(f, "{cause}; the run stops behind {stopped}")?;
        let shown = directory.display();
        match saved {
            _ if !directory.exists() => {
                write!(f, ", and its directory {shown} is gone, with everything in it")
            }
            None => write!(f, ", and no checkpoint of it had been written"),
            Some(saved) => {
                write!(
                    f,
                    "; its checkpoint of {saved} is intact: when files can be written there again, go on with limpid \
                     train --resume {shown}"
                )
            }
        }
    }
}

impl std::error::Error for NotWritten {}
