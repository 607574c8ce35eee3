//! A small file that declares a giant network costs no more than its own size.
//!
//! Alone in its program, since it watches how much address space the process takes.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use limpid::checkpoint::Checkpoint;
use limpid::denoise::Autoencoder;
use limpid::net::{MAX_PARAMETERS, NetSpec};

/// The most address space that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A `.safetensors` file of no tensors with this entry in its metadata.
fn file(header: &serde_json::Value, tensors: &str) -> Vec<u8> {
    let metadata = serde_json::json!({ "limpid": header.to_string() });
    let text = format!("{{\"__metadata__\":{metadata}{tensors}}}");
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn a_giant_network_in_a_small_file_is_refused_before_memory_is_asked_for() {
    // Seven layers of 31 x 31 x 96 x 96 parameters, just below the limit.
    let layers: String = (0..7)
        .map(|i| format!("{{ name = \"layer{i}\", type = \"conv\", filters = 96, kernel = 31 }},"))
        .collect();
    let net = NetSpec::from_toml(&format!(
        "name = \"giant\"\ninput = [28, 28, 1]\nlayer = [{layers} {{ name = \"z\", type = \"conv\", filters = 1 }}]"
    ))
    .unwrap();
    let parameters: usize =
        net.layers(net.input).unwrap().iter().map(limpid::net::layers::Layer::parameters).sum();
    assert!(parameters > MAX_PARAMETERS * 3 / 4);

    let training = serde_json::Value::Null;
    let model = serde_json::json!({
        "kind": "model", "version": 1, "net": net, "input_range": [0.0, 1.0], "noise": "gaussian:0.5",
        "training": training,
    });
    let config = limpid::train::TrainConfig { net, ..limpid::train::TrainConfig::default() };
    let images = serde_json::json!({ "images": 1, "height": 28, "width": 28, "sha256": "0".repeat(64) });
    let run = serde_json::json!({
        "kind": "checkpoint", "version": 1, "config": config, "updates": 1, "training_images": images,
        "validation_images": images, "isa": "scalar", "epoch": 2, "step": 0, "loss_sum": 0.0, "images": 0,
        "history": [[0.5, 0.5]],
    });
    let claimed = format!(
        ",\"layer0.kernel\":{{\"dtype\":\"F32\",\"shape\":[31,31,1,96],\"data_offsets\":[0,{}]}}",
        31 * 31 * 96 * 4
    );
    let (before, start) = (peak(), Instant::now());
    for (bytes, expected) in [
        (file(&model, ""), "has no tensor \"layer0.kernel\", which its network needs"),
        (file(&run, ""), "has no tensor \"best.layer0.kernel\", which its network needs"),
        (file(&model, &claimed), "is no intact .safetensors file"),
        // A length of the header beyond the file's end, and one beyond any memory.
        ([&(1_u64 << 26).to_le_bytes()[..], b"{}"].concat(), "is no intact .safetensors file"),
        ([&u64::MAX.to_le_bytes()[..], b"{}"].concat(), "is no intact .safetensors file"),
    ] {
        assert!(bytes.len() < 2500, "{} bytes", bytes.len());
        let path = Path::new("giant");
        let error = if expected.contains("best.") {
            Checkpoint::from_bytes(&bytes, path).map(drop)
        } else {
            Autoencoder::from_bytes(&bytes, path).map(drop)
        };
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with(&format!("giant: {expected}")), "{message}");
    }
    let grown = peak() - before;
    assert!(
        grown < 16 << 10,
        "{grown} KiB for files of 2 KiB; the parameters would take {}",
        parameters / 256
    );
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
