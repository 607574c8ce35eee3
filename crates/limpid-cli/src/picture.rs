//! Reading one picture as a grayscale image.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use limpid::image::Image;
use limpid::image::file::{Limits, Reader};

/// Reads a picture of any format that `limpid denoise` reads; colours become their brightness.
pub(crate) fn read(path: &Path) -> limpid::Result<Image> {
    let file = File::open(path).map_err(|error| limpid::Error::io("read", path, error))?;
    Reader::open(BufReader::new(file), path, Limits::default())?.into_gray()
}
