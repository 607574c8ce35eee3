//! Sigmoid cross-entropy.

pub mod reference;
