//! `limpid eval`: how good a trained network is, beside doing nothing.

use std::io::Write;
use std::path::PathBuf;

use limpid::data::Samples;
use limpid::evaluate::{Evaluation, evaluate};
use limpid::noise::Noise;
use limpid::number::grouped;
use limpid::report::run::metric_rows;
use limpid::threads::Threads;

use crate::dataset::DataArgs;
use crate::model;
use crate::values;

/// The arguments of `limpid eval`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "MODEL", help = model::HELP)]
    model: Option<PathBuf>,

    #[command(flatten)]
    data: DataArgs,

    /// Noise on the test images, for example gaussian:0.5 [default: what the model was trained for]
    #[arg(long, value_name = "KIND:LEVEL", value_parser = values::parsed::<Noise>, allow_negative_numbers = true)]
    noise: Option<Noise>,

    /// Threads; they do not change the result [default: 0, one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count, allow_negative_numbers = true)]
    threads: usize,

    /// Print the figures as one line of JSON, with all their digits; a PSNR of equal images, which is infinite, is null
    #[arg(long)]
    json: bool,
}

/// Measures the model and prints its figures.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let (model, source) = model::load(args.model.as_deref())?;
    let data = args.data.load()?;
    let noise = args.noise.unwrap_or(model.noise);
    let evaluation = evaluate(&model, &data.test.images, &noise, &Threads::new(args.threads)?)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&evaluation)?)?;
        return Ok(());
    }
    writeln!(out, "{source}: {}", model::describe(&model))?;
    writeln!(out, "{} test images of {} under {noise}\n", grouped(data.test.images.len() as u64), data.name)?;
    write_figures(&evaluation, out)?;
    Ok(())
}

/// The table of figures: noisy input and reconstruction side by side.
pub(crate) fn write_figures(evaluation: &Evaluation, out: &mut dyn Write) -> std::io::Result<()> {
    let rows = metric_rows(evaluation);
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    writeln!(out, "{:width$}  {:>11}  {:>14}", "", "noisy input", "reconstruction")?;
    for row in rows {
        writeln!(out, "{:width$}  {:>11}  {:>14}", row.name, row.noisy, row.reconstruction)?;
    }
    Ok(())
}
