//! How a run begins: anew, or where it was interrupted.

use std::path::Path;
use std::sync::Arc;

use limpid::checkpoint::Checkpoint;
use limpid::data::{Dataset, Images, Samples};
use limpid::number::{grouped, short};
use limpid::run_dir::{RunConfig, RunDir};
use limpid::train::{TrainConfig, Trainer};

use super::Args;
use super::files::Files;

/// A run about to take its next step.
pub(super) struct Start {
    pub(super) trainer: Trainer,
    pub(super) files: Files,
    /// The images that it is measured on.
    pub(super) test: Arc<Images>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

/// Checks everything that the user gave, and only then writes the settings of the run.
pub(super) fn start(args: &Args) -> limpid::Result<Start> {
    match &args.resume {
        Some(directory) => resumed(args, directory),
        None => anew(args),
    }
}

fn anew(args: &Args) -> limpid::Result<Start> {
    let (data, mut notes) = args.load_data()?;
    let config = args.config(&data, &mut notes)?;
    let Dataset { name, train, test, .. } = data;
    let (train, test) = (Arc::new(train.images), Arc::new(test.images));
    let trainer = Trainer::new(config, train.clone(), test.clone(), args.threads)?;
    let config = RunConfig {
        limpid: env!("CARGO_PKG_VERSION").into(),
        data: name,
        data_dir: args.data.absolute(),
        images: train.len() as u64,
        preset: args.preset(),
        checkpoint_every: args.checkpoint_every,
        train: trainer.config().clone(),
    };
    let files = Files::create(args.out.as_deref(), args.overwrite, config, &trainer)?;
    Ok(Start { trainer, files, test, notes })
}

fn resumed(args: &Args, path: &Path) -> limpid::Result<Start> {
    let directory = RunDir::open(path)?;
    let before = directory.read_config()?;
    let mut config = RunConfig { train: args.resumed_config(&before.train)?, ..before.clone() };
    config.checkpoint_every = args.checkpoint_every.or(before.checkpoint_every);
    let data = args.data.load_of(&before)?;
    config.data_dir = args.data.absolute().or(config.data_dir);
    let train = first_images(&data, &config)?;
    let (train, test) = (Arc::new(train), Arc::new(data.test.images));

    let mut notes = Vec::new();
    let checkpoint = directory.checkpoint_path();
    let trainer = if checkpoint.exists() {
        let mut checkpoint = Checkpoint::load(&checkpoint)?;
        fits(&checkpoint, &config.train, path)?;
        let (epochs, isa) = (checkpoint.config.epochs, checkpoint.isa.clone());
        checkpoint.config.epochs = config.train.epochs;
        let trainer = checkpoint.resume(train, test.clone(), args.threads)?;
        notes.extend(note_on_epochs(&trainer, epochs));
        if isa != trainer.isa().name() {
            notes.push(format!(
                "so far the run was computed with {isa}, from here on with {}: it ends with other last digits than if it \
                 had not been interrupted",
                trainer.isa()
            ));
        }
        trainer
    } else {
        notes.push("no checkpoint of the run was written yet: it begins anew".into());
        Trainer::new(config.train.clone(), train, test.clone(), args.threads)?
    };
    if trainer.state().epoch > trainer.config().epochs {
        notes.push(format!(
            "all {} epochs of the run are done; --epochs with a larger number goes on with it",
            trainer.config().epochs
        ));
    }
    if config != before {
        directory.write_config(&config)?;
    }
    let files = Files::open(directory, config, &trainer)?;
    Ok(Start { trainer, files, test, notes })
}

/// As many of the training images as the run began with.
fn first_images(data: &Dataset, config: &RunConfig) -> limpid::Result<Images> {
    let images = &data.train.images;
    let (height, width) = images.size();
    let input = config.train.net.input;
    let count = usize::try_from(config.images).ok().filter(|&count| count <= images.len());
    match count {
        Some(count) if (height, width) == (input.height, input.width) => Ok(images.slice(0..count)),
        _ => Err(limpid::Error::invalid(
            format!("data set {}", data.name),
            format!(
                "it has {} training images of {height}x{width}, but the run began with {} of {}x{} of {}; name the data set \
                 that it began with by --data, or begin a new run",
                grouped(images.len() as u64),
                grouped(config.images),
                input.height,
                input.width,
                config.data
            ),
        )),
    }
}

/// Whether the settings in `config.toml` are those that the checkpoint was computed with, and its epochs not all past.
fn fits(checkpoint: &Checkpoint, config: &TrainConfig, path: &Path) -> limpid::Result<()> {
    let Checkpoint { config: computed, state, .. } = checkpoint;
    let differences = computed.differences(&TrainConfig { epochs: computed.epochs, ..config.clone() });
    if !differences.is_empty() {
        let problem = format!(
            "its config.toml is not that of its checkpoint: {}; a run keeps its settings, but for the epochs: change them \
             back, or begin a new run",
            differences.join("; ")
        );
        return Err(limpid::Error::invalid(format!("run {}", path.display()), problem));
    }
    let finished = state.epoch.saturating_sub(1);
    let begun = finished + u32::from(state.step > 0);
    if config.epochs < begun {
        let problem = format!("the run has begun its epoch {begun} already; expected at least so many");
        return Err(limpid::Error::invalid(format!("{} epochs", config.epochs), problem));
    }
    Ok(())
}

/// What another number of epochs means for a learning rate that falls to 0 where the run ends.
fn note_on_epochs(trainer: &Trainer, before: u32) -> Option<String> {
    let config = trainer.config();
    if config.epochs == before || !config.schedule.ends_with_the_run() || trainer.state().adam.step == 0 {
        return None;
    }
    Some(format!(
        "the {} schedule now ends with epoch {} instead of {before}: the learning rate goes on at {}, where it would be by \
         now in a run of {} epochs, and the steps so far had other rates than that run's",
        config.schedule,
        config.epochs,
        short((trainer.learning_rate() * 1e6).round() / 1e6),
        config.epochs
    ))
}
