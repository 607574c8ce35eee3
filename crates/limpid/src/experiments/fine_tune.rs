//! The encoder as the beginning of a classifier, both trained with labels, from the encoder's weights or from random ones.

use std::sync::Mutex;

use super::features::Exposure;
use super::linear::{Lesson, Linear};
use super::softmax::{cross_entropy, winner};
use crate::denoise::Autoencoder;
use crate::net::Parameters;
use crate::net::plan::{self, Cut, Plan, Workspace};
use crate::optim::{Adam, AdamState, LearningRate, Schedule};
use crate::threads::Threads;
use crate::train::shuffled;
use crate::{Error, Result};

/// How a classifier is trained: Adam, its rate falling to 0 along half a cosine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FineTuning {
    /// Steps.
    pub steps: u64,
    /// Images per step.
    pub batch_size: usize,
    /// The largest learning rate.
    pub learning_rate: f64,
    /// Steps over which the rate rises at the start.
    pub warmup_steps: u64,
    /// Of the new weights, the order of images and the noise.
    pub seed: u64,
}

/// An encoder with a linear classifier behind it.
#[derive(Debug, Clone)]
pub struct Classifier {
    plan: Plan,
    cut: Cut,
    parameters: Parameters,
    head: Linear,
    /// Values of a code.
    code: usize,
}

/// Images of a group: one buffer for their gradients.
const GROUP: usize = 8;
/// Images whose codes tell the scale of all.
const SCALE_IMAGES: usize = 256;

/// What the images of a group add up to, and the buffers for one image at a time.
struct Group {
    workspace: Workspace,
    pixels: Vec<f32>,
    scaled: Vec<f32>,
    logits: Vec<f32>,
    dcode: Vec<f32>,
    encoder: Vec<f32>,
    head: Vec<f32>,
}

impl Classifier {
    /// Trains `model`'s encoder, from the weights that it has, and a linear classifier on its code.
    ///
    /// # Errors
    /// If there are no images, or the model has no code (as [`Coder::new`](crate::code::Coder::new)).
    pub fn train(
        model: &Autoencoder,
        lesson: &Lesson<'_>,
        settings: &FineTuning,
        threads: &Threads,
    ) -> Result<Self> {
        let Lesson { samples, labels, noise, classes } = *lesson;
        if samples.is_empty() || labels.len() != samples.len() {
            return Err(Error::invalid("training images", "expected at least one, and a label for each"));
        }
        let mut classifier = Self::new(model, lesson, settings.seed)?;
        let exposure = |draw| Exposure { samples, noise, draw: Some((settings.seed, draw)) };
        let isa = classifier.plan.isa();
        let mut groups: Vec<Group> =
            (0..settings.batch_size.div_ceil(GROUP)).map(|_| classifier.group(classes)).collect();
        let mut adam =
            [classifier.parameters.values().len(), classifier.head.values.len()].map(AdamState::new);
        let rate = LearningRate {
            peak: settings.learning_rate,
            schedule: Schedule::Cosine,
            warmup_steps: settings.warmup_steps,
            total_steps: settings.steps,
        };
        let mut gradient = vec![0.0; classifier.parameters.values().len()];
        let (mut epoch, mut order) = (0, Vec::new());
        for step in 1..=settings.steps {
            if order.is_empty() {
                epoch += 1;
                order = shuffled(settings.seed, epoch, samples.len());
            }
            let images = order.split_off(order.len().saturating_sub(settings.batch_size));
            let exposure = exposure(epoch);
            let share = 1.0 / images.len() as f32;
            classifier.plan.set_parameters(classifier.parameters.values());
            let Self { plan, cut, head, .. } = &classifier;
            threads.for_each(&mut groups, |_, index, group| {
                group.encoder.fill(0.0);
                group.head.fill(0.0);
                for &image in images.chunks(GROUP).nth(index).unwrap_or_default() {
                    let image = image as usize;
                    exposure.read(image, &mut group.pixels);
                    group.workspace.set_input(&group.pixels);
                    plan.forward_to(*cut, &mut group.workspace);
                    let code = group.workspace.values(*cut).to_vec();
                    head.forward(isa, &code, &mut group.scaled, &mut group.logits);
                    cross_entropy(&mut group.logits, usize::from(labels[image]));
                    group.logits.iter_mut().for_each(|d| *d *= share);
                    head.backward(isa, &group.scaled, &group.logits, &mut group.head, Some(&mut group.dcode));
                    plan.backward_from(*cut, &mut group.workspace, &group.dcode, &mut group.encoder);
                }
            });
            // In the order of the groups, so that the sum does not depend on the threads.
            let (first, others) = groups.split_first_mut().expect("a batch has at least one image");
            for group in others {
                limpid_kernels::adam::add(isa, &group.encoder, &mut first.encoder);
                limpid_kernels::adam::add(isa, &group.head, &mut first.head);
            }
            let parameters = classifier.parameters.values();
            classifier.plan.finish_gradient(parameters, &first.encoder, &mut gradient);
            let settings = Adam { learning_rate: rate.at(step), ..Adam::default() };
            let [of_encoder, of_head] = &mut adam;
            of_encoder.update(isa, &settings, &gradient, classifier.parameters.values_mut());
            of_head.update(isa, &settings, &first.head, &mut classifier.head.values);
        }
        classifier.plan.set_parameters(classifier.parameters.values());
        Ok(classifier)
    }

    /// The model's encoder with a classifier that knows nothing yet.
    fn new(model: &Autoencoder, lesson: &Lesson<'_>, seed: u64) -> Result<Self> {
        let Lesson { samples, noise, classes, .. } = *lesson;
        // The same refusals, in the same words.
        let coder = crate::code::Coder::new(model, samples.size())?;
        let first: Vec<u32> = (0..samples.len().min(SCALE_IMAGES) as u32).collect();
        let exposure = Exposure { samples, noise, draw: Some((seed, 0)) };
        let codes = super::features::View::Code(&coder).features(&exposure, &first, &Threads::new(1)?);
        let scale = Linear::scale_for(&codes);
        let plan = Plan::new(&model.net, samples.size(), plan::isa()?, plan::Purpose::Training)?;
        let cut = model.net.latent_index().and_then(|index| plan.cut(index)).ok_or_else(|| {
            Error::invalid(
                format!("network {:?}", model.net.name),
                "its plan for training has no code to classify by",
            )
        })?;
        let code = coder.shape().len();
        let head = Linear::glorot_uniform(code, classes, scale, seed);
        Ok(Self { plan, cut, parameters: model.parameters.clone(), head, code })
    }

    fn group(&self, classes: usize) -> Group {
        Group {
            workspace: self.plan.workspace(),
            pixels: vec![0.0; self.plan.shape().len()],
            scaled: vec![0.0; self.code],
            logits: vec![0.0; classes],
            dcode: vec![0.0; self.code],
            encoder: vec![0.0; self.plan.gradient_len()],
            head: vec![0.0; self.head.values.len()],
        }
    }

    /// The class of every image of a set.
    pub fn classify(&self, exposure: &Exposure<'_>, threads: &Threads) -> Vec<u8> {
        let isa = self.plan.isa();
        let idle = Mutex::new(Vec::new());
        let lock = || idle.lock().expect("no thread panics while it holds the lock");
        let mut found = vec![0; exposure.samples.len()];
        let mut groups: Vec<_> = found.chunks_mut(GROUP).collect();
        threads.for_each(&mut groups, |_, index, found| {
            let known = lock().pop();
            let mut group = known.unwrap_or_else(|| self.group(self.head.classes()));
            for (offset, class) in found.iter_mut().enumerate() {
                exposure.read(index * GROUP + offset, &mut group.pixels);
                group.workspace.set_input(&group.pixels);
                self.plan.forward_to(self.cut, &mut group.workspace);
                let code = group.workspace.values(self.cut).to_vec();
                self.head.forward(isa, &code, &mut group.scaled, &mut group.logits);
                *class = winner(&group.logits) as u8;
            }
            lock().push(group);
        });
        found
    }
}
