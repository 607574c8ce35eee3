//! How long it takes until the test loss is what Keras has after its 25 epochs, and how much memory.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Bench;
use super::contenders::{self, KERAS, Settings};
use super::series::Series;
use super::worker::Worker;

/// Keras' test loss after 25 epochs of the tutorial's training.
pub(crate) const LOSS: f64 = 0.0948;
/// Epochs that Keras trains for it.
pub(crate) const KERAS_EPOCHS: u32 = 25;
/// Steps of one of them.
pub(crate) const STEPS_PER_EPOCH: u32 = 860;

/// What limpid is asked to do for the same loss.
const COMMAND: [&str; 4] = ["train", "--preset", "fast", "--json"];

/// Both ways to the loss.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quality {
    /// The command of limpid.
    pub(crate) command: String,
    /// Of the whole command: data, training, validation, evaluation, pictures, report.
    pub(crate) seconds: Series,
    /// Of training alone.
    pub(crate) training_seconds: Series,
    pub(crate) memory_mib: Series,
    /// The test loss of each run.
    pub(crate) loss: Series,
    pub(crate) epochs: usize,
    /// Milliseconds per step of Keras, in turns with the runs.
    pub(crate) keras_ms: Option<Series>,
    /// Seconds of all epochs of Keras, and its test loss behind them.
    pub(crate) keras_full: Option<(f64, f64)>,
}

impl Quality {
    /// Seconds of Keras' training alone: 25 epochs of its steps, as fast as they were in each round.
    pub(crate) fn keras_seconds(&self) -> Option<Series> {
        let steps = f64::from(KERAS_EPOCHS * STEPS_PER_EPOCH);
        Some(self.keras_ms.as_ref()?.map(|ms| ms * steps / 1e3))
    }
}

/// Trains with limpid's fast preset, in turns with some steps of Keras.
pub(super) fn run(bench: &Bench, settings: &Settings, full: bool) -> Result<Quality> {
    let mut arguments: Vec<String> = COMMAND.map(str::to_owned).into();
    if bench.quick {
        arguments.extend(["--limit", "6400"].map(str::to_owned));
    }
    eprintln!("\n==== limpid {}", arguments.join(" "));
    let mut quality = Quality { command: format!("limpid {}", arguments.join(" ")), ..Quality::default() };
    let mut keras = contenders::training_peers(bench, settings);
    keras.retain(|contender| contender.name == KERAS);
    let mut keras = match keras.first_mut() {
        Some(contender) => Some(Worker::start(KERAS, &mut contender.command, &bench.logs())?),
        None => None,
    };
    for round in 1..=bench.plan.rounds.min(3) {
        if let Some(worker) = &mut keras {
            let ms = worker.turn(5.0 * bench.plan.seconds)?.median_ms();
            quality.keras_ms.get_or_insert_default().0.push(ms);
        }
        train(bench, &arguments, round, &mut quality)?;
        let last = |series: &Series| series.0.last().copied().unwrap_or(f64::NAN);
        eprintln!(
            "     round {round}: {:.1} s, test loss {:.4}, {:.0} MiB",
            last(&quality.seconds),
            last(&quality.loss),
            last(&quality.memory_mib)
        );
    }
    drop(keras);
    if full && bench.has(super::Peer::Keras) {
        quality.keras_full = Some(keras_epochs(bench)?);
    }
    Ok(quality)
}

/// One run of limpid.
fn train(bench: &Bench, arguments: &[String], round: usize, quality: &mut Quality) -> Result<()> {
    let printed = bench.work.join(format!("fast-{round}.json"));
    let mut command: Command = bench.python.script("measure.py", &[]);
    command.args([&printed, &bench.ours.limpid]).args(arguments).arg("--out");
    command.arg(bench.work.join(format!("fast-{round}"))).env_remove("LIMPID_ISA");
    let measured = Worker::start(&format!("fast {round}"), &mut command, &bench.logs())?.about.clone();
    if measured["exit"] != 0 {
        bail!(
            "`{}` failed; see {}",
            quality.command,
            bench.logs().join(format!("fast-{round}.log")).display()
        );
    }
    let text = fs::read_to_string(&printed)?;
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let epochs: Vec<f64> = lines.iter().filter_map(|line| line["seconds"].as_f64()).collect();
    let loss = lines.iter().find_map(|line| line["evaluation"]["loss"].as_f64());
    let number =
        |name: &str| measured[name].as_f64().with_context(|| format!("measure.py did not tell `{name}`"));
    quality.seconds.0.push(number("seconds")?);
    quality.memory_mib.0.push(number("memory_mib")?);
    quality.training_seconds.0.push(epochs.iter().sum());
    quality.loss.0.push(loss.context("`limpid train --json` did not tell the loss")?);
    quality.epochs = epochs.len();
    Ok(())
}

/// All epochs of Keras: seconds of training, and the test loss behind the last.
fn keras_epochs(bench: &Bench) -> Result<(f64, f64)> {
    eprintln!("\n==== {KERAS_EPOCHS} epochs of Keras");
    let mut command = bench.python.script("keras_train.py", &["epochs", &KERAS_EPOCHS.to_string()]);
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot start Keras")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let epochs: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let seconds = epochs.iter().filter_map(|epoch| epoch["seconds"].as_f64()).sum();
    let loss = epochs.last().and_then(|epoch| epoch["test_loss"].as_f64());
    match loss {
        Some(loss) if output.status.success() && epochs.len() == KERAS_EPOCHS as usize => Ok((seconds, loss)),
        _ => bail!("Keras ended early, after {} epochs: {}", epochs.len(), output.status),
    }
}
