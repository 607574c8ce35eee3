//! The Adam optimizer.

pub mod reference;
