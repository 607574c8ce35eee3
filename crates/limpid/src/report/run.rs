//! What a finished run leaves for people: `loss.png`, `results.png` and `report.html` in its directory.

use crate::checkpoint::atomic;
use crate::data::Samples;
use crate::denoise::Autoencoder;
use crate::evaluate::{Evaluation, Quality};
use crate::image::Image;
use crate::net::{Shape, Summary};
use crate::noise::test_stream;
use crate::number::{self, grouped};
use crate::report::html::{self, LayerRow, MetricRow, Picture, Report};
use crate::report::loss_plot;
use crate::report::pictures::{Grid, Row};
use crate::run_dir::{RunConfig, RunDir};
use crate::train::history::EpochRecord;
use crate::{Error, Result};

/// Digits in `results.png`.
const PICTURES: usize = 10;

/// The least loss that any predictor could reach on MNIST's test images, their entropy (computed from the 10,000 images).
const MNIST_ENTROPY: f64 = 0.0581;

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All epochs were done.
    Finished,
    /// Somebody stopped it.
    Interrupted,
    /// Its loss became infinite or not a number.
    Diverged,
}

/// Test images in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// `Original`, `Noisy` or `Reconstruction`.
    pub label: &'static str,
    /// The images.
    pub images: Vec<Image>,
}

impl From<Examples> for Row {
    fn from(examples: Examples) -> Self {
        Self::labelled(examples.label, examples.images)
    }
}

/// Everything that the files are made from.
pub struct Run<'a> {
    /// What the run was asked to do.
    pub config: &'a RunConfig,
    /// Its epochs; none if it was ended before the first was finished.
    pub history: &'a [EpochRecord],
    /// How it ended.
    pub ending: Ending,
    /// The best model.
    pub model: &'a Autoencoder,
    /// The images that it was tested on.
    pub test: &'a dyn Samples,
    /// Its figures on them.
    pub evaluation: &'a Evaluation,
    /// What the machine contributed, e.g. `2 threads, avx512`.
    pub machine: &'a str,
}

impl Run<'_> {
    /// Writes the files into the run's directory: `results.png`, and, if there are losses to draw
    /// ([`loss_plot::is_drawable`]), `loss.png` and `report.html`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, directory: &RunDir) -> Result<()> {
        let results = self.results()?;
        atomic::write(&directory.results_path(), &results)?;
        if loss_plot::is_drawable(self.history) {
            atomic::write(&directory.loss_path(), &loss_plot::png(self.history)?)?;
            atomic::write(&directory.report_path(), self.page(results)?.as_bytes())?;
        }
        Ok(())
    }

    /// The first test images, at most `count`, what noise makes of them, and what the model makes of that.
    ///
    /// # Errors
    /// If the model does not take images of this size, or gives values that are not finite.
    pub fn examples(&self, count: usize) -> Result<[Examples; 3]> {
        let clean: Vec<Image> = (0..self.test.len().min(count)).map(|i| self.test.image(i)).collect();
        let noise = &self.config.train.noise;
        let noisy: Vec<Image> =
            clean.iter().enumerate().map(|(index, clean)| noise.apply(test_stream(index), clean)).collect();
        let restored = noisy.iter().map(|noisy| self.model.denoise(noisy)).collect::<Result<Vec<_>>>()?;
        Ok([
            Examples { label: "Original", images: clean },
            Examples { label: "Noisy", images: noisy },
            Examples { label: "Reconstruction", images: restored },
        ])
    }

    /// `results.png`.
    fn results(&self) -> Result<Vec<u8>> {
        Grid { title: None, rows: self.examples(PICTURES)?.map(Row::from).to_vec() }.to_png()
    }

    fn page(&self, results: Vec<u8>) -> Result<String> {
        let RunConfig { data, images, train, .. } = self.config;
        let (height, width) = self.test.size();
        let summary = Summary::new(&train.net, Shape::new(height, width, 1))?;
        let best = self
            .history
            .iter()
            .min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
            .ok_or_else(|| Error::invalid("report", "no epoch was finished"))?;
        html::render(&Report {
            title: format!("Denoising autoencoder on {data}"),
            summary: format!(
                "A network of {} parameters was trained on {} images under {} noise. Its best epoch, number {} of {}, \
                 reached a validation loss of {}.{}",
                grouped(summary.parameters as u64),
                grouped(*images),
                train.noise,
                best.epoch,
                train.epochs,
                number::loss(best.validation_loss),
                self.ending_sentence(),
            ),
            settings: self.settings(),
            layers: summary.rows.iter().map(layer_row).collect(),
            history: self.history.to_vec(),
            loss_note: (data == "MNIST").then(|| {
                format!(
                    "No network can bring the loss to 0: gray pixels are no certainties. On MNIST's test images the \
                     entropy of the clean pixels, {MNIST_ENTROPY}, is the least that any predictor could reach."
                )
            }),
            pictures: vec![Picture {
                png: results,
                alt: format!(
                    "Three rows of {PICTURES} images: originals, noisy images and reconstructions, in which the \
                     noise is gone."
                ),
                caption: format!("The first {PICTURES} test images under {} noise.", train.noise),
            }],
            metrics: metric_rows(self.evaluation),
        })
    }

    /// What the summary says of a run that ended before its time, with a space before it.
    fn ending_sentence(&self) -> String {
        let how = match self.ending {
            Ending::Finished => return String::new(),
            Ending::Interrupted => "was interrupted",
            Ending::Diverged => "diverged",
        };
        format!(
            " The run {how} in epoch {} of {}.",
            self.history.last().map_or(1, |last| last.epoch + 1),
            self.config.train.epochs
        )
    }

    fn settings(&self) -> Vec<(String, String)> {
        let RunConfig { limpid, data, images, preset, train, .. } = self.config;
        let warmup = match train.warmup_steps {
            0 => String::new(),
            steps => format!(" after {steps} steps of warm-up"),
        };
        [
            ("Data", data.clone()),
            ("Training images", grouped(*images)),
            ("Noise", train.noise.to_string()),
            ("Preset", preset.to_string()),
            ("Epochs", train.epochs.to_string()),
            ("Batch size", train.batch_size.to_string()),
            ("Optimizer", train.adam.to_string()),
            ("Schedule", format!("{}{warmup}", train.schedule)),
            ("Seed", train.seed.to_string()),
            ("Network", train.net.name.clone()),
            ("Machine", self.machine.to_owned()),
            ("limpid", limpid.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

fn layer_row(row: &crate::net::Row) -> LayerRow {
    LayerRow {
        layer: format!("{} ({})", row.name, row.kind),
        output_shape: format!("{} × {} × {}", row.output.height, row.output.width, row.output.channels),
        parameters: row.parameters as u64,
        multiply_accumulates: row.macs,
    }
}

/// The figures as people read them, with names that say which mean is meant.
pub fn metric_rows(evaluation: &Evaluation) -> Vec<MetricRow> {
    let Evaluation { loss, reconstruction, noisy, .. } = evaluation;
    let row = |name: &str, format: &dyn Fn(&Quality) -> String| MetricRow {
        name: name.into(),
        noisy: format(noisy),
        reconstruction: format(reconstruction),
    };
    vec![
        MetricRow {
            name: "Loss (mean sigmoid cross-entropy, nats)".into(),
            noisy: "–".into(),
            reconstruction: number::loss(*loss),
        },
        row("MSE", &|q| format!("{:.4}", q.mse)),
        row("PSNR, mean of the images' values (dB)", &|q| number::psnr(q.mean_psnr)),
        row("PSNR of the mean MSE (dB)", &|q| number::psnr(q.psnr_of_mean_mse)),
        row("SSIM, mean of the images' values", &|q| format!("{:.4}", q.ssim)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;
    use crate::net::NetSpec;
    use crate::train::{Preset, TrainConfig};

    #[test]
    fn the_summary_says_how_the_run_ended() {
        let config = RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            images: 9,
            data_dir: None,
            checkpoint_every: None,
            preset: Preset::default(),
            train: TrainConfig::default(),
        };
        let record = |epoch| EpochRecord { epoch, training_loss: 0.5, validation_loss: 1e32, seconds: 1.0 };
        let history = [record(1), record(2)];
        let model = Autoencoder::untrained(NetSpec::seed(), 1).unwrap();
        let test = Images::new(1, 28, 28, vec![9; 784]).unwrap();
        let quality =
            Quality { mse: 0.0, mean_psnr: f64::INFINITY, psnr_of_mean_mse: f64::INFINITY, ssim: 1.0 };
        let evaluation = Evaluation { images: 1, loss: 0.5, reconstruction: quality, noisy: quality };
        for (ending, sentence) in [
            (Ending::Finished, "1.00e32.</p>"),
            (Ending::Interrupted, "1.00e32. The run was interrupted in epoch 3 of 25.</p>"),
            (Ending::Diverged, "1.00e32. The run diverged in epoch 3 of 25.</p>"),
        ] {
            let run = Run {
                config: &config,
                history: &history,
                ending,
                model: &model,
                test: &test,
                evaluation: &evaluation,
                machine: "1 thread",
            };
            let page = run.page(run.results().unwrap()).unwrap();
            let expected = format!("Its best epoch, number 1 of 25, reached a validation loss of {sentence}");
            assert!(page.contains(&expected), "{ending:?}");
            assert!(page.contains("∞ (equal)"));
        }
    }
}
