//! Other programs compute what limpid computes, from the files that it exports; and the programs in `docs/onnx.md` run.
//!
//! Python's packages and onnxruntime-web are installed once, into `target/runtimes`, from the lists in `tools/onnx`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::cargo::{cargo, target_dir};
use super::{Context, Outcome, debian};
use crate::process;

const DEBIAN_PACKAGES: [&str; 3] = ["g++", "libopencv-dnn-dev", "libopencv-imgcodecs-dev"];
const OPENCV_HEADERS: [&str; 2] =
    ["/usr/include/opencv4/opencv2/dnn.hpp", "/usr/include/opencv4/opencv2/imgcodecs.hpp"];

/// A folder each, because two versions cannot lie in one.
const OPENCV_FOR_PYTHON: [&str; 2] = ["opencv4", "opencv5"];

/// Exports networks, runs them everywhere and compares; then runs the documentation's programs.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    if let Err(reason) = find_tools() {
        return Ok(Outcome::Skipped(reason));
    }
    let folder = context.root.join(target_dir()).join("runtimes");
    let python = install(&context.root, &folder).context(
        "the runtimes could not be installed; once they are in target/runtimes, no network is needed. \
         Without one, `cargo xtask check --skip runtimes`",
    )?;

    let cases = folder.join("cases");
    if cases.exists() {
        fs::remove_dir_all(&cases).with_context(|| format!("cannot empty {}", cases.display()))?;
    }
    process::run(
        cargo(&context.root)
            .args(["run", "--locked", "--quiet", "--package", "limpid", "--example", "export_cases", "--"])
            .arg(&cases),
    )?;
    let opencv = OPENCV_FOR_PYTHON.map(|version| folder.join(version));
    let script = |name: &str| {
        let mut command = Command::new(&python);
        command.current_dir(&context.root).arg(format!("tools/onnx/{name}.py")).arg(&cases);
        command.arg("--opencv").args(&opencv);
        command
    };
    process::run(script("check").args(["--speed", "0.3"]))?;
    process::run(script("snippets").arg("--node").arg(&folder))?;
    Ok(Outcome::Passed)
}

/// Whether the programs are there that this takes; the C++ library is installed where that is possible.
///
/// # Errors
/// What is missing, and what a person can do about it.
pub(super) fn find_tools() -> Result<(), String> {
    // In Python 3.10 the packages' versions exist; without ensurepip, Debian's python3-venv is missing.
    let has_python = process::output(
        Command::new("python3").args(["-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 10))"]),
    );
    if has_python.is_none() {
        return Err("no Python 3.10 or later with venv (on Debian `apt-get install python3-venv`)".into());
    }
    if process::output(Command::new("npm").arg("--version")).is_none() {
        return Err("no npm, which comes with Node 20 or later".into());
    }
    let has_opencv = || {
        let compiler = process::output(Command::new("g++").arg("--version"));
        compiler.is_some() && OPENCV_HEADERS.iter().all(|header| Path::new(header).exists())
    };
    if has_opencv() {
        return Ok(());
    }
    let missing =
        format!("no OpenCV for C++: on Debian or Ubuntu `apt-get install {}`", DEBIAN_PACKAGES.join(" "));
    if !debian::can_install() {
        return Err(missing);
    }
    match debian::install(&DEBIAN_PACKAGES) {
        Ok(()) if has_opencv() => Ok(()),
        Ok(()) => Err(missing),
        Err(error) => Err(format!("{missing}; tried it: {error:#}")),
    }
}

/// Installs what the lists name, unless it is there; returns the Python that has the packages.
fn install(root: &Path, folder: &Path) -> Result<PathBuf> {
    let tools = root.join("tools/onnx");
    let lists = ["requirements.txt", "requirements-opencv4.txt", "requirements-opencv5.txt", "package.json"];
    let wanted = lists
        .iter()
        .map(|list| fs::read_to_string(tools.join(list)).with_context(|| format!("cannot read {list}")))
        .collect::<Result<String>>()?;
    let stamp = folder.join("installed.txt");
    let python = folder.join("venv/bin/python");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.exists() {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    process::run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    let pip = || {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        command
    };
    process::run(pip().arg("--requirement").arg(tools.join("requirements.txt")))?;
    for version in OPENCV_FOR_PYTHON {
        let list = tools.join(format!("requirements-{version}.txt"));
        // Their only dependency is NumPy, which the environment has.
        process::run(
            pip().args(["--no-deps", "--target"]).arg(folder.join(version)).arg("--requirement").arg(list),
        )?;
    }
    fs::copy(tools.join("package.json"), folder.join("package.json")).context("cannot copy package.json")?;
    process::run(
        Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(folder),
    )?;
    // Last, so that an installation that was cut off is made anew.
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
