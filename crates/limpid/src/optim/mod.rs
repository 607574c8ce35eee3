//! How gradients become steps: the Adam optimizer and the schedule of its learning rate.

mod adam;
mod schedule;

pub use adam::{Adam, AdamState};
pub use schedule::{LearningRate, Schedule};
