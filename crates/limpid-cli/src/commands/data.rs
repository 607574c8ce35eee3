//! `limpid data`: look at the data before learning from it.

use std::io::Write;
use std::path::{Path, PathBuf};

use limpid::data::{Dataset, Samples, Split, Statistics};
use limpid::report::pictures::{Cell, Grid, Row};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::dataset::DataArgs;
use crate::ordinal::ordinal;
use crate::terminal::Terminal;
use crate::terminal_image::{self, Picture};
use crate::values;

/// The bar of the most frequent label has this many characters.
const BAR: usize = 30;
/// So many images stand in a row of the PNG file.
const PNG_ROW: usize = 5;

/// The arguments of `limpid data`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,

    /// Number of training images and of test images to show
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = count, allow_negative_numbers = true)]
    count: u16,

    /// Which images to show: another number, others at random
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::seed, allow_negative_numbers = true)]
    seed: u64,

    /// Draw the images into this file as well
    #[arg(long, value_name = "FILE.png", value_parser = png_path)]
    out: Option<PathBuf>,
}

fn count(text: &str) -> Result<u16, String> {
    values::whole(text, 1..=1000, "expected a whole number from 1 to 1000")
}

fn png_path(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("png") => Ok(path),
        _ => Err("expected a file name that ends in .png".into()),
    }
}

/// Prints the figures and shows random images.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let data = args.data.load()?;
    if let Some(path) = &args.out {
        check_folder(path)?;
    }
    write_figures(&data, out)?;
    write_labels(&data, out)?;

    let groups = [("Training", &data.train, 0), ("Test", &data.test, 1)].map(|(kind, split, stream)| {
        // A stream for each: more training images do not change which test images are shown.
        let mut random = ChaCha8Rng::seed_from_u64(args.seed);
        random.set_stream(stream);
        (kind, choose(split, kind, args.count.into(), &mut random))
    });
    let terminal = Terminal::detect();
    writeln!(out)?;
    for (_, pictures) in &groups {
        terminal_image::write(out, pictures, terminal.palette, terminal.columns)?;
    }
    if let Some(path) = &args.out {
        let png = grid(&data.name, groups).to_png()?;
        std::fs::write(path, png).map_err(|error| limpid::Error::io("write", path, error))?;
        writeln!(out, "Images: {}", path.display())?;
    }
    Ok(())
}

/// Checks that there is a folder for a file, before anything else is done.
fn check_folder(file: &Path) -> limpid::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    let what = if folder.exists() { "is no folder" } else { "does not exist; make it first" };
    Err(limpid::Error::invalid(
        format!("cannot write {}", file.display()),
        format!("the folder {} {what}", folder.display()),
    ))
}

/// The parts of a data set in the order of their use.
fn parts(data: &Dataset) -> [(&'static str, &Split); 3] {
    [("Training", &data.train), ("Validation", &data.validation), ("Test", &data.test)]
}

fn write_figures(data: &Dataset, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}\n", data.name)?;
    for (name, part) in parts(data) {
        writeln!(out, "{name} data shape: {:?}", part.images.shape())?;
    }
    writeln!(
        out,
        "\n{:<10}  {:>7}  {:>7}  {:>7}  {:>9}",
        "values", "minimum", "maximum", "mean", "deviation"
    )?;
    for (name, part) in parts(data) {
        if let Some(Statistics { min, max, mean, deviation }) = Statistics::of(&part.images) {
            let name = name.to_lowercase();
            writeln!(out, "{name:<10}  {min:>7.4}  {max:>7.4}  {mean:>7.4}  {deviation:>9.4}")?;
        }
    }
    Ok(())
}

/// A line per label: how often it occurs in each part, and a bar for all of them together.
fn write_labels(data: &Dataset, out: &mut dyn Write) -> anyhow::Result<()> {
    let histograms: Vec<_> =
        parts(data).iter().filter_map(|(_, part)| Some(part.labels.as_ref()?.histogram())).collect();
    if histograms.is_empty() {
        return Ok(writeln!(out, "\nno labels")?);
    }
    let count = |part: usize, label: u8| {
        histograms[part].iter().find(|&&(known, _)| known == label).map_or(0, |&(_, count)| count)
    };
    let lines: Vec<(u8, [usize; 3])> =
        (0..=u8::MAX).map(|label| (label, [0, 1, 2].map(|part| count(part, label)))).collect();
    let most = lines.iter().map(|(_, counts)| counts.iter().sum()).max().unwrap_or(0).max(1);

    writeln!(out, "\n{:<10}  {:>8}  {:>10}  {:>6}", "label", "training", "validation", "test")?;
    for (label, counts @ [train, validation, test]) in lines {
        let sum: usize = counts.iter().sum();
        if sum > 0 {
            let bar = "█".repeat((sum * BAR).div_ceil(most));
            writeln!(out, "{label:<10}  {train:>8}  {validation:>10}  {test:>6}  {bar}")?;
        }
    }
    Ok(())
}

/// Up to `count` different images of `split`, titled with their place in it, counted from 1. They are drawn one after
/// another: a larger count adds to those of a smaller one.
fn choose(split: &Split, kind: &str, count: usize, random: &mut ChaCha8Rng) -> Vec<Picture> {
    let length = split.images.len();
    let mut indices: Vec<usize> = (0..length).collect();
    for place in 0..count.min(length) {
        indices.swap(place, random.random_range(place..length));
    }
    indices.truncate(count);
    let picture = |index: usize| {
        let label = split
            .labels
            .as_ref()
            .map_or(String::new(), |labels| format!(" (label: {})", labels.bytes()[index]));
        Picture {
            title: format!("{} {kind} Image{label}", ordinal(index + 1)),
            image: split.images.image(index),
        }
    };
    indices.into_iter().map(picture).collect()
}

/// The same pictures for a file.
fn grid(name: &str, groups: [(&str, Vec<Picture>); 2]) -> Grid {
    let mut rows = Vec::new();
    for (kind, pictures) in groups {
        for (i, pictures) in pictures.chunks(PNG_ROW).enumerate() {
            let cells =
                pictures.iter().map(|picture| Cell::captioned(picture.image.clone(), picture.title.as_str()));
            rows.push(Row { label: (i == 0).then(|| kind.to_owned()), cells: cells.collect() });
        }
    }
    Grid { title: Some(name.to_owned()), rows }
}
