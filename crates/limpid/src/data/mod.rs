//! Where images come from: the MNIST digits inside the binary, IDX files of the user's, or patches of the user's pictures.

mod compression;
mod dataset;
mod files;
mod identity;
pub mod idx;
mod images;
mod kind;
mod pictures;
mod statistics;

use crate::digest::Digest;
use crate::image::Image;

pub use dataset::{Dataset, Split};
pub use identity::Identity;
pub use idx::Idx;
pub use images::{Images, Labels};
pub use pictures::{PatchOptions, PictureReport};
pub use statistics::Statistics;

/// A set of grayscale images of one size that can be read in any order: what training and evaluation consume.
///
/// Implementations must be cheap to read from several threads at once.
pub trait Samples: Send + Sync {
    /// How many images there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height and width of every image.
    fn size(&self) -> (usize, usize);

    /// Writes image `index` into `pixels` (`height * width` values in `[0, 1]`, row-major).
    ///
    /// # Panics
    /// If `index >= len()` or `pixels` has another length.
    fn read(&self, index: usize, pixels: &mut [f32]);

    /// A digest of all pixels in their order, for [`Identity`]: of the bits of their values, or, where pixels are stored as
    /// bytes, of those.
    fn digest(&self) -> Digest {
        let (height, width) = self.size();
        let mut pixels = vec![0.0; height * width];
        Digest::of_parts((0..self.len()).map(|index| {
            self.read(index, &mut pixels);
            pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect::<Vec<u8>>()
        }))
    }

    /// Image `index` as a value of its own.
    fn image(&self, index: usize) -> Image {
        let (height, width) = self.size();
        let mut pixels = vec![0.0; height * width];
        self.read(index, &mut pixels);
        Image::new(height, width, pixels).expect("the size is that of the samples")
    }
}
