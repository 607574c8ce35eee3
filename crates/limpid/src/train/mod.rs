//! Training, one step at a time.
//!
//! A [`Trainer`] never owns the loop and never prints: its caller asks for one [`Event`] after another, and progress bar,
//! log, plots and checkpoints read what comes.

mod batch;
mod config;
mod differences;
mod event;
pub mod history;
mod order;
mod preset;
mod trainer;

pub use config::TrainConfig;
pub use event::{Event, Finished, Progress};
pub(crate) use order::shuffled;
pub use preset::Preset;
pub use trainer::{Trainer, TrainerState};
