//! Every refusal and its message.

use proptest::prelude::*;

use super::*;

fn conv(name: &str, filters: usize, stride: usize) -> LayerSpec {
    let kind = LayerKind::Conv { filters, kernel: 3, stride, activation: Activation::Linear };
    LayerSpec { name: name.into(), kind }
}

fn pool(name: &str, size: usize) -> LayerSpec {
    LayerSpec { name: name.into(), kind: LayerKind::MaxPool { size } }
}

fn up(name: &str, filters: usize, stride: usize) -> LayerSpec {
    let kind = LayerKind::ConvTranspose { filters, kernel: 3, stride, activation: Activation::Linear };
    LayerSpec { name: name.into(), kind }
}

fn net<const N: usize>(layers: [LayerSpec; N]) -> NetSpec {
    NetSpec { name: "test".into(), input: Shape::new(12, 12, 1), layers: layers.into(), latent: None }
}

fn message(spec: &NetSpec) -> String {
    spec.validate().unwrap_err().to_string()
}

fn seed_message(input: Shape) -> String {
    NetSpec::seed().shapes(input).unwrap_err().to_string()
}

#[test]
fn sizes_that_do_not_survive_the_poolings() {
    assert_eq!(
        seed_message(Shape::new(30, 30, 1)),
        "layer \"encoding\": its input of 15x15 does not divide by 2, so the output would be 28x28x1 but the \
         input is 30x30x1; height and width must be multiples of 4"
    );
    assert_eq!(
        seed_message(Shape::new(28, 27, 1)),
        "layer \"pool1\": its input of 28x27 does not divide by 2, so the output would be 28x24x1 but the \
         input is 28x27x1; height and width must be multiples of 4"
    );
    // Strides round up.
    assert_eq!(
        message(&net([conv("down", 1, 5), up("up", 1, 5)])),
        "layer \"down\": its input of 12x12 does not divide by 5, so the output would be 15x15x1 but the \
         input is 12x12x1; height and width must be multiples of 5"
    );
    for (height, width) in [(4, 4), (28, 28), (32, 64), (4, 1000)] {
        let input = Shape::new(height, width, 1);
        assert_eq!(NetSpec::seed().shapes(input).unwrap().last(), Some(&input));
    }
}

#[test]
fn layers_that_do_not_balance() {
    let spec = net([pool("down", 2), conv("logits", 1, 1)]);
    assert_eq!(spec.multiple(), None);
    assert_eq!(
        message(&spec),
        "network description: the output would be 6x6x1 but the input is 12x12x1; the layers must enlarge \
         (conv_transpose) as much as they reduce (max_pool, strides)"
    );
}

#[test]
fn the_multiple_is_the_least_that_every_layer_divides() {
    assert_eq!(net([conv("logits", 1, 1)]).multiple(), Some(1));
    assert_eq!(net([pool("a", 2), pool("b", 3), up("c", 1, 6)]).multiple(), Some(6));
    assert_eq!(net([up("a", 1, 2), pool("b", 2), conv("c", 1, 1)]).multiple(), Some(1));
    assert_eq!(net([up("a", 1, 2), pool("b", 4), up("c", 1, 2)]).multiple(), Some(2));
    assert_eq!(net([pool("a", 2), up("b", 1, 2), pool("c", 3), up("d", 1, 3)]).multiple(), Some(6));
    // Factors past any integer, and of 0, are no multiple either.
    let mut deep: Vec<LayerSpec> = (0..100).map(|_| pool("p", 15)).collect();
    deep.extend((0..100).map(|_| up("u", 1, 15)));
    assert_eq!(NetSpec { layers: deep, ..NetSpec::seed() }.multiple(), None);
    assert_eq!(net([pool("a", 0), up("b", 1, 0)]).multiple(), None);
    assert_eq!(net([up("a", 1, 0), conv("b", 1, 1)]).multiple(), None);
}

#[test]
fn images_are_gray_and_of_a_possible_size() {
    assert_eq!(
        seed_message(Shape::new(28, 28, 3)),
        "network input of 28x28x3: 3 channels, expected 1: images are gray"
    );
    for (height, width) in [(0, 28), (28, 0), (28, MAX_SIDE + 1), (usize::MAX, usize::MAX)] {
        assert!(
            seed_message(Shape { height, width, channels: 1 })
                .ends_with("height and width must be between 1 and 65536")
        );
    }
    assert!(
        seed_message(Shape::new(65536, 65536, 1)).ends_with("an image can have at most 2147483648 pixels")
    );
}

#[test]
fn names_are_there_and_unique() {
    assert_eq!(
        message(&net([])),
        "network description: there are no layers, expected at least one [[layer]]"
    );
    let many = (0..257).map(|i| conv(&format!("conv{i}"), 1, 1)).collect();
    assert_eq!(
        message(&NetSpec { layers: many, latent: None, ..NetSpec::seed() }),
        "network description: 257 layers, expected at most 256"
    );
    assert_eq!(
        message(&net([conv("a", 1, 1), conv("", 1, 1)])),
        "layer 2 of 2: its name is empty, expected a name such as \"conv1\""
    );
    for name in ["a.kernel", "a b", "größe", &"a".repeat(65)] {
        assert_eq!(
            message(&net([conv(name, 1, 1)])),
            format!(
                "layer 1 of 1: the name {name:?} must be 1 to 64 of the characters a-z, A-Z, 0-9, _ and -"
            )
        );
    }
    assert_eq!(
        message(&net([conv("a", 1, 1), conv("a", 1, 1)])),
        "layer 2 of 2: the name \"a\" is taken by a layer before it"
    );
    assert_eq!(
        message(&NetSpec { latent: Some("code".into()), ..net([conv("a", 2, 1), conv("b", 1, 1)]) }),
        "latent \"code\": no layer has this name, expected one of a, b"
    );
}

#[test]
fn numbers_are_at_least_one_and_within_the_limits() {
    let with = |kind| message(&net([LayerSpec { name: "x".into(), kind }, conv("logits", 1, 1)]));
    let activation = Activation::Relu;
    let of_conv = |filters, kernel, stride| with(LayerKind::Conv { filters, kernel, stride, activation });
    let of_up =
        |filters, kernel, stride| with(LayerKind::ConvTranspose { filters, kernel, stride, activation });
    assert_eq!(of_conv(0, 3, 1), "layer \"x\": filters is 0, expected 1 to 4096");
    assert_eq!(of_conv(4097, 3, 1), "layer \"x\": filters is 4097, expected 1 to 4096");
    assert_eq!(of_conv(1, 0, 1), "layer \"x\": kernel is 0, expected 1 to 31");
    assert_eq!(of_conv(1, 32, 1), "layer \"x\": kernel is 32, expected 1 to 31");
    assert_eq!(of_up(1, 3, 0), "layer \"x\": stride is 0, expected 1 to 16");
    assert_eq!(of_up(1, 3, 17), "layer \"x\": stride is 17, expected 1 to 16");
    assert_eq!(with(LayerKind::MaxPool { size: 0 }), "layer \"x\": size is 0, expected 1 to 15");
    assert_eq!(with(LayerKind::MaxPool { size: 16 }), "layer \"x\": size is 16, expected 1 to 15");
    assert_eq!(
        with(LayerKind::Conv { filters: 1, kernel: 3, stride: 1, activation: Activation::LeakyRelu(2.0) }),
        "layer \"x\": activation \"lrelu:2\": the slope must be between 0 (the same as relu) and 1 (linear), \
         for example lrelu:0.1"
    );
}

#[test]
fn the_last_layer_gives_the_logits() {
    assert_eq!(
        message(&net([up("a", 1, 2), pool("b", 2)])),
        "layer \"b\": the last layer gives the logits and cannot be a max_pool; end with a conv of 1 filter"
    );
    assert_eq!(
        message(&net([conv("a", 2, 1)])),
        "layer \"a\": the last layer gives the logits of a gray image: expected filters = 1, found 2"
    );
    let mut spec = net([conv("a", 1, 1)]);
    spec.layers[0].kind = LayerKind::Conv { filters: 1, kernel: 3, stride: 1, activation: Activation::Relu };
    assert_eq!(
        message(&spec),
        "layer \"a\": the last layer gives the logits, which a sigmoid in the loss turns into pixels: \
         expected activation = \"linear\", found \"relu\""
    );
}

#[test]
fn feature_maps_and_parameters_of_a_possible_size() {
    assert_eq!(
        message(&net([pool("a", 7), pool("b", 2), up("c", 1, 14)])),
        "layer \"b\": its pool of 2x2 is larger than its input of 1x1x1; use larger images or fewer pools"
    );
    let huge = net([up("a", 4096, 16), up("b", 4096, 16), up("c", 1, 16)]);
    assert_eq!(
        message(&huge),
        "layer \"b\": its output of 3072x3072x4096 is too large: at most 65536 rows and columns and 2147483648 \
         values; use smaller images, strides or fewer filters"
    );
    let mut wide = net([conv("a", 4096, 1), conv("b", 4096, 1), conv("c", 1, 1)]);
    assert_eq!(message(&wide), "layer \"b\": more than 67108864 parameters up to here; try fewer filters");
    // 9 * (1 * 2048 + 2048 * 2048 + 2048 * 1) and the biases are within the limit.
    for layer in &mut wide.layers[..2] {
        layer.kind = LayerKind::Conv { filters: 2048, kernel: 3, stride: 1, activation: Activation::Relu };
    }
    assert!(wide.validate().is_ok());
}

/// Numbers around everything that a limit separates, and absurd ones.
fn numbers() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1..=4_usize, 1 => 0..=40_usize, 1 => Just(4096), 1 => Just(1 << 16), 1 => any::<usize>()]
}

fn kinds() -> impl Strategy<Value = LayerKind> {
    let activation =
        || prop_oneof![4 => Just(Activation::Linear), 1 => any::<f64>().prop_map(Activation::LeakyRelu)];
    prop_oneof![
        (numbers(), numbers(), numbers(), activation()).prop_map(|(filters, kernel, stride, activation)| {
            LayerKind::Conv { filters, kernel, stride, activation }
        }),
        (numbers(), numbers(), numbers(), activation()).prop_map(|(filters, kernel, stride, activation)| {
            LayerKind::ConvTranspose { filters, kernel, stride, activation }
        }),
        numbers().prop_map(|size| LayerKind::MaxPool { size }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever a description says, it is refused or fitted, without a panic; and what is fitted keeps its promises.
    #[test]
    fn any_description_is_refused_or_fits(
        kinds in prop::collection::vec(kinds(), 0..6), ends: bool, height in numbers(), width in numbers(),
    ) {
        let mut layers: Vec<LayerSpec> =
            kinds.iter().enumerate().map(|(i, &kind)| LayerSpec { name: format!("layer{i}"), kind }).collect();
        if ends {
            layers.push(conv("logits", 1, 1));
        }
        let input = Shape { height, width, channels: 1 };
        let spec = NetSpec { name: "any".into(), input, layers, latent: None };
        if let Ok(layers) = spec.layers(input) {
            prop_assert_eq!(layers.last().unwrap().output(), input);
            let mut shape = input;
            for layer in &layers {
                prop_assert_eq!(layer.input(), shape);
                shape = layer.output();
                prop_assert!(shape.len() <= MAX_VALUES);
            }
        }
        // Every multiple that is not too large or too small for some layer fits.
        if let Some(multiple) = spec.multiple().filter(|&m| m <= 64) {
            for factor in 1..4 {
                let side = multiple * factor;
                if let Err(error) = spec.layers(Shape::new(side, side, 1)) {
                    prop_assert!(!error.to_string().contains("would be"), "{}", error);
                }
            }
        }
    }
}
