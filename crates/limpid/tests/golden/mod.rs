//! Reads the golden values beside this file, and compares with them. README.md says how they were made.

#![allow(dead_code)] // every test binary that includes this module uses a part of it

use std::{collections::HashMap, path::Path};

use limpid::net::ParameterLayout;
use safetensors::{Dtype, SafeTensors};

/// One file of golden values. Tensors are widened to `f64`, which changes no value.
pub(crate) struct Golden {
    file: String,
    tensors: HashMap<String, Tensor>,
    metadata: HashMap<String, String>,
}

struct Tensor {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Golden {
    /// Reads `tests/golden/<name>.safetensors`.
    pub(crate) fn open(name: &str) -> Self {
        let file = format!("{name}.safetensors");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(&file);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = tensors.iter().map(|(name, view)| {
            let bytes = view.data();
            let values = match view.dtype() {
                Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
                Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).into()).collect(),
                Dtype::U8 => bytes.iter().map(|&b| b.into()).collect(),
                other => panic!("{file}: {name} is {other:?}"),
            };
            (name.to_owned(), Tensor { shape: view.shape().to_vec(), values })
        });
        let tensors = tensors.collect();
        Self { file, tensors, metadata: header.metadata().clone().unwrap_or_default() }
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("{} has no tensor {name}", self.file))
    }

    /// Sizes of a tensor, outermost first.
    pub(crate) fn shape<const N: usize>(&self, name: &str) -> [usize; N] {
        let shape = &self.tensor(name).shape;
        shape[..].try_into().unwrap_or_else(|_| panic!("{}: {name} has the shape {shape:?}", self.file))
    }

    /// Values of a tensor.
    pub(crate) fn f64(&self, name: &str) -> &[f64] {
        &self.tensor(name).values
    }

    /// Values of a tensor that is stored as `f32` or `u8`.
    pub(crate) fn f32(&self, name: &str) -> Vec<f32> {
        self.f64(name).iter().map(|&v| v as f32).collect()
    }

    /// The tensors `<prefix>conv1.kernel`, `<prefix>conv1.bias`, ... as one flat vector.
    pub(crate) fn parameters(&self, layout: &ParameterLayout, prefix: &str) -> Vec<f64> {
        let mut flat = Vec::with_capacity(layout.len());
        for tensor in layout.tensors() {
            let name = format!("{prefix}{}", tensor.name);
            assert_eq!(self.tensor(&name).shape, tensor.shape, "shape of {name}");
            flat.extend_from_slice(self.f64(&name));
        }
        flat
    }

    /// A JSON value of the file's metadata.
    pub(crate) fn metadata(&self, key: &str) -> serde_json::Value {
        serde_json::from_str(&self.metadata[key]).unwrap()
    }

    /// The cases of a file that has several, by name.
    pub(crate) fn cases(&self) -> Vec<(String, serde_json::Value)> {
        let serde_json::Value::Object(cases) = self.metadata("cases") else { panic!("cases is no object") };
        assert!(!cases.is_empty());
        cases.into_iter().collect()
    }
}

/// Asserts that no value is further from its golden one than `tolerance` times the largest golden magnitude.
pub(crate) fn assert_close<T: Copy + Into<f64>>(what: &str, actual: &[T], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of values");
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (index, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let a: f64 = a.into();
        let error = (a - e).abs();
        // Written so that a NaN fails.
        assert!(
            error <= tolerance * largest,
            "{what}[{index}] is {a:e}, expected {e:e}: off by {:.1e} of the largest value {largest:e}, allowed {tolerance:.1e}",
            error / largest
        );
    }
}

/// [`assert_close`] for every tensor of a flat vector by itself.
pub(crate) fn assert_parameters_close<T: Copy + Into<f64>>(
    what: &str,
    layout: &ParameterLayout,
    actual: &[T],
    expected: &[f64],
    tolerance: f64,
) {
    assert_eq!(actual.len(), layout.len(), "{what}: number of parameters");
    for tensor in layout.tensors() {
        let range = tensor.range.clone();
        let what = format!("{what} of {}", tensor.name);
        assert_close(&what, &actual[range.clone()], &expected[range], tolerance);
    }
}
