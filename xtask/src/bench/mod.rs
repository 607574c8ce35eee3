//! `cargo xtask bench`: limpid beside Keras, PyTorch and ONNX Runtime, on this machine, written down as a record.
//!
//! All that is compared takes turns, round by round (`rounds`), in processes that stay alive (`worker`); the peers live in a
//! Python environment of their own (`python`). `benchmarks/README.md` says what is measured and how.

mod contenders;
mod inference;
mod machine;
mod ours;
mod python;
mod quality;
mod record;
mod rounds;
mod series;
mod training;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use self::machine::Machine;
use self::ours::Ours;
use self::python::Python;
use self::record::Figures;
use self::rounds::Plan;
use crate::process;

/// Measure limpid beside Keras, PyTorch and ONNX Runtime, and write a record
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench                    the whole comparison, about 20 minutes, to benchmarks/record/
  cargo xtask bench --quick            a try of everything in a few minutes, to target/bench/
  cargo xtask bench --without torch    without the largest of the Python packages
  cargo xtask bench --full             also train Keras for all of its 25 epochs

The first run installs the peers into target/bench-venv: 2 GB, and several more with torch.")]
pub(crate) struct Options {
    /// Few and short rounds, and a record outside benchmarks/record: to try the command, not for figures
    #[arg(long)]
    quick: bool,

    /// How often everything takes its turn [default: 15, or 2 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Leave these out (comma-separated or repeated)
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    without: Vec<Peer>,

    /// Train Keras for 25 epochs, instead of multiplying the time of its steps
    #[arg(long)]
    full: bool,

    /// The Python that makes the environment, 3.11 or later
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,

    /// Where the record goes [default: benchmarks/record/DATE-CPU.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What limpid is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// Keras on TensorFlow
    Keras,
    /// PyTorch, eager and compiled
    Torch,
    /// PyTorch compiled, which needs a C++ compiler
    TorchCompile,
    /// ONNX Runtime
    Onnxruntime,
}

/// What every part of the comparison may know.
struct Bench {
    python: Python,
    ours: Ours,
    /// Instruction sets of this CPU, the fastest last.
    isas: Vec<String>,
    cores: usize,
    plan: Plan,
    quick: bool,
    peers: Vec<Peer>,
    /// Where files go that are not the record.
    work: PathBuf,
}

impl Bench {
    fn has(&self, peer: Peer) -> bool {
        self.peers.contains(&peer)
    }

    fn logs(&self) -> PathBuf {
        self.work.join("logs")
    }
}

/// Measures everything, and writes the record; what could not be measured is told in it.
///
/// # Errors
/// If nothing can be measured, or the record cannot be written.
pub(crate) fn run(options: &Options, root: &Path) -> Result<ExitCode> {
    let machine = Machine::detect(root);
    if let Some(load) = machine.load.filter(|load| *load > 0.5) {
        eprintln!("warning: other programs are running (load {load}): figures of a quiet machine are better");
    }
    let mut peers = Peer::value_variants().to_vec();
    peers.retain(|peer| !options.without.contains(peer));
    if !peers.contains(&Peer::Torch) {
        peers.retain(|peer| *peer != Peer::TorchCompile);
    }
    let torch = peers.contains(&Peer::Torch);
    let mut problems = Vec::new();
    if peers.contains(&Peer::TorchCompile) && !has_cpp_compiler() {
        peers.retain(|peer| *peer != Peer::TorchCompile);
        problems.push("torch.compile: there is no C++ compiler".to_owned());
    }

    let work = root.join("target/bench");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot clear {}", work.display()))?;
    }
    fs::create_dir_all(work.join("logs"))?;
    let python = Python::set_up(root, &options.python, torch)?;
    let ours = Ours::build(root)?;
    let (rounds, seconds) = if options.quick { (2, 0.3) } else { (15, 1.0) };
    let plan = Plan { rounds: options.rounds.map_or(rounds, |rounds| rounds as usize), seconds };
    let isas = ours.instruction_sets()?;
    let (cores, quick) = (machine.cores, options.quick);
    let bench = Bench { python, ours, isas, cores, plan, quick, peers, work };

    let expected = problems.len();
    let mut keep = |part: &str, error: anyhow::Error| {
        eprintln!("error: {part}: {error:#}");
        problems.push(format!("{part}: {error:#}"));
    };
    let trials = contenders::trials(&bench, &mut keep);
    let settings = contenders::fastest(&trials);
    let training = training::steps(&bench, &settings).map_err(|error| keep("training", error)).ok();
    let batches = training::batch_sizes(&bench).map_err(|error| keep("batch sizes", error)).ok();
    let starts =
        training::starts(&bench, &settings).map_err(|error| keep("start", error)).unwrap_or_default();
    let quality =
        quality::run(&bench, &settings, options.full).map_err(|error| keep("preset fast", error)).ok();
    let inference = inference::run(&bench).map_err(|error| keep("inference", error)).unwrap_or_default();
    let kernels = kernels(root).map_err(|error| keep("kernels", error)).ok();

    let figures = Figures {
        date: jiff::ZonedDateTime::now().strftime("%Y-%m-%d").to_string(),
        command: std::env::args().skip(1).fold("cargo xtask".to_owned(), |line, word| line + " " + &word),
        python: bench.python.version(),
        packages: bench.python.packages(torch)?,
        machine,
        plan,
        quick: options.quick,
        trials,
        training,
        batches,
        starts,
        quality,
        inference,
        kernels,
        problems,
    };
    let path = options.out.clone().unwrap_or_else(|| {
        let folder = if options.quick { bench.work } else { root.join("benchmarks/record") };
        folder.join(record::file_name(&figures.date, &figures.machine.cpu))
    });
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, record::markdown(&figures))
        .with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("\n{}\nThe record is {}", record::summary(&figures), path.display());
    Ok(if figures.problems.len() == expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn has_cpp_compiler() -> bool {
    ["c++", "g++", "clang++"]
        .iter()
        .any(|name| process::output(Command::new(name).arg("--version")).is_some())
}

/// What `cargo bench` prints of the kernels.
fn kernels(root: &Path) -> Result<String> {
    eprintln!("\n==== kernels");
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["bench", "--quiet", "--locked", "--package", "limpid-kernels"]);
    process::output(&mut command).context("`cargo bench -p limpid-kernels` failed")
}
