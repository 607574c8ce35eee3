//! The steps that are one cargo command each.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Context, Outcome};
use crate::process;

/// The whole workspace is formatted as `rustfmt.toml` says.
pub(super) fn format(context: &Context) -> Result<Outcome> {
    step(cargo(&context.root).args(["fmt", "--all", "--check"]))
}

/// Every target of every crate is free of warnings, the compiler's and clippy's.
pub(super) fn clippy(context: &Context) -> Result<Outcome> {
    step(cargo(&context.root).args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]))
}

/// Unit, integration and documentation tests; their closing lines reach the terminal.
pub(super) fn test(context: &Context) -> Result<Outcome> {
    step(cargo(&context.root).args(["test", "--locked", "--workspace"]))
}

/// The documentation of our own crates builds without a warning, so that no link in it is broken.
pub(super) fn docs(context: &Context) -> Result<Outcome> {
    let flags = with_flag(std::env::var("RUSTDOCFLAGS").ok(), "-Dwarnings");
    step(cargo(&context.root).env("RUSTDOCFLAGS", flags).args([
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
    ]))
}

/// The binary that users run builds with their optimisations.
pub(super) fn release(context: &Context) -> Result<Outcome> {
    step(cargo(&context.root).args(["build", "--locked", "--release", "--package", "limpid-cli"]))
}

/// The cargo that runs us, in the workspace.
pub(super) fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

/// Where cargo puts what it builds, seen from the workspace.
pub(super) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn step(command: &mut Command) -> Result<Outcome> {
    process::run(command)?;
    Ok(Outcome::Passed)
}

fn with_flag(flags: Option<String>, flag: &str) -> String {
    match flags {
        Some(flags) if !flags.trim().is_empty() => format!("{flags} {flag}"),
        _ => flag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_flag;

    #[test]
    fn a_flag_is_added_to_those_of_the_environment() {
        assert_eq!(with_flag(None, "-Dwarnings"), "-Dwarnings");
        assert_eq!(with_flag(Some("--cfg docsrs".to_owned()), "-Dwarnings"), "--cfg docsrs -Dwarnings");
    }
}
