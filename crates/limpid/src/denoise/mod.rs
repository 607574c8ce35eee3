//! The trained network at work: images in, denoised images out.

mod denoiser;

use crate::image::Image;
use crate::net::plan::{self, Plan, Purpose};
use crate::net::{NetSpec, Parameters};
use crate::noise::Noise;
use crate::optim::{Adam, Schedule};
use crate::threads::Threads;
use crate::{Error, Result};

pub use denoiser::Denoiser;

/// A denoising autoencoder: a network with its parameters, and what it was trained for.
///
/// ```
/// use limpid::{denoise::Autoencoder, image::Image, net::NetSpec};
///
/// let untrained = Autoencoder::untrained(NetSpec::seed(), 1)?;
/// let image = Image::new(30, 41, vec![0.5; 30 * 41])?;
/// assert_eq!(untrained.denoise(&image)?.width(), 41);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Autoencoder {
    /// The network.
    pub net: NetSpec,
    /// Its parameters.
    pub parameters: Parameters,
    /// The noise that it was trained to remove.
    pub noise: Noise,
    /// How it was trained; none if it was not, or nobody knows.
    pub training: Option<Training>,
}

/// How a model was trained, as it stands in the model's file.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Training {
    /// The images, e.g. `MNIST`.
    pub data: String,
    /// How many of them.
    pub images: u64,
    /// The epoch that these parameters are from, counted from 1; without a validation loss, it was not finished.
    pub epoch: u32,
    /// The validation loss after that epoch; none if the run was ended before.
    pub validation_loss: Option<f64>,
    /// The seed of the run.
    pub seed: u64,
    /// How the run was to train; none if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// The losses of the epochs up to the one that these parameters are from, the first one first; none if nobody knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Losses>,
}

/// The settings of a run that its model remembers, beside seed, noise and network.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// How many epochs the run was to have.
    pub epochs: u32,
    /// Images per step.
    pub batch_size: usize,
    /// How the learning rate changed over the run.
    pub schedule: Schedule,
    /// Steps over which it rose at the start.
    pub warmup_steps: u64,
    /// The optimizer.
    pub adam: Adam,
}

/// The losses of an epoch, means per pixel in nats; in files, a list of the two.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "(f64, f64)", into = "(f64, f64)")]
pub struct Losses {
    /// Over the epoch's images, each before the update that it took part in.
    pub training: f64,
    /// Over the validation set, after the epoch.
    pub validation: f64,
}

impl From<(f64, f64)> for Losses {
    fn from((training, validation): (f64, f64)) -> Self {
        Self { training, validation }
    }
}

impl From<Losses> for (f64, f64) {
    fn from(Losses { training, validation }: Losses) -> Self {
        (training, validation)
    }
}

impl Autoencoder {
    /// A network that has not been trained: Glorot-uniform kernels, biases of zero.
    ///
    /// # Errors
    /// If the description is not valid.
    pub fn untrained(net: NetSpec, seed: u64) -> Result<Self> {
        let parameters = Parameters::glorot_uniform(&net, seed)?;
        Ok(Self { net, parameters, noise: Noise::default(), training: None })
    }

    /// The network planned for images of `height` x `width`, with its parameters set.
    ///
    /// # Errors
    /// If the network does not take images of this size, the parameters are those of another network, or `LIMPID_ISA`
    /// names no instruction set of this CPU.
    pub fn plan(&self, (height, width): (usize, usize)) -> Result<Plan> {
        let mut plan = Plan::new(&self.net, (height, width), plan::isa()?, Purpose::Inference)?;
        if plan.layout() != self.parameters.layout() {
            return Err(Error::invalid("parameters", "they are those of another network than the model's"));
        }
        plan.set_parameters(self.parameters.values());
        Ok(plan)
    }

    /// The image without its noise: any size; where the network does not take it, it is continued by reflection and cut again. A
    /// network with dense layers takes its own size only. For many images, or large ones on several threads, make a [`Denoiser`]
    /// once.
    ///
    /// # Errors
    /// If the network does not take the image, or a pixel of the reconstruction is not a number.
    pub fn denoise(&self, image: &Image) -> Result<Image> {
        if self.net.multiple().is_some() {
            return Denoiser::new(self.clone(), 0)?.denoise(image, &Threads::new(1)?);
        }
        let plan = self.plan((image.height(), image.width()))?;
        let mut workspace = plan.workspace();
        workspace.set_input(image.pixels());
        plan.forward(&mut workspace);
        let mut pixels = vec![0.0; image.pixels().len()];
        plan.reconstruction(&workspace, &mut pixels);
        denoiser::check_finite(&pixels)?;
        Image::new(image.height(), image.width(), pixels)
    }
}
