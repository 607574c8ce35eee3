//! What a training run is asked to do.

use serde::{Deserialize, Serialize};

use crate::net::NetSpec;
use crate::noise::Noise;
use crate::optim::{Adam, Schedule};
use crate::{Error, Result};

/// Everything that decides which numbers come out of a run, but for the images. The default is the tutorial's run.
///
/// The number of threads is not here: it does not change a bit of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// How often every training image is seen: 1 to [`TrainConfig::MAX_EPOCHS`].
    pub epochs: u32,
    /// Images per step: 1 to [`TrainConfig::MAX_BATCH_SIZE`]; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Of initial weights, order of images and training noise.
    pub seed: u64,
    /// What the training images suffer, anew each time, and the test images, once.
    pub noise: Noise,
    /// How the learning rate changes over the run.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises from 0 at the start.
    pub warmup_steps: u64,
    /// The optimizer.
    pub adam: Adam,
    /// The network.
    pub net: NetSpec,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 25,
            batch_size: 64,
            seed: 1,
            noise: Noise::default(),
            schedule: Schedule::Constant,
            warmup_steps: 0,
            adam: Adam::default(),
            net: NetSpec::seed(),
        }
    }
}

impl TrainConfig {
    /// More epochs than anyone waits for; steps and epochs can be counted without overflow.
    pub const MAX_EPOCHS: u32 = 1_000_000;
    /// Batches of more images than this gain nothing and cost memory.
    pub const MAX_BATCH_SIZE: usize = 1 << 16;

    /// Checks every setting but the network, which is checked when it meets the size of the images.
    ///
    /// # Errors
    /// If one is out of its range; the message names it.
    pub fn validate(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::invalid("epochs", "0 epochs would train nothing; expected 1 or more"));
        }
        if self.epochs > Self::MAX_EPOCHS {
            return Err(Error::invalid(
                "epochs",
                format!("{}, expected 1 to {}, for example 25", self.epochs, Self::MAX_EPOCHS),
            ));
        }
        if !(1..=Self::MAX_BATCH_SIZE).contains(&self.batch_size) {
            return Err(Error::invalid(
                "batch size",
                format!("{}, expected 1 to {}, for example 64", self.batch_size, Self::MAX_BATCH_SIZE),
            ));
        }
        self.adam.validate()
    }

    /// Steps of one epoch over `images` training images.
    pub fn steps_per_epoch(&self, images: usize) -> u64 {
        images.div_ceil(self.batch_size) as u64
    }
}
