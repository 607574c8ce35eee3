//! One file per subcommand.

pub(crate) mod classify;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod decode;
pub(crate) mod denoise;
pub(crate) mod encode;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod latent;
pub(crate) mod train;
