//! The kernels, which alone hold code for one kind of CPU, compile for 64-bit Arm.

use anyhow::Result;

use super::compiler::{Compiler, Target};
use super::{Context, Outcome};
use crate::process;

/// Checks the kernels without making machine code of them: nothing here could run it.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    let compiler = match Compiler::find_or_install(&context.root, Target::Arm) {
        Ok(compiler) => compiler,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let mut kernels = compiler.cargo(&context.root, "check", Target::Arm);
    process::run(kernels.args(["--package", "limpid-kernels"]))?;
    Ok(Outcome::Passed)
}
