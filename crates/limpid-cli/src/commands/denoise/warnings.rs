//! What may be wrong with a result although nothing failed.

use limpid::denoise::Autoencoder;
use limpid::image::Image;
use limpid::image::file::Header;
use limpid::noise::{estimate_deviation, test_stream};

use super::args::Args;
use super::bands::Sample;

/// Samples with a shorter side than this say nothing about noise.
const LEAST_SIDE: usize = 16;
/// A picture whose longer side is not above this may be a digit.
const LARGEST_DIGIT: usize = 64;
/// Estimates are trusted to this, in units of the pixel range.
const TRUST: f64 = 0.02;

/// Something to warn of; the same for many pictures is said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Warning {
    OnlyDigits,
    DarkOnLight,
    OtherNoise,
}

/// What to warn of, with what was found in this picture.
pub(super) fn look(
    args: &Args,
    model: &Autoencoder,
    header: &Header,
    sample: &Sample,
) -> Vec<(Warning, String)> {
    let mut found = Vec::new();
    let saw_digits = model.training.as_ref().is_some_and(|training| training.data == "MNIST");
    if saw_digits && header.height.max(header.width) > LARGEST_DIGIT {
        found.push((
            Warning::OnlyDigits,
            "the model saw nothing but MNIST's digits; other pictures want a model trained on pictures like them".into(),
        ));
    }
    if saw_digits && !args.invert && median(&sample.noisy) > 0.5 {
        found.push((
            Warning::DarkOnLight,
            "mostly light, but the model was trained on light on dark: see whether --invert does better"
                .into(),
        ));
    }
    if let Some(message) = other_noise(args, model, sample) {
        found.push((Warning::OtherNoise, message));
    }
    found
}

/// Clipping and the picture itself move the estimate, so it is compared with that of this very picture, as it came out, under
/// the noise that the model was trained for.
fn other_noise(args: &Args, model: &Autoencoder, sample: &Sample) -> Option<String> {
    if sample.noisy.height().min(sample.noisy.width()) < LEAST_SIDE || model.training.is_none() {
        return None;
    }
    let found = estimate_deviation(&sample.noisy);
    let of = |noise: limpid::noise::Noise| {
        let denoised = if args.invert { negative(&sample.denoised) } else { sample.denoised.clone() };
        estimate_deviation(&noise.apply(test_stream(0), &denoised))
    };
    let [a, b] = model.noise.extremes().map(of);
    let (low, high) = (a.min(b), a.max(b));
    let is_less = found < 0.5 * low && low - found > TRUST;
    let is_more = found > 1.5 * high && found - high > TRUST;
    (is_less || is_more).then(|| {
        let expected = if high - low < 0.005 { format!("{high:.2}") } else { format!("{low:.2} to {high:.2}") };
        format!(
            "its noise is estimated at {found:.2}, {} than the model was trained for: {} would be estimated at {expected}",
            if is_less { "less" } else { "more" },
            model.noise
        )
    })
}

fn negative(image: &Image) -> Image {
    let pixels = image.pixels().iter().map(|pixel| 1.0 - pixel).collect();
    Image::new(image.height(), image.width(), pixels).expect("a negative has the size of its image")
}

fn median(image: &Image) -> f32 {
    let mut pixels = image.pixels().to_vec();
    let middle = pixels.len() / 2;
    *pixels.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Warnings of all pictures, the first of each kind in full.
#[derive(Default)]
pub(super) struct Warnings {
    seen: Vec<(Warning, usize, String, String)>,
}

impl Warnings {
    /// Takes note of those of a picture.
    pub(super) fn add(&mut self, name: &str, found: Vec<(Warning, String)>) {
        for (warning, message) in found {
            match self.seen.iter_mut().find(|seen| seen.0 == warning) {
                Some(seen) => seen.1 += 1,
                None => self.seen.push((warning, 1, name.to_owned(), message)),
            }
        }
    }

    /// A line for each kind.
    pub(super) fn lines(mut self) -> Vec<String> {
        self.seen.sort();
        let line = |(_, count, name, message): (_, usize, String, String)| match count {
            1 => format!("{name}: {message}"),
            count => format!("{name} and {} more: {message}", count - 1),
        };
        self.seen.into_iter().map(line).collect()
    }
}
