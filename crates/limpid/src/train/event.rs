//! What a trainer tells after each of its steps.

/// The next thing that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// One batch was seen and the weights were updated.
    Step(Progress),
    /// An epoch came to its end and the validation loss was measured.
    Epoch(Finished),
}

/// Where the run is after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// The step within its epoch, counted from 1.
    pub step: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Images in this step.
    pub images: usize,
    /// Mean loss of this batch per pixel, in nats, measured before the update.
    pub loss: f64,
    /// Mean loss over the epoch so far.
    pub mean_loss: f64,
    /// The learning rate of this step.
    pub learning_rate: f64,
}

/// The result of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// The epoch, counted from 1.
    pub epoch: u32,
    /// Mean loss over the epoch's images per pixel, in nats, each measured before the update that it took part in.
    pub training_loss: f64,
    /// Mean loss over the whole validation set after the epoch's last update.
    pub validation_loss: f64,
    /// Whether this is the lowest validation loss so far: the trainer keeps these parameters as the best.
    pub is_best: bool,
}
