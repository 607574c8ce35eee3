//! Who takes part, each by its fastest setting on this machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::rounds::Contender;
use super::worker::Worker;
use super::{Bench, Peer};

pub(crate) const KERAS: &str = "Keras";
pub(crate) const TORCH_COMPILE: &str = "torch.compile";
pub(crate) const TORCH_EAGER: &str = "torch eager";
pub(crate) const ONNX_RUNTIME: &str = "ONNX Runtime";
pub(crate) const LIMPID: &str = "limpid";
pub(crate) const LIMPID_AVX2: &str = "limpid, LIMPID_ISA=avx2";

/// The name of limpid on fewer threads than there are.
pub(crate) fn limpid_on(threads: usize) -> String {
    format!("limpid, {threads} thread{}", if threads == 1 { "" } else { "s" })
}

/// The name of the loop that does nothing but multiply and add.
pub(crate) fn peak(isa: &str, threads: u64) -> String {
    format!("peak of {isa}, {threads} thread{}", if threads == 1 { "" } else { "s" })
}

/// How fast each way was in which a peer can do the same step.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// The contender.
    pub(crate) name: String,
    /// Settings with their milliseconds per step.
    pub(crate) settings: Vec<(String, f64)>,
}

impl Trial {
    /// The setting of the least time.
    pub(crate) fn fastest(&self) -> Option<&str> {
        let fastest = self.settings.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        fastest.map(|(name, _)| name.as_str())
    }
}

/// The peers that train, by name, with their scripts and the settings that each has chosen.
pub(super) type Settings = Vec<(String, String)>;

/// Lets each peer that trains try its settings. One that cannot is told to `keep`, and takes no part.
pub(super) fn trials(bench: &Bench, keep: &mut impl FnMut(&str, anyhow::Error)) -> Vec<Trial> {
    let all: [(Peer, &str, &[&str]); 3] = [
        (Peer::Keras, KERAS, &["trial"]),
        (Peer::TorchCompile, TORCH_COMPILE, &["trial", "compile"]),
        (Peer::Torch, TORCH_EAGER, &["trial", "eager"]),
    ];
    let mut trials = Vec::new();
    for (_, name, arguments) in all.into_iter().filter(|(peer, ..)| bench.has(*peer)) {
        eprintln!("\n==== the fastest setting of {name}");
        match trial(name, &mut script(bench, name, arguments), &bench.logs()) {
            Ok(trial) => {
                for (setting, ms) in &trial.settings {
                    eprintln!("     {ms:>7.2} ms  {setting}");
                }
                trials.push(trial);
            }
            Err(error) => keep(name, error),
        }
    }
    trials
}

fn trial(name: &str, command: &mut Command, logs: &Path) -> Result<Trial> {
    let worker = Worker::start(&format!("trial of {name}"), command, logs)?;
    let times = worker.about["trial"].as_object().context("it should have told what it tried")?;
    let settings = times.iter().map(|(setting, ms)| Ok((setting.clone(), ms.as_f64().context("no number")?)));
    Ok(Trial { name: name.to_owned(), settings: settings.collect::<Result<_>>()? })
}

/// The setting of each that took part.
pub(super) fn fastest(trials: &[Trial]) -> Settings {
    let setting = |trial: &Trial| Some((trial.name.clone(), trial.fastest()?.to_owned()));
    trials.iter().filter_map(setting).collect()
}

/// The peers that train, each in its setting.
pub(super) fn training_peers(bench: &Bench, settings: &Settings) -> Vec<Contender> {
    let peer = |(name, setting): &(String, String)| Contender {
        name: name.clone(),
        command: script(bench, name, &[setting]),
    };
    settings.iter().map(peer).collect()
}

fn script(bench: &Bench, name: &str, arguments: &[&str]) -> Command {
    bench.python.script(if name == KERAS { "keras_train.py" } else { "torch_train.py" }, arguments)
}
