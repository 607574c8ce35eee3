//! `limpid compare noise`: what happens off the noise that a network was trained for.

use std::io::Write;

use limpid::experiments::noise_levels::{self, Settings};

use crate::experiment::{ExperimentArgs, Teller};
use crate::values;

/// The arguments of `limpid compare noise`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,

    /// Epochs of each network [default: 3; with --full, 5]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    epochs: Option<u32>,

    /// Noise factors to train for, one network each [default: 0.1,0.25,0.5,1; with --full, also 0 and 0.75]
    #[arg(long, value_name = "F,F", value_delimiter = ',', value_parser = values::factor, allow_negative_numbers = true)]
    training: Option<Vec<f32>>,

    /// Noise factors to test with [default: 0,0.1,0.25,0.5,0.75,1]
    #[arg(long, value_name = "F,F", value_delimiter = ',', value_parser = values::factor, allow_negative_numbers = true)]
    testing: Option<Vec<f32>>,
}

/// Trains the networks and reports how they do.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut settings = if args.experiment.is_full() { Settings::full() } else { Settings::small() };
    args.experiment.set_images(&mut settings.images, &mut settings.test_images);
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.training = args.training.clone().unwrap_or(settings.training);
    settings.testing = args.testing.clone().unwrap_or(settings.testing);
    let (data, threads) = (args.experiment.data()?, args.experiment.threads()?);
    let mut teller = Teller::new();
    let found = noise_levels::run(&data, &settings, &threads, &mut |what| teller.tell(what))?;
    drop(teller);
    args.experiment.report(&found, "", out)
}
