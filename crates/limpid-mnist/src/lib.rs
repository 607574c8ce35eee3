//! The MNIST database of handwritten digits, compressed, inside the crate: never a download.
//!
//! Four functions return the four canonical files in their original IDX format, byte for byte:
//!
//! ```
//! let labels = limpid_mnist::test_labels();
//! assert_eq!(labels.len(), 8 + 10_000); // an 8-byte header, then a byte per label
//! assert_eq!(&labels[8..13], [7, 2, 1, 0, 4]);
//! ```
//!
//! Each call decompresses anew, the training images in a fraction of a second: keep what you get. The README
//! holds the provenance of the files and their digests, which the tests check.
//!
//! The data is by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, under the Creative Commons
//! Attribution-Share Alike 3.0 license; the code is under MIT or Apache-2.0, at your choice.

#![forbid(unsafe_code)]

use ruzstd::decoding::FrameDecoder;

/// Bytes before the first pixel: magic number, count, height, width, four bytes each.
const IMAGES_HEADER: usize = 16;
/// Bytes before the first label: magic number, count.
const LABELS_HEADER: usize = 8;
const IMAGE: usize = 28 * 28;

/// Where the second of the two zstd frames of the training images starts in the compressed file.
const SECOND_FRAME: usize = 4_227_102;
/// Where its content starts in the decompressed file: at image 30,000.
const SECOND_HALF: usize = IMAGES_HEADER + 30_000 * IMAGE;

/// `train-images-idx3-ubyte`: a 16-byte header, then 60,000 images of 28 x 28 bytes (0 black, 255 white).
pub fn train_images() -> Vec<u8> {
    let compressed = include_bytes!("../data/train-images-idx3-ubyte.zst");
    let mut bytes = vec![0; IMAGES_HEADER + 60_000 * IMAGE];

    // The file is by far the largest, so it comes as two independent frames, one for each of two threads.
    let (first_frame, second_frame) = compressed.split_at(SECOND_FRAME);
    let (first_half, second_half) = bytes.split_at_mut(SECOND_HALF);
    if cfg!(target_family = "wasm") {
        decompress_into(first_frame, first_half);
        decompress_into(second_frame, second_half);
    } else {
        std::thread::scope(|scope| {
            scope.spawn(|| decompress_into(second_frame, second_half));
            decompress_into(first_frame, first_half);
        });
    }
    bytes
}

/// `train-labels-idx1-ubyte`: an 8-byte header, then 60,000 digits, a byte each.
pub fn train_labels() -> Vec<u8> {
    decompress(include_bytes!("../data/train-labels-idx1-ubyte.zst"), LABELS_HEADER + 60_000)
}

/// `t10k-images-idx3-ubyte`: a 16-byte header, then 10,000 images of 28 x 28 bytes (0 black, 255 white).
pub fn test_images() -> Vec<u8> {
    decompress(include_bytes!("../data/t10k-images-idx3-ubyte.zst"), IMAGES_HEADER + 10_000 * IMAGE)
}

/// `t10k-labels-idx1-ubyte`: an 8-byte header, then 10,000 digits, a byte each.
pub fn test_labels() -> Vec<u8> {
    decompress(include_bytes!("../data/t10k-labels-idx1-ubyte.zst"), LABELS_HEADER + 10_000)
}

fn decompress(compressed: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    decompress_into(compressed, &mut bytes);
    bytes
}

/// Fills `bytes` with the content of one zstd frame, which has exactly that many: the sizes are known here, so
/// nothing needs to grow.
fn decompress_into(compressed: &[u8], bytes: &mut [u8]) {
    let written = FrameDecoder::new().decode_all(compressed, bytes).expect("the crate's own data is intact");
    assert_eq!(written, bytes.len(), "the crate's own data has its documented size");
}
