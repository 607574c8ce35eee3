//! The denoising autoencoder, complete: learn it, train it, look inside it, use it on your own images.
//!
//! The modules stand in the order in which data flows. A later one may use an earlier one, never the reverse.

#![forbid(unsafe_code)]

pub mod error;
pub mod number;
pub mod threads;

pub mod image;

pub mod data;
pub mod noise;

pub mod loss;
pub mod metrics;
pub mod net;

pub mod denoise;
pub mod evaluate;

pub mod optim;
pub mod train;

pub mod checkpoint;
pub mod report;
pub mod run_dir;

pub use error::{Error, Result};
