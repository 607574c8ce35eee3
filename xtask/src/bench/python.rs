//! A private Python environment with the versions that `tools/bench/requirements*.txt` pin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// The interpreter of the environment, and where the scripts are.
pub(super) struct Python {
    interpreter: PathBuf,
    scripts: PathBuf,
}

impl Python {
    /// Makes the environment in `target/bench-venv`, or takes it as it is if it has what is required.
    pub(super) fn set_up(root: &Path, base: &str, torch: bool) -> Result<Self> {
        let scripts = root.join("tools/bench");
        let mut files = vec![scripts.join("requirements.txt")];
        if torch {
            files.push(scripts.join("requirements-torch.txt"));
        }
        let environment = root.join("target/bench-venv");
        let programs = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
        let python = Self { interpreter: programs.join("python"), scripts };

        let required = files.iter().map(fs::read_to_string).collect::<Result<String, _>>()?;
        let installed = environment.join("installed.txt"); // what the environment was last made for
        if fs::read_to_string(&installed).is_ok_and(|text| text.starts_with(&required)) {
            return Ok(python);
        }
        process::run(Command::new(base).args(["-m", "venv"]).arg(&environment)).context(
            "the peers need Python 3.11 or later with its venv module; --python names another interpreter",
        )?;
        let mut install = python.command(&["-m", "pip", "install", "--disable-pip-version-check", "--quiet"]);
        install.args(files.iter().flat_map(|file| ["-r".as_ref(), file.as_os_str()]));
        process::run(&mut install).context("--without torch leaves out the largest of the packages")?;
        fs::write(&installed, required)?;
        Ok(python)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.args(arguments);
        command
    }

    /// A script of `tools/bench` with its arguments.
    pub(super) fn script(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.arg(self.scripts.join(name)).args(arguments);
        command
    }

    /// `3.11.7`, or what stands in for it.
    pub(super) fn version(&self) -> String {
        process::output(&mut self.command(&["-c", "import platform; print(platform.python_version())"]))
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// The pinned packages, `name version` each.
    pub(super) fn packages(&self, torch: bool) -> Result<Vec<String>> {
        let mut packages = Vec::new();
        for file in ["requirements.txt", "requirements-torch.txt"].iter().take(1 + usize::from(torch)) {
            packages.extend(pinned(&fs::read_to_string(self.scripts.join(file))?));
        }
        Ok(packages)
    }
}

/// The lines `name==version` of a file of requirements.
fn pinned(requirements: &str) -> Vec<String> {
    let lines = requirements.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once("=="))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_packages_are_told_with_their_versions() {
        assert_eq!(pinned("# a==1\nkeras==3.15.1\n\nnumpy==2.4.6\n"), ["keras 3.15.1", "numpy 2.4.6"]);
    }
}
