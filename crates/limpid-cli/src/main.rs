//! `limpid`: train the denoising autoencoder, look inside it, measure it, use it.
//!
//! Every subcommand is a file in `commands/` with its arguments and a `run` that writes to the writer it is given.
//! To add one: the file, its `mod` line there, a variant of [`Command`] and its line in [`Command::run`].

#![forbid(unsafe_code)]

mod commands;
mod dataset;
mod experiment;
mod model;
mod network;
mod ordinal;
mod output_file;
mod picture;
mod terminal;
mod terminal_image;
mod values;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The denoising autoencoder: train it, look inside it, measure it, use it.
#[derive(Parser)]
#[command(name = "limpid", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// In the order in which a learner meets them.
#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of them")]
enum Command {
    /// Look at the data: shapes, figures, and some of the images
    Data(commands::data::Args),
    /// Look at a network: layers, shapes, parameters, cost
    Info(commands::info::Args),
    /// Train a network, and see how well it does
    Train(commands::train::Args),
    /// Measure a trained network on noisy test images
    Eval(commands::eval::Args),
    /// Take the noise out of your own pictures
    Denoise(commands::denoise::Args),
    /// Write a trained network as ONNX, for OpenCV, ONNX Runtime and other programs
    Export(commands::export::Args),
    /// Make a model of weights that Keras or PyTorch trained
    Import(commands::import::Args),
    /// Look at the code: feature maps, filters, a map of all digits, the way from one to another
    Latent(commands::latent::Args),
    /// Write the codes of images as an array: the encoder alone
    Encode(commands::encode::Args),
    /// Make images of codes: the decoder alone
    Decode(commands::decode::Args),
    /// See the tutorial's claims: what is learned beside what else could be done
    Compare(commands::compare::Args),
    /// Tell digits apart by their code, with few labels and with many
    Classify(commands::classify::Args),
}

impl Command {
    fn run(self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Data(args) => commands::data::run(&args, out),
            Self::Info(args) => commands::info::run(&args, out),
            Self::Train(args) => commands::train::run(&args, out),
            Self::Eval(args) => commands::eval::run(&args, out),
            Self::Denoise(args) => commands::denoise::run(&args, out),
            Self::Export(args) => commands::export::run(&args, out),
            Self::Import(args) => commands::import::run(&args, out),
            Self::Latent(args) => commands::latent::run(&args, out),
            Self::Encode(args) => commands::encode::run(&args, out),
            Self::Decode(args) => commands::decode::run(&args, out),
            Self::Compare(args) => commands::compare::run(&args, out),
            Self::Classify(args) => commands::classify::run(&args, out),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse(); // wrong usage ends here, with exit code 2
    let mut out = BufWriter::new(io::stdout().lock());
    let result = cli.command.run(&mut out).and_then(|()| Ok(out.flush()?));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as in `limpid data | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // What was printed before stands before the error. A second failure could not be reported anyway.
            let _ = out.flush();
            let _ = match error.downcast_ref::<io::Error>() {
                // The library names the file of its errors; what remains is what is printed here.
                Some(error) => writeln!(io::stderr(), "error: cannot write standard output: {error}"),
                None => writeln!(io::stderr(), "error: {error:#}"),
            };
            exit_code(&error)
        }
    }
}

/// 2 if what the user gave is wrong (as clap ends for wrong usage), 130 after Ctrl-C (as shells have it), 1 if the run
/// failed.
fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<commands::train::Interrupted>() {
        return ExitCode::from(130);
    }
    if let Some(incomplete) = error.downcast_ref::<commands::denoise::Incomplete>() {
        return ExitCode::from(incomplete.exit_code());
    }
    match error.downcast_ref() {
        Some(
            limpid::Error::Data { .. }
            | limpid::Error::Invalid { .. }
            | limpid::Error::Io { action: "read", .. },
        ) => ExitCode::from(2),
        // A place where the user may not write was a wrong choice; a full disk was none.
        Some(limpid::Error::Io { cause, .. })
            if matches!(
                cause.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            ExitCode::from(2)
        }
        _ => ExitCode::FAILURE,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
