//! The project's own commands, run as `cargo xtask COMMAND`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a command-line program reports on its standard error stream")]

mod bench;
mod check;
mod process;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Check(check::Options),
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Check(options) => check::run(&options, workspace_root()),
        Command::Bench(options) => bench::run(&options, &workspace_root()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's `Cargo.toml`, wherever the command was typed.
fn workspace_root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("xtask is a folder inside the workspace").to_path_buf()
}
