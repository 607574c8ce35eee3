//! What the other steps need: the tools of the toolchain, the crates of Cargo.lock, compilers for Arm and WebAssembly, other runtimes.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::compiler::{Compiler, Target};
use super::{Context, Outcome, Step, cargo::cargo, runtimes};
use crate::process;

/// Finds what is missing before anything long has run, and fetches what can be fetched.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    for (step, tool) in [(Step::Format, "fmt"), (Step::Clippy, "clippy")] {
        if context.steps.contains(&step) {
            component(context, tool)?;
        }
    }
    fetch(context)?;
    for (step, target) in [(Step::Arm, Target::Arm), (Step::Wasm, Target::Wasm)] {
        if context.steps.contains(&step) {
            // Not having one is for the step itself to judge; here it is installed where that is possible.
            match Compiler::find_or_install(&context.root, target) {
                Ok(compiler) => eprintln!("     {} compiler: {compiler}", step.name()),
                Err(reason) => eprintln!("     {reason}"),
            }
        }
    }
    if context.steps.contains(&Step::Runtimes) {
        // Likewise.
        match runtimes::find_tools() {
            Ok(()) => eprintln!("     Python, Node and OpenCV for C++"),
            Err(reason) => eprintln!("     {reason}"),
        }
    }
    Ok(Outcome::Passed)
}

fn component(context: &Context, tool: &str) -> Result<()> {
    match process::output(cargo(&context.root).args([tool, "--version"])) {
        Some(version) => eprintln!("     {version}"),
        None => bail!(
            "`cargo {tool}` is not installed: `rustup component add rustfmt clippy`, \
             or your system's packages of those names"
        ),
    }
    Ok(())
}

/// Downloads what Cargo.lock names, so that nothing later waits for the network.
fn fetch(context: &Context) -> Result<()> {
    process::run(cargo(&context.root).args(["fetch", "--locked"])).context(
        "the crates in Cargo.lock could not be fetched; if cargo says above that the lock file needs to be updated, \
         run `cargo check` and commit Cargo.lock; if it could not reach the registry, connect once: \
         later runs need no network",
    )?;
    if context.ci {
        lock_file_is_committed(context)?;
    }
    Ok(())
}

/// Starting this very command already brings a stale Cargo.lock up to date, and `--locked` no longer sees it.
fn lock_file_is_committed(context: &Context) -> Result<()> {
    let mut git = Command::new("git");
    git.current_dir(&context.root).args(["status", "--porcelain", "Cargo.lock"]);
    match process::output(&mut git) {
        Some(changes) if !changes.is_empty() => {
            bail!("Cargo.lock does not match the manifests: run `cargo check` and commit Cargo.lock")
        }
        _ => Ok(()),
    }
}
