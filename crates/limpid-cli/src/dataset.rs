//! `--data`: which data set a command works on.

use std::path::PathBuf;

use limpid::data::Dataset;
use limpid::run_dir::RunConfig;

/// The option that chooses the data set.
#[derive(clap::Args)]
pub(crate) struct DataArgs {
    /// Folder with an IDX data set (MNIST's file names; raw, .gz or .zst) [default: MNIST, built in]
    #[arg(long = "data", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl DataArgs {
    /// Loads the data set.
    pub(crate) fn load(&self) -> limpid::Result<Dataset> {
        self.dir.as_ref().map_or_else(|| Ok(Dataset::mnist()), |dir| Dataset::open(dir))
    }

    /// Loads the data set that a run began with, from where it was then, or from where `--data` says that it is now.
    pub(crate) fn load_of(&self, run: &RunConfig) -> limpid::Result<Dataset> {
        match (&self.dir, &run.data_dir) {
            (Some(dir), _) => Dataset::open(dir),
            (None, Some(dir)) => Dataset::open(dir.as_ref()),
            (None, None) => Ok(Dataset::mnist()),
        }
    }

    /// The folder as it can be found from anywhere; none if MNIST serves, or if its name is not Unicode.
    pub(crate) fn absolute(&self) -> Option<String> {
        let dir = self.dir.as_ref()?;
        Some(dir.canonicalize().ok()?.to_str()?.to_owned())
    }
}
