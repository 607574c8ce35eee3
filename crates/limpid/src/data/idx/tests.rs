//! Whole files are read as they are, damaged ones are refused with one clear line.

use std::io::Write;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(file).unwrap();
    encoder.finish().unwrap()
}

fn zstd(file: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(file, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Reads `file` from disk, as `--data` does.
fn open(file: &[u8]) -> Result<Idx> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("images");
    std::fs::write(&path, file).unwrap();
    Idx::open(&path)
}

/// The error for `file`, without the directory. In memory and on disk a raw file must fail alike.
fn problem(file: &[u8]) -> String {
    let on_disk = match open(file).unwrap_err() {
        Error::Data { path, problem } => {
            format!("{}: {problem}", path.file_name().unwrap().to_str().unwrap())
        }
        other => panic!("not an error about data: {other}"),
    };
    if Compression::detect(file) == Compression::None {
        assert_eq!(Idx::from_bytes(file.to_vec(), "images".as_ref()).unwrap_err().to_string(), on_disk);
    }
    on_disk
}

/// Two images of 2 x 3 pixels.
fn whole() -> Vec<u8> {
    Idx::new(&[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).unwrap().file().to_vec()
}

/// A header of images with these sizes, and nothing behind it.
fn header(dims: [u32; 3]) -> Vec<u8> {
    [vec![0, 0, 8, 3], dims.map(u32::to_be_bytes).concat()].concat()
}

#[test]
fn raw_and_compressed_files_are_read_alike() {
    let expected = Idx::from_bytes(whole(), "images".as_ref()).unwrap();
    assert_eq!(expected.dims(), [2, 2, 3]);
    assert_eq!(expected.data()[11], 11);
    for file in [whole(), gzip(&whole()), zstd(&whole())] {
        assert_eq!(open(&file).unwrap(), expected);
    }
}

#[test]
fn wrong_magic_numbers() {
    assert_snapshot!(problem(b"<!DOCTYPE html>"), @"images: not an IDX file: it starts with 0x3c21444f, expected 0x00000803 for images or 0x00000801 for labels");
    assert_snapshot!(problem(&gzip(b"PK\x03\x04")), @"images: not an IDX file: it starts with 0x504b0304, expected 0x00000803 for images or 0x00000801 for labels");
    assert_snapshot!(problem(&[0, 0, 8, 0]), @"images: not an IDX file: it starts with 0x00000800, expected 0x00000803 for images or 0x00000801 for labels");
}

#[test]
fn a_name_that_promises_compression() {
    let dir = tempfile::tempdir().unwrap();
    let problem = |name: &str, file: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, file).unwrap();
        Idx::open(&path).unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR")
    };
    assert_snapshot!(problem("images.zst", b"garbage"), @"DIR/images.zst: is neither zstd data, as its name says, nor an IDX file: it starts with 0x67617262");
    assert_snapshot!(problem("images.gz", b"garbage"), @"DIR/images.gz: is neither gzip data, as its name says, nor an IDX file: it starts with 0x67617262");
    assert_snapshot!(problem("images.gz", b""), @"DIR/images.gz: is empty, expected an IDX file");
}

#[test]
fn wrong_element_types() {
    assert_snapshot!(problem(&[0, 0, 0x0d, 3, 0, 0, 0, 1]), @"images: the elements have type 0x0d (32-bit floats), expected 0x08 (unsigned bytes)");
    assert_snapshot!(problem(&[0, 0, 0x42, 3, 0, 0, 0, 1]), @"images: the elements have type 0x42 (unknown), expected 0x08 (unsigned bytes)");
}

#[test]
fn truncated_files() {
    assert_snapshot!(problem(&[]), @"images: is empty, expected an IDX file");
    assert_snapshot!(problem(&whole()[..9]), @"images: truncated: the file ends after 9 bytes, within the header of an IDX file");
    assert_snapshot!(problem(&whole()[..20]), @"images: truncated: the header declares 2 x 2 x 3 = 12 bytes of data, the file holds 4");
    assert_snapshot!(problem(&gzip(&whole()[..20])), @"images: truncated: the header declares 2 x 2 x 3 = 12 bytes of data, the file holds 4");
    let (gzip, zstd) = (gzip(&whole()), zstd(&whole()));
    assert_snapshot!(problem(&gzip[..gzip.len() - 10]), @"images: truncated: the gzip data ends too early");
    assert_snapshot!(problem(&gzip[..gzip.len() - 3]), @"images: truncated: the gzip data ends too early");
    assert_snapshot!(problem(&zstd[..zstd.len() - 1]), @"images: damaged zstd data: Failed to read checksum: failed to fill whole buffer");
}

#[test]
fn trailing_bytes() {
    let longer = [whole(), vec![1, 2, 3]].concat();
    assert_snapshot!(problem(&longer), @"images: 3 trailing bytes after the 2 x 2 x 3 = 12 bytes of data");
    assert_snapshot!(problem(&gzip(&longer)), @"images: trailing bytes after the 2 x 2 x 3 = 12 bytes of data");
    assert_snapshot!(problem(&zstd(&longer)), @"images: trailing bytes after the 2 x 2 x 3 = 12 bytes of data");
}

#[test]
fn damaged_compression() {
    let mut wrong_checksum = gzip(&whole());
    let length = wrong_checksum.len();
    wrong_checksum[length - 8] ^= 1;
    assert_snapshot!(problem(&wrong_checksum), @"images: damaged gzip data: corrupt gzip stream does not have a matching checksum");
    let mut wrong_checksum = zstd(&whole());
    *wrong_checksum.last_mut().unwrap() ^= 1;
    assert_snapshot!(problem(&wrong_checksum), @"images: damaged zstd data: the checksum of a frame does not match its content");
}

#[test]
fn sizes_that_multiply_past_memory() {
    let most = header([u32::MAX; 3]);
    assert_snapshot!(problem(&most), @"images: the header declares 4294967295 x 4294967295 x 4294967295 bytes, more than memory can address");
    assert_snapshot!(problem(&gzip(&most)), @"images: the header declares 4294967295 x 4294967295 x 4294967295 bytes, more than memory can address");
}

#[test]
fn sizes_past_what_the_file_warrants() {
    // 4 GB would fit into memory, but the file has 16 bytes, and no compressor is that good.
    let large = header([60_000, 256, 256]);
    assert_snapshot!(problem(&large), @"images: truncated: the header declares 60000 x 256 x 256 = 3932160000 bytes of data, the file holds 0");
    assert_snapshot!(problem(&zstd(&large)), @"images: the header declares 60000 x 256 x 256 = 3932160000 bytes, far more than 29 bytes of zstd data can hold");
}

#[test]
fn what_is_not_a_file_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let message = Idx::open(dir.path()).unwrap_err().to_string();
    assert_eq!(message, format!("{}: not a regular file", dir.path().display()));
    let path = dir.path().join("nothing");
    let error = Idx::open(&path).unwrap_err();
    assert!(matches!(error, Error::Io { action: "read", path: p, .. } if p == path));
}

#[test]
fn an_array_that_the_format_cannot_hold_is_refused() {
    let problem = |dims: &[usize]| Idx::new(dims, &[1, 2]).unwrap_err().to_string();
    assert_snapshot!(problem(&[]), @"IDX array of shape []: expected 1 to 255 dimensions");
    assert_snapshot!(problem(&[2; 256]).replace("2, ", ""), @"IDX array of shape [2]: expected 1 to 255 dimensions");
    assert_snapshot!(problem(&[3]), @"IDX array of shape [3]: does not describe 2 bytes of data");
    assert_snapshot!(problem(&[usize::MAX, 2]), @"IDX array of shape [18446744073709551615, 2]: does not describe 2 bytes of data");
}

proptest! {
    #[test]
    fn round_trip(dims in proptest::collection::vec(0_usize..5, 1..5)) {
        let data: Vec<u8> = (0..dims.iter().product::<usize>()).map(|i| i as u8).collect();
        let written = Idx::new(&dims, &data).unwrap();
        let read = Idx::from_bytes(written.file().to_vec(), "file".as_ref()).unwrap();
        prop_assert_eq!(read.dims(), dims);
        prop_assert_eq!(read.data(), data);
    }

    #[test]
    fn arbitrary_bytes_never_panic(file in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Idx::from_bytes(file, "file".as_ref());
    }

    /// Nearly right headers get deeper into the parser than arbitrary bytes.
    #[test]
    fn arbitrary_sizes_never_panic(
        dims in proptest::collection::vec(any::<u32>(), 0..6),
        data in proptest::collection::vec(any::<u8>(), 0..20),
        compressed in any::<bool>(),
    ) {
        let mut file = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|dim| file.extend(dim.to_be_bytes()));
        file.extend(&data);
        let length = file.len() as u64;
        let compression = if compressed { Compression::Zstd } else { Compression::None };
        let product = if dims.contains(&0) {
            Some(0)
        } else {
            dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim.into()))
        };
        let read = Idx::read(file.as_slice(), length, compression, "file".as_ref(), None);
        prop_assert_eq!(read.is_ok(), !dims.is_empty() && product == Some(data.len() as u64));
    }
}
