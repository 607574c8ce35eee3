//! What the tests of all commands share: running the program and reading what it says.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use limpid::data::{Dataset, Idx, Samples};
use tempfile::{TempDir, tempdir};

/// The program with these arguments.
pub(crate) fn limpid<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Command {
    let mut command = Command::cargo_bin("limpid").unwrap();
    command.args(args);
    command
}

/// Standard output of a run that succeeds and says nothing on standard error.
pub(crate) fn output<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> String {
    let assert = limpid(args).assert().success().stderr("");
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// Standard error of a run that fails with an exit code, with nothing on standard output.
pub(crate) fn error<S: AsRef<std::ffi::OsStr>>(code: i32, args: &[S]) -> String {
    let assert = limpid(args).assert().code(code).stdout("");
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// The path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes an IDX data set without labels.
pub(crate) fn write_images(directory: &Path, name: &str, dims: &[usize], pixels: &[u8]) {
    fs::write(directory.join(name), Idx::new(dims, pixels).unwrap().file()).unwrap();
}

/// A small data set of real digits, so that a test need not look at MNIST's 10,000 test images: 480 to train on after the
/// split, 100 to test with.
pub(crate) fn digits() -> TempDir {
    let dir = tempdir().unwrap();
    let mnist = Dataset::mnist();
    for (name, images) in [
        ("train-images-idx3-ubyte", mnist.train.images.slice(0..523)),
        ("t10k-images-idx3-ubyte", mnist.test.images.slice(0..100)),
    ] {
        write_images(dir.path(), name, &[images.len(), 28, 28], images.all_bytes());
    }
    dir
}

/// Trains for a moment on the first digits of MNIST.
pub(crate) fn quick_run(directory: &Path) {
    limpid(&["train", "--epochs", "1", "--limit", "500", "--quiet", "--out", text(directory)])
        .assert()
        .success()
        .stdout("")
        .stderr("");
}
