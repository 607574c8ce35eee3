//! IDX, the file format of MNIST and its relatives.
//!
//! ```text
//! 2 bytes   zero
//! 1 byte    element type; 0x08, unsigned byte, is the only one read here
//! 1 byte    rank: the number of dimensions
//! 4 bytes   per dimension: its size, big-endian
//! then      the elements, the last dimension varying fastest
//! ```
//!
//! A header is a claim, not a fact. Its sizes are multiplied with care, compared with the length of the file, and
//! for compressed files memory grows only as data really arrives.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::compression::{self, Compression};
use super::kind::Kind;
use crate::{Error, Result};

/// The element type of all files read here: unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Deflate cannot expand a byte to more than 1,032, and a zstd file of pictures will not.
const MAX_EXPANSION: u64 = 1032;
/// Small files may nevertheless decompress to this many bytes: blank pictures compress very well.
const ALWAYS_WARRANTED: u64 = 16 << 20;

/// The content of an IDX file of unsigned bytes.
///
/// ```
/// # use limpid::data::idx::Idx;
/// let labels = Idx::new(&[3], &[7, 2, 1])?;
/// assert_eq!(labels.file(), [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]);
/// assert_eq!(Idx::from_bytes(labels.file().to_vec(), "labels".as_ref())?.data(), [7, 2, 1]);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Idx {
    dims: Vec<usize>,
    /// The whole file, so that a large one need not be copied to get rid of its header.
    file: Vec<u8>,
    /// The length of the header.
    start: usize,
}

impl Idx {
    /// The file that holds `data` as an array of shape `dims`.
    ///
    /// # Errors
    /// If the format cannot say it: no or more than 255 dimensions, a size above `u32::MAX`, or a product of `dims`
    /// that is not the length of `data`.
    pub fn new(dims: &[usize], data: &[u8]) -> Result<Self> {
        let invalid = |problem: String| Error::invalid(format!("IDX array of shape {dims:?}"), problem);
        let rank = u8::try_from(dims.len()).ok().filter(|&rank| rank > 0);
        let rank = rank.ok_or_else(|| invalid("expected 1 to 255 dimensions".into()))?;
        if product(dims) != Some(data.len()) {
            return Err(invalid(format!("does not describe {} bytes of data", data.len())));
        }
        let mut file = vec![0, 0, UNSIGNED_BYTE, rank];
        for &dim in dims {
            let dim = u32::try_from(dim).map_err(|_| invalid(format!("{dim} does not fit into 32 bits")))?;
            file.extend(dim.to_be_bytes());
        }
        let start = file.len();
        file.extend(data);
        Ok(Self { dims: dims.to_vec(), file, start })
    }

    /// Reads the content of an uncompressed file; `path` is what errors call it.
    ///
    /// # Errors
    /// If `file` is not a whole IDX file of unsigned bytes.
    pub fn from_bytes(file: Vec<u8>, path: &Path) -> Result<Self> {
        let header = Header::read(&mut file.as_slice(), path, Compression::None, None)?;
        header.expect_following((file.len() - header.bytes.len()) as u64, path)?;
        Ok(Self { dims: header.dims, file, start: header.bytes.len() })
    }

    /// Reads a file, raw or compressed with gzip or zstd, whatever its name says.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is not a whole IDX file of unsigned bytes.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_as(None, path)
    }

    /// As [`Idx::open`]; a file of another kind than expected is refused before its sizes are looked at.
    pub(super) fn open_as(kind: Option<Kind>, path: &Path) -> Result<Self> {
        let (length, compression, reader) = compression::open(path)?;
        Self::read(reader, length, compression, path, kind)
    }

    /// Reads what `reader` gives, decompressed from a file of `length` bytes.
    fn read(
        mut reader: impl Read,
        length: u64,
        compression: Compression,
        path: &Path,
        kind: Option<Kind>,
    ) -> Result<Self> {
        let header = Header::read(&mut reader, path, compression, kind)?;
        let size = header.size;
        // What to ask memory for at once; more only as more arrives.
        let expected = if compression == Compression::None {
            header.expect_following(length.saturating_sub(header.bytes.len() as u64), path)?;
            size
        } else {
            let warranted = length.saturating_mul(MAX_EXPANSION).max(ALWAYS_WARRANTED);
            if size as u64 > warranted {
                return Err(Error::data(
                    path,
                    format!(
                        "the header declares {} bytes, far more than {length} bytes of {} data can hold",
                        header.declared(),
                        compression.name()
                    ),
                ));
            }
            size.min(usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(16))
        };

        let start = header.bytes.len();
        let mut file = Vec::new();
        file.try_reserve_exact(start.saturating_add(expected))
            .map_err(|_| Error::data(path, format!("{} bytes do not fit into memory", header.declared())))?;
        file.extend(&header.bytes);
        let read = (&mut reader).take(size as u64).read_to_end(&mut file);
        read.map_err(|error| read_error(error, path, compression))?;
        header.expect_at_least(file.len() - start, path)?;
        // Reading on to the end also makes the decompressor verify its checksum.
        let rest = reader.take(1).read_to_end(&mut Vec::new());
        if rest.map_err(|error| read_error(error, path, compression))? > 0 {
            let declared = header.declared();
            return Err(Error::data(path, format!("trailing bytes after the {declared} bytes of data")));
        }
        Ok(Self { dims: header.dims, file, start })
    }

    /// The shape of the array, outermost dimension first.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The elements.
    pub fn data(&self) -> &[u8] {
        &self.file[self.start..]
    }

    /// The whole file, header and elements: what to write to disk.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// Gives up the file, and where its elements start.
    pub(super) fn into_file(self) -> (Vec<u8>, usize) {
        (self.file, self.start)
    }
}

impl std::fmt::Debug for Idx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idx").field("dims", &self.dims).finish_non_exhaustive()
    }
}

/// A header that has been read and whose sizes multiply to something that memory can address.
struct Header {
    bytes: Vec<u8>,
    dims: Vec<usize>,
    /// The product of `dims`.
    size: usize,
}

impl Header {
    fn read(
        reader: &mut impl Read,
        path: &Path,
        compression: Compression,
        kind: Option<Kind>,
    ) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut read = |count: usize| match reader.by_ref().take(count as u64).read_to_end(&mut bytes) {
            Ok(0) if bytes.is_empty() => Err(Error::data(path, "is empty, expected an IDX file")),
            Ok(found) if found < count => Err(Error::data(
                path,
                format!(
                    "truncated: the file ends after {} bytes, within the header of an IDX file",
                    bytes.len()
                ),
            )),
            Ok(_) => Ok(bytes.clone()),
            Err(error) => Err(read_error(error, path, compression)),
        };

        let magic = read(4)?;
        let (element, rank) = match magic[..] {
            [0, 0, element, rank] if rank > 0 => (element, rank),
            _ => {
                let found: String = magic.iter().map(|byte| format!("{byte:02x}")).collect();
                let problem = match compression::promised(path) {
                    Some(promised) if compression == Compression::None => format!(
                        "is neither {} data, as its name says, nor an IDX file: it starts with 0x{found}",
                        promised.name()
                    ),
                    _ => format!(
                        "not an IDX file: it starts with 0x{found}, expected 0x00000803 for images or 0x00000801 for \
                         labels"
                    ),
                };
                return Err(Error::data(path, problem));
            }
        };
        if element != UNSIGNED_BYTE {
            let problem = format!(
                "the elements have type 0x{element:02x} ({}), expected 0x08 (unsigned bytes)",
                element_name(element)
            );
            return Err(Error::data(path, problem));
        }
        if let Some(kind) = kind {
            kind.check(rank.into(), path)?;
        }
        let bytes = read(4 * usize::from(rank))?;
        let dims: Vec<usize> = bytes[4..]
            .chunks_exact(4)
            .map(|dim| u32::from_be_bytes(dim.try_into().expect("chunks of 4")) as usize)
            .collect();
        let size = product(&dims).ok_or_else(|| {
            let problem = format!("the header declares {} bytes, more than memory can address", shape(&dims));
            Error::data(path, problem)
        })?;
        Ok(Self { bytes, dims, size })
    }

    /// The declared sizes and their product, as in `60000 x 28 x 28 = 47040000`.
    fn declared(&self) -> String {
        match self.dims[..] {
            [size] => size.to_string(),
            _ => format!("{} = {}", shape(&self.dims), self.size),
        }
    }

    /// Checks how many bytes follow the header.
    fn expect_following(&self, found: u64, path: &Path) -> Result<()> {
        self.expect_at_least(usize::try_from(found).unwrap_or(usize::MAX), path)?;
        if found > self.size as u64 {
            let (extra, declared) = (found - self.size as u64, self.declared());
            return Err(Error::data(
                path,
                format!("{extra} trailing bytes after the {declared} bytes of data"),
            ));
        }
        Ok(())
    }

    fn expect_at_least(&self, found: usize, path: &Path) -> Result<()> {
        if found < self.size {
            let declared = self.declared();
            return Err(Error::data(
                path,
                format!("truncated: the header declares {declared} bytes of data, the file holds {found}"),
            ));
        }
        Ok(())
    }
}

/// The meaning of the format's type codes, so that an error can name what was found.
fn element_name(element: u8) -> &'static str {
    match element {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0b => "16-bit integers",
        0x0c => "32-bit integers",
        0x0d => "32-bit floats",
        0x0e => "64-bit floats",
        _ => "unknown",
    }
}

/// The product of `dims` if a slice can have that many bytes.
fn product(dims: &[usize]) -> Option<usize> {
    // A zero anywhere makes an empty array, even where the other sizes multiply past what fits.
    if dims.contains(&0) {
        return Some(0);
    }
    let product = dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    isize::try_from(product).ok().map(|_| product)
}

/// `60000 x 28 x 28`.
fn shape(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// A failure to read is the disk's if the file is raw; the decompressor's if not, and that means bad data.
fn read_error(error: std::io::Error, path: &Path, compression: Compression) -> Error {
    match compression {
        Compression::None => Error::io("read", path, error),
        _ if error.kind() == ErrorKind::UnexpectedEof => {
            Error::data(path, format!("truncated: the {} data ends too early", compression.name()))
        }
        _ => Error::data(path, format!("damaged {} data: {error}", compression.name())),
    }
}

#[cfg(test)]
mod tests;
