//! What is done to a clean image: `--noise KIND:LEVEL`, one file per kind.
//!
//! Every draw is named by a [`Stream`] (seed, image, epoch, purpose), not taken from a generator's running state: whichever
//! thread corrupts an image, and in whatever order, the same pixels come out, on every machine.

mod draw;
mod estimate;
mod level;

mod gaussian;
mod masking;
mod poisson;
mod salt_pepper;
mod speckle;
mod uniform;

use std::ops::RangeInclusive;
use std::{fmt, str::FromStr};

use limpid_kernels::Isa;
use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::{Error, Result};

pub use estimate::estimate_deviation;
pub use level::Level;
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

/// What can happen to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Additive white Gaussian noise, `clean + level * N(0, 1)`: P. Vincent et al., "Stacked denoising autoencoders", 2010.
    Gaussian,
    /// Pixels replaced by black or white, the fraction `level` of them: as above, section 3.3.
    SaltAndPepper,
    /// Pixels set to black, the fraction `level` of them: P. Vincent et al., "Extracting and composing robust features with
    /// denoising autoencoders", 2008.
    Masking,
    /// Multiplicative noise, `clean * (1 + level * N(0, 1))`: J.-S. Lee, "Speckle analysis and smoothing of synthetic aperture
    /// radar images", 1981.
    Speckle,
    /// Shot noise with `level` photons in a white pixel: S. W. Hasinoff, "Photon, Poisson noise", 2014.
    Poisson,
    /// Additive uniform noise, `clean + level * U(-1, 1)`: W. R. Bennett, "Spectra of quantized signals", 1948.
    Uniform,
}

/// What each file of a kind says about it.
struct Family {
    /// As in `--noise NAME:LEVEL`.
    name: &'static str,
    /// What the level is, for messages.
    level: &'static str,
    /// In what it is measured, if that needs saying.
    unit: &'static str,
    allowed: RangeInclusive<f32>,
    /// A level that makes sense.
    example: &'static str,
    /// Corrupts an image in place: values in `[0, 1]` before and after.
    corrupt: fn(level: f32, Isa, Stream, &mut [f32]),
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Gaussian, Self::SaltAndPepper, Self::Masking, Self::Speckle, Self::Poisson, Self::Uniform];

    /// Its name in text, for example `salt-pepper`.
    pub fn name(self) -> &'static str {
        self.family().name
    }

    fn family(self) -> &'static Family {
        match self {
            Self::Gaussian => &gaussian::FAMILY,
            Self::SaltAndPepper => &salt_pepper::FAMILY,
            Self::Masking => &masking::FAMILY,
            Self::Speckle => &speckle::FAMILY,
            Self::Poisson => &poisson::FAMILY,
            Self::Uniform => &uniform::FAMILY,
        }
    }
}

/// A kind of noise with its strength, written `KIND:LEVEL`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// What happens.
    pub kind: Kind,
    /// How strongly.
    pub level: Level,
}

/// What images suffer: one kind of noise or several, one after the other. Each clips its result to `[0, 1]`.
///
/// In text, `gaussian:0.5`; a range as in `gaussian:0.1..0.5` draws a strength for each image, evenly over the range, for
/// training a network that need not be told the strength (K. Zhang et al., "Beyond a Gaussian denoiser", 2017, call it
/// blind); and `gaussian:0.1+salt-pepper:0.02` is one after the other.
///
/// ```
/// use limpid::noise::{Noise, test_stream};
///
/// let noise: Noise = "gaussian:0.1..0.5+salt-pepper:0.02".parse()?;
/// let (clean, mut noisy) = ([0.5; 4], [0.0; 4]);
/// noise.corrupt(limpid::net::plan::isa()?, test_stream(0), &clean, &mut noisy);
/// assert!(noisy != clean && noisy.iter().all(|p| (0.0..=1.0).contains(p)));
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Noise {
    /// The first ones are there, the others are not; at least one is. A value to copy, as every setting of a run.
    stages: [Option<Stage>; Noise::MOST_STAGES],
}

impl Noise {
    /// So many kinds of noise can follow each other.
    pub const MOST_STAGES: usize = 8;

    /// One after the other, in this order.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        self.stages.iter().map_while(|stage| *stage)
    }

    /// The same kinds of noise, all at the lowest and all at the highest level of their ranges.
    pub fn extremes(&self) -> [Self; 2] {
        let at = |end: fn(Level) -> f32| Self {
            stages: self
                .stages
                .map(|stage| stage.map(|stage| Stage { level: Level::fixed(end(stage.level)), ..stage })),
        };
        [at(Level::low), at(Level::high)]
    }

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
    /// If the lengths differ, or the stream's purpose is above 255.
    pub fn corrupt(&self, isa: Isa, stream: Stream, clean: &[f32], noisy: &mut [f32]) {
        assert_eq!(clean.len(), noisy.len(), "a noisy image is as large as its clean one");
        noisy.copy_from_slice(clean);
        for (place, stage) in (0..).zip(self.stages()) {
            let level = stage.level.of(part(stream, 2 * place + 1));
            (stage.kind.family().corrupt)(level, isa, part(stream, 2 * place), noisy);
        }
    }
}

/// Numbers for one image are independent in each part: pixels and level of each stage. Part 0 is the stream itself.
fn part(stream: Stream, part: u32) -> Stream {
    assert!(stream.purpose < 1 << 8, "purposes are small numbers: the bits above count parts");
    Stream { purpose: stream.purpose | part << 8, ..stream }
}

/// The tutorial's: `gaussian:0.5`.
impl Default for Noise {
    fn default() -> Self {
        "gaussian:0.5".parse().expect("it is a noise")
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Stage { kind, level }) in self.stages().enumerate() {
            let joint = if place == 0 { "" } else { "+" };
            write!(f, "{joint}{}:{level}", kind.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Noise({self})")
    }
}

impl FromStr for Noise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |problem: String| Error::invalid(format!("noise {text:?}"), problem);
        let mut stages = [None; Self::MOST_STAGES];
        for (place, stage) in text.split('+').enumerate() {
            let slot = stages.get_mut(place).ok_or_else(|| {
                refuse(format!("at most {} kinds of noise can follow each other", Self::MOST_STAGES))
            })?;
            *slot = Some(Stage::parse(stage).map_err(refuse)?);
        }
        Ok(Self { stages })
    }
}

impl Stage {
    /// From its text; the error says what was expected.
    fn parse(text: &str) -> Result<Self, String> {
        let (name, level) = text.split_once(':').ok_or("expected KIND:LEVEL, for example gaussian:0.5")?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Kind::ALL.map(Kind::name).join(", ");
            format!("there is no kind {name:?}; known: {names}, for example gaussian:0.5")
        })?;
        let Family { level: what, unit, ref allowed, example, .. } = *kind.family();
        let level = Level::parse(level, allowed).ok_or_else(|| {
            let range = match (*allowed.start(), *allowed.end()) {
                (low, f32::MAX) => format!("{low} or more"),
                (low, high) => format!("{low} to {high}"),
            };
            let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
            format!(
                "the {what} must be a number of {range}{unit}, or a range LOW..HIGH of them, for example \
                 {name}:{example}; found {level:?}"
            )
        })?;
        Ok(Self { kind, level })
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

/// What the tests of the kinds share.
#[cfg(test)]
mod sampled {
    use super::*;

    /// 2^18 pixels of one brightness under a noise.
    pub(super) fn noisy(noise: &str, clean: f32) -> Vec<f32> {
        let clean = vec![clean; 1 << 18];
        let mut noisy = vec![f32::NAN; clean.len()];
        noise.parse::<Noise>().unwrap().corrupt(Isa::best(), test_stream(3), &clean, &mut noisy);
        noisy
    }

    pub(super) fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    /// The share of pixels with a value.
    pub(super) fn fraction(values: &[f32], value: f32) -> f64 {
        values.iter().filter(|&&v| v == value).count() as f64 / values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Noise {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_printed_can_be_parsed() {
        for text in [
            "gaussian:0.25",
            "gaussian:0.1..0.5",
            "gaussian:0.1+salt-pepper:0.02",
            "masking:0.25+speckle:0.2+poisson:5..200+uniform:0.3",
        ] {
            assert_eq!(parse(text).to_string(), text);
            assert_eq!(parse(&parse(text).to_string()), parse(text));
        }
        assert_eq!(parse("gaussian:0.50").to_string(), "gaussian:0.5");
        assert_eq!(parse("gaussian:0.5..0.5"), Noise::default());
        assert_eq!(serde_json::to_string(&Noise::default()).unwrap(), "\"gaussian:0.5\"");
    }

    #[test]
    fn every_mistake_has_its_message() {
        let message = |text: &str| text.parse::<Noise>().unwrap_err().to_string();
        assert_eq!(
            message("gausian:0.5"),
            "noise \"gausian:0.5\": there is no kind \"gausian\"; known: gaussian, salt-pepper, masking, speckle, \
             poisson, uniform, for example gaussian:0.5"
        );
        assert_eq!(message("0.5"), "noise \"0.5\": expected KIND:LEVEL, for example gaussian:0.5");
        assert_eq!(message(""), "noise \"\": expected KIND:LEVEL, for example gaussian:0.5");
        assert_eq!(
            message("gaussian:0.5+"),
            "noise \"gaussian:0.5+\": expected KIND:LEVEL, for example gaussian:0.5"
        );
        for level in ["", "much", "-0.1", "nan", "inf", "0.5..0.1", "0.1..", "..0.5", "0.1...0.5", "0.1..nan"]
        {
            let message = message(&format!("gaussian:{level}"));
            assert!(message.contains("0 or more") && message.contains("gaussian:0.5"), "{message}");
            assert!(message.ends_with(&format!("found {level:?}")), "{message}");
        }
        assert!(message("salt-pepper:1.5").contains("a number of 0 to 1, or a range"));
        assert!(message("poisson:0").contains("a number of 0.001 to 1000000, or a range"));
        let nine = ["gaussian:0.1"; 9].join("+");
        assert!(message(&nine).ends_with("at most 8 kinds of noise can follow each other"));
    }

    #[test]
    fn every_kind_takes_its_own_example() {
        for kind in Kind::ALL {
            let text = format!("{}:{}", kind.name(), kind.family().example);
            assert_eq!(parse(&text).to_string(), text);
        }
    }

    fn apply(noise: &str, index: usize) -> Vec<f32> {
        let clean: Vec<f32> = (0..28 * 28).map(|i| (i % 29) as f32 / 28.0).collect();
        let mut noisy = vec![0.0; clean.len()];
        parse(noise).corrupt(Isa::best(), test_stream(index), &clean, &mut noisy);
        noisy
    }

    /// The second stage finds what the first has made, and draws numbers of its own.
    #[test]
    fn stages_follow_each_other() {
        let both = apply("gaussian:0.1+masking:0.3", 5);
        let first = apply("gaussian:0.1", 5);
        let alone = apply("masking:0.3", 5);
        let kept = both.iter().zip(&first).filter(|(both, first)| both == first).count();
        assert!(both.iter().zip(&first).all(|(&both, &first)| both == first || both == 0.0));
        assert!((450..650).contains(&kept), "{kept} of 784");
        let same_mask =
            both.iter().zip(&alone).filter(|(both, alone)| (**both == 0.0) == (**alone == 0.0)).count();
        assert!(same_mask < 600, "the second stage drew the numbers of the first");
        let twice = apply("gaussian:0.1+gaussian:0.1", 5);
        assert_ne!(twice, apply("gaussian:0.2", 5));
    }

    /// Over many images, levels fill their range evenly; each image's own noise has one level.
    #[test]
    fn a_range_draws_a_level_per_image() {
        let clean = vec![0.5; 4096];
        let mut levels: Vec<f64> = (0..400)
            .map(|index| {
                let mut noisy = vec![0.0; clean.len()];
                parse("gaussian:0.02..0.1").corrupt(Isa::best(), test_stream(index), &clean, &mut noisy);
                let halves = noisy.split_at(2048);
                let deviations = [halves.0, halves.1].map(|half| sampled::mean_and_deviation(half).1);
                assert!((deviations[0] / deviations[1] - 1.0).abs() < 0.12, "image {index}: {deviations:?}");
                sampled::mean_and_deviation(&noisy).1
            })
            .collect();
        levels.sort_by(f64::total_cmp);
        assert!(levels[0] > 0.019 && levels[399] < 0.105, "{} {}", levels[0], levels[399]);
        for (quarter, want) in [(100, 0.04), (200, 0.06), (300, 0.08)] {
            assert!((levels[quarter] - want).abs() < 0.01, "{}", levels[quarter]);
        }
        let [low, high] = parse("gaussian:0.3+poisson:5..9").extremes();
        assert_eq!((low, high), (parse("gaussian:0.3+poisson:5"), parse("gaussian:0.3+poisson:9")));
        // The pixels' numbers are those of the fixed level: only the level is drawn besides.
        assert_eq!(apply("gaussian:0.3..0.3", 1), apply("gaussian:0.3", 1));
    }
}
