//! The reader of the run that prints: for a person at a terminal, for a person's log file, or for a program.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use limpid::evaluate::Evaluation;
use limpid::number::grouped;
use limpid::train::history::EpochRecord;
use limpid::train::{self, Trainer};
use serde::Serialize;
use serde_json::json;

use super::files::Files;
use crate::commands::eval::write_figures;

/// Who reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A person; on a terminal with a progress bar, which is not part of what is printed to standard output.
    Person,
    /// A program: lines of JSON.
    Json,
    /// Nobody.
    Quiet,
}

/// Prints what the trainer tells.
pub(super) struct Progress {
    output: Output,
    /// Hidden where standard error is no terminal.
    bar: ProgressBar,
    /// Training images in all epochs, and those done.
    images: u64,
    done: u64,
    epochs: u32,
    images_per_epoch: u64,
    /// The first step of the run, for the time left, which counts validation too.
    start: Option<Instant>,
    /// The first step of the epoch, for the images per second, which counts training only.
    epoch_start: Option<Instant>,
}

impl Progress {
    pub(super) fn new(output: Output, trainer: &Trainer, images_per_epoch: usize) -> Self {
        let images_per_epoch = images_per_epoch as u64;
        let bar = match output {
            Output::Person => ProgressBar::new(images_per_epoch),
            Output::Json | Output::Quiet => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{prefix} {bar:24.cyan/dim} {msg}");
        bar.set_style(style.expect("the template is a constant").progress_chars("━╸─"));
        Self {
            output,
            bar,
            images: images_per_epoch * u64::from(trainer.config().epochs),
            done: 0,
            epochs: trainer.config().epochs,
            images_per_epoch,
            start: None,
            epoch_start: None,
        }
    }

    /// What is about to happen.
    pub(super) fn start(
        &self,
        out: &mut dyn Write,
        trainer: &Trainer,
        files: &Files,
        machine: &str,
    ) -> io::Result<()> {
        if self.output == Output::Person {
            let config = trainer.config();
            writeln!(
                out,
                "Training {} ({} parameters) on {} images, {} noise, {machine}",
                config.net.name,
                grouped(trainer.best().values().len() as u64),
                grouped(self.images_per_epoch),
                config.noise,
            )?;
            writeln!(out, "Run directory: {}", files.directory().path().display())?;
            out.flush()?;
        }
        Ok(())
    }

    /// One step was done.
    pub(super) fn step(&mut self, step: &train::Progress) {
        self.done += step.images as u64;
        if self.bar.is_hidden() {
            return;
        }
        let seconds =
            |start: &mut Option<Instant>| start.get_or_insert_with(Instant::now).elapsed().as_secs_f64();
        let done_in_epoch = self.done - self.images_per_epoch * u64::from(step.epoch - 1);
        let rate = done_in_epoch as f64 / seconds(&mut self.epoch_start).max(1e-9);
        let left = seconds(&mut self.start) * (self.images - self.done) as f64 / self.done as f64;
        let left = Duration::from_secs(left as u64);
        self.bar.set_prefix(format!("Epoch {}/{}", step.epoch, self.epochs));
        self.bar.set_position(done_in_epoch);
        self.bar.set_message(format!(
            "{} images/s  loss {:.4}  {} left",
            grouped(rate as u64),
            step.mean_loss,
            indicatif::FormattedDuration(left)
        ));
    }

    /// An epoch was finished.
    pub(super) fn epoch(&mut self, out: &mut dyn Write, record: &EpochRecord) -> io::Result<()> {
        self.epoch_start = None;
        match self.output {
            Output::Quiet => Ok(()),
            Output::Json => line(out, record),
            Output::Person => {
                let EpochRecord { epoch, training_loss, validation_loss, seconds } = record;
                let width = self.epochs.to_string().len();
                self.bar.suspend(|| {
                    writeln!(
                        out,
                        "Epoch {epoch:>width$}/{}  training loss {training_loss:.4}  \
                         validation loss {validation_loss:.4}  {seconds:.1} s",
                        self.epochs
                    )?;
                    out.flush()
                })
            }
        }
    }

    /// No more steps come.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// What came out, and where it is.
    pub(super) fn end(&self, out: &mut dyn Write, files: &Files, evaluation: &Evaluation) -> io::Result<()> {
        let directory = files.directory();
        let mut written = vec![
            ("model", directory.model_path()),
            ("checkpoint", directory.checkpoint_path()),
            ("pictures", directory.results_path()),
        ];
        if !files.history().is_empty() {
            written.extend([("loss curve", directory.loss_path()), ("report", directory.report_path())]);
        }
        match self.output {
            Output::Quiet => Ok(()),
            Output::Json => {
                let paths =
                    written.iter().map(|(what, path)| (what.replace(' ', "_"), path.display().to_string()));
                let paths: serde_json::Map<_, _> = paths.map(|(what, path)| (what, json!(path))).collect();
                line(out, &json!({ "evaluation": evaluation, "files": paths }))
            }
            Output::Person => {
                writeln!(out, "\n{} noisy test images:\n", grouped(evaluation.images))?;
                write_figures(evaluation, out)?;
                writeln!(out)?;
                for (what, path) in written {
                    writeln!(out, "{what:<10}  {}", path.display())?;
                }
                Ok(())
            }
        }
    }
}

/// One line of JSON, at once.
fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    out.flush()
}
