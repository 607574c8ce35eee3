//! What a file may make us do: a header is a claim, and memory is asked for only where the file warrants it.

use std::path::Path;

use crate::number::grouped;
use crate::{Error, Result};

/// How much memory a picture may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes for the pixels of one file, and for its compressed bytes where they are held.
    pub memory: u64,
}

impl Default for Limits {
    /// 1 GB.
    fn default() -> Self {
        Self { memory: 1_000_000_000 }
    }
}

/// A side of more pixels is an error in the file.
pub const LONGEST_SIDE: u64 = 1 << 20;
/// More pixels than this are not a picture that anyone has: 4,295 megapixels.
pub const MOST_PIXELS: u64 = 1 << 32;

/// No format packs more pixels into a byte, but for blank pictures.
const PIXELS_PER_BYTE: u64 = 4096;
/// Blank pictures may be so large, whatever the length of their file.
const ALWAYS_WARRANTED: u64 = 1 << 24;

/// Checks the size that a header claims.
pub(super) fn check_size(height: u64, width: u64, path: &Path) -> Result<()> {
    let size = || format!("claims to be {} x {} pixels", grouped(width), grouped(height));
    if height == 0 || width == 0 {
        return Err(Error::data(path, format!("{}, expected at least one pixel", size())));
    }
    if height.max(width) > LONGEST_SIDE || height * width > MOST_PIXELS {
        let problem = format!(
            "{}; at most {} a side and {} megapixels in all are read",
            size(),
            grouped(LONGEST_SIDE),
            grouped(MOST_PIXELS / 1_000_000)
        );
        return Err(Error::data(path, problem));
    }
    Ok(())
}

impl Limits {
    /// Checks that a picture of `pixels` may be held as a whole, in `bytes`, out of a file of `file` bytes.
    pub(super) fn check_whole(&self, pixels: u64, bytes: u64, file: u64, path: &Path) -> Result<()> {
        if pixels > ALWAYS_WARRANTED.max(file.saturating_mul(PIXELS_PER_BYTE)) {
            let problem = format!(
                "claims {} pixels in a file of {} bytes, which cannot be: it is damaged or made to do harm",
                grouped(pixels),
                grouped(file)
            );
            return Err(Error::data(path, problem));
        }
        self.check_bytes(bytes, path)
    }

    /// Checks that so many bytes of pixels may be held.
    pub(super) fn check_bytes(&self, bytes: u64, path: &Path) -> Result<()> {
        if bytes > self.memory {
            let problem = format!(
                "its pixels take {} MB of memory, more than the {} MB allowed; allow more, or convert it to a PNG without \
                 interlacing or a TIFF in strips, which are read row by row",
                grouped(bytes.div_ceil(1_000_000)),
                grouped(self.memory / 1_000_000)
            );
            return Err(Error::data(path, problem));
        }
        Ok(())
    }
}
