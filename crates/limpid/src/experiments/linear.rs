//! A linear classifier: one weight for each feature and class, and the softmax of the sums.

use limpid_kernels::Isa;
use limpid_kernels::matrix::{self, Product};

use super::features::{Exposure, View};
use super::softmax::{cross_entropy, winner};
use crate::data::Samples;
use crate::net::glorot;
use crate::net::plan;
use crate::noise::Noise;
use crate::optim::{Adam, AdamState, LearningRate, Schedule};
use crate::threads::Threads;
use crate::train::shuffled;
use crate::{Error, Result};

/// `logits = bias + weights * (scale * features)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    features: usize,
    classes: usize,
    /// What all features are multiplied by, so that their mean square is 1 whatever they are.
    scale: f32,
    /// `[feature][class]`, then a bias for each class.
    pub(super) values: Vec<f32>,
}

impl Linear {
    /// All weights zero: the start for a problem that has one minimum only.
    pub fn zeros(features: usize, classes: usize, scale: f32) -> Self {
        Self { features, classes, scale, values: vec![0.0; (features + 1) * classes] }
    }

    /// Glorot-uniform weights, biases of zero: the start as the last layer of a network.
    pub fn glorot_uniform(features: usize, classes: usize, scale: f32, seed: u64) -> Self {
        let mut linear = Self::zeros(features, classes, scale);
        // A stream that no tensor of a network uses.
        glorot::fill(
            seed,
            u64::from(u32::MAX),
            (features, classes),
            &mut linear.values[..features * classes],
        );
        linear
    }

    /// The factor that makes the mean square of these features 1.
    pub fn scale_for(features: &[f32]) -> f32 {
        let square =
            features.iter().map(|&f| f64::from(f).powi(2)).sum::<f64>() / features.len().max(1) as f64;
        if square > 0.0 { square.sqrt().recip() as f32 } else { 1.0 }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Writes the features as the weights see them to `scaled`, and the sums to `logits`.
    pub(super) fn forward(&self, isa: Isa, features: &[f32], scaled: &mut [f32], logits: &mut [f32]) {
        for (to, from) in scaled.iter_mut().zip(features) {
            *to = self.scale * from;
        }
        let (weights, bias) = self.values.split_at(self.features * self.classes);
        logits.copy_from_slice(bias);
        matrix::vector_matrix(isa, (self.features, self.classes), &[ORIGIN], scaled, weights, logits);
    }

    /// From the gradient of the logits: adds that of the values to `gradient`, and overwrites `dfeatures` if it is asked for.
    pub(super) fn backward(
        &self,
        isa: Isa,
        scaled: &[f32],
        dlogits: &[f32],
        gradient: &mut [f32],
        dfeatures: Option<&mut [f32]>,
    ) {
        let size = (self.features, self.classes);
        let (weights, bias) = gradient.split_at_mut(self.features * self.classes);
        matrix::outer(isa, size, &[ORIGIN], scaled, weights, dlogits);
        for (sum, &d) in bias.iter_mut().zip(dlogits) {
            *sum += d;
        }
        if let Some(dfeatures) = dfeatures {
            dfeatures.fill(0.0);
            let weights = &self.values[..self.features * self.classes];
            matrix::matrix_vector(isa, size, &[ORIGIN], dfeatures, weights, dlogits);
            for d in dfeatures {
                *d *= self.scale;
            }
        }
    }

    /// The sums for one image.
    ///
    /// # Panics
    /// If the number of features is another.
    pub fn logits(&self, isa: Isa, features: &[f32]) -> Vec<f32> {
        assert_eq!(features.len(), self.features, "the classifier's number of features");
        let (mut scaled, mut logits) = (vec![0.0; self.features], vec![0.0; self.classes]);
        self.forward(isa, features, &mut scaled, &mut logits);
        logits
    }

    /// The class of each of some rows of features.
    pub fn classify(&self, isa: Isa, rows: &[f32]) -> Vec<u8> {
        rows.chunks_exact(self.features).map(|row| winner(&self.logits(isa, row)) as u8).collect()
    }
}

/// Matrix and vectors from their beginning.
const ORIGIN: Product = Product { m: 0, x: 0, y: 0 };

/// How a linear classifier is trained: Adam, its rate falling to 0 along half a cosine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbeSettings {
    /// How often each image is seen; noise is drawn anew each time.
    pub epochs: u32,
    /// Images per step.
    pub batch_size: usize,
    /// The largest learning rate.
    pub learning_rate: f64,
    /// Of the order of images and of the noise.
    pub seed: u64,
}

/// The images that a classifier learns from.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    /// The images.
    pub samples: &'a dyn Samples,
    /// A label for each.
    pub labels: &'a [u8],
    /// What the images suffer; none to leave them clean.
    pub noise: Option<&'a Noise>,
    /// Classes that there are.
    pub classes: usize,
}

/// Images whose features are computed, and kept, at one time.
const CHUNK: usize = 2048;

/// Trains a linear classifier on what `view` shows of the images (a "linear probe").
///
/// # Errors
/// If there are no images, or `LIMPID_ISA` names no instruction set of this CPU.
pub fn train_probe(
    view: View<'_>,
    lesson: &Lesson<'_>,
    settings: &ProbeSettings,
    threads: &Threads,
) -> Result<Linear> {
    let Lesson { samples, labels, noise, classes } = *lesson;
    if samples.is_empty() || labels.len() != samples.len() {
        return Err(Error::invalid("training images", "expected at least one, and a label for each"));
    }
    let isa = plan::isa()?;
    let (height, width) = samples.size();
    let len = view.len(height * width);
    let exposure = |epoch| Exposure { samples, noise, draw: Some((settings.seed, epoch)) };
    let first: Vec<u32> = (0..samples.len().min(CHUNK) as u32).collect();
    let scale = Linear::scale_for(&view.features(&exposure(0), &first, threads));
    let mut linear = Linear::zeros(len, classes, scale);
    let mut gradient = vec![0.0; linear.values.len()];
    let (mut scaled, mut logits) = (vec![0.0; len], vec![0.0; classes]);
    let mut adam = AdamState::new(linear.values.len());
    // Chunks are whole batches, but for the last one of an epoch.
    let chunk = CHUNK.next_multiple_of(settings.batch_size);
    let rate = LearningRate {
        peak: settings.learning_rate,
        schedule: Schedule::Cosine,
        warmup_steps: 0,
        total_steps: samples.len().div_ceil(settings.batch_size) as u64 * u64::from(settings.epochs),
    };
    for epoch in 1..=settings.epochs {
        let order = shuffled(settings.seed, epoch, samples.len());
        for images in order.chunks(chunk) {
            let rows = view.features(&exposure(epoch), images, threads);
            let batches = rows.chunks(settings.batch_size * len).zip(images.chunks(settings.batch_size));
            for (rows, images) in batches {
                gradient.fill(0.0);
                for (row, &image) in rows.chunks_exact(len).zip(images) {
                    linear.forward(isa, row, &mut scaled, &mut logits);
                    cross_entropy(&mut logits, usize::from(labels[image as usize]));
                    linear.backward(isa, &scaled, &logits, &mut gradient, None);
                }
                let share = 1.0 / images.len() as f32;
                gradient.iter_mut().for_each(|g| *g *= share);
                let step = Adam { learning_rate: rate.at(adam.step + 1), ..Adam::default() };
                adam.update(isa, &step, &gradient, &mut linear.values);
            }
        }
    }
    Ok(linear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    /// Two classes of images that one line separates: bright at the left, bright at the right.
    fn sides(count: usize) -> (Images, Vec<u8>) {
        let labels: Vec<u8> = (0..count).map(|i| (i * 7 % 3 == 0) as u8).collect();
        let bytes = labels.iter().flat_map(|&label| if label == 1 { [220, 30] } else { [40, 200] }).collect();
        (Images::new(count, 1, 2, bytes).unwrap(), labels)
    }

    #[test]
    fn what_a_line_separates_is_learned_under_noise() {
        let (images, labels) = sides(200);
        let noise: Noise = "gaussian:0.1".parse().unwrap();
        let lesson = Lesson { samples: &images, labels: &labels, noise: Some(&noise), classes: 2 };
        let settings = ProbeSettings { epochs: 20, batch_size: 16, learning_rate: 0.05, seed: 1 };
        let threads = |count| Threads::new(count).unwrap();
        let probe = train_probe(View::Pixels, &lesson, &settings, &threads(1)).unwrap();
        let test = Exposure { samples: &images, noise: Some(&noise), draw: None };
        let all: Vec<u32> = (0..200).collect();
        let rows = View::Pixels.features(&test, &all, &threads(1));
        assert_eq!(probe.classify(Isa::best(), &rows), labels);
        assert_eq!(train_probe(View::Pixels, &lesson, &settings, &threads(3)).unwrap(), probe);
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        let isa = Isa::best();
        let linear = Linear::glorot_uniform(5, 3, 0.7, 1);
        let x = [0.3, -0.2, 0.9, 0.1, -0.5];
        let loss = |linear: &Linear, x: &[f32]| cross_entropy(&mut linear.logits(isa, x), 2);
        let (mut scaled, mut logits, mut dx) = (vec![0.0; 5], vec![0.0; 3], vec![0.0; 5]);
        let mut gradient = vec![0.0; linear.values.len()];
        linear.forward(isa, &x, &mut scaled, &mut logits);
        cross_entropy(&mut logits, 2);
        linear.backward(isa, &scaled, &logits, &mut gradient, Some(&mut dx));
        let close = |slope: f64, value: f32| (slope - f64::from(value)).abs() < 2e-4;
        for (i, &value) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut linear = linear.clone();
                linear.values[i] += by;
                loss(&linear, &x)
            };
            assert!(close((moved(1e-2) - moved(-1e-2)) / 2e-2, value), "value {i}");
        }
        for i in 0..5 {
            let moved = |by: f32| {
                let mut x = x;
                x[i] += by;
                loss(&linear, &x)
            };
            assert!(close((moved(1e-2) - moved(-1e-2)) / 2e-2, dx[i]), "feature {i}");
        }
    }
}
