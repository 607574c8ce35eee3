//! The programs of this workspace that are measured.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;

/// Names the instruction set that limpid uses.
const ISA: &str = "LIMPID_ISA";

/// limpid and the program that measures its parts, built as users build it.
pub(super) struct Ours {
    pub(super) limpid: PathBuf,
    worker: PathBuf,
}

impl Ours {
    pub(super) fn build(root: &Path) -> Result<Self> {
        let cargo = |arguments: &[&str]| {
            let mut command = Command::new("cargo");
            command.current_dir(root).args(["build", "--locked", "--release"]).args(arguments);
            command
        };
        let limpid = executable(&mut cargo(&["--package", "limpid-cli", "--bin", "limpid"]))?;
        let worker = executable(&mut cargo(&["--package", "limpid", "--bench", "worker"]))?;
        Ok(Self { limpid, worker })
    }

    /// The worker with these arguments, see `crates/limpid/benches/worker`; `isa` where it is not to be the fastest.
    pub(super) fn worker(&self, arguments: &[&str], isa: Option<&str>) -> Command {
        let mut command = Command::new(&self.worker);
        command.args(arguments).env_remove(ISA);
        if let Some(isa) = isa {
            command.env(ISA, isa);
        }
        command
    }

    /// The instruction sets that limpid has on this CPU, the fastest last.
    pub(super) fn instruction_sets(&self) -> Result<Vec<String>> {
        let text = process::output(Command::new(&self.limpid).args(["info", "--cpu"]).env_remove(ISA))
            .context("`limpid info --cpu` failed")?;
        instruction_sets(&text)
            .with_context(|| format!("no instruction sets in what `limpid info --cpu` says:\n{text}"))
    }
}

/// From "This CPU has scalar, avx2; avx2 is used."
fn instruction_sets(text: &str) -> Option<Vec<String>> {
    let (_, rest) = text.split_once("This CPU has ")?;
    let (names, _) = rest.split_once(';')?;
    Some(names.split(", ").map(str::to_owned).collect())
}

/// Builds, and finds what was built in what cargo says of it.
fn executable(command: &mut Command) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let lines = BufReader::new(child.stdout.take().expect("it was asked to be a pipe")).lines();
    let messages = lines.map_while(Result::ok).filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let found = messages.filter_map(|message| Some(message["executable"].as_str()?.into())).last();
    let status = child.wait()?;
    match found {
        Some(path) if status.success() => Ok(path),
        _ => bail!("cargo could not build a program that is measured: {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_are_read() {
        let text =
            "table\n\nThis CPU has scalar, avx2, avx512; avx512 is used. LIMPID_ISA chooses another.\n";
        assert_eq!(instruction_sets(text).unwrap(), ["scalar", "avx2", "avx512"]);
        assert_eq!(instruction_sets("error"), None);
    }
}
