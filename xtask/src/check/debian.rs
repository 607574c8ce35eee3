//! Installing Debian's packages, where this is Debian and we may.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// Whether [`install`] has a chance: there is apt-get, and we are root.
pub(super) fn can_install() -> bool {
    Path::new("/usr/bin/apt-get").exists()
        && process::output(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs packages.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
        command
    };
    process::run(apt_get().arg("update"))?;
    // Without --no-remove it would take Debian's own rustc away from someone who uses that one.
    process::run(apt_get().args(["install", "-y", "--no-install-recommends", "--no-remove"]).args(packages))
}
