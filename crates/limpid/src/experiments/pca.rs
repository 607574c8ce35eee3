//! "Similar in spirit to PCA": reconstruction from few numbers, by PCA, by the vanilla autoencoder, by a deeper one.

use super::findings::{Cell, Chart, ChartAxis, Drawing, Figure, Findings, Point, Series, Table};
use super::occasion::{self, gaussian};
use super::{Exposure, Principal, View};
use crate::data::{Dataset, Samples};
use crate::denoise::Autoencoder;
use crate::evaluate::evaluate;
use crate::image::Image;
use crate::metrics::mse;
use crate::net::NetSpec;
use crate::optim::{Adam, Schedule};
use crate::threads::Threads;
use crate::train::TrainConfig;
use crate::{Error, Result};

/// How much of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Training images; at most the data set's.
    pub images: usize,
    /// Test images; at most the data set's.
    pub test_images: usize,
    /// Epochs of each network.
    pub epochs: u32,
    /// Numbers of code values.
    pub sizes: Vec<usize>,
}

impl Settings {
    /// A minute's worth.
    pub fn small() -> Self {
        Self { images: 5_000, test_images: 1_000, epochs: 10, sizes: vec![2, 8, 32, 128] }
    }

    /// All of MNIST.
    pub fn full() -> Self {
        Self {
            images: usize::MAX,
            test_images: usize::MAX,
            epochs: 5,
            sizes: vec![2, 4, 8, 16, 32, 64, 128, 256],
        }
    }
}

/// The largest learning rate of the networks.
const RATE: f64 = 3e-3;
/// The three ways, in the order of the table.
const WAYS: [&str; 3] = ["PCA", "vanilla autoencoder", "deep autoencoder"];

/// Measures the error of a reconstruction from each number of code values.
///
/// # Errors
/// If the images are not of 28x28, a size is 0 or more than an image has pixels, or a network cannot be trained.
pub fn run(
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Findings> {
    let (height, width) = data.train.images.size();
    let pixels = height * width;
    if let Some(size) = settings.sizes.iter().find(|size| !(1..=pixels).contains(*size)) {
        return Err(Error::invalid(
            format!("code of {size} values"),
            format!("expected 1 to {pixels}, as many as an image has pixels"),
        ));
    }
    let train = data.train.images.slice(0..settings.images.min(data.train.images.len()));
    let test = data.test.images.slice(0..settings.test_images.min(data.test.images.len()));
    let all: Vec<u32> = (0..train.len() as u32).collect();
    tell("principal components");
    let clean = Exposure { samples: &train, noise: None, draw: None };
    let principal = Principal::of(&View::Pixels.features(&clean, &all, threads), pixels)?;

    let steps = |images: usize| TrainConfig::default().steps_per_epoch(images) * u64::from(settings.epochs);
    // What is in question is how well few numbers keep an image.
    let no_noise = gaussian(0.0);
    let config = |net| TrainConfig {
        epochs: settings.epochs,
        noise: no_noise,
        schedule: Schedule::Linear,
        warmup_steps: 100.min(steps(train.len()) / 4),
        adam: Adam { learning_rate: RATE, ..Adam::default() },
        net,
        ..TrainConfig::default()
    };
    let digit = test.image(0);
    let mut errors: Vec<[f64; 3]> = Vec::new();
    let mut pictures: Vec<[Image; 3]> = Vec::new();
    for &size in &settings.sizes {
        let network = |net: NetSpec, tell: &mut dyn FnMut(&str)| -> Result<(f64, Image)> {
            tell(&format!("training {}", net.name));
            let (model, _): (Autoencoder, _) = occasion::train(config(net), data, train.len(), threads)?;
            let error = evaluate(&model, &test, &no_noise, threads)?.reconstruction.mse;
            Ok((error, model.denoise(&digit)?))
        };
        let (vanilla, vanilla_digit) = network(NetSpec::vanilla(size), tell)?;
        let (deep, deep_digit) = network(NetSpec::deep(size), tell)?;
        let by_components = |image: &Image| {
            Image::new(height, width, principal.decode(&principal.encode(image.pixels(), size)))
        };
        let mut sum = 0.0;
        for index in 0..test.len() {
            let image = test.image(index);
            sum += mse(&image, &by_components(&image)?);
        }
        errors.push([sum / test.len() as f64, vanilla, deep]);
        pictures.push([by_components(&digit)?, vanilla_digit, deep_digit]);
    }
    Ok(findings(settings, &train, &test, &digit, &errors, &pictures))
}

fn findings(
    settings: &Settings,
    train: &dyn Samples,
    test: &dyn Samples,
    digit: &Image,
    errors: &[[f64; 3]],
    pictures: &[[Image; 3]],
) -> Findings {
    let sizes = &settings.sizes;
    let row = |(&size, errors): (&usize, &[f64; 3])| {
        let errors = errors.iter().map(|&error| Cell::number(error, 5));
        [Cell::count(size)].into_iter().chain(errors).collect()
    };
    let table = Table {
        name: "errors".into(),
        title: "Mean squared error of clean test digits, rebuilt from a number of code values".into(),
        columns: ["code values"].into_iter().chain(WAYS).map(str::to_owned).collect(),
        rows: sizes.iter().zip(errors).map(row).collect(),
    };
    let series = WAYS.iter().enumerate().map(|(way, name)| Series {
        name: (*name).to_owned(),
        line: true,
        points: sizes
            .iter()
            .zip(errors)
            .map(|(&size, errors)| Point::new(size as f64, errors[way]))
            .collect(),
    });
    let chart = Chart {
        title: "Reconstruction from few numbers".into(),
        x: ChartAxis::logarithmic("Values of the code"),
        y: ChartAxis::logarithmic("Mean squared error"),
        series: series.collect(),
    };
    let mut rows = vec![("original".to_owned(), vec![(digit.clone(), String::new())])];
    rows.extend(WAYS.iter().enumerate().map(|(way, name)| {
        let images = sizes.iter().zip(pictures).map(|(size, images)| (images[way].clone(), size.to_string()));
        ((*name).to_owned(), images.collect())
    }));
    Findings {
        name: "pca",
        title: "PCA and autoencoders with as many code values".into(),
        claim: "The tutorial (1): an autoencoder is \"similar in spirit\" to PCA. How well do both rebuild a digit from the same \
                number of values?"
            .into(),
        settings: vec![
            ("Training images".into(), format!("{}, clean", train.len())),
            ("Test images".into(), format!("{}, clean", test.len())),
            ("Vanilla autoencoder".into(), "784-K-784, linear code, sigmoid".into()),
            ("Deep autoencoder".into(), "784-256-K-256-784, leaky ReLU 0.1, linear code, sigmoid".into()),
            (
                "Training".into(),
                format!("{} epochs, Adam, linear from {RATE} to 0, cross-entropy, seed 1", settings.epochs),
            ),
        ],
        tables: vec![table],
        figures: vec![
            Figure {
                name: "errors".into(),
                caption: "Error of the reconstruction by number of code values; both axes are logarithmic.".into(),
                drawing: Drawing::Chart(chart),
            },
            Figure {
                name: "digits".into(),
                caption: "The first test digit, rebuilt from as many values as stand below it.".into(),
                drawing: Drawing::Images { title: "One digit from few values".into(), rows },
            },
        ],
        remarks: vec![remark(sizes, errors)],
    }
}

/// Where which way is the best.
fn remark(sizes: &[usize], errors: &[[f64; 3]]) -> String {
    let best =
        |errors: &[f64; 3]| (0..3).fold(0, |best, way| if errors[way] < errors[best] { way } else { best });
    let said: Vec<String> =
        sizes.iter().zip(errors).map(|(size, errors)| format!("{size}: {}", WAYS[best(errors)])).collect();
    format!(
        "The smallest error by number of values: {}. PCA is the best of all linear ways by definition, where pixels may leave \
         [0, 1]; the networks are trained for the cross-entropy, not for this error.",
        said.join(", ")
    )
}
