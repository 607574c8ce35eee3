//! "Autoencoders for classification, please": what a code that was learned without labels is worth with some.
//!
//! The encoder learns to keep what matters of a digit under noise. Does that help to tell digits apart? Four views of the same
//! images are given to the same two simple classifiers; then the encoder is trained on, with few labels and with many,
//! beside the same network that starts from random weights.

use super::findings::{Cell, Drawing, Figure, Findings, HeatMap, Table};
use super::{
    Classifier, Exposure, FineTuning, Lesson, Linear, Neighbours, ProbeSettings, View, as_mnist, occasion,
    softmax, train_probe,
};
use crate::code::Coder;
use crate::data::{Dataset, Samples, Split};
use crate::denoise::Autoencoder;
use crate::image::Image;
use crate::net::plan;
use crate::noise::Noise;
use crate::threads::Threads;
use crate::{Error, Result};

/// How much of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Training images for probes, neighbours and fine-tuning with "all" labels; at most the data set's.
    pub images: usize,
    /// Test images; at most the data set's.
    pub test_images: usize,
    /// Epochs of the linear probes.
    pub probe_epochs: u32,
    /// Neighbours that vote.
    pub neighbours: usize,
    /// Numbers of labels to fine-tune with, beside all.
    pub labels: Vec<usize>,
    /// Epochs of fine-tuning with all labels.
    pub epochs: u32,
    /// Steps of fine-tuning with few labels.
    pub steps: u64,
    /// Runs of fine-tuning, with seeds 1, 2, ...
    pub seeds: u64,
}

impl Settings {
    /// A minute's worth.
    pub fn small() -> Self {
        Self {
            images: 10_000,
            test_images: 2_000,
            probe_epochs: 10,
            neighbours: 5,
            labels: vec![100, 1_000],
            epochs: 3,
            steps: 300,
            seeds: 3,
        }
    }

    /// All of MNIST.
    pub fn full() -> Self {
        Self {
            images: usize::MAX,
            test_images: usize::MAX,
            probe_epochs: 15,
            epochs: 10,
            steps: 1_500,
            ..Self::small()
        }
    }
}

/// Images per step, of everything here.
const BATCH: usize = 64;
/// The largest learning rate of a probe.
const PROBE_RATE: f64 = 3e-3;
/// The largest learning rate of fine-tuning and of training from scratch.
const RATE: f64 = 2e-3;
/// The seed of the random encoder, and of the probes.
const SEED: u64 = 1;

/// The labels of a part of a data set.
///
/// # Errors
/// If it has none.
pub fn labels<'a>(data: &Dataset, split: &'a Split) -> Result<&'a [u8]> {
    let labels = split.labels.as_ref().map(|labels| labels.bytes());
    labels.ok_or_else(|| {
        Error::invalid(
            format!("data set {}", data.name),
            "has no labels, and without them nothing can be classified; expected train-labels-idx1-ubyte and \
             t10k-labels-idx1-ubyte beside its images",
        )
    })
}

/// Compares the model's code with pixels, denoised pixels and the code of a random encoder.
///
/// # Errors
/// If the data set has no labels, or the model does not take its images or has no code.
pub fn run(
    model: &Autoencoder,
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Findings> {
    let bench = Bench::new(model, data, settings, threads)?;
    let untrained = Autoencoder::untrained(model.net.clone(), SEED)?;
    let [coder, random] = [model, &untrained].map(|model| Coder::new(model, data.train.images.size()));
    let (coder, random) = (coder?, random?);
    let views = [
        ("code", View::Code(&coder)),
        ("raw pixels", View::Pixels),
        ("code of a random encoder", View::Code(&random)),
        ("denoised pixels", View::Denoised(&coder)),
    ];

    let (probes, noisy_code) = bench.probes(&views, tell)?;
    let before_and_after = bench.before_and_after(&coder, tell)?;
    let neighbours = bench.neighbours(&views, tell);
    let (fine_tuning, fine_tuned) = bench.fine_tuning(&untrained, tell)?;

    let settings = vec![
        ("Model".into(), occasion::describe(model)),
        ("Noise".into(), model.noise.to_string()),
        ("Training images".into(), bench.train.images.len().to_string()),
        ("Test images".into(), bench.test.images.len().to_string()),
        ("Linear probe".into(), format!("{} epochs, Adam, cosine from {PROBE_RATE}", settings.probe_epochs)),
        ("Neighbours".into(), settings.neighbours.to_string()),
        (
            "Fine-tuning".into(),
            format!(
                "{} epochs with all labels, {} steps with fewer; Adam, cosine from {RATE}; seeds 1 to {}",
                settings.epochs, settings.steps, settings.seeds
            ),
        ),
    ];
    let figures = vec![
        bench.confusion("confusion_noisy", "Linear probe on the code of noisy test digits", &noisy_code),
        bench.confusion("confusion_fine_tuned", "Fine-tuned with all labels, clean test digits", &fine_tuned),
    ];
    Ok(Findings {
        name: "classify",
        title: "Classification by the code".into(),
        claim: "A reader: \"autoencoders for classification, please\". The code was learned without labels; is it worth more \
                than the pixels where digits are to be told apart?"
            .into(),
        settings,
        tables: vec![probes, before_and_after, neighbours, fine_tuning],
        figures,
        remarks: vec![
            "Probes and neighbours for noisy digits learn from noisy training digits (the probes under noise drawn anew in every \
             epoch), those for clean digits from clean ones. All accuracies are on test images, in percent; no setting was \
             chosen by them."
                .into(),
        ],
    })
}

/// How likely each class is for one picture, by two linear classifiers on the model's code, one that learned from clean
/// training images and one from noisy ones: the softmax of the mean of their logits. Also the picture as they saw it.
///
/// # Errors
/// As [`run`], or if the picture shows nothing.
pub fn predict(
    model: &Autoencoder,
    data: &Dataset,
    settings: &Settings,
    picture: &Image,
    threads: &Threads,
) -> Result<(Image, Vec<f32>)> {
    let bench = Bench::new(model, data, settings, threads)?;
    let coder = Coder::new(model, data.train.images.size())?;
    let digit = as_mnist(picture, data.train.images.size())?;
    let code = coder.encode(&mut coder.workspace(), digit.pixels());
    let isa = plan::isa()?;
    let logits = |noise| Ok(bench.probe(View::Code(&coder), noise)?.logits(isa, &code));
    let (clean, noisy): (Vec<f32>, Vec<f32>) = (logits(None)?, logits(Some(&model.noise))?);
    let mut probabilities: Vec<f32> =
        clean.iter().zip(&noisy).map(|(clean, noisy)| (clean + noisy) / 2.0).collect();
    softmax(&mut probabilities);
    Ok((digit, probabilities))
}

/// A data set and the model that is measured on it.
struct Bench<'a> {
    model: &'a Autoencoder,
    settings: &'a Settings,
    threads: &'a Threads,
    train: Split,
    test: Split,
    train_labels: &'a [u8],
    test_labels: &'a [u8],
    classes: usize,
}

impl<'a> Bench<'a> {
    fn new(
        model: &'a Autoencoder,
        data: &'a Dataset,
        settings: &'a Settings,
        threads: &'a Threads,
    ) -> Result<Self> {
        let (train_labels, test_labels) = (labels(data, &data.train)?, labels(data, &data.test)?);
        let train = data.train.slice(0..settings.images.min(data.train.images.len()));
        let test = data.test.slice(0..settings.test_images.min(data.test.images.len()));
        let largest = train_labels.iter().chain(test_labels).max().copied().unwrap_or(0);
        Ok(Self {
            model,
            settings,
            threads,
            train_labels: &train_labels[..train.images.len()],
            test_labels: &test_labels[..test.images.len()],
            train,
            test,
            classes: usize::from(largest) + 1,
        })
    }

    /// The training images, under a noise or clean.
    fn lesson<'b>(&'b self, noise: Option<&'b Noise>) -> Lesson<'b> {
        Lesson { samples: &self.train.images, labels: self.train_labels, noise, classes: self.classes }
    }

    /// The test images, under their own noise or clean.
    fn exam<'b>(&'b self, noise: Option<&'b Noise>) -> Exposure<'b> {
        Exposure { samples: &self.test.images, noise, draw: None }
    }

    /// The two kinds of digits: what they are called, and their noise.
    fn conditions(&self) -> [(&'static str, Option<&Noise>); 2] {
        [("noisy", Some(&self.model.noise)), ("clean", None)]
    }

    /// The share of test images whose class was found, in percent.
    fn accuracy(&self, found: &[u8]) -> f64 {
        let right = found.iter().zip(self.test_labels).filter(|(found, label)| found == label).count();
        100.0 * right as f64 / self.test_labels.len() as f64
    }

    fn probe(&self, view: View<'_>, noise: Option<&Noise>) -> Result<Linear> {
        let settings = ProbeSettings {
            epochs: self.settings.probe_epochs,
            batch_size: BATCH,
            learning_rate: PROBE_RATE,
            seed: SEED,
        };
        train_probe(view, &self.lesson(noise), &settings, self.threads)
    }

    /// What a linear classifier finds in the test images.
    fn classify(&self, probe: &Linear, view: View<'_>, noise: Option<&Noise>) -> Result<Vec<u8>> {
        let all: Vec<u32> = (0..self.test.images.len() as u32).collect();
        let mut found = Vec::with_capacity(all.len());
        for images in all.chunks(1024) {
            found.extend(
                probe.classify(plan::isa()?, &view.features(&self.exam(noise), images, self.threads)),
            );
        }
        Ok(found)
    }

    /// The table of linear probes, and what the first view's finds in noisy digits.
    fn probes(&self, views: &[(&str, View<'_>)], tell: &mut dyn FnMut(&str)) -> Result<(Table, Vec<u8>)> {
        let (height, width) = self.test.images.size();
        let mut rows = Vec::new();
        let mut noisy_code = Vec::new();
        for (name, view) in views {
            let mut row = vec![Cell::text(*name), Cell::count(view.len(height * width))];
            for (condition, noise) in self.conditions() {
                tell(&format!("linear probe on {name}, {condition} digits"));
                let found = self.classify(&self.probe(*view, noise)?, *view, noise)?;
                row.push(Cell::number(self.accuracy(&found), 2));
                if noisy_code.is_empty() {
                    noisy_code = found;
                }
            }
            rows.push(row);
        }
        let table = Table {
            name: "probes".into(),
            title: "Linear probe: accuracy in percent by what it sees".into(),
            columns: strings(&["a linear classifier sees", "numbers", "noisy digits", "clean digits"]),
            rows,
        };
        Ok((table, noisy_code))
    }

    /// A classifier that knows clean digits only meets noisy ones, and what the model makes of them.
    fn before_and_after(&self, coder: &Coder, tell: &mut dyn FnMut(&str)) -> Result<Table> {
        tell("classifying before and after denoising");
        let noise = Some(&self.model.noise);
        let pixels = self.probe(View::Pixels, None)?;
        let of = |view, noise| Ok(Cell::number(self.accuracy(&self.classify(&pixels, view, noise)?), 2));
        let row = |name: &str, cell: Result<Cell>| Ok(vec![Cell::text(name), cell?]);
        Ok(Table {
            name: "before_and_after".into(),
            title: "A linear classifier of pixels that was trained on clean digits: accuracy in percent"
                .into(),
            columns: strings(&["test digits", "accuracy"]),
            rows: vec![
                row("clean", of(View::Pixels, None))?,
                row("noisy", of(View::Pixels, noise))?,
                row("noisy, then denoised", of(View::Denoised(coder), noise))?,
            ],
        })
    }

    /// The table of nearest neighbours.
    fn neighbours(&self, views: &[(&str, View<'_>)], tell: &mut dyn FnMut(&str)) -> Table {
        let (height, width) = self.test.images.size();
        let train: Vec<u32> = (0..self.train.images.len() as u32).collect();
        let test: Vec<u32> = (0..self.test.images.len() as u32).collect();
        let row = |(name, view): &(&str, View<'_>)| {
            let mut row = vec![Cell::text(*name)];
            for (condition, noise) in self.conditions() {
                tell(&format!("nearest neighbours by {name}, {condition} digits"));
                let queries = view.features(&self.exam(noise), &test, self.threads);
                let mut search = Neighbours::new(queries, view.len(height * width), self.settings.neighbours);
                let shown = Exposure { samples: &self.train.images, noise, draw: Some((SEED, 1)) };
                for images in train.chunks(4096) {
                    let rows = view.features(&shown, images, self.threads);
                    let labels: Vec<u8> =
                        images.iter().map(|&image| self.train_labels[image as usize]).collect();
                    search.show(&rows, &labels, self.threads);
                }
                row.push(Cell::number(self.accuracy(&search.classes()), 2));
            }
            row
        };
        Table {
            name: "neighbours".into(),
            title: format!(
                "{} nearest neighbours: accuracy in percent by what is compared",
                self.settings.neighbours
            ),
            columns: strings(&["compared are", "noisy digits", "clean digits"]),
            rows: views.iter().map(row).collect(),
        }
    }

    /// The table of fine-tuning beside training from scratch, and what the first classifier with all labels finds.
    fn fine_tuning(&self, untrained: &Autoencoder, tell: &mut dyn FnMut(&str)) -> Result<(Table, Vec<u8>)> {
        let all = self.train.images.len();
        let mut counts: Vec<usize> =
            self.settings.labels.iter().copied().filter(|&count| count < all).collect();
        counts.push(all);
        let mut rows = Vec::new();
        let mut found = Vec::new();
        for count in counts {
            let steps = match count == all {
                true => count.div_ceil(BATCH) as u64 * u64::from(self.settings.epochs),
                false => self.settings.steps,
            };
            let split = self.train.slice(0..count);
            let lesson =
                Lesson { samples: &split.images, labels: &self.train_labels[..count], ..self.lesson(None) };
            let mut row = vec![Cell::count(count)];
            for (name, start) in [("fine-tuning", Some(self.model)), ("training from scratch", None)] {
                let mut accuracies = Vec::new();
                for seed in 1..=self.settings.seeds {
                    tell(&format!("{name} with {count} labels, seed {seed}"));
                    let random;
                    let start = match start {
                        Some(model) => model,
                        None => {
                            random = Autoencoder::untrained(untrained.net.clone(), seed)?;
                            &random
                        }
                    };
                    let settings = FineTuning {
                        steps,
                        batch_size: BATCH,
                        learning_rate: RATE,
                        warmup_steps: steps / 10,
                        seed,
                    };
                    let classifier = Classifier::train(start, &lesson, &settings, self.threads)?;
                    let classes = classifier.classify(&self.exam(None), self.threads);
                    accuracies.push(self.accuracy(&classes));
                    if count == all && found.is_empty() {
                        found = classes;
                    }
                }
                row.push(Cell::spread(&accuracies, 2));
            }
            rows.push(row);
        }
        let table = Table {
            name: "fine_tuning".into(),
            title: "Encoder and classifier trained with labels, clean digits: accuracy in percent".into(),
            columns: strings(&["labels", "from the encoder's weights", "from scratch"]),
            rows,
        };
        Ok((table, found))
    }

    /// Which digit was taken for which.
    fn confusion(&self, name: &str, what: &str, found: &[u8]) -> Figure {
        let mut values = vec![vec![0.0; self.classes]; self.classes];
        for (&found, &label) in found.iter().zip(self.test_labels) {
            values[usize::from(label)][usize::from(found)] += 1.0;
        }
        let names: Vec<String> = (0..self.classes).map(|class| class.to_string()).collect();
        Figure {
            name: name.into(),
            caption: format!("{what}: {:.2} % of {} found.", self.accuracy(found), found.len()),
            drawing: Drawing::HeatMap(HeatMap {
                title: what.into(),
                x_label: "taken for".into(),
                y_label: "digit".into(),
                columns: names.clone(),
                rows: names,
                // The right ones are so many that with them no mistake would have a colour.
                range: Some((0.0, mistakes(&values))),
                values,
                decimals: 0,
            }),
        }
    }
}

/// The largest number off the diagonal, at least 1.
fn mistakes(values: &[Vec<f64>]) -> f64 {
    let off = values.iter().enumerate().flat_map(|(row, values)| {
        values.iter().enumerate().filter(move |(column, _)| *column != row).map(|(_, &value)| value)
    });
    off.fold(1.0, f64::max)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
