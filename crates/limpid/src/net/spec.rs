//! THE description of a network, as data: training, inference, export, checkpoints and `limpid info` all read this.

use std::{fs::File, io::Read, path::Path};

use limpid_kernels::Shape;
use serde::{Deserialize, Serialize};

use super::{Activation, layers::Layer, spec_toml::NetTable, validate};
use crate::{Error, Result};

/// A stack of layers from a gray image to the logits of its reconstruction.
///
/// All convolutions pad as TensorFlow's `'SAME'`. The sigmoid behind the last layer is no layer: it belongs to the loss.
/// The fields are public and can be put together freely; everything that uses a description validates it first.
///
/// ```
/// use limpid::net::NetSpec;
///
/// let spec = NetSpec::seed();
/// let code = spec.latent_index().unwrap();
/// assert_eq!(spec.shapes(spec.input)?[code].to_string(), "7x7x32");
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NetTable", into = "NetTable")]
pub struct NetSpec {
    /// What to call the network.
    pub name: String,
    /// The nominal size of an image, e.g. 28x28x1. Convolutions do not mind other sizes: see [`NetSpec::multiple`].
    pub input: Shape,
    /// The layers, from the image to the logits.
    pub layers: Vec<LayerSpec>,
    /// Name of the layer whose output is the code, the latent representation of the image.
    pub latent: Option<String>,
}

/// One layer of a [`NetSpec`].
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSpec {
    /// Unique name; the parameters are called after it, e.g. `conv1.kernel`.
    pub name: String,
    /// What the layer computes.
    pub kind: LayerKind,
}

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LayerKind {
    /// Convolution: height and width are divided by the stride, rounding up.
    Conv {
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Pixels between neighbouring kernel positions.
        stride: usize,
        /// What follows it.
        activation: Activation,
    },
    /// Maximum over windows of `size` x `size` that do not overlap: height and width are divided, rounding down.
    MaxPool {
        /// Rows and columns of a window, and the distance of windows.
        size: usize,
    },
    /// Transposed convolution: height and width are multiplied by the stride.
    ConvTranspose {
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Factor of enlargement.
        stride: usize,
        /// What follows it.
        activation: Activation,
    },
    /// Dense layer: every value of the output depends on every value of the input. A network with one takes images of its
    /// nominal size only.
    Dense {
        /// Shape of the output: 1 x 1 x K for a code of K values.
        output: Shape,
        /// What follows it.
        activation: Activation,
    },
}

impl LayerKind {
    /// The name of the kind in a TOML description: `conv`, `max_pool`, `conv_transpose` or `dense`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::MaxPool { .. } => "max_pool",
            Self::ConvTranspose { .. } => "conv_transpose",
            Self::Dense { .. } => "dense",
        }
    }

    /// What follows the layer; linear for a pooling layer.
    pub fn activation(&self) -> Activation {
        match *self {
            Self::Conv { activation, .. }
            | Self::ConvTranspose { activation, .. }
            | Self::Dense { activation, .. } => activation,
            Self::MaxPool { .. } => Activation::Linear,
        }
    }
}

/// A description of more than this many bytes is no description; the largest valid one is far smaller.
const MAX_FILE_BYTES: u64 = 1 << 20;

impl NetSpec {
    /// The network of the tutorial, `nets/seed.toml`: 37,601 parameters.
    pub fn seed() -> Self {
        Self::from_toml(include_str!("../../nets/seed.toml")).expect("the seed network is valid")
    }

    /// A description from TOML; `nets/seed.toml` explains the format by example.
    ///
    /// # Errors
    /// If the text is no TOML, has unknown or missing fields, or describes no valid network at its nominal input.
    pub fn from_toml(text: &str) -> Result<Self> {
        NetTable::parse(text)?.try_into()
    }

    /// The description as TOML, from which [`NetSpec::from_toml`] makes an equal one.
    ///
    /// # Panics
    /// If a size does not fit an `i64`, as in no valid description.
    pub fn to_toml(&self) -> String {
        NetTable::from(self.clone()).print()
    }

    /// Reads a description from a TOML file.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`NetSpec::from_toml`]; messages name the file.
    pub fn load(path: &Path) -> Result<Self> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
            .map_err(|e| Error::io("read", path, e))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::data(
                path,
                format!(
                    "longer than {MAX_FILE_BYTES} bytes; expected the TOML description of a network, a few kB"
                ),
            ));
        }
        Self::from_toml(&text).map_err(|e| Error::data(path, e.to_string()))
    }

    /// The same network with another activation wherever it has one that is not linear: in the seed network, behind the
    /// three inner convolutions.
    #[must_use]
    pub fn with_activation(mut self, new: Activation) -> Self {
        for layer in &mut self.layers {
            match &mut layer.kind {
                LayerKind::Conv { activation, .. }
                | LayerKind::ConvTranspose { activation, .. }
                | LayerKind::Dense { activation, .. } => {
                    if *activation != Activation::Linear {
                        *activation = new;
                    }
                }
                LayerKind::MaxPool { .. } => {}
            }
        }
        self
    }

    /// Checks the description at its nominal input.
    ///
    /// # Errors
    /// As [`NetSpec::layers`].
    pub fn validate(&self) -> Result<()> {
        self.layers(self.input).map(drop)
    }

    /// The layers, fitted to an image of shape `input`: the geometry of each, in order.
    ///
    /// # Errors
    /// If the description makes no sense by itself (names, sizes of 0 or past a limit, a last layer that gives no logits)
    /// or does not give an output of the input's shape; the message names the layer.
    pub fn layers(&self, input: Shape) -> Result<Vec<Layer>> {
        validate::layers(self, input)
    }

    /// The output shape of every layer, in order, for an image of shape `input`.
    ///
    /// # Errors
    /// As [`NetSpec::layers`].
    pub fn shapes(&self, input: Shape) -> Result<Vec<Shape>> {
        Ok(self.layers(input)?.iter().map(Layer::output).collect())
    }

    /// The number of which height and width must be a multiple so that the output has the size of the input: 4 for the
    /// seed network. `None` if the layers do not reduce as much as they enlarge, so that no size would do, and for a
    /// network with a dense layer, which takes its nominal size and no other.
    pub fn multiple(&self) -> Option<usize> {
        validate::multiple(self)
    }

    /// Index of the layer whose output is the code.
    pub fn latent_index(&self) -> Option<usize> {
        let latent = self.latent.as_deref()?;
        self.layers.iter().position(|layer| layer.name == latent)
    }
}

impl std::str::FromStr for NetSpec {
    type Err = Error;

    /// As [`NetSpec::from_toml`].
    fn from_str(text: &str) -> Result<Self> {
        Self::from_toml(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_network_is_the_tutorials() {
        let seed = NetSpec::seed();
        let names: Vec<&str> = seed.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(
            names,
            ["conv1", "pool1", "conv2", "encoding", "conv3", "upsample1", "upsample2", "logits"]
        );
        let shapes: Vec<String> = seed.shapes(seed.input).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            shapes,
            ["28x28x32", "14x14x32", "14x14x32", "7x7x32", "7x7x32", "14x14x32", "28x28x32", "28x28x1"]
        );
        assert_eq!(seed.latent_index(), Some(3));
        assert_eq!(seed.multiple(), Some(4));
    }

    #[test]
    fn another_activation_leaves_linear_layers_linear() {
        let relu = NetSpec::seed().with_activation(Activation::Relu);
        let activations: Vec<String> =
            relu.layers.iter().map(|layer| layer.kind.activation().to_string()).collect();
        assert_eq!(activations, ["relu", "linear", "relu", "linear", "relu", "linear", "linear", "linear"]);
        assert_eq!(relu.with_activation(Activation::LeakyRelu(0.1)), NetSpec::seed());
    }

    #[test]
    fn files_are_read_and_named_in_messages() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("net.toml");
        let message = || NetSpec::load(&path).unwrap_err().to_string();
        assert!(message().starts_with(&format!("cannot read {}: ", path.display())), "{}", message());
        std::fs::write(&path, NetSpec::seed().to_toml()).unwrap();
        assert_eq!(NetSpec::load(&path).unwrap(), NetSpec::seed());
        std::fs::write(&path, "input = 3").unwrap();
        assert!(
            message().starts_with(&format!("{}: network description: ", path.display())),
            "{}",
            message()
        );
        std::fs::write(&path, vec![b'#'; MAX_FILE_BYTES as usize + 1]).unwrap();
        assert!(message().contains("longer than 1048576 bytes"), "{}", message());
    }
}
