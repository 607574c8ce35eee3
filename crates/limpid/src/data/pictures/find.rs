//! The pictures of a folder.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::image::file::{Format, size_of};
use crate::{Error, Result};

/// A picture whose header could be read.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) path: PathBuf,
    /// Its path within the folder.
    pub(super) name: PathBuf,
    pub(super) pixels: u64,
}

/// A picture that gave nothing, and why.
pub(super) type Unread = (PathBuf, String);

/// The pictures in a folder that can be read, by their headers, and are as large as a patch, in the order of their names; and the
/// others, each with its problem.
pub(super) fn pictures(dir: &Path, side: usize) -> Result<(Vec<Picture>, Vec<Unread>)> {
    let (mut pictures, mut unread) = (Vec::new(), Vec::new());
    for path in files(dir)? {
        let name = path.strip_prefix(dir).unwrap_or(&path).to_path_buf();
        match open(&path).and_then(|file| size_of(file, &path)) {
            Ok((height, width)) if height.min(width) >= side => {
                pictures.push(Picture { path, name, pixels: height as u64 * width as u64 });
            }
            Ok((height, width)) => {
                unread.push((
                    name,
                    format!("is {width} x {height} pixels, smaller than a patch of {side} x {side}"),
                ));
            }
            Err(error) => unread.push((name, problem(error))),
        }
    }
    Ok((pictures, unread))
}

/// Opens a file that is one: a pipe would block.
pub(super) fn open(path: &Path) -> Result<BufReader<File>> {
    let failed = |error| Error::io("read", path, error);
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::data(path, "is no regular file"));
    }
    Ok(BufReader::new(File::open(path).map_err(failed)?))
}

/// What is wrong with a file, without its name.
pub(super) fn problem(error: Error) -> String {
    match error {
        Error::Data { problem, .. } => problem,
        Error::Io { cause, .. } => format!("cannot be read: {cause}"),
        other => other.to_string(),
    }
}

/// All files below a folder that are called like pictures, in the order of their names. Links to folders are not followed, so
/// there are no circles.
pub(super) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |error| Error::io("read", &folder, error);
        for entry in folder.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(entry.path());
            } else if Format::of_name(&entry.path()).is_some() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
