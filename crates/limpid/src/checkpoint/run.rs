//! The checkpoint of a run: everything that continuing it takes.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::atomic;
use super::file::{self, FORMAT_VERSION, File, Group};
use crate::data::{Identity, Samples};
use crate::denoise::Losses;
use crate::net::{ParameterLayout, Parameters};
use crate::optim::AdamState;
use crate::train::{TrainConfig, Trainer, TrainerState};
use crate::{Error, Result};

const KIND: &str = "checkpoint";
const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";
const BEST: &str = "best.";

/// A run at one point: what it was asked to do and how far it has come.
///
/// Noise and order of the images depend on seed, epoch and image alone, so there is no generator's state to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What the run was asked to do.
    pub config: TrainConfig,
    /// How far it has come.
    pub state: TrainerState,
    /// The images that it is trained on.
    pub training_images: Identity,
    /// The images that it is validated on.
    pub validation_images: Identity,
    /// The instruction set that computed it last: another one rounds differently.
    pub isa: String,
}

/// What the header of a checkpoint says beside the tensors. Its fields are the format: none is ever renamed or removed.
#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    version: u32,
    config: TrainConfig,
    /// Updates of the parameters so far.
    updates: u64,
    training_images: Identity,
    validation_images: Identity,
    isa: String,
    epoch: u32,
    step: u64,
    loss_sum: f64,
    images: u64,
    history: Vec<Losses>,
}

impl Checkpoint {
    /// Where a run stands.
    pub fn of(trainer: &Trainer) -> Self {
        let [training_images, validation_images] = trainer.identities().clone();
        Self {
            config: trainer.config().clone(),
            state: trainer.state().clone(),
            training_images,
            validation_images,
            isa: trainer.isa().name().to_owned(),
        }
    }

    /// A trainer that goes on with the run, on `threads` threads (0: one per processor): with the instruction set that it
    /// was interrupted on, it ends in the very bits in which the run would have ended.
    ///
    /// # Errors
    /// If the images are not those of the run, or as [`Trainer::resume`].
    pub fn resume(
        self,
        training: Arc<dyn Samples>,
        validation: Arc<dyn Samples>,
        threads: usize,
    ) -> Result<Trainer> {
        let Self { config, state, training_images, validation_images, .. } = self;
        let both = [("training", training_images, &training), ("validation", validation_images, &validation)];
        for (what, identity, samples) in both {
            if let Some(difference) = identity.difference(&Identity::of(&**samples)) {
                return Err(Error::invalid(
                    format!("{what} images"),
                    format!("they are not those that the run began with: {difference}"),
                ));
            }
        }
        Trainer::resume(config, state, training, validation, threads)
    }

    /// The checkpoint as the bytes of a `.safetensors` file. The same checkpoint gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let TrainerState {
            parameters,
            adam,
            training_images: _,
            epoch,
            step,
            loss_sum,
            images,
            history,
            best,
        } = &self.state;
        let header = Header {
            kind: KIND.into(),
            version: FORMAT_VERSION,
            config: self.config.clone(),
            updates: adam.step,
            training_images: self.training_images.clone(),
            validation_images: self.validation_images.clone(),
            isa: self.isa.clone(),
            epoch: *epoch,
            step: *step,
            loss_sum: *loss_sum,
            images: *images,
            history: history.clone(),
        };
        let mut groups = vec![
            Group { prefix: "", values: parameters.values() },
            Group { prefix: FIRST, values: &adam.first },
            Group { prefix: SECOND, values: &adam.second },
        ];
        groups.extend(best.as_ref().map(|best| Group { prefix: BEST, values: best.values() }));
        file::serialize(&header, parameters.layout(), &groups)
    }

    /// A checkpoint from the bytes of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// If they are no checkpoint, were damaged, have values that are not finite, or come from a newer limpid.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let file = File::parse(bytes, KIND, path)?;
        let header: Header = file.header()?;
        header.config.validate().map_err(|error| file.refuse(error.to_string()))?;
        let layout = ParameterLayout::new(&header.config.net)?;
        let parameters = |prefix| Parameters::new(layout.clone(), file.group(&layout, prefix)?);
        let best = if header.history.is_empty() { None } else { Some(parameters(BEST)?) };
        let adam = AdamState {
            first: file.group(&layout, FIRST)?,
            second: file.group(&layout, SECOND)?,
            step: header.updates,
        };
        let Header { config, training_images, validation_images, isa, epoch, .. } = header;
        let Header { step, loss_sum, images, history, .. } = header;
        let state = TrainerState {
            parameters: parameters("")?,
            adam,
            training_images: training_images.images,
            epoch,
            step,
            loss_sum,
            images,
            history,
            best,
        };
        Ok(Self { config, state, training_images, validation_images, isa })
    }

    /// Writes the checkpoint file, whole or not at all.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, &self.to_bytes())
    }

    /// Reads a checkpoint file.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`Checkpoint::from_bytes`].
    pub fn load(path: &Path) -> Result<Self> {
        Self::from_bytes(&file::read(path)?, path)
    }
}
