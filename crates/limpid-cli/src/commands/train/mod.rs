//! `limpid train`: from images to a trained network, its loss curve and its pictures.
//!
//! The trainer tells what happens, one event after another; the progress line, the log, the checkpoints and the report are
//! readers of what it tells.

mod args;
mod bar;
mod files;
mod interrupt;
mod progress;
mod start;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use limpid::evaluate::evaluate;
use limpid::report::run::Ending;
use limpid::train::history::EpochRecord;
use limpid::train::{Event, Trainer};

pub(crate) use args::Args;
use files::Files;
use interrupt::Flag;
use progress::Progress;
use start::{Start, start};

/// The run was ended by Ctrl-C, after everything that there was had been written.
#[derive(Debug)]
pub(crate) struct Interrupted {
    run: PathBuf,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.display();
        write!(f, "interrupted; what there was is written, and limpid train --resume {run} goes on")
    }
}

impl std::error::Error for Interrupted {}

/// Trains, and writes the run's directory.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let Start { mut trainer, mut files, test, notes } = start(args)?;
    let threads = trainer.threads().count();
    let machine = format!("{threads} thread{}, {}", plural(threads), trainer.isa());
    let mut progress = Progress::new(args.output(), &trainer);
    let interrupted = interrupt::flag(progress.on_interrupt())?;
    progress.start(out, &trainer, &files, &machine, &notes);

    let ended = train(&mut trainer, &mut files, &mut progress, &interrupted, out);
    progress.finish();
    let (ending, failure) = ended?;

    if ending != Ending::Diverged {
        files.checkpoint(&trainer)?;
    }
    // Without an epoch, a network that diverged is worth nothing, but one that was interrupted is worth a look.
    if ending == Ending::Diverged && files.history().is_empty() {
        progress.end_without_model(out);
    } else {
        files.model(&trainer)?;
        let evaluation = evaluate(files.best(), &*test, &trainer.config().noise, trainer.threads())?;
        let examples = files.report(ending, &*test, &evaluation, &machine, progress.pictures())?;
        progress.end(out, &files, &evaluation, examples);
    }
    let failure = failure.or_else(|| Some(progress.failure().take()?.into()));
    failure.map_or(Ok(()), Err)
}

/// Takes steps until the run ends, and says how it did, and why if it was before its time. An error is a file that could not
/// be written: nothing more is done then.
fn train(
    trainer: &mut Trainer,
    files: &mut Files,
    progress: &mut Progress,
    interrupted: &Flag,
    out: &mut dyn Write,
) -> anyhow::Result<(Ending, Option<anyhow::Error>)> {
    let mut training = Duration::ZERO;
    loop {
        let start = Instant::now();
        match trainer.step() {
            Ok(Some(Event::Step(step))) => {
                training += start.elapsed();
                progress.step(&step);
                files.step(trainer)?;
            }
            Ok(Some(Event::Epoch(epoch))) => {
                let record = EpochRecord {
                    epoch: epoch.epoch,
                    training_loss: epoch.training_loss,
                    validation_loss: epoch.validation_loss,
                    seconds: std::mem::take(&mut training).as_secs_f64(),
                };
                files.epoch(trainer, record, epoch.is_best)?;
                progress.epoch(out, &record);
            }
            Ok(None) => return Ok((Ending::Finished, None)),
            Err(error) => return Ok((Ending::Diverged, Some(error.into()))),
        }
        if trainer.state().epoch > trainer.config().epochs {
            continue; // nothing is left to interrupt
        }
        if let Some(error) = progress.failure().take() {
            return Ok((Ending::Interrupted, Some(error.into())));
        }
        if interrupted.is_set() {
            let run = files.directory().path().to_path_buf();
            return Ok((Ending::Interrupted, Some(Interrupted { run }.into())));
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
