//! `limpid classify`: what the code is worth for telling digits apart, and which digit a picture shows.

use std::io::Write;
use std::path::{Path, PathBuf};

use limpid::experiments::classify::{self, Settings};

use crate::experiment::{ExperimentArgs, ModelArgs, Teller};
use crate::{picture, values};

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
    if let Some(path) = &args.predict {
        let picture = picture::read(path)?;
        let (_, probabilities) = classify::predict(&model, &data, &settings, &picture, &threads)?;
        drop(teller);
        return print(path, &probabilities, args.model.note(), out);
    }
    let found = classify::run(&model, &data, &settings, &threads, &mut tell)?;
    drop(teller);
    args.experiment.report(&found, args.model.note(), out)
}

/// The classes of one picture, the likeliest first, those below one in a thousand left out.
fn print(path: &Path, probabilities: &[f32], note: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    write!(out, "{note}")?;
    let mut classes: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
    classes.sort_by(|a, b| b.1.total_cmp(&a.1));
    writeln!(out, "{}: {}", path.display(), classes[0].0)?;
    for (class, probability) in classes.iter().filter(|(_, probability)| *probability >= 1e-3) {
        writeln!(out, "{class:>5}  {:5.1} %", 100.0 * probability)?;
    }
    Ok(())
}
