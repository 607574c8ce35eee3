//! Max-pooling.

pub mod reference;
