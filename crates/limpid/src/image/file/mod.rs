//! Picture files: PNG, JPEG, TIFF, PNM, BMP and WebP, gray or in colours, with or without opacity, of 1 to 16 bits or float.
//!
//! A file is read from its first row to its last, as values in `[0, 1]`, and another one like it can be written while it is
//! being read: [`rewrite`]. PNG and TIFF go row by row, so that the size of a picture does not matter; the other formats, and
//! PNG and TIFF in forms that do not keep rows together, are held as a whole, once.
//!
//! An orientation in the file (EXIF, TIFF) is applied. ICC profile and pixel density are kept where the format has a place for
//! them; other metadata is not. Nothing that a file says about itself is believed before it has been checked: [`Limits`].
//!
//! ```
//! use std::io::Cursor;
//! use limpid::image::file::{Limits, Reader, rewrite};
//! # let png = |pixels: [u8; 2]| -> limpid::Result<Vec<u8>> {
//! #     use limpid::image::{Image, file::{Channels, Depth, Format, Header, write}};
//! #     let header = Header::new(Format::Png, (1, 2), Channels::Gray, Depth::Eight);
//! #     let mut file = Cursor::new(Vec::new());
//! #     let values: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
//! #     write(&mut file, &header, &values, "a.png".as_ref())?;
//! #     Ok(file.into_inner())
//! # };
//! # let bytes = png([0, 255])?;
//!
//! // The negative of a picture.
//! let reader = Reader::open(Cursor::new(bytes), "in.png".as_ref(), Limits::default())?;
//! let header = reader.header().clone();
//! let mut negative = Cursor::new(Vec::new());
//! rewrite(reader, &header, &mut negative, "out.png".as_ref(), |rows| {
//!     let mut row = vec![0.0; header.row_samples()];
//!     for _ in 0..header.height {
//!         rows.read(&mut row)?;
//!         row.iter_mut().for_each(|value| *value = 1.0 - *value);
//!         rows.write(&row)?;
//!     }
//!     Ok(())
//! })?;
//! # assert_eq!(negative.into_inner(), png([255, 0])?);
//! # Ok::<(), limpid::Error>(())
//! ```

mod format;
mod header;
mod limits;
mod png;
mod pnm;
mod raster;
mod samples;
mod tiff;
mod whole;

use std::fmt::Display;
use std::io::{BufRead, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub use format::Format;
pub use header::{Channels, Density, Depth, Header};
pub use limits::{LONGEST_SIDE, Limits, MOST_PIXELS};

use super::Image;
use crate::{Error, Result};
use raster::Raster;

/// Weights of red, green and blue in the brightness of a pixel, as the values in the file have it: ITU-R BT.601, which is also
/// what JPEG calls Y.
pub const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// A picture file that is being read.
pub struct Reader<R: BufRead + Seek> {
    header: Header,
    source: Source<R>,
    path: PathBuf,
    rows_left: usize,
    /// Rows as they lie in memory.
    bytes: Vec<u8>,
}

#[allow(clippy::large_enum_variant)] // there is one of it for a file
enum Source<R: BufRead + Seek> {
    Png(Box<png::PngRows<R>>),
    Tiff(Box<tiff::TiffRows<R>>),
    Whole(Raster),
}

/// Height and width of the picture in a file, from its header alone, as they are stored: an orientation may exchange them.
///
/// # Errors
/// If it is no picture of a known format, or claims a size that cannot be.
pub fn size_of<R: BufRead + Seek>(mut input: R, path: &Path) -> Result<(usize, usize)> {
    let (height, width) = match format_of(&mut input, path)? {
        Format::Png => png::size_of(input, path),
        Format::Tiff => tiff::size_of(input, path),
        format => whole::size_of(input, format, path),
    }?;
    limits::check_size(height.into(), width.into(), path)?;
    Ok((height as usize, width as usize))
}

/// The format of a file, by its first bytes.
fn format_of<R: BufRead + Seek>(input: &mut R, path: &Path) -> Result<Format> {
    let mut start = Vec::with_capacity(Format::SIGNATURE);
    input
        .take(Format::SIGNATURE as u64)
        .read_to_end(&mut start)
        .and_then(|_| input.seek(SeekFrom::Start(0)))
        .map_err(|error| Error::io("read", path, error))?;
    if start.is_empty() {
        return Err(Error::data(path, "is empty, expected a picture"));
    }
    Format::of_bytes(&start).ok_or_else(|| {
        let names = Format::ALL.map(|format| format.to_string()).join(", ");
        Error::data(path, format!("is no picture that can be read; expected {names}"))
    })
}

/// The length of a file, which is at its start again afterwards.
fn length<R: Seek>(input: &mut R, path: &Path) -> Result<u64> {
    let length = input.seek(SeekFrom::End(0));
    length
        .and_then(|length| input.seek(SeekFrom::Start(0)).map(|_| length))
        .map_err(|error| Error::io("read", path, error))
}

impl<R: BufRead + Seek> Reader<R> {
    /// Reads everything before the pixels; files of other formats than PNG and TIFF as a whole. What the bytes are decides,
    /// not the name: `path` is what errors call the file.
    ///
    /// # Errors
    /// If it is no picture of a known format, is damaged, claims a size that cannot be or is too large for the limits.
    pub fn open(mut input: R, path: &Path, limits: Limits) -> Result<Self> {
        let format = format_of(&mut input, path)?;
        let (header, source) = match format {
            Format::Png => png::open(input, path, limits)?,
            Format::Tiff => tiff::open(input, path, limits)?,
            format => whole::open(input, format, path, limits)?,
        };
        let rows_left = header.height;
        Ok(Self { header, source, path: path.to_path_buf(), rows_left, bytes: Vec::new() })
    }

    /// What the file says about its pixels.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether all pixels are in memory, because the file cannot be read row by row.
    pub fn is_whole(&self) -> bool {
        matches!(self.source, Source::Whole(_))
    }

    /// The next rows, pixel by pixel and in each channel by channel, as values from 0 to 1 (floats' opacity as it is).
    ///
    /// # Errors
    /// If the file is damaged or cannot be read.
    ///
    /// # Panics
    /// If `values` are not whole rows, or more than are left.
    pub fn read(&mut self, values: &mut [f32]) -> Result<()> {
        let samples = self.header.row_samples();
        assert!(values.len().is_multiple_of(samples), "whole rows are read");
        let rows = values.len() / samples;
        assert!(rows <= self.rows_left, "{rows} rows of the {} that are left", self.rows_left);
        self.rows_left -= rows;
        let Self { header, source, path, bytes, .. } = self;
        bytes.resize(rows * header.row_bytes(), 0);
        match source {
            Source::Png(png) => png.read(header, bytes, path)?,
            Source::Tiff(tiff) => tiff.read(bytes, path)?,
            Source::Whole(raster) => raster.read(bytes),
        }
        samples::unpack(header, bytes, values);
        Ok(())
    }

    /// All rows as one gray image: colours by their brightness ([`LUMA`]), opacity left out.
    ///
    /// # Errors
    /// If the file is damaged or cannot be read.
    pub fn into_gray(mut self) -> Result<Image> {
        let (height, width, channels) = (self.header.height, self.header.width, self.header.channels);
        let mut row = vec![0.0; self.header.row_samples()];
        let mut pixels = Vec::with_capacity(height * width);
        for _ in 0..height {
            self.read(&mut row)?;
            pixels.extend(row.chunks_exact(channels.count()).map(|pixel| luma(&pixel[..channels.colors()])));
        }
        Image::new(height, width, pixels)
    }
}

/// The brightness of a pixel of one or three channels.
pub fn luma(colors: &[f32]) -> f32 {
    match colors {
        [gray] => *gray,
        colors => colors.iter().zip(LUMA).map(|(color, weight)| color * weight).sum(),
    }
}

/// The rows of a picture that go through a program: read from one file, written to another.
pub trait Rows {
    /// The next rows, as [`Reader::read`] gives them.
    ///
    /// # Errors
    /// If the file is damaged or cannot be read.
    fn read(&mut self, values: &mut [f32]) -> Result<()>;

    /// Writes the next rows, which have been read before: values from 0 to 1, clamped and rounded to the depth of the file.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn write(&mut self, values: &[f32]) -> Result<()>;
}

/// Writes a picture like another one while that is being read; `work` reads all rows and writes all rows. `header` is that of
/// the new file: the reader's own or what [`Header::fit`] makes of it, perhaps with another depth.
///
/// # Errors
/// Those of `work`, or if `output`, which errors call `path`, cannot be written.
///
/// # Panics
/// If `header` has another size or other channels than the reader's.
pub fn rewrite<R: BufRead + Seek, W: Write + Seek>(
    mut reader: Reader<R>,
    header: &Header,
    output: W,
    path: &Path,
    work: impl FnOnce(&mut dyn Rows) -> Result<()>,
) -> Result<()> {
    let size = |header: &Header| (header.height, header.width, header.channels);
    assert_eq!(size(header), size(&reader.header), "a picture is rewritten in its own size and channels");
    let by_rows = matches!(header.format, Format::Png | Format::Tiff | Format::Pnm);
    if !by_rows && reader.is_whole() && header.lies_like(&reader.header) {
        // What has been read is not needed again, so the new picture takes its place.
        let mut rows = InPlace { reader, header, bytes: Vec::new() };
        work(&mut rows)?;
        let Source::Whole(raster) = rows.reader.source else { unreachable!("it was whole above") };
        return whole::write(output, header, &raster.bytes, path);
    }
    let through = |sink: &mut dyn Sink| {
        let mut rows =
            Through { reader: &mut reader, sink, header, bytes: Vec::new(), rows_left: header.height };
        work(&mut rows)?;
        assert_eq!(rows.rows_left, 0, "all rows are written");
        Ok(())
    };
    match header.format {
        Format::Png => png::write(output, header, path, through),
        Format::Tiff => tiff::write(output, header, path, through),
        Format::Pnm => pnm::write(output, header, path, through),
        Format::Jpeg | Format::Bmp | Format::WebP => {
            let mut pixels = Vec::with_capacity(header.row_bytes() * header.height);
            through(&mut pixels)?;
            whole::write(output, header, &pixels, path)
        }
    }
}

/// Writes a picture from all its values.
///
/// # Errors
/// If `output`, which errors call `path`, cannot be written.
///
/// # Panics
/// If `values` are not as many as `header` says.
pub fn write<W: Write + Seek>(output: W, header: &Header, values: &[f32], path: &Path) -> Result<()> {
    assert_eq!(values.len(), header.row_samples() * header.height, "the values are those of the picture");
    let mut bytes = vec![0; header.row_bytes() * header.height];
    samples::pack(header, values, &mut bytes);
    match header.format {
        Format::Png => png::write(output, header, path, |sink| sink.write(&mut bytes)),
        Format::Tiff => tiff::write(output, header, path, |sink| sink.write(&mut bytes)),
        Format::Pnm => pnm::write(output, header, path, |sink| sink.write(&mut bytes)),
        _ => whole::write(output, header, &bytes, path),
    }
}

/// Where rows go, as they lie in memory. It may change the bytes that it is given.
trait Sink {
    fn write(&mut self, rows: &mut [u8]) -> Result<()>;
}

impl Sink for Vec<u8> {
    fn write(&mut self, rows: &mut [u8]) -> Result<()> {
        self.extend_from_slice(rows);
        Ok(())
    }
}

struct Through<'a, R: BufRead + Seek> {
    reader: &'a mut Reader<R>,
    sink: &'a mut dyn Sink,
    header: &'a Header,
    bytes: Vec<u8>,
    rows_left: usize,
}

impl<R: BufRead + Seek> Rows for Through<'_, R> {
    fn read(&mut self, values: &mut [f32]) -> Result<()> {
        self.reader.read(values)
    }

    fn write(&mut self, values: &[f32]) -> Result<()> {
        let rows = values.len() / self.header.row_samples();
        self.rows_left -= rows;
        self.bytes.resize(rows * self.header.row_bytes(), 0);
        samples::pack(self.header, values, &mut self.bytes);
        self.sink.write(&mut self.bytes)
    }
}

struct InPlace<'a, R: BufRead + Seek> {
    reader: Reader<R>,
    header: &'a Header,
    bytes: Vec<u8>,
}

impl<R: BufRead + Seek> Rows for InPlace<'_, R> {
    fn read(&mut self, values: &mut [f32]) -> Result<()> {
        self.reader.read(values)
    }

    fn write(&mut self, values: &[f32]) -> Result<()> {
        let rows = values.len() / self.header.row_samples();
        self.bytes.resize(rows * self.header.row_bytes(), 0);
        samples::pack(self.header, values, &mut self.bytes);
        let Source::Whole(raster) = &mut self.reader.source else {
            unreachable!("only whole pictures get here")
        };
        raster.write(&self.bytes);
        Ok(())
    }
}

/// A file that does not hold what its first bytes promise.
fn damaged(format: Format, path: &Path, problem: impl Display) -> Error {
    Error::data(path, format!("is damaged or in a form of {format} that is not known: {problem}"))
}
