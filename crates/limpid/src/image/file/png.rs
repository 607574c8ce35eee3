//! PNG, row by row; as a whole only where rows do not come in their order (interlacing) or are to be turned.

use std::borrow::Cow;
use std::io::{BufRead, Seek, Write};
use std::path::Path;

use image::metadata::Orientation;
use png::{BitDepth, ColorType, DecodingError, EncodingError, PixelDimensions, Transformations, Unit};

use super::header::{Channels, Density, Depth, Header};
use super::limits::{Limits, check_size};
use super::raster::{Raster, orient};
use super::{Format, Sink, Source, damaged, length, samples};
use crate::{Error, Result};

/// A file that is being read.
pub(super) struct PngRows<R: BufRead + Seek> {
    reader: png::Reader<R>,
    /// The palette has nothing but greys, so of its red, green and blue only red is taken.
    gray_palette: bool,
    swap: bool,
    row: Vec<u8>,
}

impl<R: BufRead + Seek> PngRows<R> {
    /// The next rows.
    pub(super) fn read(&mut self, header: &Header, rows: &mut [u8], path: &Path) -> Result<()> {
        for row in rows.chunks_exact_mut(header.row_bytes()) {
            let target = if self.gray_palette { &mut self.row[..] } else { &mut *row };
            self.reader.read_row(target).map_err(|error| refuse(error, path))?;
            self.finish(row);
        }
        Ok(())
    }

    fn finish(&self, row: &mut [u8]) {
        if self.gray_palette {
            take_gray(&self.row, row);
        }
        if self.swap {
            samples::swap_from_big_endian(row);
        }
    }
}

fn take_gray(colors: &[u8], row: &mut [u8]) {
    let pixel = colors.len() / row.len();
    for (gray, color) in row.iter_mut().zip(colors.chunks_exact(pixel)) {
        *gray = color[0];
    }
}

/// Height and width.
pub(super) fn size_of<R: BufRead + Seek>(input: R, path: &Path) -> Result<(u32, u32)> {
    let mut decoder = png::Decoder::new(input);
    let size = decoder.read_header_info().map_err(|error| refuse(error, path))?;
    Ok((size.height, size.width))
}

/// Reads everything before the pixels.
pub(super) fn open<R: BufRead + Seek>(
    mut input: R,
    path: &Path,
    limits: Limits,
) -> Result<(Header, Source<R>)> {
    let refuse = |error| refuse(error, path);
    let bytes = png::Limits { bytes: usize::try_from(limits.memory).unwrap_or(usize::MAX) };
    // A first look: how pixels are to be decoded depends on chunks before them, but must be known before those are read.
    let mut decoder = png::Decoder::new_with_limits(&mut input, bytes);
    let size = decoder.read_header_info().map_err(refuse)?;
    check_size(size.height.into(), size.width.into(), path)?;
    let info = decoder.read_info().map_err(refuse)?.info().clone();
    let length = length(&mut input, path)?;

    if info.animation_control.is_some_and(|animation| animation.num_frames > 1) {
        return Err(Error::data(path, "is an animation, expected one picture: take its frames apart first"));
    }
    let expand = info.trns.is_some() || info.color_type == ColorType::Indexed;
    let gray_palette = info.color_type == ColorType::Indexed
        && info.trns.is_none()
        && info.palette.as_ref().is_some_and(|palette| {
            palette.chunks_exact(3).all(|color| color[0] == color[1] && color[1] == color[2])
        });
    let mut decoder = png::Decoder::new_with_limits(input, bytes);
    decoder.set_transformations(if expand { Transformations::EXPAND } else { Transformations::IDENTITY });
    let mut reader = decoder.read_info().map_err(refuse)?;

    let (color, depth) = reader.output_color_type();
    let channels = match color {
        _ if gray_palette => Channels::Gray,
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb | ColorType::Indexed => Channels::Rgb,
        ColorType::Rgba => Channels::RgbAlpha,
    };
    let depth = match depth {
        BitDepth::One => Depth::One,
        BitDepth::Two => Depth::Two,
        BitDepth::Four => Depth::Four,
        BitDepth::Eight => Depth::Eight,
        BitDepth::Sixteen => Depth::Sixteen,
    };
    let mut header = Header::new(Format::Png, (info.height as usize, info.width as usize), channels, depth);
    header.profile = info.icc_profile.as_deref().map(<[u8]>::to_vec).filter(|_| !gray_palette);
    header.density = info
        .pixel_dims
        .filter(|size| size.unit == Unit::Meter)
        .map(|size| Density { x: size.xppu.into(), y: size.yppu.into() });
    let exif = info.exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let swap = depth == Depth::Sixteen;
    if !info.interlaced && orientation == Orientation::NoTransforms {
        let too_wide = || Error::data(path, "its rows are too long for this machine");
        let row = vec![0; reader.output_line_size(info.width).ok_or_else(too_wide)?];
        return Ok((header, Source::Png(Box::new(PngRows { reader, gray_palette, swap, row }))));
    }

    let decoded = reader.output_buffer_size().unwrap_or(usize::MAX);
    limits.check_whole((header.height * header.width) as u64, decoded as u64, length, path)?;
    let mut pixels = vec![0; decoded];
    reader.next_frame(&mut pixels).map_err(refuse)?;
    if gray_palette {
        let mut gray = vec![0; header.row_bytes() * header.height];
        take_gray(&pixels, &mut gray);
        pixels = gray;
    }
    if swap {
        samples::swap_from_big_endian(&mut pixels);
    }
    let pixels = orient(&mut header, pixels, orientation);
    Ok((header, Source::Whole(Raster::new(pixels))))
}

fn refuse(error: DecodingError, path: &Path) -> Error {
    match error {
        DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Error::io("read", path, error)
        }
        DecodingError::IoError(_) => damaged(Format::Png, path, "it ends before its last row"),
        error => damaged(Format::Png, path, error),
    }
}

/// Writes a file; `body` writes its rows.
pub(super) fn write<W: Write>(
    output: W,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let failed = |error| match error {
        EncodingError::IoError(error) => Error::io("write", path, error),
        error => Error::data(path, format!("cannot be written as PNG: {error}")),
    };
    let mut info = png::Info::with_size(header.width as u32, header.height as u32);
    info.color_type = match header.channels {
        Channels::Gray => ColorType::Grayscale,
        Channels::GrayAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::RgbAlpha => ColorType::Rgba,
    };
    info.bit_depth = match header.depth {
        Depth::One => BitDepth::One,
        Depth::Two => BitDepth::Two,
        Depth::Four => BitDepth::Four,
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen | Depth::Float => BitDepth::Sixteen,
    };
    info.icc_profile = header.profile.as_deref().map(Cow::Borrowed);
    info.pixel_dims = header.density.map(|Density { x, y }| PixelDimensions {
        xppu: x.round() as u32,
        yppu: y.round() as u32,
        unit: Unit::Meter,
    });
    let mut encoder = png::Encoder::with_info(output, info).map_err(failed)?;
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header().map_err(failed)?;
    let mut stream = writer.stream_writer().map_err(failed)?;
    body(&mut PngSink { stream: &mut stream, swap: header.depth == Depth::Sixteen, path })?;
    stream.finish().map_err(failed)?;
    writer.finish().map_err(failed)
}

struct PngSink<'a, W> {
    stream: W,
    swap: bool,
    path: &'a Path,
}

impl<W: Write> Sink for PngSink<'_, W> {
    fn write(&mut self, rows: &mut [u8]) -> Result<()> {
        if self.swap {
            samples::swap_from_big_endian(rows);
        }
        self.stream.write_all(rows).map_err(|error| Error::io("write", self.path, error))
    }
}
