//! `limpid train`: from images to a trained network, its loss curve and its pictures.
//!
//! The trainer tells what happens, one event after another; the progress line, the log, the checkpoints and the report are
//! readers of what it tells.

mod args;
mod bar;
mod files;
mod interrupt;
mod progress;

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use limpid::data::Samples;
use limpid::evaluate::evaluate;
use limpid::report::run::Ending;
use limpid::train::history::EpochRecord;
use limpid::train::{Event, Trainer};

pub(crate) use args::Args;
use files::Files;
use progress::Progress;

/// The run was ended by Ctrl-C, after everything that there was had been written.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted; what there was is written")
    }
}

impl std::error::Error for Interrupted {}

/// Trains, and writes the run's directory.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let (data, mut notes) = args.load_data()?;
    let config = args.config(&data, &mut notes)?;
    let (train, test) = (Arc::new(data.train.images), Arc::new(data.test.images));
    let mut trainer = Trainer::new(config, train.clone(), test.clone(), args.threads)?;
    // Everything that the user gave has been checked: only now is anything written.
    let threads = trainer.threads().count();
    let machine = format!("{threads} thread{}, {}", plural(threads), trainer.isa());
    let mut files = Files::create(args.out.as_deref(), args.preset(), &trainer, data.name, train.len())?;
    let mut progress = Progress::new(args.output(), &trainer, train.len());
    let interrupted = interrupt::flag(progress.on_interrupt())?;
    progress.start(out, &trainer, &files, &machine, &notes);

    let mut training = Duration::ZERO;
    let (ending, failure) = loop {
        let start = Instant::now();
        match trainer.step() {
            Ok(Some(Event::Step(step))) => {
                training += start.elapsed();
                progress.step(&step);
            }
            Ok(Some(Event::Epoch(epoch))) => {
                let record = EpochRecord {
                    epoch: epoch.epoch,
                    training_loss: epoch.training_loss,
                    validation_loss: epoch.validation_loss,
                    seconds: std::mem::take(&mut training).as_secs_f64(),
                };
                files.epoch(&trainer, record, epoch.is_best)?;
                progress.epoch(out, &record);
            }
            Ok(None) => break (Ending::Finished, None),
            Err(error) => break (Ending::Diverged, Some(error.into())),
        }
        if trainer.state().epoch > trainer.config().epochs {
            continue; // nothing is left to interrupt
        }
        if let Some(error) = progress.failure().take() {
            break (Ending::Interrupted, Some(error.into()));
        }
        if interrupted.is_set() {
            break (Ending::Interrupted, Some(Interrupted.into()));
        }
    };
    progress.finish();

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

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
