//! How good a model is: loss, MSE, PSNR and SSIM over a whole noisy test set, beside those of the noisy images themselves.

use std::sync::Mutex;

use limpid_kernels::loss;

use crate::data::Samples;
use crate::denoise::Autoencoder;
use crate::image::Image;
use crate::metrics::{mse, psnr, ssim};
use crate::noise::{Noise, test_stream};
use crate::threads::Threads;
use crate::{Error, Result};

/// The quality of a set of images against the clean ones. In JSON, which has no infinity, an infinite PSNR is `null`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Quality {
    /// Mean squared error per pixel, over all images.
    pub mse: f64,
    /// Mean over the images of each image's own PSNR, in dB.
    pub mean_psnr: f64,
    /// PSNR of [`Quality::mse`], in dB: lower than the mean of PSNRs, as the images that fare badly weigh more.
    pub psnr_of_mean_mse: f64,
    /// Mean over the images of the structural similarity, at most 1.
    pub ssim: f64,
}

/// What a model makes of a noisy test set.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evaluation {
    /// Images in the test set.
    pub images: u64,
    /// Mean sigmoid cross-entropy per pixel, in nats.
    pub loss: f64,
    /// Of the model's reconstructions.
    pub reconstruction: Quality,
    /// Of the noisy images as they were given to it.
    pub noisy: Quality,
}

/// Images that are measured one after the other; the sums of one such group have a fixed order.
const GROUP: usize = 100;

/// Sums over the images of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    loss: f64,
    reconstruction: QualitySums,
    noisy: QualitySums,
}

#[derive(Debug, Clone, Copy, Default)]
struct QualitySums {
    mse: f64,
    psnr: f64,
    ssim: f64,
}

impl QualitySums {
    fn add(&mut self, image: &Image, clean: &Image) {
        let mse = mse(image, clean);
        self.mse += mse;
        self.psnr += psnr(mse);
        self.ssim += ssim(image, clean);
    }

    fn merge(&mut self, other: &Self) {
        self.mse += other.mse;
        self.psnr += other.psnr;
        self.ssim += other.ssim;
    }

    fn quality(&self, images: f64) -> Quality {
        let mse = self.mse / images;
        Quality { mse, mean_psnr: self.psnr / images, psnr_of_mean_mse: psnr(mse), ssim: self.ssim / images }
    }
}

/// Measures a model on all `samples`, each under its own noise, drawn once from a fixed seed; on any number of threads, with
/// the same result.
///
/// # Errors
/// If there are no samples, or the network does not take their size.
pub fn evaluate(
    model: &Autoencoder,
    samples: &dyn Samples,
    noise: &Noise,
    threads: &Threads,
) -> Result<Evaluation> {
    if samples.is_empty() {
        return Err(Error::invalid("test images", "there are none; expected at least one"));
    }
    let (height, width) = samples.size();
    let plan = model.plan((height, width))?;
    let idle = Mutex::new(Vec::new());
    let mut groups = vec![Sums::default(); samples.len().div_ceil(GROUP)];
    threads.for_each(&mut groups, |_, group, sums| {
        let lock = || idle.lock().expect("no thread panics while it holds the lock");
        let mut workspace = { lock().pop() }.unwrap_or_else(|| plan.workspace());
        for index in group * GROUP..samples.len().min((group + 1) * GROUP) {
            let clean = samples.image(index);
            let mut pixels = vec![0.0; clean.pixels().len()];
            noise.corrupt(plan.isa(), test_stream(index), clean.pixels(), &mut pixels);
            workspace.set_input(&pixels);
            plan.forward(&mut workspace);
            sums.loss += loss::sigmoid_cross_entropy(plan.isa(), workspace.logits(), clean.pixels());
            let mut restored = vec![0.0; pixels.len()];
            plan.reconstruction(&workspace, &mut restored);
            let image = |pixels| Image::new(height, width, pixels).expect("the size is that of the samples");
            sums.noisy.add(&image(pixels), &clean);
            sums.reconstruction.add(&image(restored), &clean);
        }
        lock().push(workspace);
    });
    let mut total = Sums::default();
    for sums in &groups {
        total.loss += sums.loss;
        total.reconstruction.merge(&sums.reconstruction);
        total.noisy.merge(&sums.noisy);
    }
    let images = samples.len() as f64;
    Ok(Evaluation {
        images: samples.len() as u64,
        loss: total.loss / (images * (height * width) as f64),
        reconstruction: total.reconstruction.quality(images),
        noisy: total.noisy.quality(images),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;
    use crate::net::NetSpec;

    fn digits(count: usize) -> Images {
        let bytes = (0..count * 784).map(|i| (i * 31 % 256) as u8).collect();
        Images::new(count, 28, 28, bytes).unwrap()
    }

    #[test]
    fn the_figures_do_not_depend_on_the_threads() {
        let model = Autoencoder::untrained(NetSpec::seed(), 1).unwrap();
        let samples = digits(250);
        let of =
            |count| evaluate(&model, &samples, &Noise::default(), &Threads::new(count).unwrap()).unwrap();
        assert_eq!(of(1), of(3));
    }

    #[test]
    fn no_noise_is_a_perfect_input() {
        let model = Autoencoder::untrained(NetSpec::seed(), 1).unwrap();
        let noise = "gaussian:0".parse().unwrap();
        let figures = evaluate(&model, &digits(3), &noise, &Threads::new(1).unwrap()).unwrap();
        assert_eq!(figures.noisy.mse, 0.0);
        assert_eq!(figures.noisy.psnr_of_mean_mse, f64::INFINITY);
        assert!((figures.noisy.ssim - 1.0).abs() < 1e-12);
        assert!(figures.reconstruction.mse > 0.0 && figures.loss > 0.0);
    }
}
