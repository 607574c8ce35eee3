//! `limpid compare`: the tutorial's claims, each beside what else could be done. One file per comparison.

mod activation;
mod noise;
mod pca;

use std::io::Write;

use clap::Subcommand;

/// The arguments of `limpid compare`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    comparison: Comparison,
}

/// In the order of the tutorial.
#[derive(Subcommand)]
enum Comparison {
    /// PCA beside dense autoencoders with as many code values
    Pca(pca::Args),
    /// Leaky ReLU beside ReLU: losses, dead units, gradients
    Activation(activation::Args),
    /// Networks trained for one noise under another
    Noise(noise::Args),
}

/// Runs the comparison and reports it.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    match &args.comparison {
        Comparison::Pca(args) => pca::run(args, out),
        Comparison::Activation(args) => activation::run(args, out),
        Comparison::Noise(args) => noise::run(args, out),
    }
}
