//! The reader of the run that writes: log, checkpoint, best model, report.

use std::path::Path;

use limpid::checkpoint::Checkpoint;
use limpid::data::Samples;
use limpid::denoise::{Autoencoder, Training};
use limpid::evaluate::Evaluation;
use limpid::report::run::{Ending, Examples, Run};
use limpid::run_dir::{RunConfig, RunDir};
use limpid::train::{Preset, Trainer};
use limpid::train::history::EpochRecord;

/// The run's directory and what has been written to it.
pub(super) struct Files {
    directory: RunDir,
    config: RunConfig,
    history: Vec<EpochRecord>,
    best: Autoencoder,
}

impl Files {
    /// Makes the directory, `runs/DATE-TIME` if none is named, and writes the settings.
    pub(super) fn create(
        path: Option<&Path>,
        preset: Preset,
        trainer: &Trainer,
        data: String,
        images: usize,
    ) -> limpid::Result<Self> {
        let directory = match path {
            Some(path) => RunDir::create(path)?,
            None => RunDir::create_new(
                &Path::new("runs").join(jiff::ZonedDateTime::now().strftime("%Y-%m-%d-%H%M%S").to_string()),
            )?,
        };
        let train = trainer.config().clone();
        let config =
            RunConfig { limpid: env!("CARGO_PKG_VERSION").into(), data, images: images as u64, preset, train };
        directory.write_config(&config)?;
        let mut files = Self { best: trainer.best_model(), directory, config, history: Vec::new() };
        files.set_best(trainer, None);
        Ok(files)
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

    /// Writes what an epoch adds: a line of the log, the checkpoint, and the model if it is the best so far.
    pub(super) fn epoch(
        &mut self,
        trainer: &Trainer,
        record: EpochRecord,
        is_best: bool,
    ) -> limpid::Result<()> {
        self.history.push(record);
        self.checkpoint(trainer)?;
        if is_best {
            self.set_best(trainer, Some(record));
            self.best.save(&self.directory.model_path())?;
        }
        self.directory.append_log(&record)
    }

    /// Writes the state of the run.
    pub(super) fn checkpoint(&self, trainer: &Trainer) -> limpid::Result<()> {
        let checkpoint = Checkpoint { config: trainer.config().clone(), state: trainer.state().clone() };
        checkpoint.save(&self.directory.checkpoint_path())
    }

    /// Makes sure that there is a model: the best one, or, if no epoch was finished, the present one.
    pub(super) fn model(&mut self, trainer: &Trainer) -> limpid::Result<()> {
        if self.history.is_empty() {
            self.set_best(trainer, None);
        }
        self.best.save(&self.directory.model_path())
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
        let Self { directory, config, history, best } = self;
        let run = Run { config, history, ending, model: best, test, evaluation, machine };
        run.write(directory)?;
        run.examples(count)
    }

    fn set_best(&mut self, trainer: &Trainer, record: Option<EpochRecord>) {
        let training = Training {
            data: self.config.data.clone(),
            images: self.config.images,
            epoch: record.map_or(trainer.state().epoch, |record| record.epoch),
            validation_loss: record.map(|record| record.validation_loss),
            seed: trainer.config().seed,
        };
        self.best = Autoencoder { training: Some(training), ..trainer.best_model() };
    }
}
