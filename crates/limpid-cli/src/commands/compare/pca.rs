//! `limpid compare pca`: PCA beside dense autoencoders.

use std::io::Write;

use limpid::experiments::pca::{self, Settings};

use crate::experiment::{ExperimentArgs, Teller};
use crate::values;

/// The arguments of `limpid compare pca`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,

    /// Epochs of each network [default: 10; with --full, 5]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, allow_negative_numbers = true)]
    epochs: Option<u32>,

    /// Numbers of code values [default: 2,8,32,128; with --full, all powers of two from 2 to 256]
    #[arg(long, value_name = "K,K", value_delimiter = ',', value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    sizes: Option<Vec<usize>>,
}

/// Trains the networks and reports how they do.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut settings = if args.experiment.is_full() { Settings::full() } else { Settings::small() };
    args.experiment.set_images(&mut settings.images, &mut settings.test_images);
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.sizes = args.sizes.clone().unwrap_or(settings.sizes);
    let (data, threads) = (args.experiment.data()?, args.experiment.threads()?);
    let mut teller = Teller::new();
    let found = pca::run(&data, &settings, &threads, &mut |what| teller.tell(what))?;
    drop(teller);
    args.experiment.report(&found, "", out)
}
