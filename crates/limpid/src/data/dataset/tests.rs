//! Folders with whole and with damaged data sets.

use insta::assert_snapshot;
use tempfile::{TempDir, tempdir};

use super::*;

fn write(dir: &TempDir, name: &str, dims: &[usize]) {
    let data: Vec<u8> = (0..dims.iter().product::<usize>()).map(|i| i as u8).collect();
    std::fs::write(dir.path().join(name), Idx::new(dims, &data).unwrap().file()).unwrap();
}

/// A folder with `train` training images of 2x3 and as many labels, and two test images.
fn folder(train: usize) -> TempDir {
    let dir = tempdir().unwrap();
    write(&dir, "train-images-idx3-ubyte", &[train, 2, 3]);
    write(&dir, "train-labels-idx1-ubyte", &[train]);
    write(&dir, "t10k-images-idx3-ubyte", &[2, 2, 3]);
    write(&dir, "t10k-labels-idx1-ubyte", &[2]);
    dir
}

fn problem(dir: &TempDir) -> String {
    Dataset::open(dir.path()).unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR")
}

#[test]
fn mnist_is_split_as_the_tutorials_split_it() {
    let mnist = Dataset::mnist();
    assert_eq!(mnist.name, "MNIST");
    assert_eq!(mnist.train.images.shape(), (55_000, 28, 28, 1));
    assert_eq!(mnist.validation.images.shape(), (5_000, 28, 28, 1));
    assert_eq!(mnist.test.images.shape(), (10_000, 28, 28, 1));
    // The parts are where they should be: the bytes at their places in the files.
    assert_eq!(mnist.validation.images.bytes(4_999), &limpid_mnist::train_images()[16 + 59_999 * 784..]);
    assert_eq!(mnist.test.images.bytes(0), &limpid_mnist::test_images()[16..16 + 784]);
    assert_eq!(mnist.train.labels.unwrap().bytes(), &limpid_mnist::train_labels()[8..55_008]);
    assert_eq!(mnist.validation.labels.unwrap().bytes(), &limpid_mnist::train_labels()[55_008..]);
}

#[test]
fn a_twelfth_of_the_training_file_is_for_validation() {
    let split = |train| {
        let data = Dataset::open(folder(train).path()).unwrap();
        (data.train.images.len(), data.validation.images.len(), data.test.images.len())
    };
    assert_eq!(split(48), (44, 4, 2));
    assert_eq!(split(35), (33, 2, 2));
    assert_eq!(split(2), (1, 1, 2));
}

#[test]
fn images_keep_their_labels() {
    let data = Dataset::open(folder(24).path()).unwrap();
    assert_eq!(data.validation.images.bytes(1), [138, 139, 140, 141, 142, 143]);
    assert_eq!(data.validation.labels.unwrap().bytes(), [22, 23]);
}

#[test]
fn labels_are_optional() {
    let dir = folder(24);
    std::fs::remove_file(dir.path().join("train-labels-idx1-ubyte")).unwrap();
    std::fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let data = Dataset::open(dir.path()).unwrap();
    assert!(data.train.labels.is_none() && data.validation.labels.is_none() && data.test.labels.is_none());
}

#[test]
fn counts_that_disagree_name_both_files() {
    let dir = folder(24);
    write(&dir, "train-labels-idx1-ubyte", &[23]);
    assert_snapshot!(problem(&dir), @"DIR/train-images-idx3-ubyte: 24 images, but DIR/train-labels-idx1-ubyte has 23 labels: expected one label for each image");
}

#[test]
fn images_and_labels_are_not_taken_for_each_other() {
    let dir = folder(24);
    write(&dir, "train-labels-idx1-ubyte", &[24, 2, 3]);
    assert_snapshot!(problem(&dir), @"DIR/train-labels-idx1-ubyte: these are images (3 dimensions), expected 1 for labels: count (magic number 0x00000801)");
    write(&dir, "train-images-idx3-ubyte", &[24]);
    assert_snapshot!(problem(&dir), @"DIR/train-images-idx3-ubyte: these are labels (1 dimension), expected 3 for images: count, height, width (magic number 0x00000803)");
}

#[test]
fn a_file_of_the_other_kind_is_told_before_its_sizes_are_checked() {
    let dir = folder(24);
    let path = dir.path().join("train-images-idx3-ubyte");
    let mut file = std::fs::read(&path).unwrap();
    file[3] = 1; // as labels, this would have bytes to spare
    std::fs::write(&path, file).unwrap();
    assert_snapshot!(problem(&dir), @"DIR/train-images-idx3-ubyte: these are labels (1 dimension), expected 3 for images: count, height, width (magic number 0x00000803)");
}

#[test]
fn sizes_that_disagree_name_both_files() {
    let dir = folder(24);
    write(&dir, "t10k-images-idx3-ubyte", &[2, 3, 2]);
    assert_snapshot!(problem(&dir), @"DIR/t10k-images-idx3-ubyte: images of 3x2, but those of DIR/train-images-idx3-ubyte are 2x3: training and test images must have one size");
}

#[test]
fn empty_data_sets_are_refused() {
    assert_snapshot!(problem(&folder(0)), @"DIR/train-images-idx3-ubyte: holds no images, expected at least one");
    assert_snapshot!(problem(&folder(1)), @"DIR/train-images-idx3-ubyte: only 1 image, expected at least 2: one to train on, one to validate with");
    let dir = folder(24);
    write(&dir, "t10k-images-idx3-ubyte", &[2, 0, 3]);
    assert_snapshot!(problem(&dir), @"DIR/t10k-images-idx3-ubyte: images of 0x3 pixels, expected at least one pixel");
}
