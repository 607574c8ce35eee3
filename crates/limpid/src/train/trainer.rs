//! The trainer: a network, its optimizer and its place in the run.

use std::sync::{Arc, OnceLock};

use limpid_kernels::Isa;

use super::TrainConfig;
use super::batch::{Batch, BatchRunner};
use super::event::{Event, Finished, Progress};
use super::order::shuffled;
use crate::data::{Identity, Samples};
use crate::denoise::{Autoencoder, Losses, Settings, Training};
use crate::net::plan::{self, Plan};
use crate::net::{ParameterLayout, Parameters};
use crate::noise::{Purpose, Stream, test_stream};
use crate::optim::{Adam, AdamState, LearningRate};
use crate::threads::Threads;
use crate::{Error, Result};

/// Everything that changes in the course of a run. Noise and order of images are drawn from seed, epoch and image, so no
/// generator's state is part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// The network's parameters.
    pub parameters: Parameters,
    /// The optimizer's moments and its count of steps.
    pub adam: AdamState,
    /// Training images of the run: with another number, neither its order nor its noise could be continued.
    pub training_images: u64,
    /// The epoch under way, counted from 1; one past the last when the run is done.
    pub epoch: u32,
    /// Steps done in this epoch.
    pub step: u64,
    /// Sum of the losses of the images seen in this epoch, each a mean per pixel.
    pub loss_sum: f64,
    /// Images seen in this epoch.
    pub images: u64,
    /// The losses of the finished epochs, the first one first.
    pub history: Vec<Losses>,
    /// The parameters of the epoch with the lowest validation loss so far, of several the first; none before one is finished.
    pub best: Option<Parameters>,
}

impl TrainerState {
    /// The epoch that [`TrainerState::best`] is from, counted from 1, and its validation loss.
    pub fn best_epoch(&self) -> Option<(u32, f64)> {
        let losses = (1..).zip(self.history.iter().map(|losses| losses.validation));
        losses.min_by(|(_, one), (_, other)| one.total_cmp(other))
    }
}

/// Trains a network, one step per call.
///
/// The same settings, images and instruction set give the same bits on any number of threads.
///
/// ```
/// use std::sync::{Arc, OnceLock};
/// use limpid::{data::Dataset, train::{Event, TrainConfig, Trainer}};
///
/// let digits = Dataset::mnist();
/// let config = TrainConfig { epochs: 1, ..TrainConfig::default() };
/// let train = Arc::new(digits.train.images.slice(0..640));
/// let test = Arc::new(digits.test.images.slice(0..100));
/// let mut trainer = Trainer::new(config, train, test, 0)?;
/// while let Some(event) = trainer.step()? {
///     if let Event::Epoch(epoch) = event {
///         assert!(epoch.validation_loss < 0.5);
///     }
/// }
/// # Ok::<(), limpid::Error>(())
/// ```
pub struct Trainer {
    config: TrainConfig,
    train: Arc<dyn Samples>,
    validation: Arc<dyn Samples>,
    learning_rate: LearningRate,
    runner: BatchRunner,
    gradient: Vec<f32>,
    order: Vec<u32>,
    state: TrainerState,
    /// Of the training and the validation images; computed where it is asked for.
    identities: OnceLock<[Identity; 2]>,
}

impl Trainer {
    /// A trainer at the start of a run, on `threads` threads (0: one per processor).
    ///
    /// `validation` are images that are never trained on; their noise is drawn from a fixed seed, the same for every run.
    ///
    /// # Errors
    /// If a setting is out of its range, there are no images, the two sets differ in size, or the network does not fit it.
    pub fn new(
        config: TrainConfig,
        train: Arc<dyn Samples>,
        validation: Arc<dyn Samples>,
        threads: usize,
    ) -> Result<Self> {
        let parameters = Parameters::glorot_uniform(&config.net, config.seed)?;
        let state = TrainerState {
            adam: AdamState::new(parameters.values().len()),
            training_images: train.len() as u64,
            parameters,
            epoch: 1,
            step: 0,
            loss_sum: 0.0,
            images: 0,
            history: Vec::new(),
            best: None,
        };
        Self::resume(config, state, train, validation, threads)
    }

    /// A trainer at a given point of a run: with the same images it goes on to the very bits that the run would have ended
    /// with, had it not been interrupted.
    ///
    /// # Errors
    /// As [`Trainer::new`], or if the state is not one that a run with these settings and images comes through.
    pub fn resume(
        config: TrainConfig,
        state: TrainerState,
        train: Arc<dyn Samples>,
        validation: Arc<dyn Samples>,
        threads: usize,
    ) -> Result<Self> {
        config.validate()?;
        check_samples(&*train, &*validation)?;
        check_state(&config, &state, train.len())?;
        let plan = Plan::new(&config.net, train.size(), plan::isa()?, plan::Purpose::Training)?;
        let learning_rate = LearningRate {
            peak: config.adam.learning_rate,
            schedule: config.schedule,
            warmup_steps: config.warmup_steps,
            total_steps: config.steps_per_epoch(train.len()) * u64::from(config.epochs),
        };
        Ok(Self {
            order: shuffled(config.seed, state.epoch, train.len()),
            gradient: vec![0.0; plan.layout().len()],
            runner: BatchRunner::new(plan, Threads::new(threads)?),
            config,
            train,
            validation,
            learning_rate,
            state,
            identities: OnceLock::new(),
        })
    }

    /// What the run was asked to do.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// The instruction set that computes.
    pub fn isa(&self) -> Isa {
        self.runner.plan().isa()
    }

    /// The threads that compute.
    pub fn threads(&self) -> &Threads {
        self.runner.threads()
    }

    /// Where the run is.
    pub fn state(&self) -> &TrainerState {
        &self.state
    }

    /// What tells the training and the validation images from others. The first call reads all of them.
    pub fn identities(&self) -> &[Identity; 2] {
        self.identities
            .get_or_init(|| [&self.train, &self.validation].map(|samples| Identity::of(&**samples)))
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate.at(self.state.adam.step + 1)
    }

    /// The parameters of the lowest validation loss so far; before the end of the first epoch, the present ones.
    pub fn best(&self) -> &Parameters {
        self.state.best.as_ref().unwrap_or(&self.state.parameters)
    }

    /// The network with [`Trainer::best`], to denoise with; it does not say yet what images it was trained on.
    pub fn best_model(&self) -> Autoencoder {
        Autoencoder {
            net: self.config.net.clone(),
            parameters: self.best().clone(),
            noise: self.config.noise,
            training: None,
        }
    }

    /// [`Trainer::best_model`] as it is written to a file: with how it was trained, on images that people call `data`.
    pub fn best_model_of(&self, data: String) -> Autoencoder {
        let TrainConfig { epochs, batch_size, seed, schedule, warmup_steps, adam, .. } = self.config;
        let best = self.state.best_epoch();
        let epoch = best.map_or(self.state.epoch, |(epoch, _)| epoch);
        let training = Training {
            data,
            images: self.state.training_images,
            epoch,
            validation_loss: best.map(|(_, loss)| loss),
            seed,
            settings: Some(Settings { epochs, batch_size, schedule, warmup_steps, adam }),
            history: self.state.history.iter().take(epoch as usize).copied().collect(),
        };
        Autoencoder { training: Some(training), ..self.best_model() }
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.config.steps_per_epoch(self.train.len())
    }

    /// Does the next thing: trains on one batch, or, behind an epoch's last batch, measures the validation loss. None when
    /// all epochs are done.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a loss is not finite. The parameters were not updated by it; the best ones are kept.
    pub fn step(&mut self) -> Result<Option<Event>> {
        if self.state.epoch > self.config.epochs {
            return Ok(None);
        }
        if self.state.step < self.steps_per_epoch() {
            self.train_on_batch().map(|progress| Some(Event::Step(progress)))
        } else {
            self.finish_epoch().map(|finished| Some(Event::Epoch(finished)))
        }
    }

    fn train_on_batch(&mut self) -> Result<Progress> {
        let Self { config, state, .. } = self;
        let learning_rate = self.learning_rate.at(state.adam.step + 1);
        let start = state.step as usize * config.batch_size;
        let images = &self.order[start..(start + config.batch_size).min(self.order.len())];
        let (seed, draw) = (config.seed, state.epoch);
        let stream = |image| Stream { seed, index: image as u32, draw, purpose: Purpose::Training as u32 };
        let batch = Batch { samples: &*self.train, images, noise: &config.noise, stream: &stream };
        let parameters = state.parameters.values();
        let loss = self.runner.gradient(parameters, &batch, &mut self.gradient);
        if !loss.is_finite() {
            return Err(diverged(loss, state.adam.step + 1, state.epoch, config));
        }
        let adam = Adam { learning_rate, ..config.adam };
        state.adam.update(self.runner.plan().isa(), &adam, &self.gradient, state.parameters.values_mut());
        state.step += 1;
        state.loss_sum += loss * images.len() as f64;
        state.images += images.len() as u64;
        Ok(Progress {
            epoch: state.epoch,
            step: state.step,
            steps_per_epoch: config.steps_per_epoch(self.train.len()),
            images: images.len(),
            loss,
            mean_loss: state.loss_sum / state.images as f64,
            learning_rate,
        })
    }

    fn finish_epoch(&mut self) -> Result<Finished> {
        let validation_loss = self.validation_loss();
        let state = &mut self.state;
        if !validation_loss.is_finite() {
            return Err(diverged(validation_loss, state.adam.step, state.epoch, &self.config));
        }
        let is_best = state.best_epoch().is_none_or(|(_, best)| validation_loss < best);
        if is_best {
            state.best = Some(state.parameters.clone());
        }
        let training_loss = state.loss_sum / state.images as f64;
        state.history.push(Losses { training: training_loss, validation: validation_loss });
        let finished = Finished { epoch: state.epoch, training_loss, validation_loss, is_best };
        state.epoch += 1;
        (state.step, state.loss_sum, state.images) = (0, 0.0, 0);
        if state.epoch <= self.config.epochs {
            self.order = shuffled(self.config.seed, state.epoch, self.train.len());
        }
        Ok(finished)
    }

    /// The mean loss per pixel over the whole validation set under its own noise, for the present parameters.
    pub fn validation_loss(&mut self) -> f64 {
        let images: Vec<u32> = (0..self.validation.len() as u32).collect();
        let noise = &self.config.noise;
        let batch = Batch { samples: &*self.validation, images: &images, noise, stream: &test_stream };
        self.runner.loss(self.state.parameters.values(), &batch)
    }
}

fn diverged(loss: f64, step: u64, epoch: u32, config: &TrainConfig) -> Error {
    Error::Diverged { loss, step, epoch, learning_rate: config.adam.learning_rate }
}

/// Whether a run over so many images comes through this state.
fn check_state(config: &TrainConfig, state: &TrainerState, images: usize) -> Result<()> {
    let refuse = |problem: String| Err(Error::invalid("state of the run", problem));
    let steps = config.steps_per_epoch(images);
    let layout = ParameterLayout::new(&config.net)?;
    let TrainerState {
        parameters,
        adam,
        training_images,
        epoch,
        step,
        loss_sum,
        images: seen,
        history,
        best,
    } = state;
    if *training_images != images as u64 {
        return refuse(format!("its run had {training_images} training images, these are {images}"));
    }
    if [Some(parameters), best.as_ref()]
        .into_iter()
        .flatten()
        .any(|parameters| *parameters.layout() != layout)
        || adam.first.len() != layout.len()
        || adam.second.len() != layout.len()
    {
        return refuse("its parameters are those of another network".into());
    }
    let done = config.epochs + 1;
    if *epoch > done || (*epoch == done && *step > 0) {
        return refuse(format!("step {step} of epoch {epoch}, but the run has {} epochs", config.epochs));
    }
    if *epoch == 0 || *step > steps {
        return refuse(format!(
            "step {step} of epoch {epoch}, but an epoch over {images} images has {steps} steps"
        ));
    }
    let expected = steps.saturating_mul(u64::from(*epoch) - 1).saturating_add(*step);
    let expected_images = (*step * config.batch_size as u64).min(images as u64);
    if adam.step != expected || *seen != expected_images {
        return refuse(format!(
            "{} updates and {seen} images of the epoch before step {} of epoch {epoch}, expected {expected} and \
             {expected_images}: the run had other images",
            adam.step,
            step + 1
        ));
    }
    let finished = *epoch as usize - 1;
    if history.len() != finished || best.is_some() != (finished > 0) {
        return refuse(format!(
            "losses of {} epochs{} in epoch {epoch}, expected those of {finished}",
            history.len(),
            if best.is_some() { "" } else { " and no best parameters" },
        ));
    }
    let losses = history.iter().flat_map(|losses| [losses.training, losses.validation]);
    if let Some(loss) = losses.chain([*loss_sum]).find(|loss| !(0.0..f64::INFINITY).contains(loss)) {
        return refuse(format!("a loss is {loss}, expected a number of 0 or more"));
    }
    Ok(())
}

fn check_samples(train: &dyn Samples, validation: &dyn Samples) -> Result<()> {
    for (what, samples) in [("training images", train), ("validation images", validation)] {
        if samples.is_empty() {
            return Err(Error::invalid(what, "there are none; expected at least one"));
        }
        if u32::try_from(samples.len()).is_err() {
            return Err(Error::invalid(what, format!("{}, expected fewer than 2^32", samples.len())));
        }
    }
    if train.size() != validation.size() {
        let ((height, width), (other_height, other_width)) = (train.size(), validation.size());
        return Err(Error::invalid(
            "validation images",
            format!("they have {other_height}x{other_width} pixels, the training images {height}x{width}"),
        ));
    }
    Ok(())
}
