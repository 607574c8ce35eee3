//! A picture held as a whole, for formats that are not read and written row by row.

use image::metadata::Orientation;

use super::header::{Depth, Header};
use super::samples;

/// The pixels of a picture, and how far they have been read and written over.
#[derive(Debug)]
pub(super) struct Raster {
    /// Rows as [`samples`] describes them, one after the other.
    pub(super) bytes: Vec<u8>,
    read: usize,
    written: usize,
}

impl Raster {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, read: 0, written: 0 }
    }

    /// The next rows.
    pub(super) fn read(&mut self, rows: &mut [u8]) {
        rows.copy_from_slice(&self.bytes[self.read..][..rows.len()]);
        self.read += rows.len();
    }

    /// Overwrites the next rows; they have been read.
    pub(super) fn write(&mut self, rows: &[u8]) {
        assert!(self.written + rows.len() <= self.read, "rows are read before they are written over");
        self.bytes[self.written..][..rows.len()].copy_from_slice(rows);
        self.written += rows.len();
    }
}

/// Turns a picture as its file says that it is to be looked at.
pub(super) fn orient(header: &mut Header, bytes: Vec<u8>, orientation: Orientation) -> Vec<u8> {
    // What is done to the row and column of a pixel; the first comes before the others.
    let (transpose, flip_rows, flip_columns) = match orientation {
        Orientation::NoTransforms => return bytes,
        Orientation::FlipHorizontal => (false, false, true),
        Orientation::Rotate180 => (false, true, true),
        Orientation::FlipVertical => (false, true, false),
        Orientation::Rotate90FlipH => (true, false, false),
        Orientation::Rotate90 => (true, false, true),
        Orientation::Rotate270FlipH => (true, true, true),
        Orientation::Rotate270 => (true, true, false),
    };
    if header.depth < Depth::Eight {
        // Pixels that share bytes are taken apart first.
        let mut values = vec![0.0; header.row_samples() * header.height];
        samples::unpack(header, &bytes, &mut values);
        let packed = Header { depth: Depth::Eight, ..header.clone() };
        let mut wide = vec![0; values.len()];
        samples::pack(&packed, &values, &mut wide);
        let mut turned = packed;
        let wide = orient(&mut turned, wide, orientation);
        samples::unpack(&turned, &wide, &mut values);
        *header = Header { depth: header.depth, ..turned };
        let mut bytes = vec![0; header.row_bytes() * header.height];
        samples::pack(header, &values, &mut bytes);
        return bytes;
    }
    let (height, width) = (header.height, header.width);
    let pixel = header.row_bytes() / width;
    if transpose {
        (header.height, header.width) = (width, height);
        header.density = header.density.map(|density| super::Density { x: density.y, y: density.x });
    }
    let mut turned = Vec::with_capacity(bytes.len());
    for row in 0..header.height {
        let row = if flip_rows { header.height - 1 - row } else { row };
        for column in 0..header.width {
            let column = if flip_columns { header.width - 1 - column } else { column };
            let (row, column) = if transpose { (column, row) } else { (row, column) };
            turned.extend_from_slice(&bytes[(row * width + column) * pixel..][..pixel]);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage};

    use super::super::{Channels, Format};
    use super::*;

    /// The oracle is the image crate, which turns pictures of 8 bits.
    #[test]
    fn every_orientation_is_that_of_the_image_crate() {
        let bytes: Vec<u8> = (0..6).map(|i| i * 51).collect();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut expected = DynamicImage::from(GrayImage::from_raw(3, 2, bytes.clone()).unwrap());
            expected.apply_orientation(orientation);
            let mut header = Header::new(Format::Png, (2, 3), Channels::Gray, Depth::Eight);
            let turned = orient(&mut header, bytes.clone(), orientation);
            assert_eq!((header.width as u32, header.height as u32), (expected.width(), expected.height()));
            assert_eq!(turned, expected.as_bytes(), "orientation {exif}");

            // The same picture with pixels of 4 bits, two in a byte.
            let mut header = Header::new(Format::Png, (2, 3), Channels::Gray, Depth::Four);
            let turned = orient(&mut header, vec![0x03, 0x60, 0x9c, 0xf0], orientation);
            let mut values = vec![0.0; 6];
            samples::unpack(&header, &turned, &mut values);
            let values: Vec<u8> = values.iter().map(|v| (v * 255.0).round() as u8).collect();
            assert_eq!(values, expected.as_bytes(), "orientation {exif}, 4 bits");
        }
    }
}
