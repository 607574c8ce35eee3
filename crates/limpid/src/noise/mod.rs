//! What is done to a clean image: `--noise KIND:VALUE`, one file per kind.
//!
//! Every draw is named by a [`Stream`] (seed, image, epoch, purpose), not taken from a generator's running state: whichever
//! thread corrupts an image, and in whatever order, the same pixels come out.

mod gaussian;

use std::{fmt, str::FromStr};

use limpid_kernels::Isa;
use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::{Error, Result};

pub use gaussian::Gaussian;
pub use limpid_kernels::noise::Stream;

/// The seed of the noise on test images. It is fixed, so that the losses and figures of all runs are taken on the very
/// same noisy images.
pub const TEST_SEED: u64 = 20_111;

/// What a stream of random numbers is drawn for; see [`Stream::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Training images, anew in every epoch.
    Training = 0,
    /// Test images, once.
    Test = 1,
}

/// The noise on image `index` of a test set.
pub fn test_stream(index: usize) -> Stream {
    Stream { seed: TEST_SEED, index: index as u32, draw: 0, purpose: Purpose::Test as u32 }
}

/// A kind of noise with its strength, written `gaussian:0.5`.
///
/// ```
/// use limpid::noise::{Noise, test_stream};
///
/// let noise: Noise = "gaussian:0.5".parse()?;
/// let (clean, mut noisy) = ([0.5; 4], [0.0; 4]);
/// noise.corrupt(limpid::net::plan::isa()?, test_stream(0), &clean, &mut noisy);
/// assert!(noisy != clean && noisy.iter().all(|p| (0.0..=1.0).contains(p)));
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Noise {
    /// Additive white Gaussian noise, clipped.
    Gaussian(Gaussian),
}

impl Noise {
    /// The corrupted image, clipped to `[0, 1]`.
    ///
    /// ```
    /// use limpid::{image::Image, noise::{Noise, test_stream}};
    ///
    /// let clean = Image::new(1, 3, vec![0.0, 0.5, 1.0])?;
    /// let noisy = Noise::default().apply(test_stream(0), &clean);
    /// assert_ne!(noisy, clean);
    /// # Ok::<(), limpid::Error>(())
    /// ```
    pub fn apply(&self, stream: Stream, clean: &Image) -> Image {
        let mut noisy = vec![0.0; clean.pixels().len()];
        // Any instruction set gives the same bits.
        self.corrupt(Isa::best(), stream, clean.pixels(), &mut noisy);
        Image::new(clean.height(), clean.width(), noisy).expect("noise does not change the size")
    }

    /// Writes the corrupted image to `noisy`, clipped to `[0, 1]`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn corrupt(&self, isa: Isa, stream: Stream, clean: &[f32], noisy: &mut [f32]) {
        match self {
            Self::Gaussian(kind) => kind.corrupt(isa, stream, clean, noisy),
        }
    }
}

/// The tutorial's: `gaussian:0.5`.
impl Default for Noise {
    fn default() -> Self {
        Self::Gaussian(Gaussian { factor: 0.5 })
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gaussian(kind) => write!(f, "gaussian:{}", kind.factor),
        }
    }
}

impl FromStr for Noise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |problem: String| Error::invalid(format!("noise {text:?}"), problem);
        let (kind, value) = text
            .split_once(':')
            .ok_or_else(|| refuse("expected KIND:VALUE, for example gaussian:0.5".into()))?;
        match kind {
            "gaussian" => Gaussian::parse(value).map(Self::Gaussian).map_err(refuse),
            _ => Err(refuse(format!("there is no kind {kind:?}; known: gaussian, for example gaussian:0.5"))),
        }
    }
}

impl TryFrom<String> for Noise {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Noise> for String {
    fn from(noise: Noise) -> Self {
        noise.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_parsed() {
        let noise: Noise = "gaussian:0.25".parse().unwrap();
        assert_eq!(noise, Noise::Gaussian(Gaussian { factor: 0.25 }));
        assert_eq!(noise.to_string(), "gaussian:0.25");
    }

    #[test]
    fn every_mistake_has_its_message() {
        let message = |text: &str| text.parse::<Noise>().unwrap_err().to_string();
        assert_eq!(
            message("gausian:0.5"),
            "noise \"gausian:0.5\": there is no kind \"gausian\"; known: gaussian, for example gaussian:0.5"
        );
        assert_eq!(message("0.5"), "noise \"0.5\": expected KIND:VALUE, for example gaussian:0.5");
        for value in ["", "much", "-0.1", "nan", "inf"] {
            let message = message(&format!("gaussian:{value}"));
            assert!(message.contains("0 or more") && message.contains("gaussian:0.5"), "{message}");
        }
    }
}
