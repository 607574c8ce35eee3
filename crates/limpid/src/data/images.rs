//! The images and labels of a data set, shared rather than copied.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::kind::Kind;
use super::{Idx, Samples};
use crate::digest::Digest;
use crate::{Error, Result};

/// `count` grayscale images of `height` x `width` bytes (0 black, 255 white), read as values in `[0, 1]`.
///
/// A clone or a [slice](Images::slice) shares the bytes, so it costs nothing.
///
/// ```
/// use limpid::data::{Images, Samples};
///
/// let images = Images::new(3, 1, 2, vec![0, 51, 102, 153, 204, 255])?;
/// let last = images.slice(2..3);
/// assert_eq!(last.bytes(0), [204, 255]);
/// assert_eq!(last.image(0).pixels(), [0.8, 1.0]);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Clone)]
pub struct Images {
    count: usize,
    height: usize,
    width: usize,
    /// Image 0 starts at `start`; the others follow without gaps.
    bytes: Arc<Vec<u8>>,
    start: usize,
}

impl Images {
    /// Images from their bytes, image after image, each row by row.
    ///
    /// # Errors
    /// If a side is 0, or `bytes` has another length than `count * height * width`.
    pub fn new(count: usize, height: usize, width: usize, bytes: Vec<u8>) -> Result<Self> {
        let size = height.checked_mul(width).filter(|&size| size > 0);
        if size.and_then(|size| size.checked_mul(count)) != Some(bytes.len()) {
            return Err(Error::invalid(
                format!("{count} images of {height}x{width}"),
                format!(
                    "expected count * height * width bytes and both sides at least 1, got {} bytes",
                    bytes.len()
                ),
            ));
        }
        Ok(Self { count, height, width, bytes: Arc::new(bytes), start: 0 })
    }

    /// The images of an IDX file of shape (count, height, width); `path` is what errors call it.
    ///
    /// # Errors
    /// If the file has another number of dimensions, no images, or images without pixels.
    pub fn from_idx(idx: Idx, path: &Path) -> Result<Self> {
        Kind::Images.check(idx.dims().len(), path)?;
        let [count, height, width] = [0, 1, 2].map(|dimension| idx.dims()[dimension]);
        if count == 0 {
            return Err(Error::data(path, "holds no images, expected at least one"));
        }
        if height == 0 || width == 0 {
            let problem = format!("images of {height}x{width} pixels, expected at least one pixel");
            return Err(Error::data(path, problem));
        }
        let (file, start) = idx.into_file();
        Ok(Self { count, height, width, bytes: Arc::new(file), start })
    }

    /// The images `range`, sharing the bytes of these.
    ///
    /// # Panics
    /// If `range` ends after the last image.
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.count, "{range:?} of {} images", self.count);
        let start = self.start + range.start * self.height * self.width;
        Self { count: range.len(), start, ..self.clone() }
    }

    /// The bytes of image `index`, row by row.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn bytes(&self, index: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.all_bytes()[index * size..][..size]
    }

    /// The bytes of all images, one after the other.
    pub fn all_bytes(&self) -> &[u8] {
        &self.bytes[self.start..][..self.count * self.height * self.width]
    }

    /// (count, height, width, channels), as the field's libraries print it: `(55000, 28, 28, 1)`.
    pub fn shape(&self) -> (usize, usize, usize, usize) {
        (self.count, self.height, self.width, 1)
    }
}

impl Samples for Images {
    fn len(&self) -> usize {
        self.count
    }

    fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    fn read(&self, index: usize, pixels: &mut [f32]) {
        let bytes = self.bytes(index);
        assert_eq!(pixels.len(), bytes.len(), "the buffer holds one image");
        for (pixel, &byte) in pixels.iter_mut().zip(bytes) {
            *pixel = f32::from(byte) / 255.0;
        }
    }

    fn digest(&self) -> Digest {
        Digest::of(self.all_bytes())
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Images{:?}", self.shape())
    }
}

/// One label (a class, 0 to 255) per image. As with [`Images`], clones and slices share their bytes.
#[derive(Clone)]
pub struct Labels {
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Labels {
    /// Labels from their bytes.
    pub fn new(labels: Vec<u8>) -> Self {
        let range = 0..labels.len();
        Self { bytes: Arc::new(labels), range }
    }

    /// The labels of an IDX file with one dimension; `path` is what errors call it.
    ///
    /// # Errors
    /// If the file has another number of dimensions.
    pub fn from_idx(idx: Idx, path: &Path) -> Result<Self> {
        Kind::Labels.check(idx.dims().len(), path)?;
        let (file, start) = idx.into_file();
        let range = start..file.len();
        Ok(Self { bytes: Arc::new(file), range })
    }

    /// The labels `range`, sharing the bytes of these.
    ///
    /// # Panics
    /// If `range` ends after the last label.
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "{range:?} of {} labels", self.len());
        let start = self.range.start + range.start;
        Self { bytes: Arc::clone(&self.bytes), range: start..start + range.len() }
    }

    /// All labels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.range.clone()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// How often each label occurs, from the smallest label to the largest; labels that never occur are left out.
    pub fn histogram(&self) -> Vec<(u8, usize)> {
        let mut counts = [0; 256];
        for &label in self.bytes() {
            counts[usize::from(label)] += 1;
        }
        (0..=u8::MAX).zip(counts).filter(|&(_, count)| count > 0).collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labels({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_the_bytes_and_count_from_their_own_start() {
        let images = Images::new(4, 1, 2, (0..8).collect()).unwrap();
        let middle = images.slice(1..3);
        assert_eq!(middle.shape(), (2, 1, 2, 1));
        assert_eq!(middle.all_bytes(), [2, 3, 4, 5]);
        assert_eq!(middle.slice(1..2).bytes(0), [4, 5]);
        assert!(Arc::ptr_eq(&images.bytes, &middle.bytes));
        assert!(middle.slice(2..2).is_empty());

        let labels = Labels::from_idx(Idx::new(&[4], &[7, 2, 1, 0]).unwrap(), "labels".as_ref()).unwrap();
        assert_eq!(labels.slice(1..4).slice(1..3).bytes(), [1, 0]);
    }

    #[test]
    #[should_panic(expected = "1..3 of 2 images")]
    fn a_slice_does_not_reach_behind_its_own_end() {
        // The bytes of image 3 exist, but they are none of this slice's business.
        Images::new(4, 1, 1, vec![0; 4]).unwrap().slice(0..2).slice(1..3);
    }

    #[test]
    fn bytes_become_values_from_0_to_1() {
        let images = Images::new(1, 1, 256, (0..=255).collect()).unwrap();
        let pixels = images.image(0).pixels().to_vec();
        assert_eq!((pixels[0], pixels[51], pixels[255]), (0.0, 0.2, 1.0));
        assert_eq!(images.image(0).to_u8(), (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn bytes_that_are_not_the_images_are_refused() {
        let message =
            |count, height, width| Images::new(count, height, width, vec![0; 6]).unwrap_err().to_string();
        assert_eq!(
            message(2, 2, 2),
            "2 images of 2x2: expected count * height * width bytes and both sides at least 1, got 6 bytes"
        );
        message(0, 0, 6);
        message(usize::MAX, usize::MAX, 2);
    }

    #[test]
    fn the_histogram_names_the_labels_that_occur() {
        assert_eq!(Labels::new(vec![3, 0, 255, 3]).histogram(), [(0, 1), (3, 2), (255, 1)]);
        assert_eq!(Labels::new(vec![]).histogram(), []);
    }
}
