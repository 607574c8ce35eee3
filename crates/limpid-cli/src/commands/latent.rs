//! `limpid latent`: what the code looks like, and what leads to it.

use std::io::Write;

use limpid::experiments::latent::{self, Settings};

use crate::experiment::{ExperimentArgs, ModelArgs, Teller};
use crate::values;

/// The arguments of `limpid latent`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    experiment: ExperimentArgs,

    /// Test image to look at, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::count, allow_negative_numbers = true)]
    image: usize,

    /// Test image to which the way through the codes leads
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = values::count, allow_negative_numbers = true)]
    to: usize,
}

/// Looks at the codes and reports what is to be seen.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut settings = if args.experiment.is_full() { Settings::full() } else { Settings::small() };
    let mut images = if args.experiment.is_full() { usize::MAX } else { 10_000 };
    args.experiment.set_images(&mut images, &mut settings.test_images);
    settings.images = [args.image, args.to];
    let (data, threads) = (args.experiment.data()?, args.experiment.threads()?);
    let mut teller = Teller::new();
    let mut tell = |what: &str| teller.tell(what);
    let model = args.model.load(&data, images, &threads, &mut tell)?;
    let found = latent::run(&model, &data, &settings, &threads, &mut tell)?;
    drop(teller);
    args.experiment.report(&found, args.model.note(), out)
}
