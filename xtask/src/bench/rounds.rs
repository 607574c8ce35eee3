//! Contenders that take turns: whatever else the machine does, it does to all of them alike.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::series::Series;
use super::worker::Worker;

/// Before each turn: threads of the last one may still be spinning in the hope of more work.
const PAUSE: Duration = Duration::from_millis(100);

/// Who measures what, and by which command.
pub(super) struct Contender {
    /// Its name in the record, and its key in [`Results`].
    pub(super) name: String,
    pub(super) command: Command,
}

/// What a contender measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Milliseconds per step: the median of each round.
    pub(crate) ms: Series,
    /// The loss of the last step.
    pub(crate) loss: Option<f64>,
    /// The most memory that the process ever had.
    pub(crate) memory_mib: Option<f64>,
    /// What the worker said of itself.
    pub(crate) about: Value,
}

/// What all contenders measured, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Results(pub(crate) Vec<(String, Measured)>);

impl Results {
    /// That of a name, if it took part.
    pub(crate) fn get(&self, name: &str) -> Option<&Measured> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, measured)| measured)
    }

    /// Milliseconds per step of a name.
    pub(crate) fn ms(&self, name: &str) -> Option<&Series> {
        self.get(name).map(|measured| &measured.ms)
    }

    /// How many times faster `name` was than `other`, round by round.
    pub(crate) fn faster(&self, name: &str, other: &str) -> Option<Series> {
        Some(self.ms(other)?.over(self.ms(name)?))
    }
}

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Of a turn.
    pub(crate) seconds: f64,
}

/// Starts all contenders, then lets them take turns. A turn before the first round warms them up and is not counted.
pub(super) fn run(what: &str, contenders: Vec<Contender>, plan: Plan, logs: &Path) -> Result<Results> {
    eprintln!("\n==== {what}");
    let mut workers = Vec::new();
    for Contender { name, mut command } in contenders {
        let mut worker = Worker::start(&name, &mut command, logs)?;
        worker.turn(plan.seconds)?;
        let measured = Measured { about: worker.about.clone(), ..Measured::default() };
        workers.push((name, worker, measured));
    }
    for round in 1..=plan.rounds {
        let mut line = format!("     round {round:>2}/{}", plan.rounds);
        for (name, worker, measured) in &mut workers {
            thread::sleep(PAUSE);
            let turn = worker.turn(plan.seconds)?;
            (measured.loss, measured.memory_mib) = (turn.loss, turn.memory_mib);
            let ms = turn.median_ms();
            measured.ms.0.push(ms);
            line += &format!("  {name} {ms:.2}");
        }
        eprintln!("{line} ms");
    }
    Ok(Results(workers.into_iter().map(|(name, _, measured)| (name, measured)).collect()))
}

/// Seconds from the command to the end of the first step, each started afresh in every round.
pub(super) fn starts(
    contenders: &mut [Contender],
    rounds: usize,
    logs: &Path,
) -> Result<Vec<(String, Series)>> {
    eprintln!("\n==== from the command to the end of the first step");
    let mut seconds: Vec<(String, Series)> =
        contenders.iter().map(|contender| (contender.name.clone(), Series::default())).collect();
    for round in 1..=rounds {
        let mut line = format!("     round {round:>2}/{rounds}");
        for (contender, (name, series)) in contenders.iter_mut().zip(&mut seconds) {
            let start = Worker::start(name, &mut contender.command, logs)?.start_seconds;
            series.0.push(start);
            line += &format!("  {name} {start:.2}");
        }
        eprintln!("{line} s");
    }
    Ok(seconds)
}
