//! Every gradient of the reference against central finite differences, in f64, over random shapes and networks.
//!
//! Rectifiers and poolings have kinks, where a difference quotient means nothing. Moving one parameter moves the inputs of
//! the layer's activations along straight lines, and with them everything behind, as long as no activation changes sign
//! and no maximum its place: the values of a parameter that keep such a pattern form an interval. So equal patterns at
//! both ends prove that there is no kink between. The other differences are left out, and must be few.

use limpid::{
    loss,
    net::{
        Activation, Activations, LayerKind, LayerSpec, NetSpec, Parameters, ReferenceNet, Shape,
        layers::Layer,
    },
};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Half the distance of a difference quotient: so small that few kinks lie between, so large that the rounding of the
/// function's value, some 1e-14, costs the quotient no more than 1e-8.
const H: f64 = 1e-6;

/// Uniform values in `[-scale, scale)`.
fn random(rng: &mut ChaCha8Rng, len: usize, scale: f64) -> Vec<f64> {
    (0..len).map(|_| scale * (f64::from(rng.next_u32()) / f64::from(1_u32 << 31) - 1.0)).collect()
}

/// The value of a function and which side of each of its kinks it is on.
struct Sample {
    value: f64,
    pattern: Vec<u8>,
}

/// Compares at most 32 of the derivatives with respect to `point` with difference quotients of `function`. Returns how many
/// there were, and how many of them had no kink between.
fn check(
    what: &str,
    point: &[f64],
    gradient: &[f64],
    mut function: impl FnMut(&[f64]) -> Sample,
) -> Result<(usize, usize), TestCaseError> {
    let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    let mut moved = point.to_vec();
    let (mut all, mut smooth) = (0, 0);
    for index in (0..point.len()).step_by(point.len().div_ceil(32).max(1)) {
        moved[index] = point[index] + H;
        let above = function(&moved);
        moved[index] = point[index] - H;
        let below = function(&moved);
        moved[index] = point[index];
        all += 1;
        if above.pattern != below.pattern {
            continue;
        }
        smooth += 1;
        let quotient = (above.value - below.value) / (2.0 * H);
        let error = (gradient[index] - quotient).abs();
        prop_assert!(
            error <= 1e-6 * largest + 1e-8,
            "{what}[{index}]: gradient {}, difference quotient {quotient}",
            gradient[index]
        );
    }
    Ok((all, smooth))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Which side of each kink a layer's output is on: signs behind a rectifier, places of maxima.
fn pattern<'a>(layer: &Layer, y: &'a [f64], argmax: &'a [u8]) -> Vec<u8> {
    let rectified = match layer {
        Layer::Conv(conv) => conv.activation.slope() != 1.0,
        Layer::ConvTranspose(conv) => conv.activation.slope() != 1.0,
        Layer::Dense(dense) => dense.activation.slope() != 1.0,
        Layer::MaxPool(_) => return argmax.to_vec(),
    };
    if rectified { y.iter().map(|&y| u8::from(y > 0.0)).collect() } else { Vec::new() }
}

fn activations() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Linear), Just(Activation::Relu), (0.0..=1.0).prop_map(Activation::LeakyRelu),]
}

fn layer_kinds() -> impl Strategy<Value = LayerKind> {
    let sizes = || (1..=4_usize, 1..=5_usize, 1..=3_usize, activations());
    prop_oneof![
        sizes().prop_map(|(filters, kernel, stride, activation)| LayerKind::Conv {
            filters,
            kernel,
            stride,
            activation
        }),
        sizes().prop_map(|(filters, kernel, stride, activation)| LayerKind::ConvTranspose {
            filters,
            kernel,
            stride,
            activation
        }),
        (1..=3_usize).prop_map(|size| LayerKind::MaxPool { size }),
        sizes().prop_map(|(channels, height, width, activation)| LayerKind::Dense {
            output: Shape::new(height, width, channels),
            activation
        }),
    ]
}

/// A layer's forward pass: output and places of maxima.
fn forward(layer: &Layer, x: &[f64], kernel: &[f64], bias: &[f64]) -> (Vec<f64>, Vec<u8>) {
    let mut y = vec![0.0; layer.output().len()];
    let mut argmax = Vec::new();
    match layer {
        Layer::Conv(conv) => conv.forward(x, kernel, bias, &mut y),
        Layer::ConvTranspose(conv) => conv.forward(x, kernel, bias, &mut y),
        Layer::Dense(dense) => dense.forward(x, kernel, bias, &mut y),
        Layer::MaxPool(pool) => {
            argmax = vec![0; y.len()];
            pool.forward(x, &mut y, &mut argmax);
        }
    }
    (y, argmax)
}

/// Networks whose reductions and enlargements balance, with an image of a size that they take.
fn networks() -> impl Strategy<Value = NetSpec> {
    let stage = (any::<bool>(), 2..=3_usize, 1..=4_usize, 1..=4_usize, activations(), activations());
    (prop::collection::vec(stage, 0..=2), 1..=2_usize, 1..=3_usize, 1..=5_usize).prop_map(
        |(stages, rows, columns, last_kernel)| {
            let (mut layers, mut factor) = (Vec::new(), 1);
            for &(pools, size, filters, kernel, down, _) in &stages {
                factor *= size;
                let stride = if pools { 1 } else { size };
                layers.push(LayerKind::Conv { filters, kernel, stride, activation: down });
                if pools {
                    layers.push(LayerKind::MaxPool { size });
                }
            }
            for &(_, stride, filters, kernel, _, activation) in stages.iter().rev() {
                layers.push(LayerKind::ConvTranspose { filters, kernel, stride, activation });
            }
            let activation = Activation::Linear;
            layers.push(LayerKind::Conv { filters: 1, kernel: last_kernel, stride: 1, activation });
            let named = |(index, kind)| LayerSpec { name: format!("layer{index}"), kind };
            NetSpec {
                name: "random".into(),
                input: Shape::new(rows * factor, columns * factor, 1),
                layers: layers.into_iter().enumerate().map(named).collect(),
                latent: None,
            }
        },
    )
}

proptest! {
    // A value that happens to be at a kink can rob a case of many differences. Such cases are drawn again, but must be rare.
    #![proptest_config(ProptestConfig { max_global_rejects: 10, ..ProptestConfig::default() })]

    #[test]
    fn gradients_of_every_layer(
        kind in layer_kinds(), height in 3..=7_usize, width in 3..=7_usize, channels in 1..=3_usize, seed: u64,
    ) {
        let layer = Layer::new(kind, Shape::new(height, width, channels));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = random(&mut rng, layer.input().len(), 1.0);
        let kernel = random(&mut rng, layer.kernel_shape().map_or(0, |shape| shape.iter().product()), 1.0);
        let bias = random(&mut rng, layer.parameters() - kernel.len(), 1.0);
        let dy = random(&mut rng, layer.output().len(), 1.0);

        let (y, argmax) = forward(&layer, &x, &kernel, &bias);
        // What stood in dx is overwritten; kernel and bias gradients are added to.
        let mut dx = vec![f64::NAN; x.len()];
        let (mut dkernel, mut dbias) = (vec![1.0; kernel.len()], vec![1.0; bias.len()]);
        match &layer {
            Layer::Conv(conv) => conv.backward(&x, &kernel, &y, &dy, &mut dx, &mut dkernel, &mut dbias),
            Layer::ConvTranspose(conv) => conv.backward(&x, &kernel, &y, &dy, &mut dx, &mut dkernel, &mut dbias),
            Layer::Dense(dense) => dense.backward(&x, &kernel, &y, &dy, &mut dx, &mut dkernel, &mut dbias),
            Layer::MaxPool(pool) => pool.backward(&dy, &argmax, &mut dx),
        }
        dkernel.iter_mut().chain(&mut dbias).for_each(|g| *g -= 1.0);

        let sample = |x: &[f64], kernel: &[f64], bias: &[f64]| {
            let (y, argmax) = forward(&layer, x, kernel, bias);
            Sample { value: dot(&y, &dy), pattern: pattern(&layer, &y, &argmax) }
        };
        let counts = [
            check("dx", &x, &dx, |x| sample(x, &kernel, &bias))?,
            check("dkernel", &kernel, &dkernel, |kernel| sample(&x, kernel, &bias))?,
            check("dbias", &bias, &dbias, |bias| sample(&x, &kernel, bias))?,
        ];
        let (all, smooth) = counts.iter().fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
        prop_assume!(smooth * 10 >= all * 9);
    }

    #[test]
    fn gradients_of_whole_networks(spec in networks(), images in 1..=2_usize, seed: u64) {
        let net = ReferenceNet::new(&spec, spec.input).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters: Vec<f64> = Parameters::glorot_uniform(&spec, seed).unwrap().values().iter().map(|&v| v.into()).collect();
        // Biases too, so that rectifiers are not all at their kink where the input is.
        for (parameter, noise) in parameters.iter_mut().zip(random(&mut rng, net.layout().len(), 0.2)) {
            *parameter += noise;
        }
        let pixels = images * spec.input.len();
        let noisy: Vec<f64> = random(&mut rng, pixels, 0.5).iter().map(|v| v + 0.5).collect();
        let clean: Vec<f64> = random(&mut rng, pixels, 0.5).iter().map(|v| v + 0.5).collect();

        let (loss, gradients) = net.loss_and_gradients(&parameters, &noisy, &clean);
        let sample = |parameters: &[f64]| {
            let activations: Vec<Activations<f64>> =
                noisy.chunks_exact(spec.input.len()).map(|image| net.forward(parameters, image)).collect();
            let logits: Vec<f64> = activations.iter().flat_map(Activations::logits).copied().collect();
            let patterns = activations.iter().flat_map(|a| {
                net.layers().iter().zip(&a.outputs).zip(&a.argmax).flat_map(|((layer, y), argmax)| pattern(layer, y, argmax))
            });
            Sample { value: loss::mean(&logits, &clean), pattern: patterns.collect() }
        };
        prop_assert_eq!(loss, sample(&parameters).value);

        let (mut all, mut smooth) = (0, 0);
        for tensor in net.layout().tensors() {
            let range = tensor.range.clone();
            let counts = check(&tensor.name, &parameters[range.clone()], &gradients[range.clone()], |values| {
                let mut moved = parameters.clone();
                moved[range.clone()].copy_from_slice(values);
                sample(&moved)
            })?;
            (all, smooth) = (all + counts.0, smooth + counts.1);
        }
        prop_assume!(smooth * 10 >= all * 9);
    }

    #[test]
    fn gradients_of_the_loss(logits in prop::collection::vec(-30.0..30.0, 1..20), seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let targets: Vec<f64> = random(&mut rng, logits.len(), 0.5).iter().map(|v| v + 0.5).collect();
        let gradient = loss::mean_gradient(&logits, &targets);
        // The loss itself is smooth; max(z, 0) and |z| in its formula cancel each other's kinks.
        let sample = |logits: &[f64]| Sample { value: loss::mean(logits, &targets), pattern: Vec::new() };
        check("dlogits", &logits, &gradient, sample)?;
    }
}
