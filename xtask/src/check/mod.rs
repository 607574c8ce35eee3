//! `cargo xtask check`: everything that CI runs, in one command that people run too.
//!
//! Cheap steps come first, so that a slip shows in seconds. The order is that of [`Step`].

mod arm;
mod cargo;
mod compiler;
mod debian;
mod house_rules;
mod runtimes;
mod setup;
mod summary;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

/// Run everything that CI runs; stops at the first step that fails.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask check                          everything, before you push
  cargo xtask check --only format,clippy     two steps
  cargo xtask check --skip wasm              all but one
  cargo xtask check --keep-going             see every failure at once

With CI=true in the environment every step must run: one that would be skipped for want of a tool
fails, and --only and --skip are refused.")]
pub(crate) struct Options {
    /// Run these steps alone (comma-separated or repeated)
    #[arg(long, value_name = "STEP", value_delimiter = ',', conflicts_with = "skip")]
    only: Vec<Step>,

    /// Leave these steps out (comma-separated or repeated)
    #[arg(long, value_name = "STEP", value_delimiter = ',', hide_possible_values = true)]
    skip: Vec<Step>,

    /// Run the remaining steps after one has failed
    #[arg(long)]
    keep_going: bool,
}

/// The steps, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The tools are there, the crates of Cargo.lock are fetched
    Setup,
    /// No unsafe code outside limpid-kernels, every dependency used and explained, every ignored example explained
    Rules,
    /// cargo fmt --check
    Format,
    /// cargo clippy on every target, warnings denied
    Clippy,
    /// All tests, and the examples in the documentation
    Test,
    /// The documentation builds, warnings denied
    Docs,
    /// The kernels compile for 64-bit Arm
    Arm,
    /// The library crates build for wasm32-unknown-unknown, the kernels also with its SIMD
    Wasm,
    /// Exported networks give the same in ONNX Runtime, OpenCV and others; the programs in docs/onnx.md run
    Runtimes,
    /// The optimised binary builds
    Release,
}

impl Step {
    fn run(self, context: &Context) -> Result<Outcome> {
        match self {
            Self::Setup => setup::run(context),
            Self::Rules => house_rules::run(context),
            Self::Format => cargo::format(context),
            Self::Clippy => cargo::clippy(context),
            Self::Test => cargo::test(context),
            Self::Docs => cargo::docs(context),
            Self::Arm => arm::run(context),
            Self::Wasm => wasm::run(context),
            Self::Runtimes => runtimes::run(context),
            Self::Release => cargo::release(context),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().expect("no step is hidden").get_name().to_owned()
    }
}

/// What every step may know.
struct Context {
    /// The folder of the workspace's `Cargo.toml`; every command runs there.
    root: PathBuf,
    /// Whether this is an automatic run, in which nothing may be skipped.
    ci: bool,
    /// The steps that were asked for.
    steps: Vec<Step>,
}

/// How a step ended, when it found nothing wrong.
enum Outcome {
    Passed,
    /// It could not run here: why, and what to install.
    Skipped(String),
}

/// How a step ended, for the table.
enum Verdict {
    Passed,
    Skipped(String),
    Failed,
    NotReached,
}

/// One line of the table.
struct Record {
    step: Step,
    verdict: Verdict,
    took: Duration,
}

/// Runs the steps that the options select, then prints a table of them.
///
/// # Errors
/// If the options make no sense. A failing step is no error here, but an exit code.
pub(crate) fn run(options: &Options, root: PathBuf) -> Result<ExitCode> {
    let ci = is_ci(std::env::var("CI").ok().as_deref());
    if ci && !(options.only.is_empty() && options.skip.is_empty()) {
        bail!("--only and --skip are for people: under CI every step runs (unset CI to use them)");
    }
    let context = Context { root, ci, steps: select(&options.only, &options.skip) };

    let mut records = Vec::new();
    let mut stopped = false;
    for step in Step::value_variants().iter().copied() {
        let start = Instant::now();
        let verdict = if !context.steps.contains(&step) {
            Verdict::Skipped("not asked for".to_owned())
        } else if stopped {
            Verdict::NotReached
        } else {
            eprintln!("\n==== {}", step.name());
            judge(step, step.run(&context), ci)
        };
        stopped |= matches!(verdict, Verdict::Failed) && !options.keep_going;
        records.push(Record { step, verdict, took: start.elapsed() });
    }

    summary::print(&records);
    let failed = records.iter().any(|record| matches!(record.verdict, Verdict::Failed));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Tells at once why a step failed or was skipped; in CI a step that cannot run has failed.
fn judge(step: Step, outcome: Result<Outcome>, ci: bool) -> Verdict {
    match outcome {
        Ok(Outcome::Passed) => Verdict::Passed,
        Ok(Outcome::Skipped(reason)) if ci => {
            eprintln!("error: {} may not be skipped under CI: {reason}", step.name());
            Verdict::Failed
        }
        Ok(Outcome::Skipped(reason)) => {
            eprintln!("skipped: {reason}");
            Verdict::Skipped(reason)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Verdict::Failed
        }
    }
}

/// The steps to run, in their order: those of `only` (all if empty) that are not in `skip`.
fn select(only: &[Step], skip: &[Step]) -> Vec<Step> {
    let wanted = |step: &Step| (only.is_empty() || only.contains(step)) && !skip.contains(step);
    Step::value_variants().iter().copied().filter(wanted).collect()
}

/// Whether the variable `CI` has a value that means yes.
fn is_ci(value: Option<&str>) -> bool {
    !matches!(value, None | Some("" | "0" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_their_own_order_whatever_order_they_are_asked_in() {
        assert_eq!(select(&[Step::Test, Step::Format], &[]), [Step::Format, Step::Test]);
        assert_eq!(select(&[], &[]), Step::value_variants());
        assert!(!select(&[], &[Step::Wasm]).contains(&Step::Wasm));
    }

    #[test]
    fn ci_means_any_value_but_no() {
        assert!(is_ci(Some("true")) && is_ci(Some("1")));
        assert!(!is_ci(None) && !is_ci(Some("")) && !is_ci(Some("false")) && !is_ci(Some("0")));
    }

    #[test]
    fn a_skipped_step_fails_under_ci_only() {
        let skipped = || Ok(Outcome::Skipped("no tool".to_owned()));
        assert!(matches!(judge(Step::Wasm, skipped(), true), Verdict::Failed));
        assert!(matches!(judge(Step::Wasm, skipped(), false), Verdict::Skipped(_)));
    }
}
