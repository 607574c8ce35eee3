//! `limpid train`, from the outside.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{digits, error, limpid, output, quick_run, text, write_images};
use insta::assert_snapshot;
use serde_json::Value;
use tempfile::tempdir;

const FILES: [&str; 7] = [
    "checkpoint.safetensors",
    "config.toml",
    "log.jsonl",
    "loss.png",
    "model.safetensors",
    "report.html",
    "results.png",
];

/// Names in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

#[test]
fn a_quick_try_ends_with_all_files_of_a_run() {
    let dir = tempdir().unwrap();
    let run = dir.path().join("run");
    let shown = output(&["train", "--epochs", "2", "--limit", "500", "--threads", "2", "--out", text(&run)]);
    insta::with_settings!({filters => vec![
        (r"-?\b\d+\.\d\d\d\d\b", "[4 digits]"),
        (r"\b\d+\.\d\d\b", "[2 digits]"),
        (r"\b\d+\.\d s\b", "[seconds]"),
        (r"(avx512|avx2|neon|scalar)", "[isa]"),
    ]}, {
        assert_snapshot!(shown.replace(text(&run), "RUN"));
    });
    assert_eq!(names(&run), FILES);
    for name in ["loss.png", "results.png"] {
        assert!(fs::read(run.join(name)).unwrap().starts_with(b"\x89PNG\r\n"), "{name}");
    }
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    for part in ["<!DOCTYPE html>", "37,601", "gaussian:0.5", "<svg", "data:image/png;base64,", "0.0581"] {
        assert!(page.contains(part), "{part} is not in the report");
    }

    let log = fs::read_to_string(run.join("log.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["epoch"], index + 1);
        let number = |key: &str| line[key].as_f64().unwrap();
        assert!((0.1..0.7).contains(&number("training_loss")), "{line}");
        assert!((0.1..0.7).contains(&number("validation_loss")), "{line}");
        assert!(number("seconds") > 0.0);
        let printed = format!(
            "training loss {:.4}  validation loss {:.4}",
            number("training_loss"),
            number("validation_loss")
        );
        assert!(shown.contains(&printed), "{printed} is not in {shown}");
    }
}

#[test]
fn the_same_seed_gives_the_same_model_on_any_number_of_threads() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let model = |name: &str, more: [&str; 4]| {
        let run = dir.path().join(name);
        let args = ["train", "--data", text(data.path()), "--epochs", "1", "--quiet", "--out", text(&run)];
        limpid(&[&args[..], &more[..]].concat()).assert().success();
        fs::read(run.join("model.safetensors")).unwrap()
    };
    let one = model("one", ["--threads", "1", "--seed", "5"]);
    assert!(one == model("three", ["--threads", "3", "--seed", "5"]), "threads change the model");
    assert!(one != model("other", ["--threads", "1", "--seed", "6"]), "the seed does not change the model");
}

#[test]
fn programs_read_lines_of_json() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let shown =
        output(&["train", "--data", text(data.path()), "--epochs", "2", "--json", "--out", text(&run)]);
    let lines: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["epoch"], &lines[1]["epoch"]), (&1.into(), &2.into()));
    assert_eq!(lines[2]["evaluation"]["images"], 100);
    let best = lines[..2].iter().map(|line| line["validation_loss"].as_f64().unwrap()).fold(1.0, f64::min);
    let evaluated = lines[2]["evaluation"]["loss"].as_f64().unwrap();
    assert!((evaluated - best).abs() < 1e-9, "{evaluated} is not the best validation loss, {best}");
    assert_eq!(lines[2]["files"]["model"], text(&run.join("model.safetensors")));
    let log = fs::read_to_string(run.join("log.jsonl")).unwrap();
    assert!(shown.starts_with(&log), "the log has the same lines");
}

#[test]
fn a_run_is_not_written_over_another() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let message = error(2, &["train", "--limit", "100", "--epochs", "1", "--out", text(dir.path())]);
    assert!(message.contains("it is not empty and holds no run; choose another directory"), "{message}");
    assert_eq!(names(dir.path()), ["notes.txt"]);
}

/// Each with a part of its message; nothing is created by any of them.
#[test]
fn wrong_settings_are_refused_before_anything_is_written() {
    let dir = tempdir().unwrap();
    let net = dir.path().join("net.toml");
    fs::write(
        &net,
        "name = \"x\"\ninput = [28, 28, 1]\n[[layer]]\nname = \"last\"\ntype = \"conv\"\nfilters = 3\n",
    )
    .unwrap();
    let run = dir.path().join("run");
    let cases: [(&[&str], &str); 19] = [
        (&["--epochs", "0"], "'--epochs <N>': expected a whole number of at least 1\n"),
        (&["--epochs", "-1"], "'--epochs <N>': expected a whole number of at least 1\n"),
        (&["--threads", "some"], "'--threads <N>': expected a whole number of 0 or more\n"),
        (&["--seed", "-1"], "expected a whole number of 0 or more"),
        (&["--batch-size", "0"], "'--batch-size <N>': expected a whole number of at least 1\n"),
        (&["--lr", "-1"], "learning rate -1: expected a number above 0"),
        (&["--lr", "nan"], "learning rate NaN: expected a number above 0"),
        (&["--schedule", "step"], "expected constant, cosine or linear"),
        (&["--preset", "quick"], "'--preset <NAME>': expected tutorial, fast or best"),
        (&["--warmup", "-1"], "'--warmup <STEPS>': expected a whole number of 0 or more"),
        (&["--beta2", "1"], "beta2 1: expected a number of at least 0 and below 1, for example 0.999"),
        (&["--epsilon", "0"], "epsilon 0: expected a number above 0"),
        (&["--noise", "gausian:0.5"], "'--noise <KIND:LEVEL>': there is no kind \"gausian\""),
        (&["--activation", "tanh"], "expected linear, relu or lrelu:SLOPE"),
        (&["--net", text(&net)], "layer \"last\": the last layer gives the logits of a gray image"),
        (&["--net", "no-such-file.toml"], "cannot read no-such-file.toml"),
        (&["--data", "no-such-folder"], "no-such-folder: no such folder"),
        (&["--threads", "100000"], "at most 1024"),
        (&["--quiet", "--json"], "cannot be used with"),
    ];
    for (args, part) in cases {
        let start = ["train", "--limit", "100", "--out", text(&run)];
        let message = error(2, &[&start[..], args].concat());
        assert!(message.starts_with("error: "), "{args:?}: {message}");
        assert!(message.contains(part), "{args:?}: {message}");
        assert!(!run.exists(), "{args:?} made a directory");
    }
}

/// What `config.toml` says of the training, without the network.
fn settings(run: &Path) -> toml::Table {
    let mut config: toml::Table = fs::read_to_string(run.join("config.toml")).unwrap().parse().unwrap();
    let mut train = config.remove("train").unwrap().try_into::<toml::Table>().unwrap();
    train.remove("net").unwrap();
    train.insert("preset".into(), config["preset"].clone());
    train
}

#[test]
fn a_preset_is_recorded_with_its_settings_and_options_override_it() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let settings = |name: &str, more: &[&str]| {
        let run = dir.path().join(name);
        let args = ["train", "--data", text(data.path()), "--limit", "64", "--out", text(&run)];
        let shown = output(&[&args[..], more].concat());
        (settings(&run), shown)
    };
    let (fast, shown) = settings("fast", &["--preset", "fast"]);
    let expected = r#"
        preset = "fast"
        epochs = 5
        batch_size = 64
        seed = 1
        noise = "gaussian:0.5"
        schedule = "linear"
        warmup_steps = 800
        adam = { learning_rate = 0.015, beta1 = 0.9, beta2 = 0.98, epsilon = 1e-7 }
    "#;
    assert_eq!(fast, expected.parse().unwrap());
    assert!(shown.contains("\nEpoch 5/5  "), "{shown}");
    assert!(
        shown.contains("\nnote: the warm-up of 800 steps is as long as the run (5 steps) or longer: "),
        "{shown}"
    );

    // Wherever the preset stands among the options, they come after it.
    let changes = ["--epochs", "2", "--beta2", "0.9", "--schedule", "cosine", "--warmup", "1", "--seed", "7"];
    let preset = ["--preset", "fast"];
    let (changed, shown) = settings("changed", &[&changes[..], &preset].concat());
    let mut expected = fast;
    expected["epochs"] = 2.into();
    expected["schedule"] = "cosine".into();
    expected["warmup_steps"] = 1.into();
    expected["seed"] = 7.into();
    expected["adam"]["beta2"] = 0.9.into();
    assert_eq!(changed, expected);
    assert!(!shown.contains("note: "), "{shown}");
    assert_eq!(settings("otherwise", &[&preset[..], &changes].concat()).0, expected);

    let (tutorial, _) = settings("tutorial", &["--epochs", "1"]);
    assert_eq!((&tutorial["preset"], &tutorial["schedule"]), (&"tutorial".into(), &"constant".into()));
    assert_eq!(tutorial["adam"]["learning_rate"].as_float(), Some(1e-3));
}

#[test]
fn an_instruction_set_can_be_chosen() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let args = ["train", "--data", text(data.path()), "--epochs", "1", "--out", text(&run)];
    let shown = limpid(&args).env("LIMPID_ISA", "Scalar").assert().success();
    assert!(String::from_utf8_lossy(&shown.get_output().stdout).contains(", scalar\n"));
    let refused = limpid(&["train", "--limit", "64"]).env("LIMPID_ISA", "mmx").assert().code(2);
    let message = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(message.starts_with("error: LIMPID_ISA=mmx: this CPU has scalar"), "{message}");
}

#[test]
fn divergence_is_reported_with_advice() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let args = ["train", "--data", text(data.path()), "--lr", "1e30", "--quiet", "--out", text(&run)];
    let message = error(1, &args);
    assert!(message.starts_with("error: the loss is "), "{message}");
    assert!(message.contains("epoch 1") && message.contains("training has diverged"), "{message}");
    assert!(message.trim_end().ends_with("try a smaller learning rate, for example --lr 1e-3"), "{message}");
    assert_eq!(names(&run), ["config.toml"]);
    for command in ["eval", "info"] {
        let message = error(2, &[command, text(&run)]);
        assert!(
            message.ends_with("the run has no model.safetensors, because no epoch of it was finished\n"),
            "{message}"
        );
    }
}

#[test]
fn another_data_set_of_another_size_is_trained_on() {
    let dir = tempdir().unwrap();
    let write = |name: &str, dims: &[usize]| {
        let pixels: Vec<u8> = (0..dims.iter().product::<usize>()).map(|i| (i * 37 % 256) as u8).collect();
        write_images(dir.path(), name, dims, &pixels);
    };
    write("train-images-idx3-ubyte", &[48, 8, 12]);
    write("t10k-images-idx3-ubyte", &[5, 8, 12]);
    let run = dir.path().join("run");
    let data = text(dir.path());
    output(&["train", "--data", data, "--epochs", "1", "--out", text(&run)]);
    assert_eq!(names(&run), FILES);
    assert!(output(&["eval", text(&run), "--data", data]).contains("5 test images"));
    let message = error(2, &["eval", text(&run), "--data", "no-such-folder"]);
    assert!(message.contains("no-such-folder"), "{message}");

    write("train-images-idx3-ubyte", &[48, 9, 12]);
    write("t10k-images-idx3-ubyte", &[5, 9, 12]);
    let message = error(2, &["train", "--data", data]);
    assert!(message.contains("layer \"pool1\": its input of 9x12 does not divide by 2"), "{message}");
    assert!(message.contains("multiples of 4"), "{message}");
}

/// Ctrl-C ends the run after the step in hand, and everything that there is is written.
#[test]
#[cfg(unix)]
fn an_interrupt_writes_what_there_is() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("limpid"))
        .args([
            "train",
            "--data",
            text(data.path()),
            "--epochs",
            "1000",
            "--limit",
            "64",
            "--out",
            text(&run),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Epoch    2/1000")));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert_eq!(
        String::from_utf8_lossy(&ended.stderr),
        format!(
            "stopping after this step; measuring what there is (Ctrl-C again ends at once)\n\
             error: interrupted; what there was is written, and limpid train --resume {} goes on\n",
            run.display()
        )
    );
    assert!(rest.iter().any(|line| line.ends_with("report.html")), "{rest:?}");
    assert_eq!(names(&run), FILES);
    let epochs = fs::read_to_string(run.join("log.jsonl")).unwrap().lines().count();
    assert!((2..1000).contains(&epochs), "{epochs} epochs");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains(&format!("The run was interrupted in epoch {} of 1000.", epochs + 1)));
    assert!(page.contains(" of 1000, reached a validation loss of 0."));
}

#[test]
#[cfg(unix)]
fn an_interrupt_before_the_first_epoch_is_done_leaves_a_model() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("limpid"))
        .args(["train", "--data", text(data.path()), "--out", text(&run)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.by_ref().any(|line| line.starts_with("Run directory: ")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let last = lines.last().unwrap();
    assert_eq!(last, "No epoch was finished, so there is no loss curve and no report.");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(&run), ["checkpoint.safetensors", "config.toml", "model.safetensors", "results.png"]);
}

/// `limpid train | head -1`: the reader leaves, the run goes on.
#[test]
#[cfg(unix)]
fn a_reader_that_leaves_does_not_end_the_run() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("limpid"))
        .args(["train", "--data", text(data.path()), "--epochs", "3", "--limit", "64", "--out", text(&run)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(ended.status.success());
    assert_eq!(names(&run), FILES);
    assert_eq!(fs::read_to_string(run.join("log.jsonl")).unwrap().lines().count(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_standard_output_ends_the_run_after_a_step() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = Command::new(assert_cmd::cargo::cargo_bin!("limpid"))
        .args(["train", "--data", text(data.path()), "--out", text(&run)])
        .stdout(full())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(message.starts_with("error: cannot write standard output: "), "{message}");
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(names(&run), ["checkpoint.safetensors", "config.toml", "model.safetensors", "results.png"]);
    assert!(output(&["info", text(&run)]).contains("under gaussian:0.5, stopped in epoch 1\n"));

    let ended =
        Command::new(assert_cmd::cargo::cargo_bin!("limpid")).arg("info").stdout(full()).output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).starts_with("error: cannot write standard output: "));
}

#[test]
fn what_differs_from_what_was_asked_for_is_noted() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let net = dir.path().join("net.toml");
    fs::write(
        &net,
        "name = \"x\"\ninput = [32, 32, 1]\n[[layer]]\nname = \"last\"\ntype = \"conv\"\nfilters = 1\n",
    )
    .unwrap();
    let run = dir.path().join("run");
    let args =
        ["train", "--data", text(data.path()), "--epochs", "1", "--limit", "5000", "--out", text(&run)];
    let shown = output(&[&args[..], &["--net", text(&net)]].concat());
    assert!(shown.contains("\nnote: --limit 5000 is more than the 480 training images\n"), "{shown}");
    assert!(
        shown.contains("\nnote: the network describes 32x32 images; it is trained on 28x28\n"),
        "{shown}"
    );
}

#[test]
fn a_run_directory_that_cannot_be_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let message = error(2, &["train", "--limit", "64", "--out", text(&file)]);
    assert!(message.ends_with("it is a file, not a directory; choose another name\n"), "{message}");
    let message = error(2, &["train", "--limit", "64", "--out", text(&file.join("run"))]);
    assert!(message.contains("it cannot be created (") && message.contains("--out"), "{message}");
}

#[test]
fn images_without_noise_have_an_infinite_ratio() {
    let (dir, data) = (tempdir().unwrap(), digits());
    let run = dir.path().join("run");
    let args = ["train", "--data", text(data.path()), "--epochs", "1", "--limit", "64", "--quiet"];
    output(&[&args[..], &["--out", text(&run)]].concat());
    // A copy of the model alone is enough.
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(run.join("model.safetensors"), copy.join("model.safetensors")).unwrap();
    let shown = output(&["eval", text(&copy), "--data", text(data.path()), "--noise", "gaussian:0"]);
    assert!(shown.contains("PSNR of the mean MSE (dB)                  ∞ (equal)  "), "{shown}");

    let message = error(2, &["eval", text(dir.path())]);
    let newest = format!("is not a run directory, but holds some; the newest is {}\n", copy.display());
    assert!(message.ends_with(&newest), "{message}");
    let message = error(2, &["eval", text(data.path())]);
    assert!(
        message.contains("is not a run directory: it has no model.safetensors; expected a directory such as")
    );
    let message = error(2, &["eval", text(&run.join("checkpoint.safetensors"))]);
    assert!(message.contains("expected a model; try model.safetensors beside it"), "{message}");
}

#[test]
fn eval_and_info_read_the_run() {
    let dir = tempdir().unwrap();
    let run = dir.path().join("run");
    quick_run(&run);
    let of_directory = output(&["eval", text(&run), "--json"]);
    let of_file = output(&["eval", text(&run.join("model.safetensors")), "--json", "--threads", "1"]);
    assert_eq!(of_directory, of_file);
    let figures: Value = serde_json::from_str(&of_file).unwrap();
    let noisy = &figures["noisy"];
    // What is known of MNIST under this noise: MSE 0.1156, 9.37 dB.
    assert!((noisy["mse"].as_f64().unwrap() - 0.1156).abs() < 2e-4, "{noisy}");
    assert!((noisy["psnr_of_mean_mse"].as_f64().unwrap() - 9.37).abs() < 0.01, "{noisy}");
    let shown = output(&["eval", text(&run), "--noise", "gaussian:0.1"]);
    insta::with_settings!({filters => vec![(r"-?\d+\.\d\d+", "[number]")]}, {
        assert_snapshot!(shown.replace(text(&run), "RUN"));
    });
    let shown = output(&["info", text(&run)]);
    assert!(shown.contains("trained on 500 images of MNIST under gaussian:0.5, epoch 1"), "{shown}");
}
