//! The tutorial's claims as experiments: each of them can be seen, with numbers.
//!
//! One file per experiment, which trains and measures and returns [`Findings`]; it neither prints nor writes. What several
//! of them need stands before them: what a classifier is shown ([`View`]), linear classifiers, nearest neighbours,
//! fine-tuning, and a network trained for the occasion ([`occasion`]).
//!
//! An experiment says through `tell` what it is about to do, in a few words, before each part that takes time.

mod digit;
mod features;
mod findings;
mod fine_tune;
mod linear;
mod neighbours;
pub mod occasion;
mod principal;
mod softmax;

pub mod activation;
pub mod classify;
pub mod latent;
pub mod noise_levels;
pub mod pca;

pub use digit::as_mnist;
pub use features::{Exposure, View};
pub use findings::{
    Cell, Chart, ChartAxis, Drawing, Figure, Findings, HeatMap, Point, Series, Table, mean_and_deviation,
};
pub use fine_tune::{Classifier, FineTuning};
pub use linear::{Lesson, Linear, ProbeSettings, train_probe};
pub use neighbours::Neighbours;
pub use principal::Principal;
pub use softmax::softmax;
