//! What a picture file says about its pixels.

use std::fmt;

use super::Format;
use crate::{Error, Result};

/// The channels of a pixel, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// One channel, black to white.
    Gray,
    /// Grey and opacity.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and opacity.
    RgbAlpha,
}

impl Channels {
    /// How many there are, 1 to 4.
    pub fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::RgbAlpha => 4,
        }
    }

    /// How many there are without alpha: 1 or 3.
    pub fn colors(self) -> usize {
        self.count() - usize::from(self.has_alpha())
    }

    /// Whether the last one is opacity.
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::RgbAlpha)
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gray => "gray",
            Self::GrayAlpha => "gray+alpha",
            Self::Rgb => "RGB",
            Self::RgbAlpha => "RGB+alpha",
        })
    }
}

/// The number of bits of a channel; all but the last are unsigned integers from black to white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// 1 bit.
    One,
    /// 2 bits.
    Two,
    /// 4 bits.
    Four,
    /// 8 bits.
    Eight,
    /// 16 bits.
    Sixteen,
    /// A float of 32 bits.
    Float,
}

impl Depth {
    /// Bits of a channel of one pixel.
    pub fn bits(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
            Self::Sixteen => 16,
            Self::Float => 32,
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float => f.write_str("32-bit float"),
            _ => write!(f, "{} bit", self.bits()),
        }
    }
}

/// Pixels per metre, across and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// Across.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// What a picture file says about its pixels; enough to write another one like it.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The format of the file.
    pub format: Format,
    /// Rows, at least 1, as the picture is looked at: an orientation in the file has been applied.
    pub height: usize,
    /// Columns, at least 1.
    pub width: usize,
    /// The channels of a pixel.
    pub channels: Channels,
    /// Their depth.
    pub depth: Depth,
    /// The values that are read as 0 and 1. Those of integers are the least and the greatest; floats may have any.
    pub range: (f32, f32),
    /// The ICC profile, which says what the numbers mean as colours.
    pub profile: Option<Vec<u8>>,
    /// How large a pixel is.
    pub density: Option<Density>,
    /// How pixels are packed in a TIFF file.
    pub(super) compression: super::tiff::Packing,
    /// The quality with which a JPEG file is written, 1 to 100.
    pub quality: u8,
}

impl Header {
    /// The quality with which JPEG files are written, where nothing else is asked for.
    pub const QUALITY: u8 = 95;

    /// Of a picture without profile and density.
    pub fn new(format: Format, (height, width): (usize, usize), channels: Channels, depth: Depth) -> Self {
        let (range, compression) = ((0.0, 1.0), super::tiff::Packing::Deflate);
        Self {
            format,
            height,
            width,
            channels,
            depth,
            range,
            profile: None,
            density: None,
            compression,
            quality: Self::QUALITY,
        }
    }

    /// Channels of all pixels of a row.
    pub fn row_samples(&self) -> usize {
        self.width * self.channels.count()
    }

    /// Bytes of a row in memory: channels of less than 8 bits are packed, and rows begin at whole bytes.
    pub fn row_bytes(&self) -> usize {
        (self.row_samples() * self.depth.bits()).div_ceil(8)
    }

    /// Bytes of all pixels in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.row_bytes() as u64 * self.height as u64
    }

    /// Whether a row of the other lies in memory as a row of this.
    pub(super) fn lies_like(&self, other: &Self) -> bool {
        (self.width, self.height, self.channels, self.depth)
            == (other.width, other.height, other.channels, other.depth)
    }

    /// The header with which a picture like this is written in a format: with the same channels, and the depth that comes
    /// closest of those which the format has.
    ///
    /// # Errors
    /// If the format has no opacity, but the picture has.
    pub fn fit(&self, format: Format) -> Result<Self> {
        let gray = self.channels == Channels::Gray;
        let depth = match (format, self.depth) {
            (Format::Jpeg | Format::Bmp | Format::WebP, _) => Depth::Eight,
            (Format::Png | Format::Pnm, Depth::Float) => Depth::Sixteen,
            (Format::Png | Format::Tiff, _) if gray => self.depth,
            (Format::Pnm, Depth::One) if gray => self.depth,
            (Format::Tiff | Format::Png | Format::Pnm, depth) => depth.max(Depth::Eight),
        };
        if format == Format::Jpeg && self.channels.has_alpha() {
            return Err(Error::invalid(
                "output format",
                format!("JPEG has no opacity, but the picture is {}; try PNG, TIFF or WebP", self.channels),
            ));
        }
        let range = if depth == Depth::Float { self.range } else { (0.0, 1.0) };
        Ok(Self { format, depth, range, ..self.clone() })
    }
}

/// For example `PNG, 640 x 480, 8 bit gray`; width before height, as pictures are spoken of.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, height, width, depth, channels, .. } = self;
        write!(f, "{format}, {width} x {height}, {depth} {channels}")
    }
}
