//! Files of models and runs: what is written can be read, and what is damaged or hostile is refused in words.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use limpid::checkpoint::{Checkpoint, FORMAT_VERSION};
use limpid::data::Images;
use limpid::denoise::{Autoencoder, Losses, Settings, Training};
use limpid::net::NetSpec;
use limpid::optim::{Adam, Schedule};
use limpid::train::{TrainConfig, Trainer};
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

const PATH: &str = "some/where.safetensors";

/// A network of few parameters, so that every byte of its files can be tried.
fn tiny_net() -> NetSpec {
    NetSpec::from_toml(
        r#"
        name = "tiny"
        input = [4, 4, 1]
        latent = "code"
        layer = [
            { name = "code", type = "conv", filters = 2, kernel = 2, stride = 2, activation = "lrelu:0.1" },
            { name = "logits", type = "conv_transpose", filters = 1, kernel = 2 },
        ]
        "#,
    )
    .unwrap()
}

fn model() -> Autoencoder {
    let training = Training {
        data: "MNIST".into(),
        images: 55_000,
        epoch: 25,
        validation_loss: Some(0.1 + 0.2),
        seed: u64::MAX,
        settings: Some(Settings {
            epochs: 25,
            batch_size: 64,
            schedule: Schedule::Linear,
            warmup_steps: u64::MAX,
            adam: Adam::default(),
        }),
        history: vec![Losses { training: 0.4, validation: 0.1 + 0.2 }; 25],
    };
    Autoencoder { training: Some(training), ..Autoencoder::untrained(tiny_net(), 1).unwrap() }
}

/// A run that has a best model and stands in the middle of its second epoch.
fn checkpoint() -> Checkpoint {
    let images = Arc::new(Images::new(3, 4, 4, (0..48).map(|i| i * 5).collect()).unwrap());
    let config = TrainConfig { epochs: 2, batch_size: 2, net: tiny_net(), ..TrainConfig::default() };
    let mut trainer = Trainer::new(config, images.clone(), images, 1).unwrap();
    for _ in 0..4 {
        trainer.step().unwrap();
    }
    Checkpoint::of(&trainer)
}

fn read_model(bytes: &[u8]) -> Result<Autoencoder, String> {
    Autoencoder::from_bytes(bytes, Path::new(PATH)).map_err(|error| error.to_string())
}

fn read_checkpoint(bytes: &[u8]) -> Result<Checkpoint, String> {
    Checkpoint::from_bytes(bytes, Path::new(PATH)).map_err(|error| error.to_string())
}

/// Asserts that a message names the file and then says this.
#[track_caller]
fn assert_says<T: std::fmt::Debug>(result: Result<T, String>, expected: &str) {
    let message = result.expect_err(expected);
    let problem = message.strip_prefix(&format!("{PATH}: ")).unwrap_or_else(|| panic!("no file: {message}"));
    assert!(problem.contains(expected), "{problem:?} does not say {expected:?}");
}

/// What a file is made of.
struct Parts {
    header: Value,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    fn of(bytes: &[u8]) -> Self {
        let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
        let header = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["limpid"]).unwrap();
        let mut tensors: Vec<_> = SafeTensors::deserialize(bytes)
            .unwrap()
            .iter()
            .map(|(name, view)| (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec()))
            .collect();
        tensors.sort();
        Self { header, tensors }
    }

    fn tensor(&mut self, name: &str) -> &mut (String, Dtype, Vec<usize>, Vec<u8>) {
        self.tensors.iter_mut().find(|(other, ..)| other == name).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize(views, Some(HashMap::from([("limpid".into(), self.header.to_string())])))
            .unwrap()
    }
}

/// A file after one change.
fn edited(bytes: &[u8], edit: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::of(bytes);
    edit(&mut parts);
    parts.bytes()
}

/// Where the tensors begin.
fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

#[test]
fn what_is_written_can_be_read_and_is_the_same_every_time() {
    let dir = tempfile::tempdir().unwrap();
    for model in [model(), Autoencoder::untrained(NetSpec::seed(), 3).unwrap()] {
        let path = dir.path().join("model.safetensors");
        model.save(&path).unwrap();
        assert_eq!(Autoencoder::load(&path).unwrap(), model);
        // The maps of a program have another order in each run and for each map: the file must not.
        for _ in 0..20 {
            assert!(model.to_bytes() == std::fs::read(&path).unwrap());
        }
    }
    let path = dir.path().join("checkpoint.safetensors");
    let checkpoint = checkpoint();
    assert!(checkpoint.state.best.is_some() && checkpoint.state.step == 1);
    checkpoint.save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint);
    assert!((0..20).all(|_| checkpoint.to_bytes() == std::fs::read(&path).unwrap()));
    let state = limpid::train::TrainerState { best: None, history: vec![], ..checkpoint.state };
    let fresh = Checkpoint { state, ..checkpoint };
    assert_eq!(read_checkpoint(&fresh.to_bytes()), Ok(fresh));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

/// Other programs read these files: names, shapes and header are an interface.
#[test]
fn a_file_says_what_it_is() {
    let parts = Parts::of(&model().to_bytes());
    let shapes: Vec<_> =
        parts.tensors.iter().map(|(name, dtype, shape, _)| (&name[..], *dtype, &shape[..])).collect();
    assert_eq!(
        shapes,
        [
            ("code.bias", Dtype::F32, &[2][..]),
            ("code.kernel", Dtype::F32, &[2, 2, 1, 2]),
            ("logits.bias", Dtype::F32, &[1]),
            ("logits.kernel", Dtype::F32, &[2, 2, 1, 2]),
        ]
    );
    let header = &parts.header;
    assert_eq!((&header["kind"], &header["version"]), (&json!("model"), &json!(1)));
    assert_eq!(header["input_range"], json!([0.0, 1.0]));
    assert_eq!((&header["noise"], &header["net"]["name"]), (&json!("gaussian:0.5"), &json!("tiny")));
    assert_eq!(header["training"]["validation_loss"], json!(0.1 + 0.2));
    let names: Vec<_> =
        Parts::of(&checkpoint().to_bytes()).tensors.into_iter().map(|tensor| tensor.0).collect();
    for prefix in ["", "adam.first.", "adam.second.", "best."] {
        assert!(names.contains(&format!("{prefix}logits.kernel")), "{names:?}");
    }
}

#[test]
fn every_damage_has_its_message() {
    let model = model().to_bytes();
    let says =
        |edit: fn(&mut Parts), expected: &str| assert_says(read_model(&edited(&model, edit)), expected);
    assert!(read_model(&edited(&model, |_| ())).is_ok());
    says(|file| file.header["kind"] = json!("sculpture"), "is a sculpture, expected a model");
    says(
        |file| file.header["version"] = json!(FORMAT_VERSION + 1),
        "has format version 2, this limpid reads up to 1; use a newer limpid",
    );
    says(
        |file| file.header["version"] = json!("one"),
        "has a header that cannot be read: invalid type: string",
    );
    says(|file| file.header = json!(null), "has a header that cannot be read: ");
    says(|file| drop(file.header.as_object_mut().unwrap().remove("net")), "missing field `net`");
    says(
        |file| file.header["input_range"] = json!([-1.0, 1.0]),
        "wants pixels in [-1.0, 1.0], this limpid gives [0, 1]",
    );
    says(|file| file.header["noise"] = json!("rain:3"), "there is no kind \"rain\"; known: gaussian");
    says(
        |file| file.header["net"]["layer"][0]["filters"] = json!(3),
        "tensor \"code.kernel\" is F32 of shape [2, 2, 1, 2], its network needs F32 of shape [2, 2, 1, 3]",
    );
    says(
        |file| file.header["net"]["layer"][0]["name"] = json!("x"),
        "latent \"code\": no layer has this name",
    );
    says(|file| drop(file.tensors.remove(2)), "has no tensor \"logits.bias\", which its network needs");
    says(|file| file.tensors.clear(), "has no tensor \"code.kernel\", which its network needs");
    says(
        |file| file.tensor("code.kernel").2 = vec![2, 2, 2, 1],
        "tensor \"code.kernel\" is F32 of shape [2, 2, 2, 1], its network needs F32 of shape [2, 2, 1, 2]",
    );
    says(
        |file| file.tensor("code.bias").1 = Dtype::I32,
        "tensor \"code.bias\" is I32 of shape [2], its network needs F32 of shape [2]",
    );
    for (bad, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let file =
            edited(&model, |file| file.tensor("logits.kernel").3[8..12].copy_from_slice(&bad.to_le_bytes()));
        assert_says(read_model(&file), &format!("tensor \"logits.kernel\" has a value that is {name}"));
    }
    // More tensors than the network needs harm nobody.
    assert!(
        read_model(&edited(&model, |file| {
            file.tensors.push(("notes".into(), Dtype::U8, vec![3], vec![1, 2, 3]));
        }))
        .is_ok()
    );

    assert_says(read_model(b""), "is empty, expected a .safetensors file");
    assert_says(
        read_model(b"P5"),
        "has only 2 bytes, no .safetensors file is so short; was it copied whole?",
    );
    assert_says(read_model(b"P5 28 28 255\n"), "is not a .safetensors file");
    let foreign = safetensors::serialize(Vec::<(String, TensorView<'_>)>::new(), None).unwrap();
    assert_says(
        read_model(&foreign),
        "has no \"limpid\" entry in its metadata: it was not written by limpid",
    );
}

#[test]
fn every_damage_to_a_checkpoint_has_its_message() {
    let run = checkpoint().to_bytes();
    let says =
        |edit: fn(&mut Parts), expected: &str| assert_says(read_checkpoint(&edited(&run, edit)), expected);
    assert_says(read_checkpoint(&model().to_bytes()), "is a model, expected a checkpoint");
    assert_says(read_model(&run), "is a checkpoint, expected a model");
    says(|file| file.header["version"] = json!(7), "has format version 7, this limpid reads up to 1");
    says(|file| file.header["config"]["epochs"] = json!(0), "0 epochs would train nothing");
    says(
        |file| file.header["config"]["batch_size"] = json!(1_u64 << 40),
        "batch size: 1099511627776, expected 1 to",
    );
    says(|file| file.header["config"]["adam"]["beta1"] = json!(1.5), "beta1 1.5: expected");
    says(|file| file.header["config"]["momentum"] = json!(1), "unknown field `momentum`");
    says(
        |file| file.header["loss_sum"] = json!(null),
        "has a header that cannot be read: invalid type: null",
    );
    says(
        |file| file.header["training_images"]["sha256"] = json!("12"),
        "has a header that cannot be read: SHA-256: expected 64 hexadecimal digits",
    );
    says(|file| file.header["history"][0] = json!([0.5]), "has a header that cannot be read: ");
    says(
        |file| file.header["step"] = json!(-1),
        "has a header that cannot be read: invalid value: integer `-1`",
    );
    for prefix in ["", "adam.first.", "adam.second.", "best."] {
        let name = format!("{prefix}logits.bias");
        let without = edited(&run, |file| file.tensors.retain(|tensor| tensor.0 != name));
        assert_says(read_checkpoint(&without), &format!("has no tensor {name:?}, which its network needs"));
        let undefined = edited(&run, |file| file.tensor(&name).3.copy_from_slice(&f32::NAN.to_le_bytes()));
        assert_says(read_checkpoint(&undefined), &format!("tensor {name:?} has a value that is NaN"));
    }
}

/// What every reader of these files must hold to: an answer or an error that names the file, whatever the bytes.
fn survives(bytes: &[u8]) {
    for message in [read_model(bytes).err(), read_checkpoint(bytes).err()].into_iter().flatten() {
        assert!(message.starts_with(&format!("{PATH}: ")), "{message}");
    }
}

#[test]
fn files_that_end_early_are_refused_at_every_length() {
    for (bytes, read) in [
        (model().to_bytes(), (|bytes| read_model(bytes).map(drop)) as fn(&[u8]) -> Result<(), String>),
        (checkpoint().to_bytes(), |bytes| read_checkpoint(bytes).map(drop)),
    ] {
        assert_eq!(read(&bytes), Ok(()));
        for length in 9..bytes.len() {
            assert_says(read(&bytes[..length]), "is no intact .safetensors file (");
        }
        assert_says(read(&[&bytes[..], &[0]].concat()), "is no intact .safetensors file (");
    }
}

#[test]
fn every_bit_of_a_header_can_flip() {
    for mut bytes in [model().to_bytes(), checkpoint().to_bytes()] {
        for at in 0..header_end(&bytes) {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                survives(&bytes);
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), framed in any::<bool>()) {
        // With a true length in front, more of the reader is reached.
        let bytes = if framed { [&(bytes.len() as u64).to_le_bytes()[..], &bytes].concat() } else { bytes };
        survives(&bytes);
        prop_assert!(read_model(&bytes).is_err() && read_checkpoint(&bytes).is_err());
    }

    /// Bytes of a sound file overwritten, cut out or doubled.
    #[test]
    fn a_file_may_be_damaged_in_many_places(
        of_run in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8),
    ) {
        let mut bytes = if of_run { checkpoint().to_bytes() } else { model().to_bytes() };
        for (at, value, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len() - 1))),
                _ => bytes.insert(at, value),
            }
        }
        survives(&bytes);
    }
}

#[test]
fn paths_that_hold_no_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let message = |path: &Path| {
        let messages = [Autoencoder::load(path).unwrap_err(), Checkpoint::load(path).unwrap_err()];
        let [model, checkpoint] = messages.map(|error| error.to_string());
        assert_eq!(model, checkpoint);
        model
    };
    let path = dir.path().display();
    let absent = dir.path().join("absent.safetensors");
    assert!(message(&absent).starts_with(&format!("cannot read {path}/absent.safetensors: ")));
    assert_eq!(
        message(dir.path()),
        format!("{path}: is a directory, expected a .safetensors file, for example its model.safetensors")
    );
    let into_directory = model().save(dir.path()).unwrap_err().to_string();
    assert!(into_directory.starts_with(&format!("cannot write {path}: ")), "{into_directory}");
    let into_nowhere = model().save(&absent.join("model")).unwrap_err().to_string();
    assert!(
        into_nowhere.starts_with(&format!("cannot write {path}/absent.safetensors/model: ")),
        "{into_nowhere}"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a failure leaves nothing behind");
}

/// A file without an end would be read until memory is full.
#[cfg(unix)]
#[test]
fn devices_are_not_read() {
    let message = Autoencoder::load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert_eq!(message, "/dev/zero: is no regular file, expected a .safetensors file");
}

/// A sparse file, which takes no space on the disk.
#[test]
fn files_larger_than_any_model_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.safetensors");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let message = Autoencoder::load(&path).unwrap_err().to_string();
    assert!(
        message.ends_with("has 1099511627776 bytes, more than any model of limpid (1090519040)"),
        "{message}"
    );
}
