//! A data set in three parts: what is trained on, what is kept from training, what is tested on.

use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::{Idx, Images, Labels, Samples, files};
use crate::{Error, Result};

/// One training image of this many is kept for validation: 5,000 of MNIST's 60,000.
const VALIDATION_SHARE: usize = 12;

/// A data set of grayscale images of one size, split as the tutorials split MNIST.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// What people call it: `MNIST`, or the folder it came from.
    pub name: String,
    /// The training file without its last twelfth: MNIST's first 55,000 images.
    pub train: Split,
    /// The last twelfth of the training file, which nobody trains on: MNIST's last 5,000 images.
    pub validation: Split,
    /// The test file: MNIST's 10,000 images.
    pub test: Split,
}

/// One part of a data set.
#[derive(Debug, Clone)]
pub struct Split {
    /// The images.
    pub images: Images,
    /// A label for each image. Denoising needs none, so a data set may have none.
    pub labels: Option<Labels>,
}

impl Split {
    /// The images `range` with their labels, sharing the memory of these.
    ///
    /// # Panics
    /// If `range` ends after the last image.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            images: self.images.slice(range.clone()),
            labels: self.labels.as_ref().map(|labels| labels.slice(range)),
        }
    }
}

impl Dataset {
    /// The MNIST handwritten digits, from inside the program: 55,000 + 5,000 + 10,000 images of 28 x 28.
    ///
    /// ```
    /// # use limpid::data::{Dataset, Samples};
    /// let mnist = Dataset::mnist();
    /// assert_eq!(mnist.train.images.shape(), (55_000, 28, 28, 1));
    /// assert_eq!(mnist.test.images.shape(), (10_000, 28, 28, 1));
    /// ```
    pub fn mnist() -> Self {
        let source = |name: &str, file: Vec<u8>| (PathBuf::from(name), file);
        let train = source("train-images-idx3-ubyte", limpid_mnist::train_images());
        let train_labels = source("train-labels-idx1-ubyte", limpid_mnist::train_labels());
        let test = source("t10k-images-idx3-ubyte", limpid_mnist::test_images());
        let test_labels = source("t10k-labels-idx1-ubyte", limpid_mnist::test_labels());
        let idx = |(path, file): (PathBuf, Vec<u8>)| Ok((Idx::from_bytes(file, &path)?, path));
        let split = |images, labels| join(idx(images)?, Some(idx(labels)?));
        let whole: Result<Self> = split(train, train_labels)
            .and_then(|train| Self::assemble("MNIST".into(), train, split(test, test_labels)?));
        whole.expect("the MNIST inside the program is whole")
    }

    /// Any IDX data set with MNIST's file names, read from the folder `dir`: Fashion-MNIST, KMNIST, EMNIST, your own.
    ///
    /// Expected are `train-images-idx3-ubyte` and `t10k-images-idx3-ubyte`, and the labels beside them,
    /// `train-labels-idx1-ubyte` and `t10k-labels-idx1-ubyte`. Each may be raw or compressed (`.gz`, `.zst`; of
    /// several forms the raw one is read), may be spelled `train-images.idx3-ubyte`, may say `test` for `t10k`, and
    /// may have a prefix as in `emnist-letters-train-images-idx3-ubyte.gz`, as long as the folder holds one such set
    /// only. Label files may be missing altogether. EMNIST's images are stored with rows and columns exchanged,
    /// and are taken as they are.
    ///
    /// # Errors
    /// If the folder or a file is missing or damaged, images and labels differ in number, training and test images
    /// in size, or there are less than two training images.
    pub fn open(dir: &Path) -> Result<Self> {
        let set = files::find(dir)?;
        let idx = |kind, path: PathBuf| Ok((Idx::open_as(Some(kind), &path)?, path));
        let load = |files: files::Pair| {
            let images = idx(Kind::Images, files.images)?;
            join(images, files.labels.map(|path| idx(Kind::Labels, path)).transpose()?)
        };
        let train_path = set.train.images.clone();
        let test_path = set.test.images.clone();
        let (train, test) = (load(set.train)?, load(set.test)?);

        let ((height, width), (test_height, test_width)) = (train.images.size(), test.images.size());
        if (height, width) != (test_height, test_width) {
            let problem = format!(
                "images of {test_height}x{test_width}, but those of {} are {height}x{width}: \
                 training and test images must have one size",
                train_path.display()
            );
            return Err(Error::data(&test_path, problem));
        }
        if train.images.len() < 2 {
            let problem = "only 1 image, expected at least 2: one to train on, one to validate with";
            return Err(Error::data(&train_path, problem));
        }
        Self::assemble(set.name, train, test)
    }

    /// Keeps the last of the training images for validation.
    fn assemble(name: String, train: Split, test: Split) -> Result<Self> {
        let count = train.images.len();
        let kept = count - (count / VALIDATION_SHARE).max(1);
        Ok(Self { name, train: train.slice(0..kept), validation: train.slice(kept..count), test })
    }
}

/// Puts images and their labels together.
fn join(images: (Idx, PathBuf), labels: Option<(Idx, PathBuf)>) -> Result<Split> {
    let (idx, path) = images;
    let images = Images::from_idx(idx, &path)?;
    let labels = match labels {
        None => None,
        Some((idx, labels_path)) => {
            let labels = Labels::from_idx(idx, &labels_path)?;
            if labels.len() != images.len() {
                let problem = format!(
                    "{} images, but {} has {} labels: expected one label for each image",
                    images.len(),
                    labels_path.display(),
                    labels.len()
                );
                return Err(Error::data(&path, problem));
            }
            Some(labels)
        }
    };
    Ok(Split { images, labels })
}

#[cfg(test)]
mod tests;
