//! The leaky rectifier.

pub mod reference;
