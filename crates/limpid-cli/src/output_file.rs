//! `--output` and `--overwrite`: where a command writes the one file that it makes.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use limpid::Error;
use limpid::checkpoint::atomic;

/// The options that say where the file goes.
#[derive(clap::Args)]
pub(crate) struct OutputFile {
    /// File to write, whole or not at all; - for standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    path: PathBuf,

    /// Write over a file that is there
    #[arg(long)]
    overwrite: bool,
}

impl OutputFile {
    /// Whether the file goes to standard output, and nothing else may.
    pub(crate) fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses, before anything long is done, what could not or should not be written to.
    pub(crate) fn check(&self) -> limpid::Result<()> {
        if self.is_stdout() {
            let problem =
                "is a terminal, which cannot show the file; redirect it, or name a file instead of -";
            return if stdout().is_terminal() {
                Err(Error::invalid("standard output", problem))
            } else {
                Ok(())
            };
        }
        let problem = match self.path.symlink_metadata() {
            Err(_) => return Ok(()), // nothing there, or nothing that we may see: writing will tell
            Ok(_) if self.path.is_dir() => "is a directory, expected the name of a file in it",
            // A new file would take the place of a device or a pipe.
            Ok(_) if !self.path.is_file() => "is no regular file; use - for standard output, or another name",
            Ok(_) if self.overwrite => return Ok(()),
            Ok(_) => "is there already; choose another name, or add --overwrite",
        };
        Err(Error::data(&self.path, problem))
    }

    /// Writes the file, or standard output.
    pub(crate) fn write(&self, bytes: &[u8], out: &mut dyn Write) -> anyhow::Result<()> {
        self.check()?;
        if self.is_stdout() {
            out.write_all(bytes)?;
        } else {
            atomic::write(&self.path, bytes)?;
        }
        Ok(())
    }
}
