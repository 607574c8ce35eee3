//! The fast plan against Keras and against the reference, on every instruction set that this CPU has.

mod golden;

use golden::{Golden, assert_close, assert_parameters_close};
use limpid::net::plan::{Isa, Plan, Purpose};
use limpid::net::{Activation, LayerKind, LayerSpec, NetSpec, Parameters, ReferenceNet, Shape};
use limpid::optim::{Adam, AdamState};
use proptest::prelude::*;

/// Mean loss and gradient of a batch, as `ReferenceNet::loss_and_gradients` gives them.
fn loss_and_gradients(plan: &Plan, parameters: &[f32], noisy: &[f32], clean: &[f32]) -> (f64, Vec<f32>) {
    let pixels = plan.shape().len();
    let mut workspace = plan.workspace();
    let mut sums = vec![0.0; plan.gradient_len()];
    let mut loss = 0.0;
    for (noisy, target) in noisy.chunks_exact(pixels).zip(clean.chunks_exact(pixels)) {
        workspace.set_input(noisy);
        plan.forward(&mut workspace);
        loss += plan.loss(&workspace, target);
        plan.backward(&mut workspace, target, 1.0 / clean.len() as f32, &mut sums);
    }
    let mut gradient = vec![f32::NAN; parameters.len()];
    plan.finish_gradient(parameters, &sums, &mut gradient);
    (loss / clean.len() as f64, gradient)
}

#[test]
fn the_seed_network_is_keras() {
    let golden = Golden::open("seed_network");
    let spec = NetSpec::seed();
    for isa in Isa::available() {
        let mut plan = Plan::new(&spec, (28, 28), isa, Purpose::Training).unwrap();
        let parameters: Vec<f32> = golden.parameters(plan.layout(), "").iter().map(|&v| v as f32).collect();
        plan.set_parameters(&parameters);
        let (clean, noisy) = (golden.f32("clean"), golden.f32("noisy"));

        let mut workspace = plan.workspace();
        for (image, pixels) in noisy.chunks_exact(784).enumerate() {
            workspace.set_input(pixels);
            plan.forward(&mut workspace);
            if image == 0 {
                for (index, layer) in spec.layers.iter().enumerate().take(7) {
                    let Some(activation) = workspace.activation(index) else { continue };
                    let name = format!("act.{}", layer.name);
                    // Winograd's transforms round more than direct sums, by which it would be 1e-6.
                    assert_close(&name, &activation.to_vec(), golden.f64(&name), 3e-6);
                }
                assert!(
                    workspace.activation(4).is_some() && workspace.activation(5).is_none(),
                    "the tail is folded"
                );
            }
            let of_image = |name| &golden.f64(name)[image * 784..][..784];
            assert_close("logits", &workspace.logits().to_vec(), of_image("logits"), 3e-6);
            let mut reconstruction = vec![0.0; 784];
            plan.reconstruction(&workspace, &mut reconstruction);
            assert_close("recon", &reconstruction, of_image("recon"), 2e-6);
        }

        let (loss, gradients) = loss_and_gradients(&plan, &parameters, &noisy, &clean);
        assert_close("loss", &[loss], golden.f64("loss"), 1e-7);
        let expected = golden.parameters(plan.layout(), "grad.");
        assert_parameters_close(&format!("{isa} gradient"), plan.layout(), &gradients, &expected, 5e-6);
    }
}

#[test]
fn ten_steps_of_training_are_keras() {
    let golden = Golden::open("loss_curve");
    let start = Golden::open("seed_network");
    for isa in Isa::available() {
        let mut plan = Plan::new(&NetSpec::seed(), (28, 28), isa, Purpose::Training).unwrap();
        let mut parameters: Vec<f32> =
            start.parameters(plan.layout(), "").iter().map(|&v| v as f32).collect();
        let mut adam = AdamState::new(parameters.len());
        let [steps, images, height, width] = golden.shape("noisy");
        let batch = images * height * width;
        let noisy = golden.f32("noisy");
        let clean: Vec<f32> = golden.f32("clean").iter().map(|byte| byte / 255.0).collect();
        for step in 0..steps {
            let pixels = step * batch..(step + 1) * batch;
            plan.set_parameters(&parameters);
            let (loss, gradients) =
                loss_and_gradients(&plan, &parameters, &noisy[pixels.clone()], &clean[pixels]);
            // Adam's steps are as long for tiny gradients as for large ones, so rounding is amplified from step to step:
            // Keras in f32 is itself off by 3.3e-6.
            let what = format!("{isa}: loss of step {}", step + 1);
            assert_close(&what, &[loss], &golden.f64("losses")[step..][..1], 5e-6);
            adam.update(isa, &Adam::default(), &gradients, &mut parameters);
        }
    }
}

/// Networks that reach what the seed network does not: other sizes, strides, kernels, channels and orders of layers.
fn network() -> impl Strategy<Value = NetSpec> {
    let filters = || prop_oneof![1..=5_usize, Just(16), Just(20), Just(32)];
    let activation =
        || prop_oneof![Just(Activation::Linear), Just(Activation::Relu), Just(Activation::LeakyRelu(0.1))];
    let plain = (filters(), 1..=5_usize, activation()).prop_map(|(filters, kernel, activation)| {
        vec![LayerKind::Conv { filters, kernel, stride: 1, activation }]
    });
    // Down and up again by the same factor, so that the output has the input's size.
    let down_and_up = (filters(), filters(), 1..=4_usize, 2..=3_usize, any::<bool>(), activation()).prop_map(
        |(first, second, kernel, factor, pool, activation)| {
            let down = if pool {
                vec![
                    LayerKind::Conv { filters: first, kernel, stride: 1, activation },
                    LayerKind::MaxPool { size: factor },
                ]
            } else {
                vec![LayerKind::Conv { filters: first, kernel, stride: factor, activation }]
            };
            let up = LayerKind::ConvTranspose { filters: second, kernel, stride: factor, activation };
            down.into_iter().chain([up]).collect()
        },
    );
    let blocks = prop::collection::vec(prop_oneof![plain, down_and_up], 0..=3);
    (blocks, 1..=5_usize, 1..=3_usize, 1..=3_usize).prop_map(|(blocks, kernel, height, width)| {
        let last = LayerKind::Conv { filters: 1, kernel, stride: 1, activation: Activation::Linear };
        let layers = blocks.into_iter().flatten().chain([last]).enumerate();
        let layers = layers.map(|(i, kind)| LayerSpec { name: format!("layer{i}"), kind }).collect();
        let mut spec = NetSpec { name: "random".into(), input: Shape::new(1, 1, 1), layers, latent: None };
        let multiple = spec.multiple().expect("the blocks balance");
        spec.input = Shape::new(height * multiple, width * multiple, 1);
        spec
    })
}

/// Networks that reduce once and then enlarge through a run of linear layers, which the plan may fold: any kernels, strides
/// that multiply to the reduction, convolutions in between.
fn linear_run() -> impl Strategy<Value = NetSpec> {
    let strides = prop_oneof![
        Just(vec![2]),
        Just(vec![2, 2]),
        Just(vec![3, 2]),
        Just(vec![1, 4]),
        Just(vec![2, 1, 3]),
        Just(vec![])
    ];
    let between = prop::collection::vec(prop::option::of((1..=5_usize, 1..=4_usize)), 4);
    let ups = prop::collection::vec((1..=5_usize, 1..=6_usize), 3);
    (strides, between, ups, 1..=4_usize, 1..=4_usize, 1..=20_usize).prop_map(
        |(strides, between, ups, height, width, code)| {
            let activation = Activation::Linear;
            let factor = strides.iter().product::<usize>();
            let mut kinds = vec![LayerKind::Conv {
                filters: code,
                kernel: 3,
                stride: factor,
                activation: Activation::LeakyRelu(0.1),
            }];
            let mut between = between.into_iter();
            let mut conv = |kinds: &mut Vec<LayerKind>| {
                if let Some(Some((kernel, filters))) = between.next() {
                    kinds.push(LayerKind::Conv { filters, kernel, stride: 1, activation });
                }
            };
            conv(&mut kinds);
            for (stride, (kernel, filters)) in strides.into_iter().zip(ups) {
                kinds.push(LayerKind::ConvTranspose { filters, kernel, stride, activation });
                conv(&mut kinds);
            }
            kinds.push(LayerKind::Conv { filters: 1, kernel: 3, stride: 1, activation });
            let layers = kinds.into_iter().enumerate();
            let layers = layers.map(|(i, kind)| LayerSpec { name: format!("layer{i}"), kind }).collect();
            let input = Shape::new(height * factor, width * factor, 1);
            NetSpec { name: "linear run".into(), input, layers, latent: None }
        },
    )
}

/// Dense layers alone, between convolutions, and behind a pool.
fn dense_network() -> impl Strategy<Value = NetSpec> {
    let activation =
        prop_oneof![Just(Activation::Linear), Just(Activation::Relu), Just(Activation::LeakyRelu(0.1))];
    let layers = (1..=40_usize, 1..=5_usize, any::<bool>(), any::<bool>(), activation);
    (layers, 1..=4_usize, 1..=4_usize).prop_map(
        |((units, filters, conv, ends_dense, activation), height, width)| {
            let input = Shape::new(2 * height, 2 * width, 1);
            let mut kinds = Vec::new();
            if conv {
                kinds.push(LayerKind::Conv { filters, kernel: 3, stride: 1, activation });
                kinds.push(LayerKind::MaxPool { size: 2 });
            }
            kinds.push(LayerKind::Dense { output: Shape::new(1, 1, units), activation });
            if ends_dense {
                kinds.push(LayerKind::Dense { output: input, activation: Activation::Linear });
            } else {
                kinds.push(LayerKind::Dense { output: Shape::new(height, width, filters), activation });
                let activation = Activation::Linear;
                kinds.push(LayerKind::ConvTranspose { filters: 1, kernel: 3, stride: 2, activation });
            }
            let named = |(i, kind)| LayerSpec { name: format!("layer{i}"), kind };
            let layers = kinds.into_iter().enumerate().map(named).collect();
            NetSpec { name: "dense".into(), input, layers, latent: None }
        },
    )
}

/// Loss and gradients of a plan on every instruction set against the reference in f64, for images and biases that reach every
/// term.
fn check_against_the_reference(spec: &NetSpec, seed: u64) -> Result<(), TestCaseError> {
    let net = ReferenceNet::new(spec, spec.input).unwrap();
    let mut parameters = Parameters::glorot_uniform(spec, seed).unwrap();
    // Biases that are not zero.
    let biases = parameters.layout().tensors().iter().filter(|t| t.shape.len() == 1).map(|t| t.range.clone());
    for (i, at) in biases.collect::<Vec<_>>().into_iter().flatten().enumerate() {
        parameters.values_mut()[at] = 0.05 * ((i % 5) as f32 - 2.0);
    }
    let pixels = 2 * spec.input.len();
    let images = |offset: usize| -> Vec<f32> {
        let value = |i: usize| (i * 7919 + offset * 104_729 + seed as usize * 31) % 1009;
        (0..pixels).map(|i| value(i) as f32 / 1009.0).collect()
    };
    let (noisy, clean) = (images(1), images(2));
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let (want_loss, want) = net.loss_and_gradients(&wide(parameters.values()), &wide(&noisy), &wide(&clean));
    // A sum within rounding of a kink or of another maximum takes another branch in f32: such cases say nothing.
    let (_, in_f32) = net.loss_and_gradients(parameters.values(), &noisy, &clean);
    let largest = want.iter().fold(1e-3_f64, |m, v| m.max(v.abs()));
    prop_assume!(in_f32.iter().zip(&want).all(|(&a, b)| (f64::from(a) - b).abs() < 1e-5 * largest));
    for isa in Isa::available() {
        let size = (spec.input.height, spec.input.width);
        let mut plan = Plan::new(spec, size, isa, Purpose::Training).unwrap();
        plan.set_parameters(parameters.values());
        let (loss, gradients) = loss_and_gradients(&plan, parameters.values(), &noisy, &clean);
        prop_assert!((loss - want_loss).abs() < 1e-6, "{isa}: loss {loss}, not {want_loss}");
        for (i, (&got, &want)) in gradients.iter().zip(&want).enumerate() {
            let error = (f64::from(got) - want).abs();
            prop_assert!(
                error < 2e-5 * largest,
                "{isa}: gradient {i} is {got}, not {want}; largest {largest}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn runs_of_linear_layers_are_the_reference(spec in linear_run(), seed in 0..1000_u64) {
        check_against_the_reference(&spec, seed)?;
    }

    #[test]
    fn dense_layers_are_the_reference(spec in dense_network(), seed in 0..1000_u64) {
        check_against_the_reference(&spec, seed)?;
    }

    #[test]
    fn every_network_is_the_reference(spec in network(), seed in 0..1000_u64) {
        check_against_the_reference(&spec, seed)?;
    }
}

#[test]
fn the_seed_networks_tail_is_folded() {
    let spec = NetSpec::seed();
    let explanation = Plan::new(&spec, (28, 28), Isa::SCALAR, Purpose::Inference).unwrap().explain(&spec);
    let tail = explanation.steps.last().unwrap();
    assert_eq!(tail.layers, ["upsample1", "upsample2", "logits"]);
    assert_eq!(
        tail.execution,
        "folded to 9x9, stride 4: 16 phases, Winograd F(4x4, 3x3), 55 border pixels apart"
    );
    // 4 tiles x 36 x 32 x 16 and, with at most three by three inputs, 16 k terms of the border: instead of 2.48 M.
    assert!((73_728..90_000).contains(&tail.macs), "{}", tail.macs);
    assert_eq!(explanation.described_macs, 4_967_424);
}

#[test]
fn what_is_not_less_work_folded_is_not_folded() {
    let conv = |name: &str, filters| LayerSpec {
        name: name.into(),
        kind: LayerKind::Conv { filters, kernel: 5, stride: 1, activation: Activation::Linear },
    };
    let input = Shape::new(12, 12, 1);
    let layers = vec![conv("wide", 8), conv("as_wide", 8), conv("logits", 1)];
    let spec = NetSpec { name: "plain".into(), input, layers, latent: None };
    let explanation = Plan::new(&spec, (12, 12), Isa::SCALAR, Purpose::Inference).unwrap().explain(&spec);
    // One to eight to eight to one channel: all three together are 13 x 13 products per pixel instead of 2,000.
    assert_eq!(explanation.steps.len(), 1);
    let layers = vec![
        conv("wide", 8),
        LayerSpec {
            name: "kept".into(),
            kind: LayerKind::Conv { filters: 8, kernel: 5, stride: 1, activation: Activation::Relu },
        },
        conv("logits", 1),
    ];
    let spec = NetSpec { layers, ..spec };
    let explanation = Plan::new(&spec, (12, 12), Isa::SCALAR, Purpose::Inference).unwrap().explain(&spec);
    assert_eq!(explanation.steps.len(), 3, "an activation ends a run: {explanation}");
}

#[test]
fn a_plan_for_inference_gives_the_same_logits() {
    let spec = NetSpec::seed();
    let parameters = Parameters::glorot_uniform(&spec, 3).unwrap();
    let image: Vec<f32> = (0..64 * 96).map(|i| (i % 97) as f32 / 97.0).collect();
    let logits = |purpose| {
        let mut plan = Plan::new(&spec, (64, 96), Isa::best(), purpose).unwrap();
        plan.set_parameters(parameters.values());
        let mut workspace = plan.workspace();
        workspace.set_input(&image);
        plan.forward(&mut workspace);
        workspace.logits().to_vec()
    };
    assert_eq!(logits(Purpose::Inference), logits(Purpose::Training));
}

#[test]
fn a_size_that_the_network_does_not_take_is_refused() {
    let message =
        Plan::new(&NetSpec::seed(), (30, 30), Isa::best(), Purpose::Inference).unwrap_err().to_string();
    assert!(message.contains("multiples of 4"), "{message}");
}

/// Encoder and decoder of a plan, one after the other, are the whole; and so are their backward passes.
#[test]
fn a_plan_in_two_parts_is_the_whole() {
    let spec = NetSpec::seed();
    let parameters = Parameters::glorot_uniform(&spec, 5).unwrap();
    let mut plan = Plan::new(&spec, (28, 28), Isa::best(), Purpose::Training).unwrap();
    plan.set_parameters(parameters.values());
    assert!(plan.cut(0).is_none() && plan.cut(8).is_none(), "conv1 and its pool are one step");
    let cut = plan.cut(spec.latent_index().unwrap()).unwrap();
    // Without a period, or there would be equal maxima, each of which has a gradient of its own.
    let image: Vec<f32> = (0..784).map(|i| ((i * i * 31 + i * 7919) % 1009) as f32 / 1009.0).collect();

    let mut whole = plan.workspace();
    whole.set_input(&image);
    plan.forward(&mut whole);
    let mut parts = plan.workspace();
    parts.set_input(&image);
    plan.forward_to(cut, &mut parts);
    let code = parts.values(cut).to_vec();
    let mut decoder = plan.workspace();
    decoder.set_values(cut, &code);
    plan.forward_from(cut, &mut decoder);
    assert_eq!(decoder.logits().to_vec(), whole.logits().to_vec());

    // The gradient of `weights . code`, against differences of it.
    let weights: Vec<f32> = (0..code.len()).map(|i| (i * 53 % 17) as f32 / 17.0 - 0.5).collect();
    let value = |parameters: &[f32]| -> f64 {
        let net = ReferenceNet::new(&spec, spec.input).unwrap();
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let code = net.forward(&wide(parameters), &wide(&image)).outputs.swap_remove(3);
        code.iter().zip(&weights).map(|(code, &weight)| code * f64::from(weight)).sum()
    };
    let mut sums = vec![0.0; plan.gradient_len()];
    plan.backward_from(cut, &mut parts, &weights, &mut sums);
    let mut gradient = vec![0.0; plan.layout().len()];
    plan.finish_gradient(parameters.values(), &sums, &mut gradient);
    for name in ["conv1.kernel", "conv1.bias", "conv2.kernel", "conv2.bias"] {
        let at = plan.layout().tensor(name).unwrap().range.start + 3;
        let moved = |by: f32| {
            let mut moved = parameters.values().to_vec();
            moved[at] += by;
            value(&moved)
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let error = (slope - f64::from(gradient[at])).abs();
        assert!(error < 0.02 * slope.abs().max(1.0), "{name}: {slope} and {}", gradient[at]);
    }
    let decoder = plan.layout().tensor("conv3.kernel").unwrap().range.start;
    assert!(gradient[decoder..].iter().all(|&g| g == 0.0), "nothing behind the cut has a gradient");
}
