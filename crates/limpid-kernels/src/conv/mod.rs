//! 2-D convolution: forward, and the gradients of data, weights and bias.

pub mod reference;
