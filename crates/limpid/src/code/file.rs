//! Codes as data: `.npy`, as NumPy reads and writes it, and `.safetensors`, with one tensor called `codes`.

use std::io::Cursor;
use std::path::Path;

use npyz::WriterBuilder as _;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::net::{MAX_VALUES, Shape};
use crate::{Error, Result};

/// The name of the tensor in a `.safetensors` file.
const TENSOR: &str = "codes";

/// The codes of some images: an array of shape `[images, height, width, channels]`, row-major, of 32-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    shape: Shape,
    values: Vec<f32>,
}

/// The forms that files of codes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NumPy's.
    Npy,
    /// That of models.
    Safetensors,
}

impl Format {
    /// The form that a file's name asks for.
    ///
    /// # Errors
    /// If it ends in neither `.npy` nor `.safetensors`.
    pub fn of_name(path: &Path) -> Result<Self> {
        match path.extension().map(|ending| ending.to_ascii_lowercase()) {
            Some(ending) if ending == "npy" => Ok(Self::Npy),
            Some(ending) if ending == "safetensors" => Ok(Self::Safetensors),
            _ => {
                Err(Error::data(path, "a file of codes ends in .npy or .safetensors, for example codes.npy"))
            }
        }
    }
}

impl Codes {
    /// Codes of one shape, one after the other.
    ///
    /// # Errors
    /// If there is none, or the values are not those of whole codes.
    pub fn new(shape: Shape, values: Vec<f32>) -> Result<Self> {
        if shape.is_empty() || values.is_empty() || !values.len().is_multiple_of(shape.len()) {
            return Err(Error::invalid(
                format!("codes of {shape}"),
                format!("expected the values of at least one whole code, got {} values", values.len()),
            ));
        }
        Ok(Self { shape, values })
    }

    /// The shape of each.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many there are, at least one.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.len()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.shape.len())
    }

    fn dims(&self) -> [usize; 4] {
        [self.len(), self.shape.height, self.shape.width, self.shape.channels]
    }

    /// The bytes of a file.
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Npy => {
                let mut bytes = Cursor::new(Vec::new());
                let shape = self.dims().map(|size| size as u64);
                let writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes);
                let written = writer.begin_nd().and_then(|mut writer| {
                    writer.extend(self.values.iter().copied())?;
                    writer.finish()
                });
                written.expect("memory can be written");
                bytes.into_inner()
            }
            Format::Safetensors => {
                let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                let view = TensorView::new(Dtype::F32, self.dims().to_vec(), &bytes);
                let view = view.expect("the shape fits the values");
                safetensors::serialize([(TENSOR, view)], None).expect("one tensor can be written")
            }
        }
    }

    /// Codes from the bytes of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// If they are no array of 32-bit floats of shape `[images, height, width, channels]`, or a value is not finite.
    pub fn from_bytes(bytes: &[u8], format: Format, path: &Path) -> Result<Self> {
        let refuse = |problem: String| {
            Error::data(
                path,
                format!("{problem}; expected float32 codes of shape [images, height, width, channels]"),
            )
        };
        let (dims, values) = match format {
            Format::Npy => {
                let file = npyz::NpyFile::new(bytes)
                    .map_err(|error| refuse(format!("is no .npy file ({error})")))?;
                if file.order() != npyz::Order::C {
                    return Err(refuse(
                        "has its values in Fortran order, try numpy.ascontiguousarray".into(),
                    ));
                }
                let dims: Vec<usize> =
                    file.shape().iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
                // Space is asked for by what the header says, so what it says is held against the bytes that there are.
                check(&dims, bytes.len()).map_err(&refuse)?;
                let values =
                    file.into_vec::<f32>().map_err(|error| refuse(format!("cannot be read ({error})")))?;
                (dims, values)
            }
            Format::Safetensors => {
                let file = SafeTensors::deserialize(bytes)
                    .map_err(|error| refuse(format!("is no intact .safetensors file ({error})")))?;
                let view = file.tensor(TENSOR).map_err(|_| refuse(format!("has no tensor {TENSOR:?}")))?;
                if view.dtype() != Dtype::F32 {
                    return Err(refuse(format!("holds {:?}", view.dtype())));
                }
                check(view.shape(), bytes.len()).map_err(&refuse)?;
                let values =
                    view.data().as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
                (view.shape().to_vec(), values)
            }
        };
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            return Err(refuse(format!("has a value that is {bad}")));
        }
        Self::new(Shape::new(dims[1], dims[2], dims[3]), values).map_err(|error| refuse(error.to_string()))
    }
}

/// Whether a file of so many bytes can hold an array of these four sizes.
fn check(dims: &[usize], bytes: usize) -> Result<(), String> {
    let values = dims.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    match values {
        _ if dims.len() != 4 => Err(format!("has shape {dims:?}")),
        Some(values) if values > 0 && values <= MAX_VALUES.min(bytes / 4) => Ok(()),
        _ => Err(format!("has shape {dims:?}, which its {bytes} bytes cannot hold")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Codes {
        Codes::new(Shape::new(1, 2, 3), (0..12).map(|i| i as f32 - 3.5).collect()).unwrap()
    }

    #[test]
    fn what_is_written_can_be_read_in_either_form() {
        for format in [Format::Npy, Format::Safetensors] {
            let bytes = codes().to_bytes(format);
            assert_eq!(Codes::from_bytes(&bytes, format, "codes".as_ref()).unwrap(), codes());
        }
    }

    /// As `numpy.save` writes `numpy.arange(2, dtype="<f4").reshape(1, 1, 1, 2)`, but for a comma in the tuple, which Python allows.
    #[test]
    fn npy_is_numpys() {
        let codes = Codes::new(Shape::new(1, 1, 2), vec![0.0, 1.0]).unwrap();
        let bytes = codes.to_bytes(Format::Npy);
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
        let header = String::from_utf8_lossy(&bytes[10..]);
        assert!(
            header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 2, ), }"),
            "{header}"
        );
        assert_eq!((bytes.len() - 8) % 64, 0);
        assert_eq!(bytes[bytes.len() - 8..], [0, 0, 0, 0, 0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn damaged_files_are_refused() {
        for format in [Format::Npy, Format::Safetensors] {
            let good = codes().to_bytes(format);
            for cut in 0..good.len() {
                assert!(
                    Codes::from_bytes(&good[..cut], format, "codes".as_ref()).is_err(),
                    "{format:?} {cut}"
                );
            }
        }
        let text = String::from_utf8_lossy(&codes().to_bytes(Format::Npy)).into_owned();
        assert!(text.contains("(2, 1, 2, 3, )"));
        for shape in ["(9, 9, 9, 9, )", "(2, 2, 3, 0, )", "(12, 1)       "] {
            let mut bytes = codes().to_bytes(Format::Npy);
            let at = bytes.windows(14).position(|part| part == b"(2, 1, 2, 3, )").unwrap();
            bytes[at..at + 14].copy_from_slice(shape.as_bytes());
            let message = Codes::from_bytes(&bytes, Format::Npy, "c.npy".as_ref()).unwrap_err().to_string();
            assert!(
                message.starts_with("c.npy: ") && message.contains("expected float32 codes"),
                "{message}"
            );
        }
    }
}
