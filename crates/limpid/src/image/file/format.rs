//! The formats of picture files, known by their first bytes or by the ending of their name.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::{Error, Result};

/// A format that can be read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG, 1 to 16 bits.
    Png,
    /// JPEG, 8 bits, without alpha.
    Jpeg,
    /// TIFF: 8 bits, 16 bits or float.
    Tiff,
    /// Portable bitmap, graymap, pixmap and anymap: PBM, PGM, PPM, PAM.
    Pnm,
    /// Windows bitmap, 8 bits.
    Bmp,
    /// WebP, 8 bits; written without loss.
    WebP,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Png, Self::Jpeg, Self::Tiff, Self::Pnm, Self::Bmp, Self::WebP];

    /// So many of the first bytes are enough for [`Format::of_bytes`].
    pub const SIGNATURE: usize = 12;

    /// Its name, which is also the usual ending of files' names.
    pub fn name(self) -> &'static str {
        self.endings()[0]
    }

    /// The endings of files' names.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Tiff => &["tif", "tiff"],
            Self::Pnm => &["pnm", "pgm", "ppm", "pbm", "pam"],
            Self::Bmp => &["bmp", "dib"],
            Self::WebP => &["webp"],
        }
    }

    /// The format of a file that begins so.
    pub fn of_bytes(start: &[u8]) -> Option<Self> {
        match start {
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [b'P', b'1'..=b'7', space, ..] if space.is_ascii_whitespace() => Some(Self::Pnm),
            [b'B', b'M', ..] => Some(Self::Bmp),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    /// The format of a file with such a name.
    ///
    /// ```
    /// use limpid::image::file::Format;
    ///
    /// assert_eq!(Format::of_name("scan.TIF".as_ref()), Some(Format::Tiff));
    /// assert_eq!(Format::of_name("notes.txt".as_ref()), None);
    /// ```
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.endings().contains(&ending.as_str()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::Pnm => "PNM",
            Self::Bmp => "BMP",
            Self::WebP => "WebP",
        })
    }
}

/// From the ending of a name, for example `png`.
impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let ending = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.endings().contains(&ending.as_str())).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::invalid(format!("format {text:?}"), format!("there is no such format; known: {names}"))
        })
    }
}
