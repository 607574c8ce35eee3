//! Writing a file whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes `bytes` to `path`. Whatever happens (a full disk, a power cut), the path afterwards holds either what it held
/// before or all of `bytes`: they go to a file `path.tmp` beside it, to the disk, and then the name is changed.
///
/// # Errors
/// If the operating system refuses any of it; what stood at `path` is untouched and the temporary file is removed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes).map_err(|error| Error::io("write", path, error)))
}

/// As [`write()`], with bytes that come one after the other: `content` writes them.
///
/// # Errors
/// Those of `content`, or if the operating system refuses; what stood at `path` is untouched and the temporary file is removed.
pub fn write_with(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let temporary = temporary(path);
    let failed = |error| Error::io("write", path, error);
    let written = File::create(&temporary).map_err(failed).and_then(|file| {
        let mut file = BufWriter::new(file);
        content(&mut file)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&temporary, path)).map_err(failed)
    });
    if let Err(error) = written {
        // The first error is the one to report; that there may be nothing to remove is no second one.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_directory(path);
    Ok(())
}

/// `path` with `.tmp` behind its name.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    path.with_file_name(name)
}

/// Makes the new name last too, where the system can; a file that was renamed but whose name is lost by a power cut is still
/// the old file, so a failure here harms nothing.
fn sync_directory(path: &Path) {
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let _ = File::open(parent).and_then(|directory| directory.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        write(&path, b"first").unwrap();
        // A directory where the temporary file should go.
        fs::create_dir(temporary(&path)).unwrap();
        let message = write(&path, b"second").unwrap_err().to_string();
        assert!(message.starts_with("cannot write ") && message.contains("model.safetensors"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
