//! The models that are part of the library.
//!
//! `models/README.md` has the commands that made them.

use std::path::Path;

use super::FileSummary;
use crate::Result;
use crate::denoise::Autoencoder;

/// A model that is part of the library: its name and its file.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it takes noise from.
    pub about: &'static str,
    bytes: &'static [u8],
}

impl Builtin {
    /// All of them; the first serves where none is named.
    pub const ALL: [Self; 1] = [Self {
        name: "mnist",
        about: "handwritten digits, the tutorial's network",
        bytes: include_bytes!("../../models/mnist.safetensors"),
    }];

    /// The one with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name == name)
    }

    /// The model.
    ///
    /// # Panics
    /// Never: a test reads all of them.
    pub fn model(self) -> Autoencoder {
        Autoencoder::from_bytes(self.bytes, Path::new(self.name)).expect("what is built in can be read")
    }

    /// The model's file, seen from outside.
    ///
    /// # Errors
    /// Never: a test reads all of them.
    pub fn summary(self) -> Result<FileSummary> {
        FileSummary::of(self.bytes, Path::new(self.name))
    }
}

impl Autoencoder {
    /// The tutorial's network, trained on MNIST's digits under Gaussian noise of factor 0.5; part of the library.
    ///
    /// ```
    /// use limpid::{data::{Dataset, Samples}, denoise::Autoencoder, metrics, noise::{Noise, test_stream}};
    ///
    /// let model = Autoencoder::mnist();
    /// let clean = Dataset::mnist().test.images.image(0);
    /// let noisy = Noise::default().apply(test_stream(0), &clean);
    /// let denoised = model.denoise(&noisy)?;
    /// assert!(metrics::mse(&denoised, &clean) < metrics::mse(&noisy, &clean) / 5.0);
    /// # Ok::<(), limpid::Error>(())
    /// ```
    pub fn mnist() -> Self {
        Builtin::ALL[0].model()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_can_be_read_and_was_trained() {
        for builtin in Builtin::ALL {
            let model = builtin.model();
            assert!(
                model.training.is_some_and(|training| training.validation_loss.is_some()),
                "{}",
                builtin.name
            );
            assert_eq!(builtin.summary().unwrap().kind, "model");
            assert_eq!(Builtin::named(builtin.name).unwrap().name, builtin.name);
        }
        assert!(Builtin::named("letters").is_none());
        assert!(Autoencoder::mnist().training.unwrap().validation_loss.unwrap() < 0.0940);
    }
}
