//! The reader of the run that prints: for a person at a terminal, for a person's log file, or for a program.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use limpid::evaluate::Evaluation;
use limpid::number::{grouped, loss};
use limpid::report::loss_plot::is_drawable;
use limpid::report::run::Examples;
use limpid::train::history::EpochRecord;
use limpid::train::{self, Trainer};
use serde::Serialize;
use serde_json::json;

use super::bar;
use super::files::Files;
use crate::commands::eval::write_figures;
use crate::terminal::Terminal;
use crate::terminal_image::{self, Picture};

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
    /// Nobody, once the reader has left.
    output: Output,
    /// Why standard output could not be written, if it was not that the reader left.
    failure: Option<io::Error>,
    /// Hidden where standard error is no terminal.
    bar: ProgressBar,
    narrow: bool,
    epochs: u32,
    images_per_epoch: u64,
    /// Training images that this program has yet to do, in all epochs.
    left: u64,
    /// For the time left, which counts validation too.
    whole: Meter,
    /// For the images per second, which counts training only.
    epoch: Meter,
}

/// Images since a moment, not counting what an earlier program did of the same run.
struct Meter {
    start: Instant,
    images: u64,
}

impl Meter {
    fn start() -> Self {
        Self { start: Instant::now(), images: 0 }
    }

    /// Images per second.
    fn rate(&self) -> f64 {
        self.images as f64 / self.start.elapsed().as_secs_f64().max(1e-9)
    }
}

impl Progress {
    pub(super) fn new(output: Output, trainer: &Trainer) -> Self {
        let state = trainer.state();
        let images_per_epoch = state.training_images;
        let (bar, narrow) = match output {
            Output::Person => bar::new(images_per_epoch),
            Output::Json | Output::Quiet => (ProgressBar::hidden(), false),
        };
        Self {
            output,
            failure: None,
            bar,
            narrow,
            epochs: trainer.config().epochs,
            images_per_epoch,
            left: images_per_epoch * u64::from(trainer.config().epochs + 1 - state.epoch) - state.images,
            whole: Meter::start(),
            epoch: Meter::start(),
        }
    }

    /// What to do at the first Ctrl-C: say that it was heard.
    pub(super) fn on_interrupt(&self) -> impl Fn() + Send + 'static {
        let (bar, person) = (self.bar.clone(), self.output == Output::Person);
        move || {
            if person {
                bar.suspend(|| {
                    // If nobody can read it, nothing else is lost.
                    let _ = writeln!(
                        io::stderr(),
                        "stopping after this step; measuring what there is (Ctrl-C again ends at once)"
                    );
                });
            }
        }
    }

    /// Takes note of whether something could be printed. When the reader has left, as in `limpid train | head -1`, the rest
    /// of the run is silent.
    fn note(&mut self, printed: io::Result<()>) {
        if let Err(error) = printed {
            self.output = Output::Quiet;
            self.failure = Some(error).filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        }
    }

    /// Why standard output could not be written, if it was not that the reader left.
    pub(super) fn failure(&mut self) -> &mut Option<io::Error> {
        &mut self.failure
    }

    /// What is about to happen.
    pub(super) fn start(
        &mut self,
        out: &mut dyn Write,
        trainer: &Trainer,
        files: &Files,
        machine: &str,
        notes: &[String],
    ) {
        if self.output == Output::Person {
            let printed = self.print_start(out, trainer, files, machine, notes);
            self.note(printed);
        }
    }

    fn print_start(
        &self,
        out: &mut dyn Write,
        trainer: &Trainer,
        files: &Files,
        machine: &str,
        notes: &[String],
    ) -> io::Result<()> {
        let config = trainer.config();
        writeln!(
            out,
            "Training {} ({} parameters) on {} images, {} noise, {machine}",
            config.net.name,
            grouped(trainer.best().values().len() as u64),
            grouped(self.images_per_epoch),
            config.noise,
        )?;
        for note in notes {
            writeln!(out, "note: {note}")?;
        }
        writeln!(out, "Run directory: {}", files.directory().path().display())?;
        let state = trainer.state();
        if state.adam.step > 0 && state.epoch <= config.epochs {
            let steps = trainer.steps_per_epoch();
            writeln!(out, "Going on in epoch {}, behind {} of its {steps} steps", state.epoch, state.step)?;
        }
        out.flush()
    }

    /// The number of an epoch as it is shown, as wide as that of the last.
    fn place(&self, epoch: u32) -> String {
        let width = self.epochs.to_string().len();
        format!("Epoch {epoch:>width$}/{}", self.epochs)
    }

    /// One step was done.
    pub(super) fn step(&mut self, step: &train::Progress) {
        let images = step.images as u64;
        self.left -= images;
        self.whole.images += images;
        self.epoch.images += images;
        if self.bar.is_hidden() {
            return;
        }
        let left = Duration::from_secs((self.left as f64 / self.whole.rate()) as u64);
        self.bar.set_prefix(self.place(step.epoch));
        self.bar.set_position(self.images_per_epoch - self.left % self.images_per_epoch);
        let rate = self.epoch.rate() as u64;
        let rate = if self.narrow { String::new() } else { format!("{} images/s  ", grouped(rate)) };
        self.bar.set_message(format!(
            "{rate}loss {}  {} left",
            loss(step.mean_loss),
            indicatif::FormattedDuration(left)
        ));
    }

    /// An epoch was finished.
    pub(super) fn epoch(&mut self, out: &mut dyn Write, record: &EpochRecord) {
        self.epoch = Meter::start();
        let printed = match self.output {
            Output::Quiet => Ok(()),
            Output::Json => line(out, record),
            Output::Person => {
                let EpochRecord { epoch, training_loss, validation_loss, seconds } = record;
                self.bar.suspend(|| {
                    writeln!(
                        out,
                        "{}  training loss {}  validation loss {}  {seconds:.1} s",
                        self.place(*epoch),
                        loss(*training_loss),
                        loss(*validation_loss),
                    )?;
                    out.flush()
                })
            }
        };
        self.note(printed);
    }

    /// No more steps come.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The run diverged before it had any result.
    pub(super) fn end_without_model(&mut self, out: &mut dyn Write) {
        if self.output == Output::Person {
            let printed =
                writeln!(out, "\nNo epoch was finished, so there is no model.").and_then(|()| out.flush());
            self.note(printed);
        }
    }

    /// What came out, and where it is.
    pub(super) fn end(
        &mut self,
        out: &mut dyn Write,
        files: &Files,
        evaluation: &Evaluation,
        examples: [Examples; 3],
    ) {
        let printed = self
            .print_pictures(out, examples)
            .and_then(|()| self.print_end(out, files, evaluation))
            .and_then(|()| out.flush());
        self.note(printed);
    }

    /// How many digits are shown beside each other: as many as the terminal has room for, up to four; none elsewhere.
    pub(super) fn pictures(&self) -> usize {
        const WIDTH: usize = 30; // of a digit and the space behind it
        if self.output == Output::Person && io::stdout().is_terminal() {
            (Terminal::detect().columns / WIDTH).clamp(1, 4)
        } else {
            0
        }
    }

    /// Digits as they were, with noise, and without it again.
    fn print_pictures(&self, out: &mut dyn Write, examples: [Examples; 3]) -> io::Result<()> {
        if examples[0].images.is_empty() {
            return Ok(());
        }
        let Terminal { palette, columns } = Terminal::detect();
        writeln!(out)?;
        for Examples { label, images } in examples {
            let pictures: Vec<Picture> =
                images.into_iter().map(|image| Picture { title: label.into(), image }).collect();
            terminal_image::write(out, &pictures, palette, columns)?;
        }
        Ok(())
    }

    fn print_end(&self, out: &mut dyn Write, files: &Files, evaluation: &Evaluation) -> io::Result<()> {
        let directory = files.directory();
        let mut written = vec![
            ("model", directory.model_path()),
            ("checkpoint", directory.checkpoint_path()),
            ("pictures", directory.results_path()),
        ];
        let has_report = is_drawable(files.history());
        if has_report {
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
                if files.history().is_empty() {
                    writeln!(out, "\nNo epoch was finished, so there is no loss curve and no report.")?;
                } else if !has_report {
                    writeln!(
                        out,
                        "\nThe losses are too large to be drawn, so there is no loss curve and no report."
                    )?;
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
