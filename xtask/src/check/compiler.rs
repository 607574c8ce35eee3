//! Compilers for other targets than this machine.
//!
//! One comes from one of two places: rustup (`rustup target add`), or Debian's `rustc-web` family, which has no compiled
//! standard library for other targets but the sources of one, built here.

use std::fmt;
use std::path::Path;
use std::process::Command;

use super::cargo::{cargo, target_dir};
use super::debian;
use crate::process;

/// A target other than this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Wasm,
    Arm,
}

impl Target {
    /// As rustc names it.
    fn triple(self) -> &'static str {
        match self {
            Self::Wasm => "wasm32-unknown-unknown",
            Self::Arm => "aarch64-unknown-linux-gnu",
        }
    }
}

/// The oldest compiler that the workspace accepts, `major.minor`, from our own manifest.
const MSRV: &str = env!("CARGO_PKG_RUST_VERSION");

const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
const DEBIAN_FILES: [&str; 4] =
    ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/lib/rustlib/src/rust/library/Cargo.toml", "/usr/bin/wasm-ld"];

/// What can compile for a target here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compiler {
    /// The toolchain in use has the target's standard library.
    Toolchain,
    /// Debian's packages; the standard library is built from its source.
    Debian,
}

impl Compiler {
    /// What is there; else Debian's packages, installed if this is Debian and we are root.
    ///
    /// # Errors
    /// Why there is none, and what a person can do about it.
    pub(super) fn find_or_install(root: &Path, target: Target) -> Result<Self, String> {
        if let Some(compiler) = Self::find(root, target) {
            return Ok(compiler);
        }
        let missing = format!(
            "no compiler for {0}: run `rustup target add {0}`, or on Debian `apt-get install {1}`",
            target.triple(),
            DEBIAN_PACKAGES.join(" ")
        );
        if !debian::can_install() {
            return Err(missing);
        }
        match debian::install(&DEBIAN_PACKAGES) {
            Ok(()) => Self::find(root, target).ok_or(missing),
            Err(error) => Err(format!("{missing}; tried the latter: {error:#}")),
        }
    }

    fn find(root: &Path, target: Target) -> Option<Self> {
        // The folder is named whether or not it exists.
        let mut rustc = Command::new("rustc");
        rustc.current_dir(root).args(["--print", "target-libdir", "--target", target.triple()]);
        if process::output(&mut rustc).is_some_and(|folder| Path::new(&folder).exists()) {
            return Some(Self::Toolchain);
        }
        let installed = DEBIAN_FILES.iter().all(|file| Path::new(file).exists());
        let version =
            process::output(debian_toolchain(&mut Command::new("/usr/bin/rustc")).arg("--version"))?;
        (installed && is_at_least(&version, MSRV)).then_some(Self::Debian)
    }

    /// A command of cargo, such as `build` or `check`, for the target; the packages are still to be named.
    pub(super) fn cargo(&self, root: &Path, subcommand: &str, target: Target) -> Command {
        let mut command = match self {
            Self::Toolchain => cargo(root),
            Self::Debian => {
                let mut command = Command::new("/usr/bin/cargo");
                debian_toolchain(&mut command).current_dir(root);
                command
            }
        };
        // Flags meant for this machine's own processor would not do for this one.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.args([subcommand, "--locked", "--target", target.triple()]);
        if *self == Self::Debian {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
            // Another compiler than the one in use: in a shared folder each would rebuild what the other built.
            command.args(["-Zbuild-std=std,panic_abort", "--target-dir"]).arg(target_dir().join("debian"));
        }
        command
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Toolchain => "the toolchain in use",
            Self::Debian => "Debian's rustc-web, with the standard library built from source",
        })
    }
}

/// Makes a command use Debian's toolchain, not the one through which cargo started us, with what `-Z` options need.
fn debian_toolchain(command: &mut Command) -> &mut Command {
    for variable in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command.env("PATH", "/usr/bin:/bin").env("RUSTC_BOOTSTRAP", "1")
}

/// Whether what `rustc --version` printed is this version (`major.minor`) or a later one.
fn is_at_least(rustc: &str, version: &str) -> bool {
    let printed = rustc.strip_prefix("rustc ").and_then(major_minor);
    printed.is_some() && printed >= major_minor(version)
}

fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_compared_by_number_not_by_letter() {
        let bookworm = "rustc 1.63.0 (4b91a6ea7 2022-08-08)";
        let web = "rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)";
        assert!(!is_at_least(bookworm, "1.89"));
        assert!(is_at_least(web, "1.89"));
        assert!(is_at_least("rustc 1.100.0-nightly (0123abcde 2026-12-01)", "1.89"));
        assert!(!is_at_least("", "1.89"));
        assert!(!is_at_least("clang version 14.0.6", "1.89"));
    }

    #[test]
    fn our_own_minimum_is_a_version() {
        assert!(major_minor(MSRV).is_some(), "{MSRV}");
    }
}
