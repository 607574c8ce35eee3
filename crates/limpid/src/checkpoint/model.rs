//! The model file: a network with its parameters, and what it was trained for.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic;
use super::file::{self, FORMAT_VERSION, File, Group};
use crate::Result;
use crate::denoise::{Autoencoder, Training};
use crate::net::{NetSpec, ParameterLayout, Parameters};
use crate::noise::Noise;

const KIND: &str = "model";

/// What the header of a model says. Its fields are the format: none is ever renamed or removed.
#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    version: u32,
    net: NetSpec,
    /// The values that stand for black and white.
    input_range: [f32; 2],
    noise: Noise,
    training: Option<Training>,
}

impl Autoencoder {
    /// The model as the bytes of a `.safetensors` file. The same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            kind: KIND.into(),
            version: FORMAT_VERSION,
            net: self.net.clone(),
            input_range: [0.0, 1.0],
            noise: self.noise,
            training: self.training.clone(),
        };
        let group = Group { prefix: "", values: self.parameters.values() };
        file::serialize(&header, self.parameters.layout(), &[group])
    }

    /// A model from the bytes of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// If they are no model, were damaged, have values that are not finite, or come from a newer limpid.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let file = File::parse(bytes, KIND, path)?;
        let Header { net, input_range, noise, training, .. } = file.header()?;
        if input_range != [0.0, 1.0] {
            return Err(file.refuse(format!("wants pixels in {input_range:?}, this limpid gives [0, 1]")));
        }
        let layout = ParameterLayout::new(&net)?;
        let values = file.group(&layout, "")?;
        Ok(Self { net, parameters: Parameters::new(layout, values)?, noise, training })
    }

    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write(path, &self.to_bytes())
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`Autoencoder::from_bytes`].
    pub fn load(path: &Path) -> Result<Self> {
        Self::from_bytes(&file::read(path)?, path)
    }
}
