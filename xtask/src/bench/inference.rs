//! Denoising with the network unchanged: many small images, and one large one.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::contenders::{LIMPID, ONNX_RUNTIME, peak};
use super::rounds::{self, Contender, Results};
use super::{Bench, Peer};
use crate::process;

/// What ran on the same images.
#[derive(Debug, Clone)]
pub(crate) struct Inference {
    /// The images, in words.
    pub(crate) what: &'static str,
    pub(crate) pixels: usize,
    pub(crate) results: Results,
    /// The largest difference of a pixel of the two outputs.
    pub(crate) difference: Option<f32>,
}

/// Name of the file that `tools/bench/onnx_model.py` writes, and the images in words.
const WORKLOADS: [(&str, &str); 2] =
    [("batch", "256 images of 28x28"), ("picture", "one image of 2048x2048")];

/// Trains a network a little, gives the same weights and images to both, and lets them take turns.
pub(super) fn run(bench: &Bench) -> Result<Vec<Inference>> {
    let (run, images) = (bench.work.join("trained"), bench.work.join("images"));
    let model = run.join("model.safetensors");
    fs::create_dir_all(&images)?;
    let mut train = Command::new(&bench.ours.limpid);
    train.args(["train", "--quiet", "--epochs", "1", "--limit", "6400", "--out"]).arg(&run);
    process::run(&mut train)?;
    process::run(bench.python.script("onnx_model.py", &[]).args([&model, &images]))?;
    WORKLOADS.into_iter().map(|(name, what)| workload(bench, &model, &images, name, what)).collect()
}

fn workload(bench: &Bench, model: &Path, images: &Path, name: &str, what: &'static str) -> Result<Inference> {
    let mut contenders = Vec::new();
    if bench.has(Peer::Onnxruntime) {
        let mut command = bench.python.script("onnxruntime_denoise.py", &[]);
        command.arg(images).arg(name);
        contenders.push(Contender { name: ONNX_RUNTIME.to_owned(), command });
    }
    let mut command = bench.ours.worker(&["denoise"], None);
    command.args([model, images]).args([name, "0"]);
    contenders.push(Contender { name: LIMPID.to_owned(), command });
    let best = bench.isas.last().map_or("", String::as_str);
    contenders.push(Contender {
        name: peak(best, bench.cores as u64),
        command: bench.ours.worker(&["peak", "0"], None),
    });
    let results = rounds::run(&format!("denoising {what}"), contenders, bench.plan, &bench.logs())?;

    let pixels = read(&images.join(format!("{name}.f32")))?.len();
    let difference = if bench.has(Peer::Onnxruntime) {
        let output = |of: &str| read(&images.join(format!("{name}.{of}.f32")));
        Some(difference(&output("onnxruntime")?, &output("limpid")?)?)
    } else {
        None
    };
    Ok(Inference { what, pixels, results, difference })
}

/// Values of `f32` in native byte order.
fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// The largest difference of two values at the same place; NaN if one of them is.
fn difference(a: &[f32], b: &[f32]) -> Result<f32> {
    if a.len() != b.len() {
        bail!("outputs of {} and of {} pixels cannot be compared", a.len(), b.len());
    }
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    Ok(differences.fold(0.0, |most, x| if x.is_nan() || most.is_nan() { f32::NAN } else { most.max(x) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_is_found_and_a_nan_is_not_lost() {
        assert_eq!(difference(&[1.0, 2.0], &[1.5, 2.25]).unwrap(), 0.5);
        assert!(difference(&[f32::NAN, 2.0], &[1.0, 2.0]).unwrap().is_nan());
        assert!(difference(&[1.0], &[]).is_err());
    }
}
