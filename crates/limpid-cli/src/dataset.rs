//! `--data`: which data set a command works on.

use std::path::PathBuf;

use limpid::data::Dataset;

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
}
