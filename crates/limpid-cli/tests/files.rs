//! `limpid export` and `limpid import`, from the outside.

mod common;

use std::fs;
use std::path::Path;

use common::{error, limpid, output, text};
use limpid::denoise::Autoencoder;
use limpid::export::{OnnxOptions, Part, to_onnx};
use limpid::net::NetSpec;
use tempfile::tempdir;

const KERAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../limpid/tests/fixtures/import/keras.weights.h5");

fn write_model(path: &Path) -> Autoencoder {
    let model = Autoencoder::untrained(NetSpec::seed(), 1).unwrap();
    model.save(path).unwrap();
    model
}

#[test]
fn every_part_is_exported_as_the_library_does() {
    let dir = tempdir().unwrap();
    let (model_file, onnx) = (dir.path().join("model.safetensors"), dir.path().join("model.onnx"));
    let model = write_model(&model_file);
    for (args, options, says) in [
        (&[][..], OnnxOptions::default(), "full network, image to denoised"),
        (&["--folded"], OnnxOptions { folded: true, ..OnnxOptions::default() }, "image to denoised"),
        (&["--logits"], OnnxOptions { logits: true, ..OnnxOptions::default() }, "image to logits"),
        (
            &["--part", "encoder"],
            OnnxOptions { part: Part::Encoder, ..OnnxOptions::default() },
            "encoder network, image to code",
        ),
        (
            &["--part", "decoder", "--folded"],
            OnnxOptions { part: Part::Decoder, folded: true, logits: false },
            "decoder network, code to denoised",
        ),
    ] {
        let said = output(&[&["export", text(&model_file), "-o", text(&onnx), "--overwrite"], args].concat());
        assert!(said.contains(says), "{said}");
        assert_eq!(fs::read(&onnx).unwrap(), to_onnx(&model, &options).unwrap(), "{args:?}");
    }
    // Nothing but the file on standard output.
    let written = limpid(&["export", text(&model_file), "-o", "-"]).assert().success().stderr("");
    assert_eq!(written.get_output().stdout, to_onnx(&model, &OnnxOptions::default()).unwrap());
}

#[test]
fn nothing_is_written_over_unasked() {
    let dir = tempdir().unwrap();
    let (model, onnx) = (dir.path().join("model.safetensors"), dir.path().join("model.onnx"));
    write_model(&model);
    fs::write(&onnx, "precious").unwrap();
    let message = error(2, &["export", text(&model), "-o", text(&onnx)]);
    assert!(
        message.contains("model.onnx: is there already; choose another name, or add --overwrite"),
        "{message}"
    );
    assert_eq!(fs::read(&onnx).unwrap(), b"precious");
    let message = error(2, &["export", text(&model), "-o", text(dir.path()), "--overwrite"]);
    assert!(message.contains("is a directory"), "{message}");
    let message = error(1, &["export", text(&model), "-o", text(&dir.path().join("no/such/folder.onnx"))]);
    assert!(message.contains("cannot write"), "{message}");
    // A failure leaves no half of a file, nor any other trace.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    if cfg!(unix) {
        let message = error(2, &["export", text(&model), "-o", "/dev/null", "--overwrite"]);
        assert!(message.contains("is no regular file"), "{message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let dir = tempdir().unwrap();
    let (model, onnx) = (dir.path().join("model.safetensors"), dir.path().join("model.onnx"));
    write_model(&model);
    let refusal = |args: &[&str]| {
        let message = error(2, &[&["export", text(&model), "-o", text(&onnx)], args].concat());
        assert!(!onnx.exists());
        message
    };
    assert!(refusal(&["--part", "middle"]).contains("expected full, encoder or decoder"));
    assert!(refusal(&["--part", "encoder", "--folded"]).contains("no tail to fold; leave it out"));
    assert!(error(2, &["export", text(&model)]).contains("--output <FILE>"));
}

#[test]
fn imported_weights_are_a_model_like_any_other() {
    let dir = tempdir().unwrap();
    let model = dir.path().join("keras.safetensors");
    let said = output(&["import", KERAS, "-o", text(&model), "--noise", "gaussian:0.3"]);
    assert!(
        said.ends_with("keras.safetensors: denoising-autoencoder, 37,601 parameters, training unknown\n"),
        "{said}"
    );
    assert_eq!(Autoencoder::load(&model).unwrap().noise.to_string(), "gaussian:0.3");
    assert!(output(&["info", text(&model)]).contains("37,601 parameters"));
    output(&["export", text(&model), "-o", text(&dir.path().join("keras.onnx")), "--folded"]);

    let message = error(2, &["import", KERAS, "-o", text(&model)]);
    assert!(message.contains("is there already"), "{message}");
    let message = error(2, &["import", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "-o", "-"]);
    assert!(message.contains("is neither a .weights.h5 file of Keras nor a .safetensors file"), "{message}");
}
