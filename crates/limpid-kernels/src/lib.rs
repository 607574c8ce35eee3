//! limpid-kernels
