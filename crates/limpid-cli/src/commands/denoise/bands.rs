//! A picture from its first row to its last, in bands: so many rows are denoised together, and no more are held than those
//! with what they depend on.

use limpid::denoise::Denoiser;
use limpid::image::Image;
use limpid::image::file::{Header, Rows, luma};
use limpid::threads::Threads;
use limpid::{Error, Result};

use super::args::Color;

/// Bands of more rows than this gain nothing.
const MOST_ROWS: usize = 256;
/// The side of the part of a picture that is looked at to warn of what may be wrong with it.
const SAMPLE: usize = 512;

/// How pictures are denoised.
pub(super) struct Work<'a> {
    pub(super) denoiser: &'a Denoiser,
    pub(super) threads: &'a Threads,
    pub(super) color: Color,
    pub(super) invert: bool,
    /// Bytes for the rows of a band.
    pub(super) memory: u64,
}

/// The middle of a picture in gray, as it was read and as it was written.
pub(super) struct Sample {
    pub(super) noisy: Image,
    pub(super) denoised: Image,
}

impl Work<'_> {
    /// Reads all rows, writes all rows; `progress` is told of each band how many rows it had, and says whether to go on.
    pub(super) fn run(
        &self,
        header: &Header,
        rows: &mut dyn Rows,
        progress: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Sample> {
        let (context, row) = (self.denoiser.context(), header.row_samples());
        let band = self.band_rows(header)?;
        let (samples, mut noisy, mut denoised) = (Sampler::new(header), Vec::new(), Vec::new());
        // The rows that are held, from row `start` of the picture on.
        let (mut window, mut start) = (Vec::new(), 0);
        for top in (0..header.height).step_by(band) {
            let bottom = header.height.min(top + band);
            let keep = top.saturating_sub(context);
            window.drain(..(keep - start) * row);
            start = keep;
            let read = window.len();
            window.resize((header.height.min(bottom + context) - start) * row, 0.0);
            rows.read(&mut window[read..])?;
            let mut output = window[(top - start) * row..(bottom - start) * row].to_vec();
            self.denoise(header, &window, top - start..bottom - start, &mut output)?;
            samples.see(top, &window[(top - start) * row..], &mut noisy);
            samples.see(top, &output, &mut denoised);
            rows.write(&output)?;
            progress(bottom - top)?;
        }
        Ok(Sample { noisy: samples.image(noisy)?, denoised: samples.image(denoised)? })
    }

    /// Denoises the rows `core` of a window, which `output` holds already.
    fn denoise(
        &self,
        header: &Header,
        window: &[f32],
        core: std::ops::Range<usize>,
        output: &mut [f32],
    ) -> Result<()> {
        let (count, colors) = (header.channels.count(), header.channels.colors());
        let negative = |value: f32| if self.invert { 1.0 - value } else { value };
        let height = window.len() / header.row_samples();
        let plane = |value: &dyn Fn(&[f32]) -> f32| {
            let pixels = window.chunks_exact(count).map(|pixel| negative(value(&pixel[..colors]))).collect();
            Image::new(height, header.width, pixels)
        };
        if self.color == Color::Luma || colors == 1 {
            let plane = plane(&luma)?;
            let before = &plane.pixels()[core.start * header.width..];
            let after = self.denoiser.denoise_rows(&plane, core, self.threads)?;
            for ((pixel, &before), after) in output.chunks_exact_mut(count).zip(before).zip(after) {
                let (before, after) = (negative(before), negative(after));
                match &mut pixel[..colors] {
                    [gray] => *gray = after,
                    colors => colors.iter_mut().for_each(|color| *color += after - before),
                }
            }
        } else {
            for color in 0..colors {
                let plane = plane(&|pixel| pixel[color])?;
                let after = self.denoiser.denoise_rows(&plane, core.clone(), self.threads)?;
                for (pixel, after) in output.chunks_exact_mut(count).zip(after) {
                    pixel[color] = negative(after);
                }
            }
        }
        Ok(())
    }

    /// The rows of a band, as many as there is memory for; a multiple of what the network takes.
    fn band_rows(&self, header: &Header) -> Result<usize> {
        let (context, multiple) = (self.denoiser.context(), self.denoiser.multiple());
        // Of each row: window, output and packed bytes with all channels; plane and result with one; what tiles copy.
        let per_row = header.width as u64 * 4 * (3 * header.channels.count() as u64 + 3);
        let rows = (self.memory / per_row).saturating_sub(2 * context as u64);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX).min(MOST_ROWS) / multiple * multiple;
        if rows == 0 {
            let least = per_row * (2 * context + multiple) as u64;
            return Err(Error::invalid(
                "--max-memory",
                format!(
                    "rows of {} pixels take {} MB at the least, of the {} MB that are left for them; allow more",
                    header.width,
                    least.div_ceil(1_000_000),
                    self.memory / 1_000_000
                ),
            ));
        }
        Ok(rows)
    }
}

/// Collects the middle of a picture.
struct Sampler<'a> {
    header: &'a Header,
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl<'a> Sampler<'a> {
    fn new(header: &'a Header) -> Self {
        let (height, width) = (header.height.min(SAMPLE), header.width.min(SAMPLE));
        Self { header, top: (header.height - height) / 2, left: (header.width - width) / 2, height, width }
    }

    /// Takes what it needs of some rows, the first of which is row `top` of the picture.
    fn see(&self, top: usize, rows: &[f32], pixels: &mut Vec<f32>) {
        let (count, colors) = (self.header.channels.count(), self.header.channels.colors());
        for (row, values) in (top..).zip(rows.chunks_exact(self.header.row_samples())) {
            // Rows come in order, so those that have been taken say which one is next.
            let next = self.top + pixels.len() / self.width;
            if row == next && row < self.top + self.height {
                let values = &values[self.left * count..][..self.width * count];
                pixels.extend(values.chunks_exact(count).map(|pixel| luma(&pixel[..colors])));
            }
        }
    }

    fn image(&self, pixels: Vec<f32>) -> Result<Image> {
        Image::new(self.height, self.width, pixels)
    }
}
