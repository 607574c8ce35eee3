//! Networks that are trained for the occasion of an experiment.

use std::sync::Arc;

use crate::Result;
use crate::data::{Dataset, Samples};
use crate::denoise::Autoencoder;
use crate::noise::Noise;
use crate::threads::Threads;
use crate::train::{Event, Finished, Preset, TrainConfig, Trainer};

/// The settings of [`Preset::Fast`] for a run over so many images. The warm-up is at most a quarter of the run.
pub fn config(images: usize, epochs: u32) -> TrainConfig {
    let config = TrainConfig { epochs, ..Preset::Fast.config() };
    let steps = config.steps_per_epoch(images) * u64::from(epochs);
    TrainConfig { warmup_steps: config.warmup_steps.min(steps / 4), ..config }
}

/// Gaussian noise of a factor of 0 or more.
pub(super) fn gaussian(factor: f32) -> Noise {
    format!("gaussian:{factor}").parse().expect("a factor of 0 or more makes a noise")
}

/// Trains to the end of `config` and returns the model of the best epoch, and all epochs' losses. They are measured on the
/// data set's validation images, so that its test images stay unseen.
///
/// # Errors
/// As [`Trainer::new`] and [`Trainer::step`].
pub fn train(
    config: TrainConfig,
    data: &Dataset,
    images: usize,
    threads: &Threads,
) -> Result<(Autoencoder, Vec<Finished>)> {
    let images = images.min(data.train.images.len());
    let train = Arc::new(data.train.images.slice(0..images));
    let validation = Arc::new(data.validation.images.clone());
    let mut trainer = Trainer::new(config, train, validation, threads.count())?;
    let mut epochs = Vec::new();
    while let Some(event) = trainer.step()? {
        if let Event::Epoch(epoch) = event {
            epochs.push(epoch);
        }
    }
    Ok((trainer.best_model_of(data.name.clone()), epochs))
}

/// A model in one line, for the settings of an experiment.
pub fn describe(model: &Autoencoder) -> String {
    match &model.training {
        None => format!("{}, untrained", model.net.name),
        Some(training) => {
            let loss =
                training.validation_loss.map_or(String::new(), |loss| format!(", validation loss {loss:.4}"));
            format!(
                "{}, trained on {} images of {} under {}, epoch {}{loss}",
                model.net.name, training.images, training.data, model.noise, training.epoch
            )
        }
    }
}
