//! The library crates build for `wasm32-unknown-unknown`, the kernels also with its 128-bit SIMD.

use anyhow::Result;

use super::compiler::{Compiler, Target};
use super::{Context, Outcome};
use crate::process;

const LIBRARIES: [&str; 3] = ["limpid-kernels", "limpid-mnist", "limpid"];

/// Builds the library crates, then the kernels alone with SIMD.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    let compiler = match Compiler::find_or_install(&context.root, Target::Wasm) {
        Ok(compiler) => compiler,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let mut libraries = compiler.cargo(&context.root, "build", Target::Wasm);
    libraries.args(LIBRARIES.iter().flat_map(|library| ["--package", library]));
    process::run(&mut libraries)?;

    let mut kernels = compiler.cargo(&context.root, "build", Target::Wasm);
    kernels.args(["--package", "limpid-kernels"]);
    kernels.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Ctarget-feature=+simd128");
    process::run(&mut kernels)?;
    Ok(Outcome::Passed)
}
