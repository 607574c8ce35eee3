//! `limpid classify`: what the code is worth for telling digits apart, and which digit a picture shows.

use std::io::Write;
use std::path::PathBuf;

use limpid::experiments::classify::{self, Settings};

use crate::experiment::{ExperimentArgs, ModelArgs, Teller};
use crate::values;

/// The arguments of `limpid classify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    experiment: ExperimentArgs,

    /// Runs of fine-tuning, with seeds 1, 2, ... [default: 3]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    seeds: Option<u32>,

    /// Say which digit this picture shows, instead: any size, drawn light on dark or dark on light
    #[arg(long, value_name = "IMG")]
    predict: Option<PathBuf>,
}

/// Runs the experiment, or classifies one picture.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut settings = if args.experiment.is_full() { Settings::full() } else { Settings::small() };
    args.experiment.set_images(&mut settings.images, &mut settings.test_images);
    settings.seeds = args.seeds.map_or(settings.seeds, u64::from);
    let (data, threads) = (args.experiment.data()?, args.experiment.threads()?);
    let mut teller = Teller::new();
    let mut tell = |what: &str| teller.tell(what);
    let model = args.model.load(&data, settings.images, &threads, &mut tell)?;
    let found = classify::run(&model, &data, &settings, &threads, &mut tell)?;
    drop(teller);
    args.experiment.report(&found, args.model.note(), out)
}
