//! `limpid info` and the help texts, from the outside.

mod common;

use common::{error, limpid, output};
use insta::assert_snapshot;
use predicates::str::contains;

#[test]
fn the_seed_network_is_shown() {
    assert_snapshot!(output(&["info", "--activation", "lrelu:0.1"]));
}

#[test]
fn another_activation_and_size_are_shown() {
    let shown = output(&["info", "--activation", "relu", "--size", "64x96"]);
    assert!(shown.contains("conv1 (conv 3x3, relu)") && shown.contains("16x24x32"), "{shown}");
}

#[test]
fn the_plan_and_the_cpu_are_shown() {
    let shown = limpid(&["info", "--plan", "--cpu"]).env("LIMPID_ISA", "scalar").assert().success();
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    let plan = &shown[shown.find("Layers").unwrap()..];
    insta::with_settings!({filters => vec![("(, avx2)?(, avx512)?(, neon)?; scalar", "[, others]; scalar")]}, {
        assert_snapshot!(plan);
    });
}

/// Everything in a file of which every byte is known.
#[test]
fn the_contents_of_files_are_shown() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../limpid/tests/fixtures/v1");
    for (name, kind) in [("a_model_is_shown", "model"), ("a_checkpoint_is_shown", "checkpoint")] {
        let path = format!("{fixtures}/{kind}.safetensors");
        let shown = output(&["info", &path]).replace(fixtures, "FIXTURES");
        assert_snapshot!(name, shown);
        let digest = limpid::digest::Digest::of(&std::fs::read(&path).unwrap());
        assert!(shown.ends_with(&format!("  SHA-256            {digest}\n")), "{shown}");
    }
    // A directory that holds a model is as good as its name.
    assert_eq!(output(&["info", fixtures]), output(&["info", &format!("{fixtures}/model.safetensors")]));
}

#[test]
fn the_model_in_the_program_is_the_one_that_is_meant_without_a_name() {
    let shown = output(&["info"]);
    assert!(shown.starts_with("mnist (built in): denoising-autoencoder, 37,601 parameters, "), "{shown}");
    assert!(shown.contains("SHA-256"), "{shown}");
    assert_eq!(shown, output(&["info", "mnist"]));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../limpid/models/mnist.safetensors");
    let shown = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(shown(&output(&["info", file])), shown(&output(&["info"])));
    assert!(error(2, &["info", "letters"]).contains("letters"));
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let message = error(2, &["info", "--size", "30x30"]);
    assert!(message.contains("layer \"encoding\"") && message.contains("multiples of 4"), "{message}");
    assert!(error(2, &["info", "--size", "30"]).contains("expected HEIGHTxWIDTH, for example 64x96"));
    assert!(error(2, &["info", "--size", "0x4"]).contains("height and width must be between 1 and"));
}

#[test]
fn what_is_no_model_is_refused() {
    assert!(
        error(2, &["info", "no-such-model.safetensors"]).contains("cannot read no-such-model.safetensors")
    );
    let message = error(2, &["eval", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert!(message.contains("Cargo.toml: is not a .safetensors file"), "{message}");
    let message = error(2, &["eval", concat!(env!("CARGO_MANIFEST_DIR"), "/src")]);
    assert!(message.contains("is not a run directory: it has no model.safetensors"), "{message}");
}

#[test]
fn every_command_has_a_help_text() {
    assert_snapshot!("help", output(&["--help"]));
    assert_snapshot!("train_help", output(&["train", "--help"]));
    for command in ["data", "info", "eval", "export", "import"] {
        limpid(&[command, "--help"]).assert().success().stdout(contains("Usage: limpid"));
    }
    limpid::<&str>(&[]).assert().code(2).stderr(contains("Usage: limpid"));
}
