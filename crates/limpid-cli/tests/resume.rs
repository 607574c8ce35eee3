//! Runs that are interrupted, in every way there is, and go on: they end in the same bits.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{digits, error, output, text};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// More kills than the usual test has time for: `LIMPID_KILLS=500 cargo test -p limpid-cli --test resume killed`.
const KILLS: &str = "LIMPID_KILLS";

/// What must be the same to the bit, and what else a finished run has.
const SAME: [&str; 2] = ["checkpoint.safetensors", "model.safetensors"];
const OTHERS: [&str; 5] = ["config.toml", "log.jsonl", "loss.png", "report.html", "results.png"];

/// A folder with a small data set, and place for runs.
struct Place {
    dir: TempDir,
    data: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempdir().unwrap(), data: digits() }
    }

    fn run(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The arguments of a new run of three epochs of 15 steps, and more.
    fn train<'a>(&'a self, run: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
        let start = ["train", "--data", text(self.data.path()), "--batch-size", "32", "--out", text(run)];
        let epochs: &[&str] = if more.contains(&"--epochs") { &[] } else { &["--epochs", "3"] };
        [&start[..], epochs, more].concat()
    }
}

fn files(run: &Path) -> Vec<Vec<u8>> {
    SAME.iter().map(|name| fs::read(run.join(name)).unwrap()).collect()
}

/// The lines of a run's log without their seconds, which are nobody's promise.
fn log(run: &Path) -> Vec<Value> {
    let log = fs::read_to_string(run.join("log.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("seconds").unwrap();
        line
    };
    log.lines().map(line).collect()
}

/// Asserts that a run ended as another one did.
#[track_caller]
fn assert_same(run: &Path, other: &Path) {
    for (name, (one, other)) in SAME.iter().zip(files(run).into_iter().zip(files(other))) {
        assert!(one == other, "{name} differs");
    }
    assert_eq!(log(run), log(other));
    let mut names: Vec<_> =
        fs::read_dir(run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut expected = [&SAME[..], &OTHERS].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

/// The program, started.
fn spawn(args: &[&str]) -> std::process::Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("limpid"));
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills the program without a warning, again and again, at moments drawn from a seed; each time it goes on, on another
/// number of threads, until it comes to its end. Half of the runs write a checkpoint behind every step, so that many kills
/// meet a file that is being written.
#[test]
#[allow(clippy::print_stdout, reason = "how many kills there were is what a long run of this test is for")]
fn a_run_that_is_killed_ends_in_the_same_bits() {
    let wanted: u32 = std::env::var(KILLS).map_or(6, |text| text.parse().expect(KILLS));
    let place = Place::new();
    let whole = place.run("whole");
    let start = Instant::now();
    output(&place.train(&whole, &[]));
    // Longer than the run takes from its start to its end, on this machine in its present mood.
    let longest = start.elapsed();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let (mut kills, mut resumed, mut runs) = (0, 0, 0);
    while kills < wanted {
        runs += 1;
        let run = place.run(&format!("run{runs}"));
        let interval = ["1step", "7steps"][runs % 2];
        loop {
            let threads = random.random_range(1..4_u32).to_string();
            let mut args = vec!["--quiet", "--threads", &threads, "--checkpoint-every", interval];
            args = if run.join("config.toml").exists() {
                resumed += 1;
                [&["train", "--resume", text(&run)], &args[..]].concat()
            } else {
                place.train(&run, &args)
            };
            let mut child = spawn(&args);
            std::thread::sleep(longest.mul_f64(random.random_range(0.0..0.9)));
            child.kill().unwrap();
            let ended = child.wait_with_output().unwrap();
            let message = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(message, "", "{args:?}");
            if ended.status.success() {
                break;
            }
            assert_eq!(ended.status.code(), None, "it ended by itself");
            kills += 1;
        }
        assert_same(&run, &whole);
        fs::remove_dir_all(&run).unwrap();
    }
    println!("{kills} kills in {runs} runs, resumed {resumed} times: every run ended in the same bits");
}

/// Ctrl-C in the middle of an epoch.
#[test]
fn a_run_that_is_interrupted_ends_in_the_same_bits() {
    let place = Place::new();
    let (whole, run) = (place.run("whole"), place.run("run"));
    output(&place.train(&whole, &["--epochs", "4"]));
    let mut child = spawn(&place.train(&run, &["--epochs", "4"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Epoch 1/4")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    lines.for_each(drop);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    let advice = format!("limpid train --resume {} goes on\n", run.display());
    assert!(message.ends_with(&advice), "{message}");
    let interrupted = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(interrupted.contains("The run was interrupted in epoch "));

    let shown = output(&["train", "--resume", text(&run)]);
    assert!(shown.contains("\nGoing on in epoch "), "{shown}");
    assert!(shown.contains("\nEpoch 4/4  ") && !shown.contains("\nEpoch 1/4  "), "{shown}");
    assert_same(&run, &whole);
    // Curve, settings and summary are those of the whole run.
    let page = |run: &Path| fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!page(&run).contains("was interrupted"));
    let picture = |run: &Path| fs::read(run.join("loss.png")).unwrap();
    assert!(picture(&run) == picture(&whole), "the loss curve is another");
}

#[test]
fn a_finished_run_goes_on_with_more_epochs() {
    let place = Place::new();
    let (whole, run) = (place.run("whole"), place.run("run"));
    output(&place.train(&whole, &["--epochs", "3"]));
    output(&place.train(&run, &["--epochs", "2"]));
    let before = files(&run);
    let shown = output(&["train", "--resume", text(&run)]);
    assert!(
        shown.contains("\nnote: all 2 epochs of the run are done; --epochs with a larger number goes on"),
        "{shown}"
    );
    assert!(files(&run) == before);
    let message = error(2, &["train", "--resume", text(&run), "--epochs", "1"]);
    assert_eq!(
        message,
        "error: 1 epochs: the run has begun its epoch 2 already; expected at least so many\n"
    );

    let shown = output(&["train", "--resume", text(&run), "--epochs", "3", "--json"]);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert_same(&run, &whole);
    assert!(fs::read_to_string(run.join("config.toml")).unwrap().contains("\nepochs = 3\n"));

    // A schedule that ends with the run: what that means is said.
    let run = place.run("cosine");
    output(&place.train(&run, &["--epochs", "1", "--schedule", "cosine", "--lr", "0.002"]));
    let shown = output(&["train", "--resume", text(&run), "--epochs", "2"]);
    let note = "\nnote: the cosine schedule now ends with epoch 2 instead of 1: the learning rate goes on at 0.001, where";
    assert!(shown.contains(note), "{shown}");
}

/// Each with a part of its message; none changes a byte.
#[test]
fn what_does_not_belong_to_the_run_is_refused() {
    let place = Place::new();
    let run = place.run("run");
    output(&place.train(&run, &["--epochs", "1"]));
    let (other, fewer) = (tempdir().unwrap(), tempdir().unwrap());
    for name in fs::read_dir(place.data.path()).unwrap().map(|entry| entry.unwrap().file_name()) {
        let mut bytes = fs::read(place.data.path().join(&name)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(other.path().join(&name), &bytes).unwrap();
    }
    for (name, count) in [("train-images-idx3-ubyte", 240_u32), ("t10k-images-idx3-ubyte", 100)] {
        let mut bytes = fs::read(place.data.path().join(name)).unwrap();
        bytes.truncate(16 + 784 * count as usize);
        bytes[4..8].copy_from_slice(&count.to_be_bytes());
        fs::write(fewer.path().join(name), &bytes).unwrap();
    }
    let net = place.dir.path().join("net.toml");
    let toml = limpid::net::NetSpec::seed().to_toml().replacen("filters = 32", "filters = 16", 1);
    fs::write(&net, toml).unwrap();
    let (before, config) = (files(&run), fs::read_to_string(run.join("config.toml")).unwrap());

    let cases: [(&[&str], &str); 9] = [
        (
            &["--lr", "0.5"],
            "options: adam.learning_rate is 0.5, not 0.001 in the run to go on with; a run keeps its settings",
        ),
        (
            &["--seed", "2", "--beta2", "0.9"],
            "options: adam.beta2 is 0.9, not 0.999; seed is 2, not 1 in the run",
        ),
        (&["--net", text(&net)], "options: net.layer \"conv1\".filters is 16, not 32 in the run"),
        (&["--activation", "relu"], "net.layer \"conv1\".activation is \"relu\", not \"lrelu:0.1\""),
        (
            &["--data", text(other.path())],
            "validation images: they are not those that the run began with: other pixels in as many images of the same size",
        ),
        (
            &["--data", text(fewer.path())],
            ": it has 220 training images of 28x28, but the run began with 480 of 28x28 of ",
        ),
        (&["--data", "no-such-folder"], "no-such-folder: no such folder"),
        (&["--preset", "fast"], "cannot be used with"),
        (
            &["--checkpoint-every", "often"],
            "expected a whole number of at least 1 with its unit, for example 500steps",
        ),
    ];
    for (more, part) in cases {
        let message = error(2, &[&["train", "--resume", text(&run)], more].concat());
        assert!(message.contains(part), "{more:?}: {message}");
        assert!(files(&run) == before, "{more:?} changed something");
        assert_eq!(fs::read_to_string(run.join("config.toml")).unwrap(), config);
    }
    // What is said again as it was changes nothing.
    output(&[
        "train",
        "--resume",
        text(&run),
        "--lr",
        "0.001",
        "--seed",
        "1",
        "--data",
        text(place.data.path()),
    ]);
    assert!(files(&run) == before);

    // Settings that were edited by hand.
    fs::write(run.join("config.toml"), config.replace("beta1 = 0.9", "beta1 = 0.8")).unwrap();
    let message = error(2, &["train", "--resume", text(&run)]);
    assert!(
        message.contains("its config.toml is not that of its checkpoint: adam.beta1 is 0.8, not 0.9; "),
        "{message}"
    );
    fs::write(run.join("config.toml"), config.replace("beta1 = 0.9", "momentum = 0.9")).unwrap();
    let message = error(2, &["train", "--resume", text(&run)]);
    assert!(message.contains("config.toml: ") && message.contains("unknown field `momentum`"), "{message}");

    let message = error(2, &["train", "--resume", text(place.data.path())]);
    assert!(message.contains("it has no config.toml, so no run was begun there"), "{message}");
    assert!(error(2, &["train", "--resume", "no-such-run"]).starts_with("error: cannot read no-such-run: "));
}

#[test]
fn a_run_is_replaced_only_where_that_is_asked_for() {
    let place = Place::new();
    let (run, whole) = (place.run("run"), place.run("whole"));
    output(&place.train(&run, &["--epochs", "1", "--seed", "5"]));
    fs::write(run.join("notes.txt"), "mine").unwrap();
    let before = files(&run);
    let message = error(2, &place.train(&run, &[]));
    assert!(
        message.contains(
            "it holds a run already: --resume goes on with it, --overwrite replaces it; or choose another"
        ),
        "{message}"
    );
    // What is wrong is said before anything is replaced.
    error(2, &place.train(&run, &["--overwrite", "--lr", "-1"]));
    assert!(files(&run) == before);
    output(&place.train(&run, &["--overwrite", "--epochs", "2"]));
    assert_eq!(fs::read_to_string(run.join("notes.txt")).unwrap(), "mine");
    fs::remove_file(run.join("notes.txt")).unwrap();
    output(&place.train(&whole, &["--epochs", "2"]));
    assert_same(&run, &whole);
    let message = error(2, &["train", "--overwrite"]);
    assert!(message.contains("--out <DIR>"), "{message}");
}

/// A limit on the size of files stands for a disk without space: the log still has room, the checkpoint has not.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_the_last_checkpoint_intact() {
    let place = Place::new();
    let (whole, run) = (place.run("whole"), place.run("run"));
    output(&place.train(&whole, &["--epochs", "2"]));
    output(&place.train(&run, &["--epochs", "1"]));
    let before = files(&run);
    let program = assert_cmd::cargo::cargo_bin!("limpid");
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\"";
    let ended = Command::new("sh")
        .args([
            "-c",
            script,
            "sh",
            text(program),
            "train",
            "--quiet",
            "--epochs",
            "2",
            "--resume",
            text(&run),
        ])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{message}");
    let start = format!("error: cannot write {}/", run.display());
    assert!(message.starts_with(&start) && message.contains(".safetensors: "), "{message}");
    let rest = format!(
        "; the run stops behind the end of epoch 2; its checkpoint of the end of epoch 1 is intact: when files can be \
         written there again, go on with limpid train --resume {}\n",
        run.display()
    );
    assert!(message.ends_with(&rest), "{message}");
    assert!(files(&run)[0] == before[0], "the checkpoint is another");
    assert!(!run.join("checkpoint.safetensors.tmp").exists() && !run.join("model.safetensors.tmp").exists());
    output(&["train", "--resume", text(&run)]);
    assert_same(&run, &whole);
}

/// Something in the way of the checkpoint in mid-run, as a folder that has become read-only is for others than root.
#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_last_one_intact() {
    let place = Place::new();
    let (whole, run) = (place.run("whole"), place.run("run"));
    output(&place.train(&whole, &["--epochs", "2"]));
    output(&place.train(&run, &["--epochs", "1"]));
    let before = files(&run);
    let mut child = spawn(&["train", "--epochs", "20000", "--resume", text(&run)]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Epoch     2/20000")));
    // The name of the temporary file is free only in passing.
    let obstacle = run.join("checkpoint.safetensors.tmp");
    while fs::create_dir(&obstacle).is_err() {}
    lines.for_each(drop);
    let ended = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{message}");
    assert!(message.contains("/checkpoint.safetensors: ") && message.contains(" is intact: "), "{message}");
    assert!(files(&run)[0] != before[0], "a later checkpoint was written before");
    fs::remove_dir(&obstacle).unwrap();
    let done = log(&run).len().max(3);
    let epochs = done.to_string();
    output(&["train", "--resume", text(&run), "--epochs", &epochs]);
    output(&["train", "--resume", text(&whole), "--epochs", &epochs]);
    assert_same(&run, &whole);
}

#[test]
fn a_directory_that_vanishes_ends_the_run_in_words() {
    let place = Place::new();
    let run = place.run("run");
    let mut child = spawn(&place.train(&run, &["--epochs", "20000"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Epoch     1/20000")));
    fs::rename(&run, place.run("elsewhere")).unwrap();
    lines.for_each(drop);
    let ended = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{message}");
    let rest = format!(", and its directory {} is gone, with everything in it\n", run.display());
    assert!(message.starts_with("error: cannot write ") && message.ends_with(&rest), "{message}");
}

#[test]
fn two_programs_do_not_go_on_with_one_run() {
    let place = Place::new();
    let run = place.run("run");
    let mut child = spawn(&place.train(&run, &["--epochs", "20000"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Epoch     1/20000")));
    let message = error(2, &["train", "--resume", text(&run)]);
    assert!(message.contains("another limpid is writing there"), "{message}");
    child.kill().unwrap();
    child.wait().unwrap();
    output(&["train", "--resume", text(&run), "--epochs", &(log(&run).len() + 1).to_string()]);
}

/// The interval in time, and that it is remembered.
#[test]
fn a_checkpoint_is_written_in_the_middle_of_an_epoch() {
    let place = Place::new();
    let run = place.run("run");
    // An epoch of all of MNIST takes seconds, whatever the machine.
    let args = ["train", "--batch-size", "8", "--threads", "1", "--out", text(&run)];
    for interval in ["1s", "100steps"] {
        let mut child = spawn(&[&args[..], &["--checkpoint-every", interval]].concat());
        let start = Instant::now();
        let checkpoint = || {
            let read = limpid::checkpoint::Checkpoint::load(&run.join("checkpoint.safetensors")).ok()?;
            (read.state.step > 0).then_some(read.state)
        };
        let state = loop {
            if let Some(state) = checkpoint() {
                break state;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint in the middle of an epoch");
            std::thread::sleep(Duration::from_millis(20));
        };
        child.kill().unwrap();
        child.wait().unwrap();
        if interval == "100steps" {
            assert_eq!(state.adam.step % 100, 0);
        }
        let config = fs::read_to_string(run.join("config.toml")).unwrap();
        assert!(config.contains(&format!("checkpoint_every = \"{interval}\"\n")), "{config}");
        fs::remove_dir_all(&run).unwrap();
    }
}
