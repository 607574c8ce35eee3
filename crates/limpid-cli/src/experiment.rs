//! What the commands of the experiments have in common: their options, what they print, the files that they write.

use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use limpid::checkpoint::atomic;
use limpid::data::{Dataset, Samples};
use limpid::denoise::Autoencoder;
use limpid::experiments::{Findings, occasion};
use limpid::report::findings;
use limpid::threads::Threads;

use crate::dataset::DataArgs;
use crate::model;
use crate::values;

/// The options of every experiment.
#[derive(clap::Args)]
pub(crate) struct ExperimentArgs {
    #[command(flatten)]
    data: DataArgs,

    /// Directory for the tables as CSV, the pictures as PNG, and all of it as one HTML page [default: none is written]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Use all images and long runs, for figures to rely on, instead of a minute's worth
    #[arg(long)]
    full: bool,

    /// Training images [default: a part; with --full, all]
    #[arg(long, value_name = "N", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    images: Option<usize>,

    /// Test images [default: a part; with --full, all]
    #[arg(long, value_name = "N", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    test_images: Option<usize>,

    /// Threads; they do not change the result [default: 0, one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count, allow_negative_numbers = true)]
    threads: usize,
}

/// The option that names a trained network, for experiments with one.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// Trained network: a model file, or the directory of a run [default: one is trained first, `--preset fast`]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

impl ModelArgs {
    /// Loads the model, or trains one on `images` training images and says so.
    pub(crate) fn load(
        &self,
        data: &Dataset,
        images: usize,
        threads: &Threads,
        tell: &mut dyn FnMut(&str),
    ) -> limpid::Result<Autoencoder> {
        if let Some(path) = &self.model {
            return Ok(model::load(Some(path))?.0);
        }
        let images = images.min(data.train.images.len());
        let config = occasion::config(images, 5);
        tell(&format!("training a network on {images} images, {} epochs", config.epochs));
        Ok(occasion::train(config, data, images, threads)?.0)
    }

    /// What to say of where the model came from.
    pub(crate) fn note(&self) -> &'static str {
        match self.model {
            Some(_) => "",
            None => "No --model was given, so a network was trained for this experiment alone.\n",
        }
    }
}

impl ExperimentArgs {
    /// Loads the data set.
    pub(crate) fn data(&self) -> limpid::Result<Dataset> {
        self.data.load()
    }

    /// Starts the threads.
    pub(crate) fn threads(&self) -> limpid::Result<Threads> {
        Threads::new(self.threads)
    }

    /// Whether figures to rely on are asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Sets the numbers of training and test images that the options name.
    pub(crate) fn set_images(&self, images: &mut usize, test_images: &mut usize) {
        *images = self.images.unwrap_or(*images);
        *test_images = self.test_images.unwrap_or(*test_images);
    }

    /// Prints the findings and writes their files, where a directory for them is named.
    pub(crate) fn report(&self, found: &Findings, note: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        writeln!(out, "{}\n{}\n", found.title, found.claim)?;
        write!(out, "{note}")?;
        for (name, value) in &found.settings {
            writeln!(out, "  {name}: {value}")?;
        }
        for table in &found.tables {
            write!(out, "\n{}\n{}", table.title, findings::text(table))?;
        }
        for remark in &found.remarks {
            writeln!(out, "\n{remark}")?;
        }
        if let Some(directory) = &self.out {
            let count = write_files(found, directory)?;
            writeln!(out, "\n{count} files in {}; all in one: {0}/{}.html", directory.display(), found.name)?;
        }
        Ok(())
    }
}

/// Writes each table, each picture and the page; says how many files that were.
fn write_files(found: &Findings, directory: &Path) -> limpid::Result<usize> {
    // All is drawn before the first file is written.
    let mut files = vec![(format!("{}.html", found.name), findings::page(found)?.into_bytes())];
    for table in &found.tables {
        files.push((format!("{}_{}.csv", found.name, table.name), findings::csv(table).into_bytes()));
    }
    for figure in &found.figures {
        files.push((format!("{}_{}.png", found.name, figure.name), findings::png(figure)?));
    }
    std::fs::create_dir_all(directory).map_err(|error| limpid::Error::io("create", directory, error))?;
    for (name, bytes) in &files {
        atomic::write(&directory.join(name), bytes)?;
    }
    Ok(files.len())
}

/// What an experiment is doing, in the last line of the terminal behind standard error, if there is one.
pub(crate) struct Teller(ProgressBar);

impl Teller {
    /// Shows nothing yet.
    pub(crate) fn new() -> Self {
        let style =
            ProgressStyle::with_template("{elapsed:>4} {wide_msg}").expect("the template is a constant");
        Self(ProgressBar::new_spinner().with_style(style))
    }

    /// Says what is done now.
    pub(crate) fn tell(&mut self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.tick();
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
