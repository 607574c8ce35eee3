//! The checkpoint of a run: everything that continuing it takes.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic;
use super::file::{self, FORMAT_VERSION, File, Group};
use crate::Result;
use crate::net::{ParameterLayout, Parameters};
use crate::optim::AdamState;
use crate::train::{TrainConfig, TrainerState};

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
}

/// What the header of a checkpoint says beside the tensors. Its fields are the format: none is ever renamed or removed.
#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    version: u32,
    config: TrainConfig,
    /// Updates of the parameters so far.
    updates: u64,
    training_images: u64,
    epoch: u32,
    step: u64,
    loss_sum: f64,
    images: u64,
    best_validation_loss: Option<f64>,
}

impl Checkpoint {
    /// The checkpoint as the bytes of a `.safetensors` file. The same checkpoint gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let TrainerState { parameters, adam, training_images, epoch, step, loss_sum, images, best } =
            &self.state;
        let header = Header {
            kind: KIND.into(),
            version: FORMAT_VERSION,
            config: self.config.clone(),
            updates: adam.step,
            training_images: *training_images,
            epoch: *epoch,
            step: *step,
            loss_sum: *loss_sum,
            images: *images,
            best_validation_loss: best.as_ref().map(|(_, loss)| *loss),
        };
        let mut groups = vec![
            Group { prefix: "", values: parameters.values() },
            Group { prefix: FIRST, values: &adam.first },
            Group { prefix: SECOND, values: &adam.second },
        ];
        groups.extend(best.as_ref().map(|(best, _)| Group { prefix: BEST, values: best.values() }));
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
        let best = match header.best_validation_loss {
            Some(loss) => Some((parameters(BEST)?, loss)),
            None => None,
        };
        let adam = AdamState {
            first: file.group(&layout, FIRST)?,
            second: file.group(&layout, SECOND)?,
            step: header.updates,
        };
        let Header { config, training_images, epoch, step, loss_sum, images, .. } = header;
        let state = TrainerState {
            parameters: parameters("")?,
            adam,
            training_images,
            epoch,
            step,
            loss_sum,
            images,
            best,
        };
        Ok(Self { config, state })
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
