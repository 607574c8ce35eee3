//! TIFF, strip by strip; as a whole only where it is tiled or to be turned.

use std::io::{BufRead, Seek, Write};
use std::path::Path;

use image::metadata::Orientation;
use tiff::decoder::ifd::Value;
use tiff::decoder::{ChunkType, Decoder};
use tiff::encoder::colortype::{
    ColorType as Encoded, Gray8, Gray16, Gray32Float, RGB8, RGB16, RGB32Float, RGBA8, RGBA16, RGBA32Float,
};
use tiff::encoder::{Compression, DeflateLevel, ImageEncoder, Rational, TiffEncoder, TiffKind, TiffValue};
use tiff::tags::{ExtraSamples, ResolutionUnit, Tag};
use tiff::{ColorType, TiffError};

use super::header::{Channels, Density, Depth, Header};
use super::limits::{Limits, check_size};
use super::raster::{Raster, orient};
use super::{Format, Sink, Source, damaged};
use crate::{Error, Result};

/// How pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Lzw,
    Deflate,
    PackBits,
}

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

/// Reads everything before the pixels; of floats also the pixels, once, for the range of their values.
pub(super) fn open<R: BufRead + Seek>(input: R, path: &Path, limits: Limits) -> Result<(Header, Source<R>)> {
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
        limits.check_bytes((rows * header.row_bytes()) as u64, path)?;
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
        return Ok((header, Source::Tiff(source)));
    }
    limits.check_bytes(header.bytes(), path)?;
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
    header.compression = match number(decoder, Tag::Compression) {
        None | Some(1) => Packing::None,
        Some(5) => Packing::Lzw,
        Some(32_773) => Packing::PackBits,
        _ => Packing::Deflate,
    };
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
        write_as(TiffEncoder::new_big(output).map_err(failed)?, header, path, body)
    } else {
        write_as(TiffEncoder::new(output).map_err(failed)?, header, path, body)
    }
}

fn write_as<W: Write + Seek, K: TiffKind>(
    encoder: TiffEncoder<W, K>,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let encoder = encoder.with_compression(match header.compression {
        Packing::None => Compression::Uncompressed,
        Packing::Lzw => Compression::Lzw,
        Packing::Deflate => Compression::Deflate(DeflateLevel::Balanced),
        Packing::PackBits => Compression::Packbits,
    });
    match (header.channels, header.depth) {
        (Channels::Gray | Channels::GrayAlpha, Depth::Sixteen) => {
            strips::<W, Gray16, K>(encoder, header, path, body)
        }
        (Channels::Gray | Channels::GrayAlpha, Depth::Float) => {
            strips::<W, Gray32Float, K>(encoder, header, path, body)
        }
        (Channels::Gray | Channels::GrayAlpha, _) => strips::<W, Gray8, K>(encoder, header, path, body),
        (Channels::Rgb, Depth::Sixteen) => strips::<W, RGB16, K>(encoder, header, path, body),
        (Channels::Rgb, Depth::Float) => strips::<W, RGB32Float, K>(encoder, header, path, body),
        (Channels::Rgb, _) => strips::<W, RGB8, K>(encoder, header, path, body),
        (Channels::RgbAlpha, Depth::Sixteen) => strips::<W, RGBA16, K>(encoder, header, path, body),
        (Channels::RgbAlpha, Depth::Float) => strips::<W, RGBA32Float, K>(encoder, header, path, body),
        (Channels::RgbAlpha, _) => strips::<W, RGBA8, K>(encoder, header, path, body),
    }
}

fn strips<W: Write + Seek, C: Encoded<Inner: Element>, K: TiffKind>(
    mut encoder: TiffEncoder<W, K>,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()>
where
    [C::Inner]: TiffValue,
{
    let failed = |error| not_written(error, path);
    let mut image = encoder.new_image::<C>(header.width as u32, header.height as u32).map_err(failed)?;
    if header.channels == Channels::GrayAlpha {
        image.extra_samples(&[ExtraSamples::UnassociatedAlpha]).map_err(failed)?;
    }
    if let Some(Density { x, y }) = header.density {
        // In hundredths of a pixel per centimetre.
        let per_centimetre = |density: f64| Rational { n: density.round() as u32, d: 100 };
        image.resolution_unit(ResolutionUnit::Centimeter);
        image.x_resolution(per_centimetre(x));
        image.y_resolution(per_centimetre(y));
    }
    if let Some(profile) = &header.profile {
        image.encoder().write_tag(Tag::IccProfile, &profile[..]).map_err(failed)?;
    }
    let mut sink = TiffSink { image, strip: Vec::new(), path };
    body(&mut sink)?;
    sink.image.finish().map_err(failed)
}

struct TiffSink<'a, 'w, W: Write + Seek, C: Encoded, K: TiffKind> {
    image: ImageEncoder<'w, W, C, K>,
    /// What is there of the next strip.
    strip: Vec<C::Inner>,
    path: &'a Path,
}

impl<W: Write + Seek, C: Encoded<Inner: Element>, K: TiffKind> Sink for TiffSink<'_, '_, W, C, K>
where
    [C::Inner]: TiffValue,
{
    fn write(&mut self, rows: &mut [u8]) -> Result<()> {
        let mut rows = &*rows;
        while !rows.is_empty() {
            let missing = self.image.next_strip_sample_count() as usize - self.strip.len();
            let (part, rest) = rows.split_at(rows.len().min(missing * C::Inner::SIZE));
            C::Inner::append(part, &mut self.strip);
            if part.len() == missing * C::Inner::SIZE {
                self.image.write_strip(&self.strip).map_err(|error| not_written(error, self.path))?;
                self.strip.clear();
            }
            rows = rest;
        }
        Ok(())
    }
}

/// A channel of a pixel.
trait Element: Sized {
    const SIZE: usize = size_of::<Self>();
    fn append(bytes: &[u8], to: &mut Vec<Self>);
}

impl Element for u8 {
    fn append(bytes: &[u8], to: &mut Vec<Self>) {
        to.extend_from_slice(bytes);
    }
}

impl Element for u16 {
    fn append(bytes: &[u8], to: &mut Vec<Self>) {
        to.extend(bytes.as_chunks().0.iter().map(|bytes| Self::from_ne_bytes(*bytes)));
    }
}

impl Element for f32 {
    fn append(bytes: &[u8], to: &mut Vec<Self>) {
        to.extend(bytes.as_chunks().0.iter().map(|bytes| Self::from_ne_bytes(*bytes)));
    }
}
