//! The formats that are decoded and encoded as a whole, by the `image` crate: JPEG, BMP, WebP, and reading PNM.

use std::io::{BufRead, Seek, Write};
use std::path::Path;

use image::codecs::{bmp::BmpDecoder, jpeg::JpegDecoder, pnm::PnmDecoder, webp::WebPDecoder};
use image::codecs::{bmp::BmpEncoder, jpeg::JpegEncoder, webp::WebPEncoder};
use image::error::ImageError;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder};

use super::header::{Channels, Depth, Header};
use super::limits::{Limits, check_size};
use super::raster::{Raster, orient};
use super::{Format, Source, damaged, length, samples};
use crate::{Error, Result};

/// Reads the whole file.
pub(super) fn open<R: BufRead + Seek>(
    mut input: R,
    format: Format,
    path: &Path,
    limits: Limits,
) -> Result<(Header, Source<R>)> {
    let length = length(&mut input, path)?;
    let decoder = decoder(&mut input, format, path)?;
    read(decoder, format, length, path, limits).map(|(header, raster)| (header, Source::Whole(raster)))
}

/// Height and width.
pub(super) fn size_of<R: BufRead + Seek>(mut input: R, format: Format, path: &Path) -> Result<(u32, u32)> {
    let (width, height) = decoder(&mut input, format, path)?.dimensions();
    Ok((height, width))
}

fn decoder<'a, R: BufRead + Seek>(
    input: &'a mut R,
    format: Format,
    path: &Path,
) -> Result<Box<dyn ImageDecoder + 'a>> {
    let refuse = |error| refuse(error, format, path);
    Ok(match format {
        Format::Jpeg => Box::new(JpegDecoder::new(input).map_err(refuse)?),
        Format::Bmp => Box::new(BmpDecoder::new(input).map_err(refuse)?),
        Format::WebP => {
            let decoder = WebPDecoder::new(input).map_err(refuse)?;
            if decoder.has_animation() {
                return Err(Error::data(
                    path,
                    "is an animation, expected one picture: take its frames apart first",
                ));
            }
            Box::new(decoder)
        }
        _ => Box::new(PnmDecoder::new(input).map_err(refuse)?),
    })
}

fn read(
    mut decoder: Box<dyn ImageDecoder + '_>,
    format: Format,
    length: u64,
    path: &Path,
    limits: Limits,
) -> Result<(Header, Raster)> {
    let refuse = |error| refuse(error, format, path);
    let (width, height) = decoder.dimensions();
    check_size(height.into(), width.into(), path)?;
    limits.check_whole(u64::from(width) * u64::from(height), decoder.total_bytes(), length, path)?;
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.memory.saturating_mul(2)); // its own buffers come on top
    decoder.set_limits(decoder_limits).map_err(refuse)?;
    let is_bits = decoder.original_color_type() == ExtendedColorType::L1;
    let profile = decoder.icc_profile().ok().flatten();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (mut channels, depth) = match decoder.color_type() {
        ColorType::L8 => (Channels::Gray, Depth::Eight),
        ColorType::La8 => (Channels::GrayAlpha, Depth::Eight),
        ColorType::Rgb8 => (Channels::Rgb, Depth::Eight),
        ColorType::Rgba8 => (Channels::RgbAlpha, Depth::Eight),
        ColorType::L16 => (Channels::Gray, Depth::Sixteen),
        ColorType::La16 => (Channels::GrayAlpha, Depth::Sixteen),
        ColorType::Rgb16 => (Channels::Rgb, Depth::Sixteen),
        ColorType::Rgba16 => (Channels::RgbAlpha, Depth::Sixteen),
        other => return Err(damaged(format, path, format!("it decodes to {other:?}"))),
    };
    let mut pixels = DynamicImage::from_decoder(decoder).map_err(refuse)?.into_bytes();
    // These formats have no gray: what is gray in all pixels was gray.
    if matches!(format, Format::Bmp | Format::WebP) && channels == Channels::Rgb && is_gray(&pixels) {
        pixels = pixels.chunks_exact(3).map(|pixel| pixel[0]).collect();
        channels = Channels::Gray;
    }
    let mut header = Header::new(format, (height as usize, width as usize), channels, depth);
    if is_bits {
        let bits = Header { depth: Depth::One, ..header.clone() };
        let mut packed = vec![0; bits.row_bytes() * bits.height];
        let rows = pixels.chunks_exact(header.row_bytes()).zip(packed.chunks_exact_mut(bits.row_bytes()));
        let mut values = vec![0.0; header.row_samples()];
        for (row, packed) in rows {
            samples::unpack(&header, row, &mut values);
            samples::pack(&bits, &values, packed);
        }
        (header, pixels) = (bits, packed);
    }
    header.profile = profile;
    let pixels = orient(&mut header, pixels, orientation);
    Ok((header, Raster::new(pixels)))
}

fn is_gray(pixels: &[u8]) -> bool {
    pixels.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
}

fn refuse(error: ImageError, format: Format, path: &Path) -> Error {
    match error {
        ImageError::IoError(error) if error.raw_os_error().is_some() => Error::io("read", path, error),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged(format, path, "it ends before its last row")
        }
        ImageError::Limits(_) => {
            Error::data(path, "decoding it takes more memory than is allowed; allow more")
        }
        error => damaged(format, path, error),
    }
}

/// Writes a file from all its pixels.
pub(super) fn write<W: Write>(mut output: W, header: &Header, pixels: &[u8], path: &Path) -> Result<()> {
    let failed = |error| match error {
        ImageError::IoError(error) => Error::io("write", path, error),
        error => Error::data(path, format!("cannot be written as {}: {error}", header.format)),
    };
    let color = match header.channels {
        Channels::Gray => ExtendedColorType::L8,
        Channels::GrayAlpha => ExtendedColorType::La8,
        Channels::Rgb => ExtendedColorType::Rgb8,
        Channels::RgbAlpha => ExtendedColorType::Rgba8,
    };
    let (width, height) = (header.width as u32, header.height as u32);
    match header.format {
        Format::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut output, header.quality);
            set_profile(&mut encoder, header);
            encoder.write_image(pixels, width, height, color).map_err(failed)?;
        }
        Format::WebP => {
            let mut encoder = WebPEncoder::new_lossless(&mut output);
            set_profile(&mut encoder, header);
            encoder.write_image(pixels, width, height, color).map_err(failed)?;
        }
        _ => BmpEncoder::new(&mut output).write_image(pixels, width, height, color).map_err(failed)?,
    }
    output.flush().map_err(|error| Error::io("write", path, error))
}

/// A profile that does not fit the format is lost: it says what colours mean, and is not worth failing for.
fn set_profile(encoder: &mut impl ImageEncoder, header: &Header) {
    if let Some(profile) = &header.profile {
        let _ = encoder.set_icc_profile(profile.clone());
    }
}
