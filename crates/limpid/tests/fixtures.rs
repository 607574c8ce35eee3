//! Files that earlier versions wrote stay readable: a model and a checkpoint of every version of the format lie in
//! `fixtures/`. They are never changed; a new version adds its own (see the last test).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use limpid::checkpoint::{Checkpoint, FORMAT_VERSION, FileSummary};
use limpid::data::{Images, Samples};
use limpid::denoise::Autoencoder;
use limpid::net::NetSpec;
use limpid::optim::{Adam, Schedule};
use limpid::train::{Event, TrainConfig, Trainer};

fn fixture(version: u32, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{version}/{name}.safetensors"))
}

/// Images that need no file: 20 of 8x8.
fn images() -> Arc<Images> {
    Arc::new(Images::new(20, 8, 8, (0..20 * 64_u32).map(|i| (i * i * 37 % 251) as u8).collect()).unwrap())
}

/// Every kind of layer and of activation.
fn config() -> TrainConfig {
    let net = NetSpec::from_toml(
        r#"
        name = "fixture"
        input = [8, 8, 1]
        latent = "pool"
        layer = [
            { name = "down", type = "conv", filters = 3, stride = 2, activation = "lrelu:0.1" },
            { name = "pool", type = "max_pool", size = 2 },
            { name = "up1", type = "conv_transpose", filters = 3, activation = "relu" },
            { name = "up2", type = "conv_transpose", filters = 2 },
            { name = "logits", type = "conv", filters = 1 },
        ]
        "#,
    );
    TrainConfig {
        epochs: 3,
        batch_size: 6,
        seed: 11,
        noise: "gaussian:0.25".parse().unwrap(),
        schedule: Schedule::Linear,
        warmup_steps: 2,
        adam: Adam { learning_rate: 0.01, beta2: 0.95, ..Adam::default() },
        net: net.unwrap(),
    }
}

/// The run of the fixtures, in the middle of its third epoch.
fn trainer() -> Trainer {
    let images = images();
    let validation = Arc::new(images.slice(0..5));
    let mut trainer = Trainer::new(config(), images, validation, 1).unwrap();
    for _ in 0..2 * (4 + 1) + 2 {
        trainer.step().unwrap();
    }
    trainer
}

#[test]
fn models_of_every_version_are_read() {
    for version in 1..=FORMAT_VERSION {
        let path = fixture(version, "model");
        let model = Autoencoder::load(&path).unwrap();
        assert_eq!(FileSummary::read(&path).unwrap().version, version);
        assert_eq!((&model.net, &model.noise), (&config().net, &config().noise));
        let training = model.training.as_ref().unwrap();
        assert_eq!((&training.data[..], training.images, training.seed), ("fixture", 20, 11));
        assert_eq!((training.epoch as usize, training.history.len()), (2, 2));
        assert_eq!(training.settings.unwrap().adam, config().adam);
        // What it makes of an image is what it made of it when it was written.
        let denoised = model.denoise(&images().image(0)).unwrap();
        let mean = denoised.pixels().iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / 64.0;
        assert!((mean - MEAN).abs() < 1e-6, "{mean}");
    }
}

#[test]
fn checkpoints_of_every_version_go_on() {
    for version in 1..=FORMAT_VERSION {
        let run = Checkpoint::load(&fixture(version, "checkpoint")).unwrap();
        assert_eq!(run.config, config());
        assert_eq!((run.state.epoch, run.state.step, run.state.adam.step), (3, 2, 10));
        let images = images();
        let mut trainer = run.resume(images.clone(), Arc::new(images.slice(0..5)), 1).unwrap();
        let mut last = None;
        while let Some(event) = trainer.step().unwrap() {
            if let Event::Epoch(epoch) = event {
                last = Some((epoch.epoch, epoch.validation_loss));
            }
        }
        let (epoch, loss) = last.unwrap();
        assert!(epoch == 3 && (loss - LOSS).abs() < 1e-5, "epoch {epoch}, {loss}");
    }
}

/// Whoever changes what is written without raising the version is told here.
#[test]
fn the_format_of_this_version_is_what_its_fixtures_have() {
    let read = |name| std::fs::read(fixture(FORMAT_VERSION, name)).unwrap();
    let model = Autoencoder::load(&fixture(FORMAT_VERSION, "model")).unwrap();
    assert!(model.to_bytes() == read("model"), "models are written in another form than their fixture");
    let run = Checkpoint::load(&fixture(FORMAT_VERSION, "checkpoint")).unwrap();
    assert!(
        run.to_bytes() == read("checkpoint"),
        "checkpoints are written in another form than their fixture"
    );
}

/// Mean pixel of the first image as the model of the fixtures restores it; the loss with which their run ends.
const MEAN: f64 = 0.526_310_808;
const LOSS: f64 = 0.691_535_454;

/// How the fixtures are made, once for each version of the format.
#[test]
#[ignore = "writes the fixtures of a new version of the format, where there are none yet"]
fn write_fixtures() {
    let trainer = trainer();
    for (name, bytes) in [
        ("model", trainer.best_model_of("fixture".into()).to_bytes()),
        ("checkpoint", Checkpoint::of(&trainer).to_bytes()),
    ] {
        let path = fixture(FORMAT_VERSION, name);
        assert!(!path.exists(), "{} is there already and is never changed", path.display());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}
