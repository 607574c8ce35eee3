//! Reading files that may be compressed, without trusting them.
//!
//! Whether a file is compressed is read from its first bytes, not from its name. Nothing is decompressed beyond what
//! the reader asks for; a `.zst` file may cost up to 128 MiB for its window besides, filled as data arrives.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use crate::{Error, Result};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Tells the compression from the first bytes of a file. IDX files start with two zero bytes, so they are
    /// never taken for compressed ones.
    pub(super) fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one that decoders skip: tools put their notes there.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The name that people know.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Decompresses `source`.
    pub(super) fn reader<'a>(self, source: impl BufRead + 'a) -> Box<dyn Read + 'a> {
        match self {
            Self::None => Box::new(source),
            Self::Gzip => Box::new(MultiGzDecoder::new(source)),
            Self::Zstd => Box::new(ZstdReader { source, frame: None }),
        }
    }
}

/// The compression that a file's name promises.
pub(super) fn promised(path: &Path) -> Option<Compression> {
    let extension = path.extension()?;
    let known = [("gz", Compression::Gzip), ("zst", Compression::Zstd)];
    known
        .into_iter()
        .find(|(name, _)| extension.eq_ignore_ascii_case(name))
        .map(|(_, compression)| compression)
}

/// Opens a regular file: its length on disk, its compression, and its content, decompressed as it is read.
pub(super) fn open(path: &Path) -> Result<(u64, Compression, Box<dyn Read>)> {
    let failed = |error| Error::io("read", path, error);
    // Asked before opening: opening a named pipe would wait for somebody to write.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(Error::data(path, "not a regular file"));
    }
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut source = BufReader::with_capacity(1 << 16, file);
    let compression = Compression::detect(source.fill_buf().map_err(failed)?);
    Ok((length, compression, compression.reader(source)))
}

/// Decompresses all zstd frames of a file, one after the other, and verifies their checksums.
struct ZstdReader<R> {
    source: R,
    /// The frame in hand. Every frame gets a decoder of its own: one that is used again allocates the whole
    /// window that the next frame declares, before any of its data has been seen.
    frame: Option<FrameDecoder>,
}

impl<R: BufRead> ZstdReader<R> {
    /// The next frame, or `None` at the end of the source.
    fn next_frame(&mut self) -> io::Result<Option<FrameDecoder>> {
        while !self.source.fill_buf()?.is_empty() {
            let mut frame = FrameDecoder::new();
            match frame.init(&mut self.source) {
                Ok(()) => return Ok(Some(frame)),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(None)
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(frame) = &mut self.frame else {
                match self.next_frame()? {
                    Some(frame) => self.frame = Some(frame),
                    None => return Ok(0),
                }
                continue;
            };
            if frame.can_collect() > 0 {
                return frame.read(buffer);
            }
            if frame.is_finished() {
                let stored = frame.get_checksum_from_data();
                if stored.is_some() && stored != frame.get_calculated_checksum() {
                    return Err(io::Error::other("the checksum of a frame does not match its content"));
                }
                self.frame = None;
                continue;
            }
            frame
                .decode_blocks(&mut self.source, ruzstd::decoding::BlockDecodingStrategy::UptoBlocks(1))
                .map_err(io::Error::other)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn decompress(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // Bounded, as every use is: damaged data may decompress to very much.
        Compression::detect(bytes).reader(bytes).take(1 << 20).read_to_end(&mut content)?;
        Ok(content)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        compress_to_vec(content, CompressionLevel::Fastest)
    }

    #[test]
    fn several_frames_and_skipped_ones_are_read_as_one_file() {
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
        let file = [skipped.as_slice(), &zstd(b"lim"), &skipped, &zstd(b"pid")].concat();
        assert_eq!(decompress(&file).unwrap(), b"limpid");
        assert_eq!(decompress(&[gzip(b"lim"), gzip(b"pid")].concat()).unwrap(), b"limpid");
    }

    #[test]
    fn a_wrong_checksum_is_noticed() {
        let mut file = zstd(b"limpid");
        *file.last_mut().unwrap() ^= 1;
        assert_eq!(
            decompress(&file).unwrap_err().to_string(),
            "the checksum of a frame does not match its content"
        );
    }

    proptest! {
        #[test]
        fn round_trip(content in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(decompress(&gzip(&content)).unwrap(), content.clone());
            prop_assert_eq!(decompress(&zstd(&content)).unwrap(), content);
        }

        #[test]
        fn a_cut_file_is_an_error(content in proptest::collection::vec(any::<u8>(), 1..500), cut in 1_usize..100) {
            for file in [gzip(&content), zstd(&content)] {
                let kept = file.len().saturating_sub(cut).max(4);
                prop_assert!(decompress(&file[..kept]).is_err());
            }
        }

        #[test]
        fn damaged_files_never_panic(
            content in proptest::collection::vec(0_u8..4, 0..2000),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            for mut file in [gzip(&content), zstd(&content)] {
                for (index, byte) in &damage {
                    let index = index.index(file.len() - 4) + 4; // behind what tells the compression
                    file[index] = *byte;
                }
                let _ = decompress(&file);
            }
        }
    }
}
