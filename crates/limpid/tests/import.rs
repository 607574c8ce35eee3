//! Weights of Keras and PyTorch: real files of both, what they give, and what is refused.

mod golden;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use golden::Golden;
use limpid::denoise::Autoencoder;
use limpid::import::{import, import_bytes};
use limpid::net::{LayerKind, LayerSpec, NetSpec};
use limpid::noise::Noise;
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn seed(bytes: Vec<u8>) -> limpid::Result<Autoencoder> {
    import_bytes(bytes, Path::new("x"), NetSpec::seed(), Noise::default())
}

#[track_caller]
fn refusal(bytes: Vec<u8>) -> String {
    let message = seed(bytes).unwrap_err().to_string();
    assert!(message.starts_with("x: "), "{message}");
    message
}

/// The model's logits for the digits that the other program was given, beside what it made of them.
#[track_caller]
fn assert_same_logits(model: &Autoencoder, expected: &str) {
    let noisy = Golden::open("seed_network").f32("noisy");
    let file = bytes(expected);
    let file = SafeTensors::deserialize(&file).unwrap();
    let expected: Vec<f32> =
        file.tensor("logits").unwrap().data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    assert_eq!(expected.len(), noisy.len());
    let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(largest > 0.03, "logits of {largest} would prove little");
    let plan = model.plan((28, 28)).unwrap();
    let mut workspace = plan.workspace();
    for (noisy, expected) in noisy.chunks_exact(784).zip(expected.chunks_exact(784)) {
        workspace.set_input(noisy);
        plan.forward(&mut workspace);
        for (ours, theirs) in workspace.logits().to_vec().iter().zip(expected) {
            assert!((ours - theirs).abs() <= 1e-5 * largest, "{ours} {theirs}");
        }
    }
}

#[test]
fn the_weights_of_keras_give_its_logits() {
    let model = import(&fixture("keras.weights.h5"), NetSpec::seed(), Noise::default()).unwrap();
    assert_same_logits(&model, "keras.expected.safetensors");
    assert_eq!((model.training, model.noise), (None, Noise::default()));
}

#[test]
fn the_weights_of_pytorch_give_its_logits() {
    let model = import(&fixture("torch.safetensors"), NetSpec::seed(), Noise::default()).unwrap();
    assert_same_logits(&model, "torch.expected.safetensors");
}

/// The tensors of PyTorch's file, changed.
fn torch(change: impl Fn(&mut HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>)) -> Vec<u8> {
    let file = bytes("torch.safetensors");
    let file = SafeTensors::deserialize(&file).unwrap();
    let tensors = file
        .iter()
        .map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())));
    let mut tensors = tensors.collect();
    change(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn pytorch_may_call_the_layers_by_number_and_put_a_prefix_in_front() {
    let expected = seed(bytes("torch.safetensors")).unwrap();
    let numbers =
        [("conv1", 0), ("conv2", 3), ("conv3", 6), ("upsample1", 8), ("upsample2", 9), ("logits", 10)];
    for prefix in ["", "module.", "net.layers."] {
        let renamed = |by_number: bool| {
            torch(|tensors| {
                *tensors = std::mem::take(tensors)
                    .into_iter()
                    .map(|(name, tensor)| {
                        let (layer, role) = name.split_once('.').unwrap();
                        let number = numbers.iter().find(|(name, _)| *name == layer).unwrap().1.to_string();
                        let layer = if by_number { &number } else { layer };
                        (format!("{prefix}{layer}.{role}"), tensor)
                    })
                    .collect();
            })
        };
        for by_number in [false, true] {
            assert_eq!(seed(renamed(by_number)).unwrap(), expected, "{prefix:?} {by_number}");
        }
    }
}

#[test]
fn files_of_another_network_are_refused() {
    let with_filters = |filters: usize| {
        let mut net = NetSpec::seed();
        let LayerKind::Conv { filters: of_conv2, .. } = &mut net.layers[2].kind else { panic!("conv2") };
        *of_conv2 = filters;
        net
    };
    let message =
        |file: &str, net: NetSpec| import(&fixture(file), net, Noise::default()).unwrap_err().to_string();
    let found = message("keras.weights.h5", with_filters(16));
    assert!(
        found.contains(
            "conv2d_1/vars/0 has the shape [3, 3, 32, 32], the kernel of layer \"conv2\" needs [3, 3, 32, 16]"
        ),
        "{found}"
    );
    let found = message("torch.safetensors", with_filters(16));
    assert!(
        found.contains(
            "tensor \"conv2.weight\" is F32 of shape [32, 32, 3, 3], conv2.kernel needs F32 of shape [16, 32, 3, 3]"
        ),
        "{found}"
    );

    // A layer less, a layer more.
    let mut fewer = NetSpec { latent: None, ..NetSpec::seed() };
    fewer.layers.retain(|layer| layer.name != "encoding" && layer.name != "upsample2");
    let found = message("keras.weights.h5", fewer.clone());
    assert!(found.contains("also has weights \"conv2d_transpose_1\""), "{found}");
    let found = message("torch.safetensors", fewer);
    assert!(found.contains("also has upsample2.bias, upsample2.weight, for which"), "{found}");
    let mut more = NetSpec::seed();
    let LayerKind::ConvTranspose { stride, .. } = &mut more.layers[5].kind else { panic!("upsample1") };
    *stride = 1;
    more.layers.insert(5, LayerSpec { name: "extra".into(), ..NetSpec::seed().layers[5].clone() });
    let found = message("keras.weights.h5", more.clone());
    assert!(
        found.contains(
            "has no weights \"conv2d_transpose_2\" for layer \"upsample2\"; it has conv2d, conv2d_1"
        ),
        "{found}"
    );
    let found = message("torch.safetensors", more);
    assert!(found.contains("for the 7 layers") && found.contains("it has conv1.bias, "), "{found}");
}

#[test]
fn each_fault_has_its_message() {
    assert!(refusal(vec![]).contains("is empty"));
    assert!(refusal(b"PK\x03\x04....".to_vec()).contains("is a zip archive"));
    assert!(refusal(b"\x80\x02}q\x00.".to_vec()).contains("Python pickle"));
    assert!(refusal(b"something else".to_vec()).contains("is neither"));
    let ours = Autoencoder::untrained(NetSpec::seed(), 1).unwrap();
    assert!(refusal(ours.to_bytes()).contains("was written by limpid"));
    for file in ["keras.weights.h5", "torch.safetensors"] {
        let whole = bytes(file);
        assert!(refusal(whole[..whole.len() / 2].to_vec()).contains("was it copied whole?"), "{file}");
    }
    let nan = torch(|tensors| {
        tensors.get_mut("logits.bias").unwrap().2 = f32::NAN.to_le_bytes().to_vec();
    });
    assert!(refusal(nan).contains("for logits.bias includes a value that is not finite"));
    let half = torch(|tensors| {
        let tensor = tensors.get_mut("conv1.bias").unwrap();
        *tensor = (Dtype::F16, vec![32], vec![0; 64]);
    });
    assert!(refusal(half).contains("\"conv1.bias\" is F16 of shape [32], conv1.bias needs F32"));
    let without_bias = torch(|tensors| {
        tensors.remove("conv3.bias");
    });
    assert!(
        refusal(without_bias)
            .contains("has no tensor \"conv3.bias\", for conv3.bias (layers need bias=True)")
    );
    let missing = import(Path::new("no-such.h5"), NetSpec::seed(), Noise::default()).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read no-such.h5"), "{missing}");
    let folder = import(&fixture(""), NetSpec::seed(), Noise::default()).unwrap_err().to_string();
    assert!(folder.contains("is no regular file"), "{folder}");
}

#[test]
fn a_value_of_keras_that_is_not_finite_is_refused() {
    let mut file = bytes("keras.weights.h5");
    // The bias of the last layer, by its value.
    let model = seed(file.clone()).unwrap();
    let bias = model.parameters.tensor("logits.bias").unwrap()[0].to_le_bytes();
    let at: Vec<usize> = (0..file.len() - 3).filter(|&at| file[at..at + 4] == bias).collect();
    assert_eq!(at.len(), 1);
    file[at[0]..at[0] + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert!(refusal(file).contains("for logits.bias includes a value that is not finite"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Whatever is wrong with a file, it is read or refused, and what is read is finite.
    #[test]
    fn damaged_files_do_no_harm(
        keras in any::<bool>(),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        bytes_changed in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..40),
    ) {
        let mut file = bytes(if keras { "keras.weights.h5" } else { "torch.safetensors" });
        for (at, byte, in_structure) in bytes_changed {
            // Most of a file is weights; half of the changes go to what describes them.
            let end = if in_structure { file.len().min(4096) } else { file.len() };
            let at = at.index(end);
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Ok(model) = seed(file) {
            prop_assert!(model.parameters.values().iter().all(|v| v.is_finite()));
        }
    }
}
