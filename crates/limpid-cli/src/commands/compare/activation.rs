//! `limpid compare activation`: leaky ReLU beside ReLU.

use std::io::Write;

use limpid::experiments::activation::{self, Settings};
use limpid::net::Activation;
use limpid::train::Preset;

use crate::experiment::{ExperimentArgs, Teller};
use crate::values;

/// The arguments of `limpid compare activation`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,

    /// Epochs of each run [default: 3; with --full, 10]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    epochs: Option<u32>,

    /// Runs of each activation, with seeds 1, 2, ... [default: 3]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    seeds: Option<u32>,

    /// Settings of the runs but for their epochs: tutorial, fast or best
    #[arg(long, value_name = "NAME", default_value = "tutorial", value_parser = values::parsed::<Preset>)]
    preset: Preset,

    /// Activations to compare
    #[arg(long, value_name = "A,A", value_delimiter = ',', default_value = "lrelu:0.1,relu", value_parser = values::parsed::<Activation>)]
    activations: Vec<Activation>,
}

/// Trains the networks and reports how they do.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut settings = if args.experiment.is_full() { Settings::full() } else { Settings::small() };
    args.experiment.set_images(&mut settings.images, &mut settings.test_images);
    let epochs = args.epochs.unwrap_or(settings.config.epochs);
    settings.config = limpid::train::TrainConfig { epochs, ..args.preset.config() };
    settings.seeds = args.seeds.map_or(settings.seeds, u64::from);
    settings.activations.clone_from(&args.activations);
    let (data, threads) = (args.experiment.data()?, args.experiment.threads()?);
    let mut teller = Teller::new();
    let found = activation::run(&data, &settings, &threads, &mut |what| teller.tell(what))?;
    drop(teller);
    args.experiment.report(&found, "", out)
}
