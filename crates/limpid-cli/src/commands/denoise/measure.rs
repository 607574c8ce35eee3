//! `--noise-test` and `--compare`: how much better a picture is for having been denoised.
//!
//! Figures need the whole picture three times: clean, noisy, denoised. What is measured is what would be written, rounded to the
//! depth of the output.

use std::io::{BufRead, Seek};
use std::path::Path;

use limpid::image::Image;
use limpid::image::file::{Depth, Header, Limits, Reader, Rows, write};
use limpid::metrics::{mse, psnr, ssim};
use limpid::noise::test_stream;
use limpid::number::grouped;
use limpid::{Error, Result};

use super::jobs::Job;
use super::picture::{Denoiser, Outcome, open};
use crate::values::shown;

/// PSNR in dB of the mean squared error over all pixels and colours, and the mean of the colours' SSIM; before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) psnr: [f64; 2],
    pub(super) ssim: [f64; 2],
}

/// Bytes per channel of a pixel: clean, noisy and denoised values, and what SSIM holds in double precision.
const BYTES_PER_SAMPLE: u64 = 3 * 4 + 8 * 8;

pub(super) fn run<R: BufRead + Seek>(
    denoiser: &Denoiser<'_>,
    mut reader: Reader<R>,
    header: Header,
    job: &Job,
    out: &mut Vec<u8>,
    progress: &dyn Fn(usize) -> Result<()>,
) -> Result<Outcome> {
    let samples = header.row_samples() * header.height;
    let needed = samples as u64 * BYTES_PER_SAMPLE;
    if needed > denoiser.memory {
        let problem = format!(
            "figures need the whole picture, {} MB, more than the {} MB allowed; allow more with --max-memory",
            grouped(needed / 1_000_000),
            grouped(denoiser.memory / 1_000_000)
        );
        return Err(Error::data(Path::new(&job.name), problem));
    }
    let mut read = vec![0.0; samples];
    reader.read(&mut read)?;
    let (clean, noisy) = match (&job.clean, &denoiser.args.noise_test) {
        (Some(path), _) => (read_clean(path, reader.header(), denoiser.memory)?, read),
        (None, noise) => {
            let mut noisy = planes(&header, &read)?;
            if let Some(noise) = noise {
                // Each colour has noise of its own.
                for (index, plane) in noisy.iter_mut().enumerate() {
                    *plane = noise.apply(test_stream(index), plane);
                }
            }
            let noisy = interleaved(&header, &read, &noisy);
            (read, noisy)
        }
    };
    let mut memory = Memory { input: noisy, read: 0, output: Vec::with_capacity(samples) };
    let sample = denoiser.work.run(&header, &mut memory, progress)?;
    let Memory { input: noisy, output, .. } = memory;
    denoiser.write(job, out, |file, path| write(file, &header, &output, path))?;

    let clean = planes(&header, &clean)?;
    let before = quality(&planes(&header, &noisy)?, &clean);
    let after = quality(&planes(&header, &rounded(&header, output))?, &clean);
    let figures = Figures { psnr: [before.0, after.0], ssim: [before.1, after.1] };
    Ok(Outcome { header, sample, figures: Some(figures) })
}

/// The values of the clean picture, which must be like the noisy one; floats in the range of that one.
fn read_clean(path: &Path, header: &Header, memory: u64) -> Result<Vec<f32>> {
    let name = shown(path);
    let name = Path::new(&name);
    let mut reader = Reader::open(open(path, name)?, name, Limits { memory })?;
    let own = reader.header();
    if (own.height, own.width, own.channels) != (header.height, header.width, header.channels) {
        let problem =
            format!("is {own}; the noisy picture is {header}: they must agree in size and channels");
        return Err(Error::data(name, problem));
    }
    let mut values = vec![0.0; header.row_samples() * header.height];
    let (own, other) = (own.range, header.range);
    reader.read(&mut values)?;
    if own != other {
        let rescaled = |value: f32| (own.0 + value * (own.1 - own.0) - other.0) / (other.1 - other.0);
        values.iter_mut().for_each(|value| *value = rescaled(*value));
    }
    Ok(values)
}

/// Each colour as an image.
fn planes(header: &Header, values: &[f32]) -> Result<Vec<Image>> {
    let count = header.channels.count();
    (0..header.channels.colors())
        .map(|color| {
            let pixels = values.iter().skip(color).step_by(count).copied().collect();
            Image::new(header.height, header.width, pixels)
        })
        .collect()
}

/// Values with other colours, but the opacity that they had.
fn interleaved(header: &Header, values: &[f32], planes: &[Image]) -> Vec<f32> {
    let mut values = values.to_vec();
    for (color, plane) in planes.iter().enumerate() {
        let places = values.iter_mut().skip(color).step_by(header.channels.count());
        places.zip(plane.pixels()).for_each(|(value, &pixel)| *value = pixel);
    }
    values
}

/// The values as they are in a file of the header's depth. What JPEG does to them is not part of the measure.
fn rounded(header: &Header, mut values: Vec<f32>) -> Vec<f32> {
    if header.depth < Depth::Float {
        let most = ((1_u32 << header.depth.bits()) - 1) as f32;
        values.iter_mut().for_each(|value| *value = (value.clamp(0.0, 1.0) * most).round() / most);
    }
    values
}

fn quality(planes: &[Image], clean: &[Image]) -> (f64, f64) {
    let mean = |of: &dyn Fn(&Image, &Image) -> f64| {
        planes.iter().zip(clean).map(|(plane, clean)| of(plane, clean)).sum::<f64>() / planes.len() as f64
    };
    (psnr(mean(&mse)), mean(&ssim))
}

/// A picture in memory, and what it becomes.
struct Memory {
    input: Vec<f32>,
    read: usize,
    output: Vec<f32>,
}

impl Rows for Memory {
    fn read(&mut self, values: &mut [f32]) -> Result<()> {
        values.copy_from_slice(&self.input[self.read..][..values.len()]);
        self.read += values.len();
        Ok(())
    }

    fn write(&mut self, values: &[f32]) -> Result<()> {
        self.output.extend_from_slice(values);
        Ok(())
    }
}
