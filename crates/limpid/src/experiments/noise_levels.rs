//! "The noise factor is a hyperparameter": what a network does off the noise that it was trained for.

use super::findings::{Cell, Drawing, Figure, Findings, HeatMap, Table};
use super::occasion::{self, gaussian};
use crate::data::{Dataset, Samples};
use crate::evaluate::{Evaluation, evaluate};
use crate::noise::test_stream;
use crate::number;
use crate::threads::Threads;
use crate::train::TrainConfig;
use crate::{Error, Result};

/// How much of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Training images of each network; at most the data set's.
    pub images: usize,
    /// Test images; at most the data set's.
    pub test_images: usize,
    /// Epochs of each network.
    pub epochs: u32,
    /// The factors that networks are trained for.
    pub training: Vec<f32>,
    /// The factors that they meet.
    pub testing: Vec<f32>,
}

impl Settings {
    /// A minute's worth.
    pub fn small() -> Self {
        Self {
            images: 10_000,
            test_images: 1_000,
            epochs: 3,
            training: vec![0.1, 0.25, 0.5, 1.0],
            testing: vec![0.0, 0.1, 0.25, 0.5, 0.75, 1.0],
        }
    }

    /// All of MNIST.
    pub fn full() -> Self {
        Self {
            images: usize::MAX,
            test_images: usize::MAX,
            epochs: 5,
            training: vec![0.0, 0.1, 0.25, 0.5, 0.75, 1.0],
            ..Self::small()
        }
    }
}

/// Trains a network for each factor and measures it at each.
///
/// # Errors
/// If there is no factor, or a network cannot be trained.
pub fn run(
    data: &Dataset,
    settings: &Settings,
    threads: &Threads,
    tell: &mut dyn FnMut(&str),
) -> Result<Findings> {
    let Settings { training, testing, epochs, .. } = settings;
    if training.is_empty() || testing.is_empty() {
        return Err(Error::invalid(
            "noise factors",
            "expected at least one to train for, and one to test with",
        ));
    }
    let images = settings.images.min(data.train.images.len());
    let test = data.test.images.slice(0..settings.test_images.min(data.test.images.len()));
    let mut figures: Vec<Vec<Evaluation>> = Vec::new();
    let mut pictures = Vec::new();
    let digit = test.image(0);
    let noisy = |factor: &f32| (gaussian(*factor).apply(test_stream(0), &digit), factor.to_string());
    pictures.push(("noisy input".to_owned(), testing.iter().map(noisy).collect::<Vec<_>>()));
    for &factor in training {
        tell(&format!("training for gaussian:{factor}"));
        let config = TrainConfig { noise: gaussian(factor), ..occasion::config(images, *epochs) };
        let (model, _) = occasion::train(config, data, images, threads)?;
        let of = |factor: &f32| evaluate(&model, &test, &gaussian(*factor), threads);
        figures.push(testing.iter().map(of).collect::<Result<_>>()?);
        let denoised = |factor: &f32| {
            let noisy = gaussian(*factor).apply(test_stream(0), &digit);
            Ok((model.denoise(&noisy)?, String::new()))
        };
        let denoised = testing.iter().map(denoised).collect::<Result<Vec<_>>>()?;
        pictures.push((format!("trained for {factor}"), denoised));
    }

    let psnr = |evaluation: &Evaluation| evaluation.reconstruction.psnr_of_mean_mse;
    let loss = |evaluation: &Evaluation| evaluation.loss;
    let matrix = Matrix { training, testing, figures: &figures };
    Ok(Findings {
        name: "noise",
        title: "Training noise against test noise".into(),
        claim: "The tutorial (3.7): \"the noise factor is a hyperparameter\". What does a network do with other noise than it \
                was trained for?"
            .into(),
        settings: vec![
            ("Network".into(), occasion::config(images, *epochs).net.name),
            ("Training".into(), format!("{images} images, {epochs} epochs, preset fast, seed 1")),
            ("Test images".into(), test.len().to_string()),
        ],
        tables: vec![
            matrix.table("loss", "Test loss (nats per pixel; lower is better)", 4, &loss),
            matrix.table("psnr", "PSNR of the mean squared error (dB; higher is better)", 2, &psnr),
        ],
        figures: vec![
            matrix.heat_map("loss_map", "Test loss (nats per pixel)", 3, &loss),
            matrix.heat_map("psnr_map", "PSNR of the mean squared error (dB)", 1, &psnr),
            Figure {
                name: "digits".into(),
                caption: "One test digit under growing noise, and what each network makes of it.".into(),
                drawing: Drawing::Images { title: "One digit, by noise factor".into(), rows: pictures },
            },
        ],
        remarks: matrix.remarks(),
    })
}

/// What was measured for each pair of factors.
struct Matrix<'a> {
    training: &'a [f32],
    testing: &'a [f32],
    /// `[training][testing]`.
    figures: &'a [Vec<Evaluation>],
}

impl Matrix<'_> {
    fn table(&self, name: &str, title: &str, decimals: usize, of: &dyn Fn(&Evaluation) -> f64) -> Table {
        let columns = self.testing.iter().map(|factor| format!("test {factor}"));
        let row = |(factor, figures): (&f32, &Vec<Evaluation>)| {
            let cells = figures.iter().map(|evaluation| Cell::number(of(evaluation), decimals));
            [Cell::text(format!("trained for {factor}"))].into_iter().chain(cells).collect()
        };
        Table {
            name: name.into(),
            title: title.into(),
            columns: std::iter::once("network".to_owned()).chain(columns).collect(),
            rows: self.training.iter().zip(self.figures).map(row).collect(),
        }
    }

    fn heat_map(&self, name: &str, title: &str, decimals: usize, of: &dyn Fn(&Evaluation) -> f64) -> Figure {
        let names = |factors: &[f32]| factors.iter().map(f32::to_string).collect();
        Figure {
            name: name.into(),
            caption: format!("{title}: each row is a network, each column the noise that it meets."),
            drawing: Drawing::HeatMap(HeatMap {
                title: title.into(),
                x_label: "noise factor of the test".into(),
                y_label: "of the training".into(),
                columns: names(self.testing),
                rows: names(self.training),
                values: self.figures.iter().map(|row| row.iter().map(of).collect()).collect(),
                decimals,
                range: None,
            }),
        }
    }

    /// Which network does best at each factor.
    fn remarks(&self) -> Vec<String> {
        let best = self.testing.iter().enumerate().filter_map(|(column, factor)| {
            let rows = self.training.iter().zip(self.figures);
            let best = rows.min_by(|a, b| a.1[column].loss.total_cmp(&b.1[column].loss))?;
            Some(format!(
                "at {factor} the one trained for {} ({})",
                best.0,
                number::loss(best.1[column].loss)
            ))
        });
        vec![format!("The network with the lowest test loss: {}.", best.collect::<Vec<_>>().join("; "))]
    }
}
