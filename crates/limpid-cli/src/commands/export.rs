//! `limpid export`: a trained network as a file for other programs.

use std::io::Write;
use std::path::PathBuf;

use limpid::export::{OnnxOptions, Part, to_onnx};
use limpid::number::grouped;

use crate::model;
use crate::output_file::OutputFile;
use crate::values;

/// The arguments of `limpid export`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "MODEL", help = model::HELP)]
    model: Option<PathBuf>,

    #[command(flatten)]
    output: OutputFile,

    /// Which layers: full, encoder (image to code) or decoder (code to image)
    #[arg(long, value_name = "PART", default_value_t = Part::Full, value_parser = values::parsed::<Part>)]
    part: Part,

    /// Write the layers behind the last activation as one operation: the same result, several times faster
    #[arg(long)]
    folded: bool,

    /// End with the logits, without the sigmoid that makes pixels of them
    #[arg(long)]
    logits: bool,
}

/// Writes the file and says what is in it.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    args.output.check()?;
    let (model, source) = model::load(args.model.as_deref())?;
    let options = OnnxOptions { part: args.part, folded: args.folded, logits: args.logits };
    let bytes = to_onnx(&model, &options)?;
    args.output.write(&bytes, out)?;
    if !args.output.is_stdout() {
        writeln!(out, "{source}: {}", model::describe(&model))?;
        writeln!(
            out,
            "{}: {} network, {} to {}, {} bytes",
            args.output.path().display(),
            options.part,
            options.input_name(),
            options.output_name(),
            grouped(bytes.len() as u64)
        )?;
    }
    Ok(())
}
