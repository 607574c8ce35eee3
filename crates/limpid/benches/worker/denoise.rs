//! Denoising: many small images, or one large one.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use limpid::denoise::{Autoencoder, Denoiser};
use limpid::image::Image;
use limpid::net::plan::Plan;
use limpid::threads::Threads;
use serde_json::{Value, json};

use crate::Work;

/// A trained network on the images of a file.
pub(crate) struct Denoise {
    denoiser: Denoiser,
    threads: Threads,
    plan: Plan,
    noisy: Vec<Image>,
}

impl Denoise {
    /// Reads the model, and `NAME.f32`: f32 in native byte order, of square images. What comes of them goes to
    /// `NAME.limpid.f32`.
    pub(crate) fn new(
        model: &Path,
        directory: &Path,
        name: &str,
        threads: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let model = Autoencoder::load(model)?;
        let bytes = fs::read(directory.join(format!("{name}.f32")))?;
        let noisy: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
        let side = if name == "batch" { 28 } else { noisy.len().isqrt() };
        let noisy = noisy.chunks_exact(side * side).map(|pixels| Image::new(side, side, pixels.to_vec()));
        let this = Self {
            plan: model.plan((side, side))?,
            denoiser: Denoiser::new(model, 0)?,
            threads: Threads::new(threads)?,
            noisy: noisy.collect::<limpid::Result<_>>()?,
        };
        let denoised = this.run()?;
        let pixels = denoised.iter().flat_map(Image::pixels);
        let bytes: Vec<u8> = pixels.flat_map(|pixel| pixel.to_ne_bytes()).collect();
        fs::write(directory.join(format!("{name}.limpid.f32")), bytes)?;
        Ok(this)
    }

    fn run(&self) -> limpid::Result<Vec<Image>> {
        match self.noisy.as_slice() {
            [one] => Ok(vec![self.denoiser.denoise(one, &self.threads)?]),
            many => self.denoiser.denoise_all(many, &self.threads),
        }
    }
}

impl Work for Denoise {
    fn about(&self) -> Value {
        let macs: u64 =
            self.plan.explain(&self.denoiser.model().net).steps.iter().map(|step| step.macs).sum();
        json!({
            "isa": self.plan.isa().name(),
            "threads": self.threads.count(),
            "macs_forward": macs,
            "images": self.noisy.len(),
        })
    }

    fn work(&mut self) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        self.run()?;
        Ok(start.elapsed())
    }
}
