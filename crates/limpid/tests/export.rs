//! Exported networks, executed by another implementation (rten), against our own reference in `f64`.
//!
//! Not on the smallest of images: rten 0.24 computes a transposed convolution wrongly where some of its taps only reach what the
//! pads cut off, as over a map of one pixel. The other runtimes are asked about those (`tools/onnx`).

use limpid::denoise::Autoencoder;
use limpid::export::{OnnxOptions, Part, to_onnx};
use limpid::net::{Activation, LayerKind, LayerSpec, NetSpec, Parameters, ReferenceNet, Shape};
use limpid::noise::Noise;
use proptest::prelude::*;
use prost::Message;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rten::Model;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

/// The bound of every comparison: of pixels absolute, of logits and codes by their largest value.
const TOLERANCE: f64 = 1e-5;

/// A network with random kernels and biases, of about the size that training gives.
fn model(net: NetSpec, seed: u64) -> Autoencoder {
    let mut model = Autoencoder::untrained(net, seed).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for value in model.parameters.values_mut() {
        *value += random.random_range(-0.1..0.1);
    }
    model
}

fn options(part: Part, folded: bool, logits: bool) -> OnnxOptions {
    OnnxOptions { part, folded, logits }
}

/// A batch of maps, NCHW.
struct Batch {
    images: usize,
    shape: Shape,
    values: Vec<f32>,
}

impl Batch {
    /// Images of noise.
    fn random(images: usize, (height, width): (usize, usize), random: &mut impl Rng) -> Self {
        let shape = Shape::new(height, width, 1);
        Self {
            images,
            shape,
            values: (0..images * shape.len()).map(|_| random.random_range(0.0..1.0)).collect(),
        }
    }

    fn each(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.shape.len())
    }
}

/// HWC to CHW.
fn chw(shape: Shape, values: &[f64]) -> Vec<f64> {
    let pixel = |c: usize| values.iter().skip(c).step_by(shape.channels).copied();
    (0..shape.channels).flat_map(pixel).collect()
}

/// Runs an exported network.
fn execute(bytes: &[u8], input: &Batch) -> Batch {
    let model = Model::load(bytes.to_vec()).unwrap();
    let Shape { height, width, channels } = input.shape;
    let tensor = NdTensor::from_data([input.images, channels, height, width], input.values.clone());
    let output: NdTensor<f32, 4> = model.run_one(tensor.view().into(), None).unwrap().try_into().unwrap();
    let [images, channels, height, width] = output.shape();
    Batch { images, shape: Shape::new(height, width, channels), values: output.to_vec() }
}

#[track_caller]
fn assert_close(what: &str, actual: &Batch, shape: Shape, expected: &[f64], scale: bool) {
    assert_eq!(actual.shape, shape, "{what}");
    assert_eq!(actual.values.len(), expected.len(), "{what}");
    let largest = if scale { expected.iter().fold(1.0_f64, |m, v| m.max(v.abs())) } else { 1.0 };
    let error =
        actual.values.iter().zip(expected).map(|(&a, e)| (f64::from(a) - e).abs()).fold(0.0, f64::max);
    assert!(error <= TOLERANCE * largest, "{what} on {shape}: off by {error:.2e}, largest value {largest}");
    assert!(actual.values.iter().all(|v| v.is_finite()), "{what}");
}

/// Compares one part of a model with the reference, on a batch of images.
#[track_caller]
fn compare(model: &Autoencoder, options: &OnnxOptions, bytes: &[u8], images: &Batch) {
    let net = ReferenceNet::new(&model.net, images.shape).unwrap();
    let shapes = model.net.shapes(images.shape).unwrap();
    let parameters: Vec<f64> = model.parameters.values().iter().map(|&v| v.into()).collect();
    let (mut codes, mut logits) = (Vec::new(), Vec::new());
    for image in images.each() {
        let image: Vec<f64> = image.iter().map(|&v| v.into()).collect();
        let activations = net.forward(&parameters, &image);
        if let Some(latent) = model.net.latent_index() {
            codes.extend(chw(shapes[latent], &activations.outputs[latent]));
        }
        logits.extend_from_slice(activations.logits());
    }
    let latent = model.net.latent_index().map(|latent| shapes[latent]);
    let code = || Batch {
        images: images.images,
        shape: latent.unwrap(),
        values: codes.iter().map(|&v| v as f32).collect(),
    };
    let actual = match options.part {
        Part::Decoder => execute(bytes, &code()),
        _ => execute(bytes, images),
    };
    assert_eq!(actual.images, images.images);
    let what = format!("{options:?}");
    match options.part {
        Part::Encoder => assert_close(&what, &actual, latent.unwrap(), &codes, true),
        _ if options.logits => assert_close(&what, &actual, images.shape, &logits, true),
        _ => {
            let pixels: Vec<f64> = logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
            assert_close(&what, &actual, images.shape, &pixels, false);
        }
    }
}

#[test]
fn every_part_of_the_seed_network_is_ours_at_every_size() {
    let model = model(NetSpec::seed(), 1);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let sizes = [(1, (28, 28)), (5, (28, 28)), (1, (64, 96)), (2, (8, 8)), (1, (12, 44))];
    for (part, folded, logits) in [
        (Part::Full, false, false),
        (Part::Full, true, false),
        (Part::Full, false, true),
        (Part::Full, true, true),
        (Part::Encoder, false, false),
        (Part::Decoder, false, false),
        (Part::Decoder, true, true),
    ] {
        let options = options(part, folded, logits);
        let bytes = to_onnx(&model, &options).unwrap();
        for (images, size) in sizes {
            compare(&model, &options, &bytes, &Batch::random(images, size, &mut random));
        }
    }
}

/// What the metadata of a file says, read with as little of ONNX as it takes.
fn metadata(bytes: &[u8]) -> Vec<(String, String)> {
    #[derive(Message)]
    struct File {
        #[prost(message, repeated, tag = "14")]
        metadata: Vec<Entry>,
    }
    #[derive(Message)]
    struct Entry {
        #[prost(string, tag = "1")]
        key: String,
        #[prost(string, tag = "2")]
        value: String,
    }
    File::decode(bytes).unwrap().metadata.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn entry(bytes: &[u8], key: &str) -> String {
    metadata(bytes).into_iter().find(|(found, _)| found == key).unwrap().1
}

#[test]
fn the_file_says_what_it_is_and_is_the_same_every_time() {
    let mut model = model(NetSpec::seed(), 1);
    model.noise = Noise::default();
    let export = |folded| to_onnx(&model, &options(Part::Full, folded, false)).unwrap();
    assert_eq!(export(true), export(true));
    assert_eq!(entry(&export(false), "limpid.noise"), "gaussian:0.5");
    assert_eq!(entry(&export(false), "limpid.multiple"), "4");
    assert_eq!(entry(&export(false), "limpid.minimum"), "4");
    assert_eq!(entry(&export(true), "limpid.minimum"), "8");
    let net: NetSpec = serde_json::from_str(&entry(&export(true), "limpid.network")).unwrap();
    assert_eq!(net, model.net);
}

#[test]
fn folding_saves_weights_too() {
    let model = model(NetSpec::seed(), 1);
    let [plain, folded] =
        [false, true].map(|folded| to_onnx(&model, &options(Part::Full, folded, false)).unwrap().len());
    assert!(folded < plain, "{folded} {plain}");
}

#[test]
fn what_cannot_be_exported_is_said() {
    let message =
        |net: NetSpec, options: OnnxOptions| to_onnx(&model(net, 1), &options).unwrap_err().to_string();
    let seed = NetSpec::seed();
    let nameless = NetSpec { latent: None, ..seed.clone() };
    assert!(message(nameless.clone(), options(Part::Encoder, false, false)).contains("has no line latent ="));
    assert!(message(nameless, options(Part::Decoder, true, false)).contains("has no line latent ="));
    let late = NetSpec { latent: Some("logits".into()), ..seed.clone() };
    assert!(message(late, options(Part::Decoder, false, false)).contains("nothing behind it"));
    assert!(message(seed.clone(), options(Part::Encoder, true, false)).contains("no tail to fold"));
    assert!(message(seed.clone(), options(Part::Encoder, false, true)).contains("no logits"));
    let everywhere = {
        let mut net = seed.clone();
        for layer in &mut net.layers[5..7] {
            let LayerKind::ConvTranspose { activation, .. } = &mut layer.kind else { panic!("{layer:?}") };
            *activation = Activation::Relu;
        }
        net
    };
    assert!(message(everywhere, options(Part::Full, true, false)).contains("nothing to fold"));
    let tiny = NetSpec { input: Shape::new(4, 4, 1), ..seed.clone() };
    assert!(message(tiny, options(Part::Full, true, false)).contains("borders meet"));

    // 4 -> conv of stride 3 -> 2 -> 6 -> pool of 4 -> 1 -> 4: fits by two roundings.
    let conv = |name: &str, kind| LayerSpec { name: name.into(), kind };
    let (kernel, activation) = (3, Activation::Linear);
    let rounding = NetSpec {
        name: "rounding".into(),
        input: Shape::new(4, 4, 1),
        layers: vec![
            conv("a", LayerKind::Conv { filters: 2, kernel, stride: 3, activation }),
            conv("b", LayerKind::ConvTranspose { filters: 2, kernel, stride: 3, activation }),
            conv("c", LayerKind::MaxPool { size: 4 }),
            conv("d", LayerKind::ConvTranspose { filters: 1, kernel, stride: 4, activation }),
        ],
        latent: None,
    };
    rounding.validate().unwrap();
    assert!(message(rounding, OnnxOptions::default()).contains("roundings cancel"));

    let mut foreign = model(seed.clone(), 1);
    foreign.net.layers.remove(0);
    let error = to_onnx(&foreign, &OnnxOptions::default()).unwrap_err().to_string();
    assert!(error.contains("those of another network"), "{error}");
    foreign.parameters = Parameters::glorot_uniform(&foreign.net, 1).unwrap();
    to_onnx(&foreign, &OnnxOptions::default()).unwrap();
}

/// Networks of every kind of layer, whose code is somewhere inside.
fn network() -> impl Strategy<Value = NetSpec> {
    let activation =
        || prop_oneof![Just(Activation::Linear), Just(Activation::Relu), Just(Activation::LeakyRelu(0.1))];
    let block =
        (1..=6_usize, 1..=6_usize, 1..=5_usize, 1..=5_usize, 1..=3_usize, any::<bool>(), activation());
    let block = block.prop_map(|(first, second, down, up, factor, pool, activation)| {
        let mut layers = vec![LayerKind::Conv {
            filters: first,
            kernel: down,
            stride: if pool { 1 } else { factor },
            activation,
        }];
        if pool {
            layers.push(LayerKind::MaxPool { size: factor });
        }
        layers.push(LayerKind::ConvTranspose { filters: second, kernel: up, stride: factor, activation });
        layers
    });
    let blocks = prop::collection::vec(block, 1..=2);
    (blocks, 1..=5_usize).prop_map(|(blocks, kernel)| named(blocks.into_iter().flatten(), kernel, 0))
}

/// Networks that reduce once and enlarge through a run of linear layers.
fn linear_tail() -> impl Strategy<Value = NetSpec> {
    let strides =
        prop_oneof![Just(vec![2]), Just(vec![2, 2]), Just(vec![3, 2]), Just(vec![1, 4]), Just(vec![1, 2])];
    let kernels = prop::collection::vec(1..=4_usize, 2);
    let filters = prop::collection::vec(8..=16_usize, 3);
    (strides, kernels, filters, 1..=3_usize).prop_map(|(strides, kernels, filters, last)| {
        let down =
            LayerKind::Conv { filters: filters[2], kernel: 3, stride: 1, activation: Activation::Relu };
        let pool = LayerKind::MaxPool { size: strides.iter().product() };
        let ups = strides.iter().zip(kernels).zip(filters).map(|((&stride, kernel), filters)| {
            LayerKind::ConvTranspose { filters, kernel, stride, activation: Activation::Linear }
        });
        named([down, pool].into_iter().chain(ups), last, 1)
    })
}

/// A network of these layers and a last one that gives logits.
fn named(layers: impl Iterator<Item = LayerKind>, kernel: usize, latent: usize) -> NetSpec {
    let last = LayerKind::Conv { filters: 1, kernel, stride: 1, activation: Activation::Linear };
    let layers = layers.chain([last]).enumerate();
    let layers = layers.map(|(i, kind)| LayerSpec { name: format!("layer{i}"), kind }).collect();
    let latent = Some(format!("layer{latent}"));
    let mut spec = NetSpec { name: "random".into(), input: Shape::new(1, 1, 1), layers, latent };
    let side = 8 * spec.multiple().expect("the layers balance");
    spec.input = Shape::new(side, side, 1);
    spec
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn random_networks_are_ours(net in network(), height in 3..=5_usize, width in 3..=5_usize, seed in any::<u64>()) {
        let multiple = net.multiple().unwrap();
        let model = model(net, seed);
        let images = Batch::random(2, (height * multiple, width * multiple), &mut ChaCha8Rng::seed_from_u64(seed));
        for part in Part::ALL {
            let options = options(part, false, part != Part::Encoder);
            compare(&model, &options, &to_onnx(&model, &options).unwrap(), &images);
        }
    }

    #[test]
    fn random_tails_are_folded_exactly(net in linear_tail(), height in 0..=2_usize, width in 0..=2_usize, seed in any::<u64>()) {
        let multiple = net.multiple().unwrap();
        let model = model(net, seed);
        let options = options(Part::Full, true, true);
        match to_onnx(&model, &options) {
            Ok(bytes) => {
                // From the smallest images that the file promises to take.
                let minimum: usize = entry(&bytes, "limpid.minimum").parse().unwrap();
                let size = (minimum + height * multiple, minimum + width * multiple);
                let images = Batch::random(2, size, &mut ChaCha8Rng::seed_from_u64(seed));
                compare(&model, &options, &bytes, &images);
            }
            Err(error) => prop_assert!(error.to_string().ends_with("leave it out"), "{error}"),
        }
    }
}
