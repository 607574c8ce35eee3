//! Writes exported networks with inputs and our own outputs, for other runtimes to be compared with: what `tools/onnx` reads.
//!
//!     cargo run -p limpid --example export_cases -- DIRECTORY [MODEL]
//!
//! `cases.json` lists the files. Inputs and outputs are `f32`, little-endian, NCHW. Without a model, one is trained for a moment.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use limpid::data::{Dataset, Samples};
use limpid::denoise::Autoencoder;
use limpid::export::{OnnxOptions, Part, to_onnx};
use limpid::image::Image;
use limpid::net::{NetSpec, ReferenceNet, Shape};
use limpid::noise::{Noise, test_stream};
use limpid::train::{TrainConfig, Trainer};
use serde_json::{Value, json};

/// What the seed network does not have: even kernels, strided convolutions, kernels smaller than their stride, ReLU, other pools,
/// and a tail whose first rows have kernels of their own too.
const OTHER: &str = r#"
    name = "other"
    input = [48, 36, 1]
    latent = "squeeze"
    layer = [
        { name = "even", type = "conv", filters = 6, kernel = 4, activation = "relu" },
        { name = "strided", type = "conv", filters = 8, kernel = 3, stride = 2, activation = "lrelu:0.2" },
        { name = "pool", type = "max_pool", size = 3 },
        { name = "squeeze", type = "conv", filters = 4, kernel = 5 },
        { name = "gaps", type = "conv_transpose", filters = 8, kernel = 2, stride = 3, activation = "relu" },
        { name = "enlarge", type = "conv_transpose", filters = 8, kernel = 4, stride = 2 },
        { name = "logits", type = "conv", filters = 1, kernel = 3 },
    ]
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let directory = args.next().ok_or("which directory? usage: export_cases DIRECTORY [MODEL]")?;
    let seed = args.next().map_or_else(briefly_trained, |path| Autoencoder::load(&path))?;
    let mut other = Autoencoder::untrained(NetSpec::from_toml(OTHER)?, 5)?;
    for (i, value) in other.parameters.values_mut().iter_mut().enumerate() {
        *value += ((i * 7919 % 101) as f32 - 50.0) * 2e-3; // so that biases are not zero
    }

    fs::create_dir_all(&directory)?;
    let mut cases = Vec::new();
    let small = [(1, 28, 28), (3, 28, 28), (1, 64, 96), (1, 8, 8)];
    for (part, folded, logits) in [
        (Part::Full, false, false),
        (Part::Full, true, false),
        (Part::Encoder, false, false),
        (Part::Decoder, false, false),
        (Part::Decoder, true, false),
        (Part::Full, true, true),
    ] {
        let options = OnnxOptions { part, folded, logits };
        cases.push(write(&directory, "seed", &seed, &options, &small)?);
        cases.push(write(&directory, "other", &other, &options, &[(1, 48, 36), (2, 24, 30)])?);
    }
    // One pixel of the code, where the folded form does not fit.
    cases.push(write(&directory, "smallest", &seed, &OnnxOptions::default(), &[(1, 4, 4)])?);
    fs::write(directory.join("cases.json"), serde_json::to_string_pretty(&cases)?)?;

    // The documentation's snippets read and write pictures.
    let noisy = noisy_digits(1, 28, 28);
    let picture = |name: &str, image: &Image| -> Result<(), Box<dyn std::error::Error>> {
        let pixels = image::GrayImage::from_raw(28, 28, image.to_u8()).ok_or("28x28 pixels")?;
        Ok(pixels.save(directory.join(name))?)
    };
    picture("noisy.png", &noisy[0])?;
    let seen =
        Image::new(28, 28, noisy[0].to_u8().into_iter().map(|byte| f32::from(byte) / 255.0).collect())?;
    picture("denoised.png", &seed.denoise(&seen)?)?;
    Ok(())
}

/// The seed network after a second of training, with weights that are no longer random.
fn briefly_trained() -> limpid::Result<Autoencoder> {
    let data = Dataset::mnist();
    let train = Arc::new(data.train.images.slice(0..2560));
    let test = Arc::new(data.test.images.slice(0..64));
    let mut trainer = Trainer::new(TrainConfig { epochs: 1, ..TrainConfig::default() }, train, test, 0)?;
    while trainer.step()?.is_some() {}
    Ok(trainer.best_model())
}

/// Noisy images made of MNIST's digits side by side.
fn noisy_digits(count: usize, height: usize, width: usize) -> Vec<Image> {
    let digits = Dataset::mnist().test.images;
    let pixel = |image: usize, y: usize, x: usize| {
        let digit = image * 7 + (y / 28) * 5 + x / 28;
        digits.image(digit % digits.len()).pixels()[(y % 28) * 28 + x % 28]
    };
    (0..count)
        .map(|image| {
            let pixels = (0..height * width).map(|i| pixel(image, i / width, i % width)).collect();
            let clean = Image::new(height, width, pixels).expect("as many pixels as it has");
            Noise::default().apply(test_stream(image), &clean)
        })
        .collect()
}

/// Writes one exported network and what it makes of images of each size; returns its entry in `cases.json`.
fn write(
    directory: &Path,
    network: &str,
    model: &Autoencoder,
    options: &OnnxOptions,
    sizes: &[(usize, usize, usize)],
) -> Result<Value, Box<dyn std::error::Error>> {
    let OnnxOptions { part, folded, logits } = options;
    let mut name = format!("{network}-{part}");
    for (flag, suffix) in [(folded, "-folded"), (logits, "-logits")] {
        name += if *flag { suffix } else { "" };
    }
    fs::write(directory.join(format!("{name}.onnx")), to_onnx(model, options)?)?;
    let mut runs = Vec::new();
    for &(count, height, width) in sizes {
        let Outputs { code_shape, images, codes, logits, pixels } = ours(model, count, height, width)?;
        let image_shape = Shape::new(height, width, 1);
        let (input, input_shape) =
            if *part == Part::Decoder { (&codes, code_shape) } else { (&images, image_shape) };
        let (output, output_shape) = match options {
            OnnxOptions { part: Part::Encoder, .. } => (&codes, code_shape),
            OnnxOptions { logits: true, .. } => (&logits, image_shape),
            _ => (&pixels, image_shape),
        };
        let file = |what: &str, shape: Shape, values: &[f32]| -> std::io::Result<Value> {
            let file = format!("{name}-{count}x{height}x{width}.{what}");
            fs::write(
                directory.join(&file),
                values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>(),
            )?;
            Ok(json!({ "file": file, "shape": [count, shape.channels, shape.height, shape.width] }))
        };
        let input = file("input", input_shape, input)?;
        runs.push(json!({ "input": input, "output": file("output", output_shape, output)? }));
    }
    Ok(json!({
        "name": name,
        "file": format!("{name}.onnx"),
        "input": options.input_name(),
        "output": options.output_name(),
        "runs": runs,
    }))
}

/// What our own implementation makes of a batch; all NCHW.
struct Outputs {
    code_shape: Shape,
    images: Vec<f32>,
    codes: Vec<f32>,
    logits: Vec<f32>,
    pixels: Vec<f32>,
}

fn ours(model: &Autoencoder, count: usize, height: usize, width: usize) -> limpid::Result<Outputs> {
    let latent = model.net.latent_index().expect("both networks have one");
    let code_shape = model.net.shapes(Shape::new(height, width, 1))?[latent];
    // Pixels and logits come from the plan, which is what users get; the code, which a plan need not keep, from the reference.
    let plan = model.plan((height, width))?;
    let reference = ReferenceNet::new(&model.net, Shape::new(height, width, 1))?;
    let mut workspace = plan.workspace();
    let mut outputs = Outputs { code_shape, images: vec![], codes: vec![], logits: vec![], pixels: vec![] };
    for image in noisy_digits(count, height, width) {
        workspace.set_input(image.pixels());
        plan.forward(&mut workspace);
        let mut pixels = vec![0.0; height * width];
        plan.reconstruction(&workspace, &mut pixels);
        let activations = reference.forward(model.parameters.values(), image.pixels());
        let code = &activations.outputs[latent];
        let channel = |c: usize| code.iter().skip(c).step_by(code_shape.channels).copied();
        outputs.codes.extend((0..code_shape.channels).flat_map(channel));
        outputs.images.extend_from_slice(image.pixels());
        outputs.logits.extend(workspace.logits().to_vec());
        outputs.pixels.extend(pixels);
    }
    Ok(outputs)
}
