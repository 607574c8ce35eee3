//! TIFF, strip by strip; as a whole only where it is tiled or to be turned.

use std::io::{BufRead, Seek, Write};
use std::path::Path;

use flate2::write::ZlibEncoder;
use image::metadata::Orientation;
use tiff::decoder::ifd::Value;
use tiff::decoder::{ChunkType, Decoder};
use tiff::encoder::{DirectoryEncoder, Rational, TiffEncoder, TiffKind};
use tiff::tags::{
    CompressionMethod, ExtraSamples, PhotometricInterpretation, ResolutionUnit, SampleFormat, Tag,
    ValueBuffer,
};
use tiff::{ColorType, TiffError};

use super::header::{Channels, Density, Depth, Header};
use super::limits::{Limits, check_size};
use super::raster::{Raster, orient};
use super::{Format, Sink, Source, damaged, length};
use crate::{Error, Result};

/// How pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As they are.
    None,
    /// With zlib, which every reader knows and which packs better than what else there was.
    Deflate,
}

/// About so many bytes of pixels make a strip.
const STRIP_BYTES: usize = 1 << 18;

/// A file of more bytes of pixels than this is written as BigTIFF: the offsets of the other have 32 bits.
const LARGEST_CLASSIC: u64 = 4_000_000_000;

/// A file that is being read.
pub(super) struct TiffRows<R: BufRead + Seek> {
    decoder: Decoder<R>,
    /// The next strip to decode.
    next: u32,
    strip: Vec<u8>,
    /// How much of the strip has been read.
    read: usize,
}

impl<R: BufRead + Seek> TiffRows<R> {
    /// The next rows.
    pub(super) fn read(&mut self, mut rows: &mut [u8], path: &Path) -> Result<()> {
        while !rows.is_empty() {
            if self.read == self.strip.len() {
                self.decode_next().map_err(|error| refuse(error, path))?;
            }
            let len = rows.len().min(self.strip.len() - self.read);
            let (part, rest) = rows.split_at_mut(len);
            part.copy_from_slice(&self.strip[self.read..][..len]);
            self.read += len;
            rows = rest;
        }
        Ok(())
    }

    fn decode_next(&mut self) -> Result<(), TiffError> {
        let len = self.decoder.image_chunk_buffer_layout(self.next)?.len;
        self.strip.resize(len, 0);
        self.decoder.read_chunk_bytes(self.next, &mut self.strip)?;
        self.next += 1;
        self.read = 0;
        Ok(())
    }
}

/// Height and width.
pub(super) fn size_of<R: BufRead + Seek>(input: R, path: &Path) -> Result<(u32, u32)> {
    let size = Decoder::new(input).and_then(|mut decoder| decoder.dimensions());
    size.map(|(width, height)| (height, width)).map_err(|error| refuse(error, path))
}

/// Reads everything before the pixels; of floats also the pixels, once, for the range of their values.
pub(super) fn open<R: BufRead + Seek>(
    mut input: R,
    path: &Path,
    limits: Limits,
) -> Result<(Header, Source<R>)> {
    let length = length(&mut input, path)?;
    let memory = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let mut decoder_limits = tiff::decoder::Limits::default();
    decoder_limits.decoding_buffer_size = memory;
    decoder_limits.intermediate_buffer_size = memory;
    let decoder = Decoder::new(input).map_err(|error| refuse(error, path))?;
    let mut decoder = decoder.with_limits(decoder_limits);
    let (mut header, orientation) = read_header(&mut decoder, path)?;
    if decoder.more_images() {
        let problem = "has several pages, expected one: split it, for example with tiffsplit or `magick pages.tif page-%d.tif`";
        return Err(Error::data(path, problem));
    }
    let in_strips = decoder.get_chunk_type() == ChunkType::Strip;
    if in_strips && orientation == Orientation::NoTransforms {
        let (_, rows) = decoder.chunk_dimensions();
        let rows = (rows as usize).min(header.height);
        limits.check_whole((rows * header.width) as u64, (rows * header.row_bytes()) as u64, length, path)?;
        let mut source = TiffRows { decoder, next: 0, strip: Vec::new(), read: 0 };
        if header.depth == Depth::Float {
            let mut range = Range::new();
            let mut row = vec![0; header.row_bytes()];
            for _ in 0..header.height {
                source.read(&mut row, path)?;
                range.see(&header, &row, path)?;
            }
            header.range = range.of_values();
            source.next = 0;
            source.read = source.strip.len();
        }
        return Ok((header, Source::Tiff(Box::new(source))));
    }
    limits.check_whole((header.height * header.width) as u64, header.bytes(), length, path)?;
    let mut pixels = vec![0; header.row_bytes() * header.height];
    decoder.read_image_bytes(&mut pixels).map_err(|error| refuse(error, path))?;
    if header.depth == Depth::Float {
        let mut range = Range::new();
        range.see(&header, &pixels, path)?;
        header.range = range.of_values();
    }
    let pixels = orient(&mut header, pixels, orientation);
    Ok((header, Source::Whole(Raster::new(pixels))))
}

fn read_header<R: BufRead + Seek>(decoder: &mut Decoder<R>, path: &Path) -> Result<(Header, Orientation)> {
    let damaged = |error| refuse(error, path);
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    check_size(height.into(), width.into(), path)?;
    let color = decoder.colortype().map_err(damaged)?;
    let not_read = |what: String| {
        Error::data(path, format!("{what}, which is not read; convert it to 8-bit gray or RGB first"))
    };
    let (channels, bits) = match color {
        ColorType::Gray(bits) => (Channels::Gray, bits),
        ColorType::GrayA(bits) | ColorType::Multiband { bit_depth: bits, num_samples: 2 } => {
            (Channels::GrayAlpha, bits)
        }
        ColorType::RGB(bits) => (Channels::Rgb, bits),
        ColorType::RGBA(bits) => (Channels::RgbAlpha, bits),
        other => return Err(not_read(format!("holds colours as {other:?}"))),
    };
    let number = |decoder: &mut Decoder<R>, tag| decoder.find_tag_unsigned::<u32>(tag).ok().flatten();
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat).map_err(damaged)?;
    let format = formats.and_then(|formats| formats.first().copied()).unwrap_or(1);
    let depth = match (format, bits) {
        (1, 1) => Depth::One,
        (1, 2) => Depth::Two,
        (1, 4) => Depth::Four,
        (1, 8) => Depth::Eight,
        (1, 16) => Depth::Sixteen,
        (3, 32) => Depth::Float,
        (format, bits) => {
            let kind = ["unsigned", "signed", "float"].get(usize::from(format).wrapping_sub(1));
            return Err(not_read(format!("holds {} numbers of {bits} bits", kind.unwrap_or(&"unknown"))));
        }
    };
    if depth < Depth::Eight && channels != Channels::Gray {
        return Err(not_read(format!("holds colours of {bits} bits")));
    }
    if channels.count() > 1 && number(decoder, Tag::PlanarConfiguration) == Some(2) {
        return Err(not_read("holds one plane per channel".into()));
    }
    let mut header = Header::new(Format::Tiff, (height as usize, width as usize), channels, depth);
    let packed = number(decoder, Tag::Compression).is_some_and(|method| method != 1);
    header.compression = if packed { Packing::Deflate } else { Packing::None };
    header.profile = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    header.density = density(decoder);
    let orientation = number(decoder, Tag::Orientation).and_then(|value| u8::try_from(value).ok());
    let orientation = orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
    Ok((header, orientation))
}

fn density<R: BufRead + Seek>(decoder: &mut Decoder<R>) -> Option<Density> {
    let per_meter = match decoder.find_tag_unsigned::<u16>(Tag::ResolutionUnit).ok()? {
        None | Some(2) => 1.0 / 0.0254,
        Some(3) => 100.0,
        _ => return None,
    };
    let mut per_unit = |tag| match decoder.find_tag(tag).ok()?? {
        Value::Rational(n, d) if n > 0 && d > 0 => Some(f64::from(n) / f64::from(d) * per_meter),
        _ => None,
    };
    Some(Density { x: per_unit(Tag::XResolution)?, y: per_unit(Tag::YResolution)? })
}

/// The least and the greatest of values.
struct Range {
    low: f32,
    high: f32,
}

impl Range {
    fn new() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY }
    }

    fn see(&mut self, header: &Header, rows: &[u8], path: &Path) -> Result<()> {
        let (count, colors) = (header.channels.count(), header.channels.colors());
        for (i, bytes) in rows.as_chunks().0.iter().enumerate() {
            let value = f32::from_ne_bytes(*bytes);
            if !value.is_finite() {
                let (row, column) = (i / count / header.width, i / count % header.width);
                let problem =
                    format!("a pixel is {value} (the first in row {row}, column {column} of what was read)");
                return Err(Error::data(path, format!("{problem}; expected numbers")));
            }
            if i % count < colors {
                self.low = self.low.min(value);
                self.high = self.high.max(value);
            }
        }
        Ok(())
    }

    /// Values in `[0, 1]` are taken as they are, others from the least to the greatest.
    fn of_values(&self) -> (f32, f32) {
        if self.low >= 0.0 && self.high <= 1.0 {
            (0.0, 1.0)
        } else if self.low == self.high {
            (self.low, self.low + self.low.abs().max(1.0))
        } else {
            (self.low, self.high)
        }
    }
}

fn refuse(error: TiffError, path: &Path) -> Error {
    match error {
        TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged(Format::Tiff, path, "it ends before its last row")
        }
        TiffError::IoError(error) if error.raw_os_error().is_some() => Error::io("read", path, error),
        TiffError::LimitsExceeded => {
            Error::data(path, "one of its strips or tiles takes more memory than is allowed; allow more")
        }
        error => damaged(Format::Tiff, path, error),
    }
}

fn not_written(error: TiffError, path: &Path) -> Error {
    match error {
        TiffError::IoError(error) => Error::io("write", path, error),
        error => Error::data(path, format!("cannot be written as TIFF: {error}")),
    }
}

/// Writes a file; `body` writes its rows.
pub(super) fn write<W: Write + Seek>(
    output: W,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let failed = |error| not_written(error, path);
    if header.bytes() > LARGEST_CLASSIC {
        let mut file = TiffEncoder::new_big(output).map_err(failed)?;
        let offsets = |offsets: &[u64]| ValueBuffer::from_value(&offsets);
        write_directory(file.image_directory().map_err(failed)?, header, path, body, offsets)
    } else {
        let mut file = TiffEncoder::new(output).map_err(failed)?;
        let offsets = |offsets: &[u64]| {
            let offsets: Vec<u32> = offsets.iter().map(|&offset| offset as u32).collect();
            ValueBuffer::from_value(&&offsets[..])
        };
        write_directory(file.image_directory().map_err(failed)?, header, path, body, offsets)
    }
}

/// Strips first, then the tags that say where they are; `offsets` puts those into the numbers of the kind of file.
fn write_directory<W: Write + Seek, K: TiffKind>(
    directory: DirectoryEncoder<'_, W, K>,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
    offsets: impl Fn(&[u64]) -> ValueBuffer,
) -> Result<()> {
    let rows_per_strip = (STRIP_BYTES / header.row_bytes()).clamp(1, header.height);
    let strip_bytes = rows_per_strip * header.row_bytes();
    let mut sink = TiffSink {
        directory,
        compressed: header.compression == Packing::Deflate,
        strip: Vec::with_capacity(strip_bytes),
        strip_bytes,
        offsets: Vec::new(),
        lengths: Vec::new(),
        path,
    };
    body(&mut sink)?;
    sink.end_strip()?;
    let TiffSink { mut directory, offsets: starts, lengths, .. } = sink;

    let count = header.channels.count();
    let (compression, photometric) = (
        if header.compression == Packing::Deflate {
            CompressionMethod::Deflate
        } else {
            CompressionMethod::None
        },
        if header.channels.colors() == 1 {
            PhotometricInterpretation::BlackIsZero
        } else {
            PhotometricInterpretation::RGB
        },
    );
    let sample_format = if header.depth == Depth::Float { SampleFormat::IEEEFP } else { SampleFormat::Uint };
    let write_tags = |directory: &mut DirectoryEncoder<'_, W, K>| -> Result<(), TiffError> {
        directory.write_tag(Tag::ImageWidth, header.width as u32)?;
        directory.write_tag(Tag::ImageLength, header.height as u32)?;
        directory.write_tag(Tag::BitsPerSample, &vec![header.depth.bits() as u16; count][..])?;
        directory.write_tag(Tag::Compression, compression.to_u16())?;
        directory.write_tag(Tag::PhotometricInterpretation, photometric.to_u16())?;
        directory.write_tag(Tag::SamplesPerPixel, count as u16)?;
        directory.write_tag(Tag::SampleFormat, &vec![sample_format.to_u16(); count][..])?;
        directory.write_tag(Tag::RowsPerStrip, rows_per_strip as u32)?;
        directory.write_tag_buf(Tag::StripOffsets, &offsets(&starts))?;
        directory.write_tag_buf(Tag::StripByteCounts, &offsets(&lengths))?;
        if header.channels.has_alpha() {
            directory.write_tag(Tag::ExtraSamples, &[ExtraSamples::UnassociatedAlpha.to_u16()][..])?;
        }
        if let Some(Density { x, y }) = header.density {
            // In hundredths of a pixel per centimetre.
            let per_centimetre = |density: f64| Rational { n: density.round() as u32, d: 100 };
            directory.write_tag(Tag::XResolution, per_centimetre(x))?;
            directory.write_tag(Tag::YResolution, per_centimetre(y))?;
            directory.write_tag(Tag::ResolutionUnit, ResolutionUnit::Centimeter.to_u16())?;
        }
        if let Some(profile) = &header.profile {
            directory.write_tag(Tag::IccProfile, &profile[..])?;
        }
        Ok(())
    };
    write_tags(&mut directory).and_then(|()| directory.finish()).map_err(|error| not_written(error, path))
}

struct TiffSink<'a, 'w, W: Write + Seek, K: TiffKind> {
    directory: DirectoryEncoder<'w, W, K>,
    compressed: bool,
    /// What is there of the next strip, and its full length.
    strip: Vec<u8>,
    strip_bytes: usize,
    /// Of the strips that were written.
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    path: &'a Path,
}

impl<W: Write + Seek, K: TiffKind> Sink for TiffSink<'_, '_, W, K> {
    fn write(&mut self, rows: &mut [u8]) -> Result<()> {
        let mut rows = &*rows;
        while !rows.is_empty() {
            let (part, rest) = rows.split_at(rows.len().min(self.strip_bytes - self.strip.len()));
            self.strip.extend_from_slice(part);
            if self.strip.len() == self.strip_bytes {
                self.end_strip()?;
            }
            rows = rest;
        }
        Ok(())
    }
}

impl<W: Write + Seek, K: TiffKind> TiffSink<'_, '_, W, K> {
    /// Writes what there is of a strip, if there is any.
    fn end_strip(&mut self) -> Result<()> {
        if self.strip.is_empty() {
            return Ok(());
        }
        if self.compressed {
            let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            let packed = encoder.write_all(&self.strip).and_then(|()| encoder.finish());
            self.strip = packed.map_err(|error| Error::io("write", self.path, error))?;
        }
        let offset =
            self.directory.write_data(&self.strip[..]).map_err(|error| not_written(error, self.path))?;
        self.offsets.push(offset);
        self.lengths.push(self.strip.len() as u64);
        self.strip.clear();
        Ok(())
    }
}
