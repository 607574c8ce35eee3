//! One grayscale image: height x width pixels in `[0, 1]`, row by row; and the [files](mod@file) in which people have pictures.

pub mod file;

use crate::{Error, Result};

/// A grayscale image of `height` x `width` pixels, row-major, nominally in `[0, 1]` (0 black, 1 white).
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    height: usize,
    width: usize,
    pixels: Vec<f32>,
}

impl Image {
    /// An image from its pixels.
    ///
    /// # Errors
    /// If `pixels.len() != height * width`, or either side is 0.
    pub fn new(height: usize, width: usize, pixels: Vec<f32>) -> Result<Self> {
        if height == 0 || width == 0 || height.checked_mul(width) != Some(pixels.len()) {
            return Err(Error::invalid(
                format!("image of {height}x{width}"),
                format!(
                    "expected height * width pixels and both sides at least 1, got {} pixels",
                    pixels.len()
                ),
            ));
        }
        Ok(Self { height, width, pixels })
    }

    /// An image from 8-bit pixels, mapped linearly from `[0, 255]` to `[0, 1]`.
    ///
    /// # Errors
    /// As [`Image::new`].
    pub fn from_u8(height: usize, width: usize, pixels: &[u8]) -> Result<Self> {
        Self::new(height, width, pixels.iter().map(|&p| f32::from(p) / 255.0).collect())
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All pixels, row-major.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// The pixels as bytes: clamped to `[0, 1]`, scaled to `[0, 255]`, rounded to nearest.
    pub fn to_u8(&self) -> Vec<u8> {
        self.pixels.iter().map(|&p| (p.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
    }
}
