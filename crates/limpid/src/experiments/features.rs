//! What a classifier is given to see of an image: its pixels, its pixels denoised, or its code.

use std::sync::Mutex;

use crate::code::Coder;
use crate::data::Samples;
use crate::net::plan;
use crate::noise::{Noise, Purpose, Stream, test_stream};
use crate::threads::Threads;

/// What is done to an image before a classifier sees it.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Nothing.
    Pixels,
    /// It is denoised.
    Denoised(&'a Coder),
    /// It is encoded.
    Code(&'a Coder),
}

/// The images of a set under a noise, or clean.
#[derive(Clone, Copy)]
pub struct Exposure<'a> {
    /// The images.
    pub samples: &'a dyn Samples,
    /// What they suffer; none to leave them clean.
    pub noise: Option<&'a Noise>,
    /// For noise drawn anew in training: the seed and the epoch. None for the noise that belongs to a test image.
    pub draw: Option<(u64, u32)>,
}

impl Exposure<'_> {
    /// Writes image `index` as it is exposed into `pixels`.
    ///
    /// # Panics
    /// If there is no such image, or `pixels` has another length.
    pub fn read(&self, index: usize, pixels: &mut [f32]) {
        self.samples.read(index, pixels);
        if let Some(noise) = self.noise {
            let clean = pixels.to_vec();
            let stream = match self.draw {
                None => test_stream(index),
                Some((seed, draw)) => {
                    Stream { seed, index: index as u32, draw, purpose: Purpose::Training as u32 }
                }
            };
            // Any instruction set gives the same bits.
            noise.corrupt(plan::Isa::best(), stream, &clean, pixels);
        }
    }
}

/// Images whose features are computed by one thread at a time.
const GROUP: usize = 16;

impl View<'_> {
    /// Numbers of an image of `pixels` pixels.
    pub fn len(&self, pixels: usize) -> usize {
        match self {
            Self::Pixels | Self::Denoised(_) => pixels,
            Self::Code(coder) => coder.shape().len(),
        }
    }

    /// The features of some images, one row of [`View::len`] numbers for each, whatever the number of threads.
    ///
    /// # Panics
    /// If there is no such image, or the coder was made for another size.
    pub fn features(&self, exposure: &Exposure<'_>, images: &[u32], threads: &Threads) -> Vec<f32> {
        let (height, width) = exposure.samples.size();
        let pixels = height * width;
        let len = self.len(pixels);
        let mut rows = vec![0.0; images.len() * len];
        let idle = Mutex::new(Vec::new());
        let lock = || idle.lock().expect("no thread panics while it holds the lock");
        let mut groups: Vec<_> = rows.chunks_mut(GROUP * len).collect();
        threads.for_each(&mut groups, |_, group, rows| {
            let mut image = vec![0.0; pixels];
            let mut workspace = match self {
                Self::Pixels => None,
                Self::Denoised(coder) | Self::Code(coder) => {
                    let known = lock().pop();
                    Some(known.unwrap_or_else(|| coder.workspace()))
                }
            };
            for (row, &index) in rows.chunks_exact_mut(len).zip(&images[group * GROUP..]) {
                exposure.read(index as usize, &mut image);
                match (self, &mut workspace) {
                    (Self::Denoised(coder), Some(workspace)) => {
                        workspace.set_input(&image);
                        coder.plan().forward(workspace);
                        coder.plan().reconstruction(workspace, row);
                    }
                    (Self::Code(coder), Some(workspace)) => {
                        row.copy_from_slice(&coder.encode(workspace, &image));
                    }
                    _ => row.copy_from_slice(&image),
                }
            }
            if let Some(workspace) = workspace {
                lock().push(workspace);
            }
        });
        rows
    }
}
