//! The reference against TensorFlow and Keras, in f64: every layer, the loss, Adam, the whole network, ten training steps.

mod golden;

use golden::{Golden, assert_close, assert_parameters_close};
use limpid::{
    loss,
    net::{
        Activation, NetSpec, ReferenceNet, Shape,
        layers::{Conv, ConvTranspose, MaxPool},
    },
    optim::{Adam, AdamState},
};
use limpid_kernels::{activation, adam};

/// The golden values are right to half a unit in the last place of f32, `2^-24`.
const F32: f64 = 6.0e-8;

/// The settings of Adam in a file's metadata.
fn adam_of(golden: &Golden) -> Adam {
    let settings = golden.metadata("adam");
    let number = |key: &str| settings[key].as_f64().unwrap();
    Adam {
        learning_rate: number("learning_rate"),
        beta1: number("beta_1"),
        beta2: number("beta_2"),
        epsilon: number("epsilon"),
    }
}

fn coefficients(adam: &Adam) -> (f64, f64, f64, f64) {
    (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon)
}

/// Runs a convolution of either kind over a batch, forward and backward, and compares everything it computes.
macro_rules! check_convolution {
    ($golden:expr, $case:expr, $layer:expr) => {{
        let (golden, case, layer) = (&$golden, &$case, $layer);
        let tensor = |name: &str| golden.f64(&format!("{case}.{name}"));
        let (kernel, bias) = (tensor("kernel"), tensor("bias"));
        assert_eq!(golden.shape(&format!("{case}.kernel")), layer.kernel_shape(), "{case}");
        let (mut y, mut dx) = (vec![0.0; tensor("y").len()], vec![0.0; tensor("x").len()]);
        let (mut dkernel, mut dbias) = (vec![0.0; kernel.len()], vec![0.0; bias.len()]);
        let (inputs, outputs) = (layer.input().len(), layer.output().len());
        assert_eq!(tensor("x").len() / inputs, tensor("y").len() / outputs, "{case}: images");
        for (image, x) in tensor("x").chunks_exact(inputs).enumerate() {
            let (y, dx) = (&mut y[image * outputs..][..outputs], &mut dx[image * inputs..][..inputs]);
            let dy = &tensor("dy")[image * outputs..][..outputs];
            layer.forward(x, kernel, bias, y);
            layer.backward(x, kernel, y, dy, dx, &mut dkernel, &mut dbias);
        }
        for (name, values) in [("y", y), ("dx", dx), ("dkernel", dkernel), ("dbias", dbias)] {
            assert_close(&format!("{case}.{name}"), &values, tensor(name), F32);
        }
    }};
}

#[test]
fn convolutions_are_tensorflows() {
    let golden = Golden::open("conv");
    for (case, settings) in golden.cases() {
        let [_, height, width, channels] = golden.shape(&format!("{case}.x"));
        let [kernel, _, _, filters] = golden.shape(&format!("{case}.kernel"));
        let stride = settings["stride"].as_u64().unwrap() as usize;
        let input = Shape::new(height, width, channels);
        check_convolution!(golden, case, Conv::new(input, filters, kernel, stride, Activation::Linear));
    }
}

#[test]
fn transposed_convolutions_are_tensorflows() {
    let golden = Golden::open("conv_transpose");
    for (case, settings) in golden.cases() {
        let [_, height, width, channels] = golden.shape(&format!("{case}.x"));
        let [kernel, _, filters, _] = golden.shape(&format!("{case}.kernel"));
        let stride = settings["stride"].as_u64().unwrap() as usize;
        let input = Shape::new(height, width, channels);
        check_convolution!(
            golden,
            case,
            ConvTranspose::new(input, filters, kernel, stride, Activation::Linear)
        );
    }
}

#[test]
fn poolings_are_tensorflows_also_in_ties() {
    let golden = Golden::open("pool");
    for case in ["even", "odd", "odd_height", "two_by_three", "ties"] {
        let tensor = |name: &str| golden.f64(&format!("{case}.{name}"));
        let [_, height, width, channels] = golden.shape(&format!("{case}.x"));
        let layer = MaxPool::new(Shape::new(height, width, channels), 2);
        let (inputs, outputs) = (layer.input().len(), layer.output().len());
        let (mut y, mut dx) = (vec![f64::NAN; tensor("y").len()], vec![f64::NAN; tensor("x").len()]);
        for (image, x) in tensor("x").chunks_exact(inputs).enumerate() {
            let (y, dx) = (&mut y[image * outputs..][..outputs], &mut dx[image * inputs..][..inputs]);
            let mut argmax = vec![0; outputs];
            layer.forward(x, y, &mut argmax);
            layer.backward(&tensor("dy")[image * outputs..][..outputs], &argmax, dx);
        }
        assert_eq!(y, tensor("y"), "{case}.y");
        assert_eq!(dx, tensor("dx"), "{case}.dx");
    }
}

#[test]
fn activations_are_tensorflows() {
    let golden = Golden::open("activation");
    for (name, activation) in [("leaky_relu", Activation::LeakyRelu(0.1)), ("relu", Activation::Relu)] {
        let slope = activation.slope();
        for (index, &x) in golden.f64("x").iter().enumerate() {
            let y = activation::reference::forward(slope, x);
            let dx = activation::reference::backward(slope, y, 1.0);
            // Each by itself: the values reach from 1e-37 to 100.
            assert_close(&format!("{name}({x})"), &[y], &golden.f64(&format!("{name}.y"))[index..][..1], F32);
            assert_close(
                &format!("{name}'({x})"),
                &[dx],
                &golden.f64(&format!("{name}.dx"))[index..][..1],
                F32,
            );
        }
    }
}

#[test]
fn the_loss_is_tensorflows() {
    let golden = Golden::open("loss");
    let (logits, targets) = (golden.f64("logits"), golden.f64("targets"));
    let count = logits.len() as f64;
    let losses: Vec<f64> = logits.iter().zip(targets).map(|(&z, &x)| loss::mean(&[z], &[x])).collect();
    assert_close("loss", &losses, golden.f64("loss"), F32);
    let gradients: Vec<f64> = loss::mean_gradient(logits, targets).iter().map(|g| g * count).collect();
    assert_close("dlogits", &gradients, golden.f64("dlogits"), F32);
    let mean = golden.f64("loss").iter().sum::<f64>() / count;
    assert_close("mean", &[loss::mean(logits, targets)], &[mean], F32);
}

#[test]
fn adam_is_keras() {
    let golden = Golden::open("adam");
    let adam = adam_of(&golden);
    assert_eq!(adam, Adam::default(), "the defaults are Keras'");
    let mut weights = golden.f64("initial").to_vec();
    let n = weights.len();
    let (mut first, mut second) = (vec![0.0; n], vec![0.0; n]);
    let steps = golden.f64("gradients").chunks_exact(n).zip(golden.f64("weights").chunks_exact(n));
    for (index, (gradients, expected)) in steps.enumerate() {
        let step = index as i32 + 1;
        adam::reference::step(coefficients(&adam), step, gradients, &mut weights, &mut first, &mut second);
        assert_close(&format!("weights after step {step}"), &weights, expected, F32);
    }
    for (index, (&m, &v)) in first.iter().zip(&second).enumerate() {
        assert_close(&format!("m[{index}]"), &[m], &golden.f64("m")[index..][..1], F32);
        // Squares of tiny gradients are below what the file's f32 can hold.
        if v > 1e-37 {
            assert_close(&format!("v[{index}]"), &[v], &golden.f64("v")[index..][..1], F32);
        }
    }
}

#[test]
fn the_state_of_adam_in_f32_is_keras() {
    let golden = Golden::open("adam");
    let adam = adam_of(&golden);
    let mut weights = golden.f32("initial");
    let n = weights.len();
    let mut state = AdamState::new(n);
    for (gradients, expected) in
        golden.f32("gradients").chunks_exact(n).zip(golden.f64("weights").chunks_exact(n))
    {
        state.update(limpid::net::plan::Isa::best(), &adam, gradients, &mut weights);
        // Five steps of at most 1e-3: what f32 loses of 1 - beta2^t is 1e-5 of that, Keras' own difference 2.9e-8.
        assert_close(&format!("weights after step {}", state.step), &weights, expected, 5e-7);
    }
    assert_close("m", &state.first, golden.f64("m"), 1e-6);
    assert_close("v", &state.second, golden.f64("v"), 2e-5);
}

#[test]
fn the_seed_network_is_keras() {
    let golden = Golden::open("seed_network");
    let spec = NetSpec::seed();
    let net = ReferenceNet::new(&spec, spec.input).unwrap();
    let parameters = golden.parameters(net.layout(), "");
    let (clean, noisy) = (golden.f64("clean"), golden.f64("noisy"));

    for (image, pixels) in noisy.chunks_exact(784).enumerate() {
        let activations = net.forward(&parameters, pixels);
        if image == 0 {
            for (layer, output) in spec.layers.iter().zip(&activations.outputs).take(7) {
                let name = format!("act.{}", layer.name);
                assert_close(&name, output, golden.f64(&name), F32);
            }
        }
        let logits = &golden.f64("logits")[image * 784..][..784];
        assert_close("logits", activations.logits(), logits, F32);
    }

    let (loss, gradients) = net.loss_and_gradients(&parameters, noisy, clean);
    assert_close("loss", &[loss], golden.f64("loss"), 1e-14);
    let expected = golden.parameters(net.layout(), "grad.");
    assert_parameters_close("gradient", net.layout(), &gradients, &expected, F32);
}

#[test]
fn the_seed_network_in_f32_is_close_to_keras() {
    let golden = Golden::open("seed_network");
    let spec = NetSpec::seed();
    let net = ReferenceNet::new(&spec, spec.input).unwrap();
    let parameters: Vec<f32> = golden.parameters(net.layout(), "").iter().map(|&v| v as f32).collect();
    let (loss, gradients) = net.loss_and_gradients(&parameters, &golden.f32("noisy"), &golden.f32("clean"));
    assert_close("loss", &[loss], golden.f64("loss"), 1e-6);
    let expected = golden.parameters(net.layout(), "grad.");
    assert_parameters_close("gradient", net.layout(), &gradients, &expected, 1e-5);
}

#[test]
fn ten_steps_of_training_are_keras() {
    let golden = Golden::open("loss_curve");
    let adam = adam_of(&golden);
    let spec = NetSpec::seed();
    let net = ReferenceNet::new(&spec, spec.input).unwrap();
    let layout = net.layout();
    let mut parameters = Golden::open("seed_network").parameters(layout, "");
    let (mut first, mut second) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);

    let [steps, images, height, width] = golden.shape("noisy");
    // The bytes were divided by 255 in f32.
    let clean: Vec<f64> = golden.f32("clean").iter().map(|&byte| f64::from(byte / 255.0)).collect();
    let batch = images * height * width;
    for step in 0..steps {
        let pixels = step * batch..(step + 1) * batch;
        let (loss, gradients) =
            net.loss_and_gradients(&parameters, &golden.f64("noisy")[pixels.clone()], &clean[pixels]);
        assert_close(
            &format!("loss of step {}", step + 1),
            &[loss],
            &golden.f64("losses")[step..][..1],
            1e-11,
        );
        let t = step as i32 + 1;
        adam::reference::step(coefficients(&adam), t, &gradients, &mut parameters, &mut first, &mut second);
        if step == 0 {
            let expected = golden.parameters(layout, "step1.");
            assert_parameters_close("weights after the first step", layout, &parameters, &expected, F32);
        }
    }
    let expected = golden.parameters(layout, "final.");
    assert_parameters_close("weights after the last step", layout, &parameters, &expected, F32);
}
