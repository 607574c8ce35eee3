//! `limpid import`: weights that Keras or PyTorch trained, as a model of ours.

use std::io::Write;
use std::path::PathBuf;

use limpid::import::import;
use limpid::noise::Noise;

use crate::model;
use crate::network::NetArgs;
use crate::output_file::OutputFile;
use crate::values;

/// The arguments of `limpid import`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A .weights.h5 file of Keras, or a .safetensors file of PyTorch
    #[arg(value_name = "FILE")]
    weights: PathBuf,

    #[command(flatten)]
    output: OutputFile,

    #[command(flatten)]
    net: NetArgs,

    /// What the network was trained to remove; the file does not say
    #[arg(long, value_name = "KIND:VALUE", default_value_t = Noise::default(), value_parser = values::parsed::<Noise>, allow_negative_numbers = true)]
    noise: Noise,
}

/// Writes the model and says what it is.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    args.output.check()?;
    let model = import(&args.weights, args.net.load()?, args.noise)?;
    args.output.write(&model.to_bytes(), out)?;
    if !args.output.is_stdout() {
        writeln!(out, "{}: {}", args.output.path().display(), model::describe(&model))?;
    }
    Ok(())
}
