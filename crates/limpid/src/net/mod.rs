//! The network: its description as data, its parameters, and what its layers compute.
//!
//! A [`NetSpec`] is the one description that serves training, inference, export and `limpid info`. [`NetSpec::layers`]
//! fits it to an image size, [`Parameters`] holds its weights in one flat vector, and [`ReferenceNet`] executes it layer
//! by layer as the formulas are written.

mod activation;
pub(crate) mod glorot;
pub mod layers;
mod named;
mod parameters;
pub mod plan;
mod reference;
mod spec;
mod spec_toml;
mod summary;
mod validate;

pub use activation::Activation;
pub use limpid_kernels::{ConvShape, Shape};
pub use parameters::{LayerRanges, ParameterLayout, Parameters, TensorLayout};
pub use reference::{Activations, ReferenceNet};
pub use spec::{LayerKind, LayerSpec, NetSpec};
pub use summary::{Row, Summary};
pub use validate::{
    MAX_FILTERS, MAX_KERNEL, MAX_LAYERS, MAX_NAME, MAX_PARAMETERS, MAX_POOL, MAX_SIDE, MAX_STRIDE, MAX_VALUES,
};
