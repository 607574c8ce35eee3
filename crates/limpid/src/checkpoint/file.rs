//! What models and checkpoints have in common: named tensors of `f32` and one JSON header.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Serialize, de::DeserializeOwned};

use crate::digest::Digest;
use crate::net::{MAX_PARAMETERS, ParameterLayout, TensorLayout};
use crate::{Error, Result};

/// The version of the header that this program writes; it reads this and all before it.
pub const FORMAT_VERSION: u32 = 1;

/// The one entry of the file's metadata. One, because the entries have no fixed order and files should not differ by it.
const HEADER: &str = "limpid";

/// A checkpoint of the largest network: parameters, two moments and the best parameters, and some space for the header.
const MAX_FILE_BYTES: u64 = 4 * 4 * MAX_PARAMETERS as u64 + (1 << 24);

/// A set of tensors laid out as a network's parameters, whose names begin with `prefix`.
pub(super) struct Group<'a> {
    pub(super) prefix: &'a str,
    pub(super) values: &'a [f32],
}

/// The bytes of a file with these tensors and this header.
pub(super) fn serialize(header: &impl Serialize, layout: &ParameterLayout, groups: &[Group<'_>]) -> Vec<u8> {
    let header = serde_json::to_string(header).expect("a header is made of strings and numbers");
    let bytes: Vec<Vec<u8>> =
        groups.iter().map(|group| group.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let tensors = groups.iter().zip(&bytes).flat_map(|(group, bytes)| {
        layout.tensors().iter().map(move |tensor| {
            let part = &bytes[4 * tensor.range.start..4 * tensor.range.end];
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), part);
            (format!("{}{}", group.prefix, tensor.name), view.expect("the layout's shapes fit its ranges"))
        })
    });
    safetensors::serialize(tensors, Some(HashMap::from([(HEADER.to_owned(), header)])))
        .expect("names are unique and the header is far below its limit")
}

/// A file that was read and whose outer form is sound.
pub(super) struct File<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
    header: String,
}

/// The first things in a header: what kind of file it is, and of which version.
#[derive(serde::Deserialize)]
struct Preamble {
    kind: String,
    version: u32,
}

/// A file of ours, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// `model` or `checkpoint`.
    pub kind: String,
    /// The version of the format that it is written in.
    pub version: u32,
    /// Its size.
    pub bytes: u64,
    /// Its digest, that of all its bytes.
    pub sha256: Digest,
}

impl FileSummary {
    /// Reads a file as far as it takes to know what it is.
    ///
    /// # Errors
    /// If it cannot be read, is no file of ours, or comes from a newer limpid.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of(&read(path)?, path)
    }

    /// As [`FileSummary::read`], for the bytes of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// If they are no file of ours, or come from a newer limpid.
    pub fn of(bytes: &[u8], path: &Path) -> Result<Self> {
        let Preamble { kind, version } = File::parse_any(bytes, path)?.preamble()?;
        Ok(Self { kind, version, bytes: bytes.len() as u64, sha256: Digest::of(bytes) })
    }
}

/// All bytes of a file, unless it is larger than any file of ours could be.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(|source| Error::io("read", path, source))?;
    if metadata.is_dir() {
        return Err(Error::data(
            path,
            "is a directory, expected a .safetensors file, for example its model.safetensors",
        ));
    }
    if !metadata.is_file() {
        // A device or a pipe has no length to check before it is read, and perhaps no end.
        return Err(Error::data(path, "is no regular file, expected a .safetensors file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(Error::data(
            path,
            format!("has {} bytes, more than any model of limpid ({MAX_FILE_BYTES})", metadata.len()),
        ));
    }
    std::fs::read(path).map_err(|source| Error::io("read", path, source))
}

impl<'a> File<'a> {
    /// Reads the outer form of a file of one `kind`; `path` is what errors call it.
    pub(super) fn parse(bytes: &'a [u8], kind: &str, path: &'a Path) -> Result<Self> {
        let file = Self::parse_any(bytes, path)?;
        let found = file.preamble()?.kind;
        if found != kind {
            return Err(
                file.refuse(format!("is a {found}, expected a {kind}; try {kind}.safetensors beside it"))
            );
        }
        Ok(file)
    }

    /// Reads the outer form of a file of any kind.
    fn parse_any(bytes: &'a [u8], path: &'a Path) -> Result<Self> {
        // The length of the header comes first, 8 bytes, and the header is a JSON object.
        match bytes.get(8) {
            Some(b'{') => {}
            Some(_) => return Err(Error::data(path, "is not a .safetensors file")),
            None if bytes.is_empty() => {
                return Err(Error::data(path, "is empty, expected a .safetensors file"));
            }
            None => {
                let problem = format!(
                    "has only {} bytes, no .safetensors file is so short; was it copied whole?",
                    bytes.len()
                );
                return Err(Error::data(path, problem));
            }
        }
        let not_ours = |error: safetensors::SafeTensorError| {
            Error::data(path, format!("is no intact .safetensors file ({error}); was it copied whole?"))
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_ours)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(not_ours)?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(HEADER)).cloned().ok_or_else(|| {
            Error::data(
                path,
                format!("has no {HEADER:?} entry in its metadata: it was not written by limpid"),
            )
        })?;
        let file = Self { path, tensors, header };
        let Preamble { version, .. } = file.preamble()?;
        if version > FORMAT_VERSION {
            return Err(file.refuse(format!(
                "has format version {version}, this limpid reads up to {FORMAT_VERSION}; use a newer limpid"
            )));
        }
        Ok(file)
    }

    fn preamble(&self) -> Result<Preamble> {
        self.header()
    }

    /// The header as a value.
    pub(super) fn header<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.header)
            .map_err(|error| self.refuse(format!("has a header that cannot be read: {error}")))
    }

    /// The tensors whose names begin with `prefix`, as a flat vector of a layout.
    pub(super) fn group(&self, layout: &ParameterLayout, prefix: &str) -> Result<Vec<f32>> {
        // The file holds every tensor before space for them all is asked from the system.
        let tensors: Vec<_> =
            layout.tensors().iter().map(|tensor| self.tensor(tensor, prefix)).collect::<Result<_>>()?;
        let mut values = Vec::with_capacity(layout.len());
        for (name, bytes) in tensors {
            let start = values.len();
            values.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
            if let Some(bad) = values[start..].iter().find(|value| !value.is_finite()) {
                return Err(self.refuse(format!("tensor {name:?} has a value that is {bad}")));
            }
        }
        Ok(values)
    }

    /// The name in this file and the bytes of a tensor of the network.
    fn tensor(&self, tensor: &TensorLayout, prefix: &str) -> Result<(String, &'a [u8])> {
        let name = format!("{prefix}{}", tensor.name);
        let view = self
            .tensors
            .tensor(&name)
            .map_err(|_| self.refuse(format!("has no tensor {name:?}, which its network needs")))?;
        if view.dtype() != Dtype::F32 || view.shape() != tensor.shape {
            return Err(self.refuse(format!(
                "tensor {name:?} is {:?} of shape {:?}, its network needs F32 of shape {:?}",
                view.dtype(),
                view.shape(),
                tensor.shape
            )));
        }
        Ok((name, view.data()))
    }

    /// An error about this file.
    pub(super) fn refuse(&self, problem: String) -> Error {
        Error::data(self.path, problem)
    }
}
