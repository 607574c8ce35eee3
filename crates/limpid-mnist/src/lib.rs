//! limpid-mnist
