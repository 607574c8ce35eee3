//! `limpid data`, from the outside.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use insta::assert_snapshot;
use limpid::data::Idx;
use tempfile::{TempDir, tempdir};

fn limpid(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("limpid").unwrap();
    command.arg("data").args(args);
    command
}

/// Standard output of a run that succeeds.
fn output(args: &[&str]) -> String {
    let assert = limpid(args).assert().success().stderr("");
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// Standard error of a run that fails with exit code 2, as for every wrong input; one line.
fn error(dir: &Path) -> String {
    let dir = dir.to_str().unwrap();
    let assert = limpid(&["--data", dir]).assert().code(2).stdout("");
    let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    error.replace(dir, "DIR")
}

fn write(dir: &TempDir, name: &str, dims: &[usize]) {
    let data: Vec<u8> = (0..dims.iter().product::<usize>()).map(|i| (i * 37 % 256) as u8).collect();
    fs::write(dir.path().join(name), Idx::new(dims, &data).unwrap().file()).unwrap();
}

/// A data set of 24 training and 3 test images of 4x6.
fn folder() -> TempDir {
    let dir = tempdir().unwrap();
    write(&dir, "train-images-idx3-ubyte", &[24, 4, 6]);
    write(&dir, "train-labels-idx1-ubyte", &[24]);
    write(&dir, "t10k-images-idx3-ubyte", &[3, 4, 6]);
    write(&dir, "t10k-labels-idx1-ubyte", &[3]);
    dir
}

#[test]
fn mnist_is_built_in() {
    assert_snapshot!(output(&["--count", "1"]));
}

#[test]
fn other_data_sets_are_read() {
    let dir = folder();
    for name in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let shown = output(&["--data", dir.path().to_str().unwrap(), "--count", "4"]);
    let name = dir.path().file_name().unwrap().to_str().unwrap();
    assert_snapshot!(shown.replace(name, "NAME"));
}

#[test]
fn another_seed_shows_other_images() {
    let dir = folder();
    let shown = |seed| output(&["--data", dir.path().to_str().unwrap(), "--seed", seed]);
    assert_eq!(shown("1"), shown("1"));
    assert_ne!(shown("1"), shown("2"));
}

#[test]
fn the_images_are_drawn_into_a_file() {
    let dir = folder();
    let png = dir.path().join("images.png");
    let png = png.to_str().unwrap();
    let shown = output(&["--data", dir.path().to_str().unwrap(), "--out", png]);
    assert!(shown.ends_with(&format!("\nImages: {png}\n")), "{shown}");
    assert!(fs::read(png).unwrap().starts_with(b"\x89PNG\r\n"));
}

#[test]
fn a_file_that_cannot_be_written_fails_the_run() {
    let dir = folder();
    let png = dir.path().join("images.png");
    fs::create_dir(&png).unwrap();
    let assert =
        limpid(&["--data", dir.path().to_str().unwrap(), "--out", png.to_str().unwrap()]).assert().code(1);
    let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(error.starts_with(&format!("error: cannot write {}: ", png.display())), "{error}");
}

#[test]
fn a_file_in_a_folder_that_does_not_exist_is_refused_before_anything_is_printed() {
    let dir = folder();
    let missing = dir.path().join("missing");
    let png = missing.join("images.png");
    let assert = limpid(&["--data", dir.path().to_str().unwrap(), "--out", png.to_str().unwrap()]).assert();
    let error = format!(
        "error: cannot write {}: the folder {} does not exist; make it first\n",
        png.display(),
        missing.display()
    );
    assert.code(2).stdout("").stderr(error);
}

#[test]
fn a_larger_count_adds_to_the_images_of_a_smaller_one() {
    let dir = folder();
    let titles = |count| -> Vec<String> {
        let shown = output(&["--data", dir.path().to_str().unwrap(), "--count", count]);
        let words = shown.split("  ").flat_map(|part| part.split('\n'));
        words.filter(|title| title.contains(" Image ")).map(str::to_owned).collect()
    };
    let (one, three) = (titles("1"), titles("3"));
    assert_eq!((one.len(), three.len()), (2, 6));
    assert_eq!(one, [three[0].clone(), three[3].clone()]);
}

#[test]
fn wrong_usage_ends_with_exit_code_2() {
    limpid(&["--out", "images.jpg"])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("expected a file name that ends in .png"));
    for count in ["0", "-1", "1001", "some"] {
        let expected = predicates::str::contains("'--count <N>': expected a whole number from 1 to 1000");
        limpid(&["--count", count]).assert().code(2).stderr(expected);
    }
}

#[test]
fn damaged_data_ends_with_exit_code_2_and_one_clear_line() {
    let nowhere = tempdir().unwrap();
    assert_snapshot!(error(&nowhere.path().join("nothing")), @"error: DIR: no such folder; expected a folder with the files of an IDX data set, such as train-images-idx3-ubyte.gz");
    assert_snapshot!(error(nowhere.path()), @"error: DIR: no training images: looked for train-images-idx3-ubyte, train-images.idx3-ubyte, raw, .gz or .zst; the folder is empty");

    let damaged = |name: &str, damage: &dyn Fn(&mut Vec<u8>)| {
        let dir = folder();
        let path = dir.path().join(name);
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(path, file).unwrap();
        error(dir.path())
    };
    assert_snapshot!(damaged("train-images-idx3-ubyte", &|file| file[0] = 1), @"error: DIR/train-images-idx3-ubyte: not an IDX file: it starts with 0x01000803, expected 0x00000803 for images or 0x00000801 for labels");
    assert_snapshot!(damaged("train-images-idx3-ubyte", &|file| file[2] = 0x0e), @"error: DIR/train-images-idx3-ubyte: the elements have type 0x0e (64-bit floats), expected 0x08 (unsigned bytes)");
    assert_snapshot!(damaged("t10k-images-idx3-ubyte", &|file| file.truncate(50)), @"error: DIR/t10k-images-idx3-ubyte: truncated: the header declares 3 x 4 x 6 = 72 bytes of data, the file holds 34");
    assert_snapshot!(damaged("t10k-images-idx3-ubyte", &|file| file.push(0)), @"error: DIR/t10k-images-idx3-ubyte: 1 trailing bytes after the 3 x 4 x 6 = 72 bytes of data");
    assert_snapshot!(damaged("train-images-idx3-ubyte", &|file| file[4..16].fill(0xff)), @"error: DIR/train-images-idx3-ubyte: the header declares 4294967295 x 4294967295 x 4294967295 bytes, more than memory can address");
    assert_snapshot!(damaged("train-labels-idx1-ubyte", &|file| { file.pop(); file[7] -= 1; }), @"error: DIR/train-images-idx3-ubyte: 24 images, but DIR/train-labels-idx1-ubyte has 23 labels: expected one label for each image");
}

/// `limpid data | head -1`: nobody reads to the end.
#[test]
#[cfg(unix)]
fn a_closed_pipe_is_no_failure() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    // Far more than a pipe holds, so that the program is still writing when the other end closes.
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("limpid"))
        .args(["data", "--count", "1000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "MNIST\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
