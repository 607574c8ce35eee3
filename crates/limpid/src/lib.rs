//! The denoising autoencoder: learn it, train it, look inside it, use it.
//!
//! ```
//! use std::sync::Arc;
//! use limpid::data::{Dataset, Samples};
//! use limpid::noise::{Noise, test_stream};
//! use limpid::train::{TrainConfig, Trainer};
//!
//! // The tutorial's network and settings, for one epoch over a few of MNIST's digits.
//! let mnist = Dataset::mnist();
//! let train = Arc::new(mnist.train.images.slice(0..640));
//! let test = Arc::new(mnist.test.images.slice(0..100));
//! let mut trainer = Trainer::new(TrainConfig { epochs: 1, ..Default::default() }, train, test.clone(), 0)?;
//! while let Some(event) = trainer.step()? {
//!     println!("{event:?}");
//! }
//! let noisy = Noise::default().apply(test_stream(0), &test.image(0));
//! let denoised = trainer.best_model().denoise(&noisy)?;
//! # assert_eq!((denoised.height(), denoised.width()), (28, 28));
//! # Ok::<(), limpid::Error>(())
//! ```
//!
//! The modules stand in the order in which data flows. A later one may use an earlier one, never the reverse.

#![forbid(unsafe_code)]

pub mod digest;
pub mod error;
pub mod number;
pub mod threads;

pub mod image;

pub mod data;
pub mod noise;

pub mod loss;
pub mod metrics;
pub mod net;

pub mod optim;

pub mod denoise;

pub mod code;
pub mod evaluate;
pub mod export;
pub mod import;

pub mod train;

pub mod experiments;

pub mod checkpoint;
pub mod report;
pub mod run_dir;

pub use error::{Error, Result};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
