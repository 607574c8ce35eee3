//! A process that works when it is asked to, so that several can take turns on one machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::series::Series;

/// A running worker; it ends when this is dropped.
pub(super) struct Worker {
    name: String,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it prints to standard error.
    log: PathBuf,
    /// From the command to the end of the first step.
    pub(super) start_seconds: f64,
    /// What it said then.
    pub(super) about: Value,
}

/// What a worker did in one turn.
#[derive(Deserialize)]
pub(super) struct Turn {
    /// Milliseconds per step of each of its calls.
    ms: Vec<f64>,
    /// The loss of the last.
    pub(super) loss: Option<f64>,
    /// The most memory that the process ever had.
    pub(super) memory_mib: Option<f64>,
}

impl Turn {
    pub(super) fn median_ms(self) -> f64 {
        Series(self.ms).median()
    }
}

impl Worker {
    /// Starts it and waits until its first step is done. Its standard error goes to a file in `logs`.
    pub(super) fn start(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{}.log", name.replace(|c: char| !c.is_alphanumeric(), "-")));
        let errors = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let start = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {name}: {}", command.get_program().display()))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was asked to be a pipe"));
        let mut worker = Self {
            name: name.to_owned(),
            child,
            requests,
            answers,
            log,
            start_seconds: 0.0,
            about: Value::Null,
        };
        worker.about = worker.answer()?;
        worker.start_seconds = start.elapsed().as_secs_f64();
        Ok(worker)
    }

    /// Lets it work for so long.
    pub(super) fn turn(&mut self, seconds: f64) -> Result<Turn> {
        let requests = self.requests.as_mut().expect("it is closed only when the worker is dropped");
        let asked = writeln!(requests, "{}", json!({ "seconds": seconds }));
        let answer = self.answer()?; // tells why, if it could not be asked
        asked.with_context(|| format!("cannot ask {}", self.name))?;
        Turn::deserialize(answer).with_context(|| format!("what {} answered", self.name))
    }

    /// The next line of JSON; other lines are passed over.
    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        while self.answers.read_line(&mut line).with_context(|| format!("cannot read from {}", self.name))?
            > 0
        {
            if let Ok(value) = serde_json::from_str(&line) {
                return Ok(value);
            }
            line.clear();
        }
        bail!("{} ended early; the end of {}:\n{}", self.name, self.log.display(), tail(&self.log))
    }
}

impl Drop for Worker {
    /// At the end of its input it has nothing left to do; whatever it does then, it does not outlive us.
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a file.
fn tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Worker> {
        let logs = std::env::temp_dir();
        let name = format!("limpid-xtask-test-{}-{}", std::process::id(), script.len());
        let worker = Worker::start(&name, Command::new("sh").args(["-c", script]), &logs);
        let _ = fs::remove_file(logs.join(format!("{name}.log")));
        worker
    }

    #[test]
    fn a_worker_answers_when_it_is_asked() {
        let script =
            r#"echo a warning; echo '{"n":1}'; while read x; do echo "{\"ms\":[4,2,9],\"loss\":0.5}"; done"#;
        let mut worker = shell(script).unwrap();
        assert_eq!(worker.about, json!({ "n": 1 }));
        for _ in 0..2 {
            let turn = worker.turn(1.0).unwrap();
            assert_eq!((turn.loss, turn.memory_mib), (Some(0.5), None));
            assert_eq!(turn.median_ms(), 4.0);
        }
    }

    #[test]
    fn one_that_ends_is_an_error_with_what_it_said() {
        let error = shell("echo no module named keras >&2; exit 1").err().unwrap().to_string();
        assert!(error.contains("ended early") && error.contains("no module named keras"), "{error}");
        let mut worker = shell("echo '{}'").unwrap();
        assert!(worker.turn(1.0).is_err());
    }
}
