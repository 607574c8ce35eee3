//! `--data`: which data set a command works on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use limpid::data::{Dataset, PatchOptions, PictureReport};
use limpid::number::grouped;
use limpid::run_dir::RunConfig;
use limpid::threads::Threads;

use crate::values;

/// The options that choose the data set.
#[derive(clap::Args)]
pub(crate) struct DataArgs {
    /// Folder with an IDX data set (MNIST's file names; raw, .gz or .zst), or with clean pictures of any sizes, out of which
    /// patches are cut [default: MNIST, built in]
    #[arg(long = "data", value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Of pictures: height and width of a patch [default: 28]
    #[arg(long, value_name = "N", requires = "dir", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    patch: Option<usize>,

    /// Of pictures: number of patches to train on [default: four per patch's worth of picture, at least 10,000]
    #[arg(long, value_name = "N", requires = "dir", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    patches: Option<usize>,

    /// Of pictures: turn and mirror each patch at random
    #[arg(long, requires = "dir")]
    augment: bool,

    /// Of pictures: memory that all patches may take [default: 1GB]
    #[arg(long, value_name = "SIZE", requires = "dir", value_parser = values::memory)]
    cache: Option<u64>,
}

impl DataArgs {
    /// Loads the data set.
    pub(crate) fn load(&self) -> limpid::Result<Dataset> {
        self.dir.as_ref().map_or_else(|| Ok(Dataset::mnist()), |dir| self.open(dir))
    }

    /// Loads the data set that a run began with, from where it was then, or from where `--data` says that it is now.
    pub(crate) fn load_of(&self, run: &RunConfig) -> limpid::Result<Dataset> {
        match (&self.dir, &run.data_dir) {
            (Some(dir), _) => self.open(dir),
            (None, Some(dir)) => self.open(dir.as_ref()),
            (None, None) => Ok(Dataset::mnist()),
        }
    }

    /// The IDX data set in a folder, or, where there is none, its pictures.
    fn open(&self, dir: &Path) -> limpid::Result<Dataset> {
        match Dataset::open(dir) {
            Err(limpid::Error::Data { .. }) if !Dataset::holds_idx(dir) && Dataset::holds_pictures(dir) => {
                let usual = PatchOptions::default();
                let options = PatchOptions {
                    patch: self.patch.unwrap_or(usual.patch),
                    count: self.patches,
                    augment: self.augment,
                    memory: self.cache.unwrap_or(usual.memory),
                };
                let (data, report) = Dataset::from_pictures(dir, &options, &Threads::new(0)?)?;
                // If nobody can read it, the figures of the run still tell.
                let _ = write_report(&report, &mut io::stderr().lock());
                Ok(data)
            }
            other => other,
        }
    }

    /// The folder as it can be found from anywhere; none if MNIST serves, or if its name is not Unicode.
    pub(crate) fn absolute(&self) -> Option<String> {
        let dir = self.dir.as_ref()?;
        Some(dir.canonicalize().ok()?.to_str()?.to_owned())
    }
}

/// Which pictures are tested with, and which gave nothing.
fn write_report(report: &PictureReport, out: &mut dyn Write) -> io::Result<()> {
    /// So many names are listed.
    const LISTED: usize = 10;

    let names: Vec<_> = report.held_out.iter().take(LISTED).map(|name| values::shown(name)).collect();
    let more = report.held_out.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {} more", grouped(more as u64)) } else { String::new() };
    writeln!(
        out,
        "{} pictures to train on; to test with: {}{more}",
        grouped(report.trained.len() as u64),
        names.join(", ")
    )?;
    for (name, problem) in &report.unread {
        writeln!(out, "warning: {}: {problem}", values::shown(name))?;
    }
    Ok(())
}
