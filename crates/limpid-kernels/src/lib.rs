//! The hot loops of limpid, and all of its unsafe code.
//!
//! Kernels work on slices and shapes; they know no files, no network and no threads. Each operation is a folder: its
//! `reference` is the formula as it is written, generic over `f32` and `f64`, and is what the fast kernel beside it is
//! tested against.

pub mod activation;
pub mod adam;
mod aligned;
pub mod conv;
mod isa;
mod lanes;
pub mod loss;
mod map;
mod math;
pub mod matrix;
pub mod noise;
pub mod peak;
pub mod pool;
mod shape;
mod tiling;

pub use isa::Isa;
pub use map::FeatureMap;
pub use shape::{ConvShape, Shape};
