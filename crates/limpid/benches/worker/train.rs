//! Steps of training, as `limpid train` does them.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use limpid::data::Dataset;
use limpid::net::plan::{Plan, Purpose};
use limpid::train::{Event, TrainConfig, Trainer};
use serde_json::{Value, json};

use crate::Work;

/// The tutorial's run on the 55,000 digits, for as long as it is asked to go on.
pub(crate) struct Train {
    trainer: Trainer,
    loss: f64,
}

impl Train {
    pub(crate) fn new(batch_size: usize, threads: usize) -> Result<Self, Box<dyn Error>> {
        let digits = Dataset::mnist();
        let config = TrainConfig { batch_size, epochs: TrainConfig::MAX_EPOCHS, ..TrainConfig::default() };
        // What an epoch ends with is not measured here: one image is enough for it.
        let (train, test) = (Arc::new(digits.train.images), Arc::new(digits.test.images.slice(0..1)));
        Ok(Self { trainer: Trainer::new(config, train, test, threads)?, loss: f64::NAN })
    }
}

impl Work for Train {
    fn about(&self) -> Value {
        let net = &self.trainer.config().net;
        let size = (net.input.height, net.input.width);
        let explanation =
            Plan::new(net, size, self.trainer.isa(), Purpose::Training).map(|plan| plan.explain(net));
        let steps = || explanation.iter().flat_map(|plan| &plan.steps);
        let forward: u64 = steps().map(|step| step.macs).sum();
        let backward: u64 = steps().map(|step| step.backward_macs).sum();
        json!({
            "isa": self.trainer.isa().name(),
            "threads": self.trainer.threads().count(),
            "macs_forward": forward,
            "macs_backward": backward,
        })
    }

    /// A step; a smaller one at the end of an epoch, and the end itself, are done but not counted.
    fn work(&mut self) -> Result<Duration, Box<dyn Error>> {
        loop {
            let start = Instant::now();
            let event = self.trainer.step()?;
            let took = start.elapsed();
            match event {
                Some(Event::Step(step)) if step.images == self.trainer.config().batch_size => {
                    self.loss = step.loss;
                    return Ok(took);
                }
                Some(_) => (),
                None => return Err("nobody waits for the last epoch".into()),
            }
        }
    }

    fn loss(&self) -> Option<f64> {
        Some(self.loss)
    }
}
