//! The latent space (section 2): one image's code and what leads to it, all codes on a map, and the way from one to another.

use super::findings::{Cell, Chart, ChartAxis, Drawing, Figure, Findings, Point, Series, Table};
use super::{Exposure, Principal, View, occasion};
use crate::code::Coder;
use crate::data::{Dataset, Samples};
use crate::denoise::Autoencoder;
use crate::image::Image;
use crate::net::{LayerKind, ReferenceNet, Shape};
use crate::noise::test_stream;
use crate::threads::Threads;
use crate::{Error, Result};

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Test images on the map; at most the data set's.
    pub test_images: usize,
    /// The test image whose code is shown, counted from 0, and the one to which the way leads.
    pub images: [usize; 2],
    /// Images on the way, both ends counted: at least 2.
    pub steps: usize,
}

impl Settings {
    /// A minute's worth.
    pub fn small() -> Self {
        Self { test_images: 1_000, images: [0, 1], steps: 9 }
    }

    /// All of MNIST's test images.
    pub fn full() -> Self {
        Self { test_images: usize::MAX, ..Self::small() }
    }
}

/// Shares of the variance that are told, by number of components.
const COMPONENTS: [usize; 8] = [1, 2, 5, 10, 20, 50, 100, 200];
/// Channels of each layer that are shown.
const CHANNELS: usize = 8;

/// Looks at a model's codes of noisy test images.
///
/// # Errors
/// If the model does not take the data set's images or has no code, or a test image that is asked for does not exist.
pub fn run(
    model: &Autoencoder,
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Findings> {
    let test = &data.test.images;
    if let Some(image) = settings.images.iter().find(|&&image| image >= test.len()) {
        return Err(Error::invalid(
            format!("test image {image}"),
            format!("{} has {}, counted from 0", data.name, test.len()),
        ));
    }
    if settings.steps < 2 {
        return Err(Error::invalid("steps", "expected at least 2, the two ends of the way"));
    }
    let coder = Coder::new(model, test.size())?;
    let noisy = settings.images.map(|image| model.noise.apply(test_stream(image), &test.image(image)));
    tell("one image through the layers");
    let mut figures = vec![code(&coder, &noisy[0])?];
    figures.extend(filters(model)?);
    figures.push(layers(model, &noisy[0])?);
    figures.push(way(&coder, &noisy, settings.steps)?);

    let count = settings.test_images.min(test.len());
    tell(&format!("codes of {count} images and their principal components"));
    let exposure = Exposure { samples: test, noise: Some(&model.noise), draw: None };
    let indices: Vec<u32> = (0..count as u32).collect();
    let codes = View::Code(&coder).features(&exposure, &indices, threads);
    let principal = Principal::of(&codes, coder.shape().len())?;
    figures.push(map(&principal, &codes, coder.shape().len(), data));
    Ok(Findings {
        name: "latent",
        title: "The latent space".into(),
        claim: "The tutorial (2): the encoder's output is a representation of the image. What is in it?"
            .into(),
        settings: vec![
            ("Model".into(), occasion::describe(model)),
            ("Code".into(), format!("{}, {} numbers", coder.shape(), coder.shape().len())),
            ("Test images".into(), format!("{count}, under {}", model.noise)),
        ],
        tables: vec![shares(&principal)],
        figures,
        remarks: Vec::new(),
    })
}

/// How much of the codes' variance the first components keep.
fn shares(principal: &Principal) -> Table {
    let all: f64 = principal.variances().iter().sum();
    let share = |count: usize| 100.0 * principal.variances()[..count].iter().sum::<f64>() / all;
    let counts = COMPONENTS.into_iter().filter(|&count| count <= principal.variances().len());
    Table {
        name: "variance".into(),
        title: "The codes' variance along their first principal components, in percent of all".into(),
        columns: vec!["components".into(), "variance".into()],
        rows: counts.map(|count| vec![Cell::count(count), Cell::number(share(count), 1)]).collect(),
    }
}

/// The first two components of every code, by class.
fn map(principal: &Principal, codes: &[f32], len: usize, data: &Dataset) -> Figure {
    let places: Vec<Vec<f32>> =
        codes.chunks_exact(len).map(|code| principal.encode(code, 2.min(len))).collect();
    let labels = data.test.labels.as_ref().map(|labels| labels.bytes());
    let class = |index: usize| labels.map_or(0, |labels| labels[index]);
    let largest = (0..places.len()).map(class).max().unwrap_or(0);
    let series = (0..=largest).map(|label| Series {
        name: if labels.is_some() { label.to_string() } else { String::new() },
        line: false,
        points: (0..places.len())
            .filter(|&index| class(index) == label)
            .map(|index| {
                let [x, y] = [0, 1].map(|axis| f64::from(places[index].get(axis).copied().unwrap_or(0.0)));
                Point::new(x, y)
            })
            .collect(),
    });
    let axis = |label: &str| ChartAxis { unlabelled: true, ..ChartAxis::linear(label) };
    let chart = Chart {
        title: "Codes of noisy test images".into(),
        x: axis("First principal component"),
        y: axis("Second"),
        series: series.collect(),
    };
    Figure {
        name: "map".into(),
        caption: "Every point is the code of a noisy test image, its colour the digit. The network was never told the digits."
            .into(),
        drawing: Drawing::Chart(chart),
    }
}

/// The channels of a feature map as images, black the smallest value of all, white the largest.
fn channels(values: &[f32], shape: Shape, most: usize) -> Result<Vec<(Image, String)>> {
    let (low, high) =
        values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let range = if high > low { high - low } else { 1.0 };
    (0..shape.channels.min(most))
        .map(|channel| {
            let pixels =
                values.iter().skip(channel).step_by(shape.channels).map(|v| (v - low) / range).collect();
            Ok((Image::new(shape.height, shape.width, pixels)?, String::new()))
        })
        .collect()
}

/// Images in rows of so many, none of them labelled.
fn in_rows(images: Vec<(Image, String)>, columns: usize) -> Vec<(String, Vec<(Image, String)>)> {
    images.chunks(columns).map(|row| (String::new(), row.to_vec())).collect()
}

fn code(coder: &Coder, noisy: &Image) -> Result<Figure> {
    let code = coder.encode(&mut coder.workspace(), noisy.pixels());
    let shape = coder.shape();
    let mut rows = vec![("noisy image".to_owned(), vec![(noisy.clone(), String::new())])];
    rows.extend(in_rows(channels(&code, shape, usize::MAX)?, CHANNELS));
    Ok(Figure {
        name: "code".into(),
        caption: format!(
            "A noisy image and its code of {shape}, a picture for each channel; white is the largest value."
        ),
        drawing: Drawing::Images { title: format!("The code of an image, {shape}"), rows },
    })
}

/// The kernels of the first convolution; none if the first layer is another.
fn filters(model: &Autoencoder) -> Result<Option<Figure>> {
    let Some(layer) = model.net.layers.first() else { return Ok(None) };
    let LayerKind::Conv { filters, kernel, .. } = layer.kind else { return Ok(None) };
    let Some(values) = model.parameters.tensor(&format!("{}.kernel", layer.name)) else { return Ok(None) };
    // Grey is 0, so that the sign can be seen.
    let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let images = (0..filters).map(|filter| {
        let weights = values.iter().skip(filter).step_by(filters).map(|v| 0.5 + 0.5 * v / largest);
        Ok((Image::new(kernel, kernel, weights.collect())?, String::new()))
    });
    let rows = in_rows(images.collect::<Result<_>>()?, CHANNELS);
    Ok(Some(Figure {
        name: "filters".into(),
        caption: format!(
            "The {filters} filters of {}: white is positive, black negative, grey 0.",
            layer.name
        ),
        drawing: Drawing::Images { title: format!("Filters of {}", layer.name), rows },
    }))
}

fn layers(model: &Autoencoder, noisy: &Image) -> Result<Figure> {
    let net = ReferenceNet::new(&model.net, Shape::new(noisy.height(), noisy.width(), 1))?;
    let outputs = net.forward(model.parameters.values(), noisy.pixels()).outputs;
    let rows = net.layers().iter().zip(&outputs).zip(&model.net.layers).map(|((fitted, values), layer)| {
        let label = format!("{} {}", layer.name, fitted.output());
        Ok((label, channels(values, fitted.output(), CHANNELS)?))
    });
    Ok(Figure {
        name: "layers".into(),
        caption: format!(
            "What each layer makes of the image: its first {CHANNELS} channels, white the layer's largest value."
        ),
        drawing: Drawing::Images {
            title: "One image through the network".into(),
            rows: rows.collect::<Result<_>>()?,
        },
    })
}

/// From one image to another: through the codes, and through the pixels.
fn way(coder: &Coder, ends: &[Image; 2], steps: usize) -> Result<Figure> {
    let mut workspace = coder.workspace();
    let [from, to] = ends;
    let codes = [from, to].map(|image| coder.encode(&mut workspace, image.pixels()));
    let share = |step: usize| step as f32 / (steps - 1) as f32;
    let mix = |a: &[f32], b: &[f32], share: f32| -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + (b - a) * share).collect()
    };
    let image = |pixels| Image::new(from.height(), from.width(), pixels);
    let mut through_codes = Vec::new();
    for step in 0..steps {
        let mut pixels = vec![0.0; from.pixels().len()];
        coder.decode(&mut workspace, &mix(&codes[0], &codes[1], share(step)), &mut pixels);
        through_codes.push((image(pixels)?, format!("{:.0} %", 100.0 * share(step))));
    }
    let decoded = [&through_codes[0].0, &through_codes[steps - 1].0].map(|image| image.pixels().to_vec());
    let through_pixels = (0..steps)
        .map(|step| Ok((image(mix(&decoded[0], &decoded[1], share(step)))?, String::new())))
        .collect::<Result<_>>()?;
    Ok(Figure {
        name: "way".into(),
        caption:
            "From one digit to another: the codes between theirs, decoded, and the mean of their pixels."
                .into(),
        drawing: Drawing::Images {
            title: "Between two digits".into(),
            rows: vec![("codes".into(), through_codes), ("pixels".into(), through_pixels)],
        },
    })
}
