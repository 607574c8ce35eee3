//! The denoising autoencoder, complete: learn it, train it, look inside it, use it on your own images.
//!
//! The modules stand in the order in which data flows. A later one may use an earlier one, never the reverse.

#![forbid(unsafe_code)]

pub mod error;

pub mod image;

pub mod data;

pub use error::{Error, Result};
