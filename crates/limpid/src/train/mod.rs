//! Training: the history of a run.

pub mod history;
