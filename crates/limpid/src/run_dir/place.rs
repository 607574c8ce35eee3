//! How the directory of a run comes to be: new, in the place of another run, or found again. What the user has there is not
//! touched, and only one program writes there.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::{FILES, RunDir};
use crate::checkpoint::atomic;
use crate::{Error, Result};

impl RunDir {
    /// Makes the directory of a new run. With `overwrite`, one that holds a run already is emptied of that run's files.
    ///
    /// # Errors
    /// If the path exists and is not an empty directory nor a run to be overwritten, if another program writes there, or if
    /// it cannot be created.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self> {
        if path.is_file() {
            return Err(refuse(path, "it is a file, not a directory; choose another name"));
        }
        if path.is_symlink() && !path.exists() {
            return Err(refuse(path, "it is a link to something that does not exist; choose another name"));
        }
        fs::create_dir_all(path).map_err(|cause| not_created(path, &cause))?;
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        let unfinished = FILES.map(|name| Some(atomic::temporary(Path::new(name)).into_os_string()));
        let entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
        if entries
            .map(|entry| entry.ok().map(|entry| entry.file_name()))
            .all(|name| unfinished.contains(&name))
        {
            run.remove_unfinished();
            return Ok(run);
        }
        match (run.read_config(), overwrite) {
            (Ok(_), true) => run.clear()?,
            (Ok(_), false) => {
                let problem = "it holds a run already: --resume goes on with it, --overwrite replaces it; or choose another \
                               directory";
                return Err(refuse(path, problem));
            }
            (Err(_), _) => {
                return Err(refuse(path, "it is not empty and holds no run; choose another directory"));
            }
        }
        Ok(run)
    }

    /// Removes the files of a run. Its settings go last: until then it can be seen what it was, and removed again.
    fn clear(&self) -> Result<()> {
        self.remove_unfinished();
        for name in FILES.iter().rev() {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a program that was killed had begun to write. If something cannot be removed, writing will say so.
    fn remove_unfinished(&self) {
        for name in FILES {
            let _ = fs::remove_file(atomic::temporary(&self.path.join(name)));
        }
    }

    /// Makes a new directory of this name, or of this name with `-2`, `-3`, ... behind it where it is taken.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create_new(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| not_created(path, &cause))?;
        }
        let mut candidate = path.to_path_buf();
        for number in 2_u64.. {
            match fs::create_dir(&candidate) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let mut name = path.as_os_str().to_os_string();
                    name.push(format!("-{number}"));
                    candidate = name.into();
                }
                Err(cause) => return Err(not_created(&candidate, &cause)),
            }
        }
        Ok(Self { _lock: lock(&candidate)?, path: candidate })
    }

    /// The directory of a run that was started before, to go on with it.
    ///
    /// # Errors
    /// If there is no such directory, it has no `config.toml`, or another program writes there.
    pub fn open(path: &Path) -> Result<Self> {
        let entries = fs::read_dir(path).map_err(|source| Error::io("read", path, source))?;
        drop(entries);
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        if !run.config_path().exists() {
            return Err(refuse(
                path,
                "it has no config.toml, so no run was begun there; expected the directory of a run",
            ));
        }
        run.remove_unfinished();
        Ok(run)
    }
}

/// Makes sure that no other program writes to a directory, as long as what is given back lives. Some systems have no locks on
/// directories: there nothing is given back.
fn lock(directory: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(directory) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(refuse(directory, "another limpid is writing there; wait for its end, or end it"))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn refuse(path: &Path, problem: impl Into<String>) -> Error {
    Error::invalid(format!("run directory {}", path.display()), problem)
}

/// The user chose the place: what the system says of it is about what the user gave.
fn not_created(path: &Path, cause: &std::io::Error) -> Error {
    refuse(
        path,
        format!("it cannot be created ({cause}); choose a place where you may write, for example with --out"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::RunConfig;
    use super::*;
    use crate::train::{Preset, TrainConfig};

    fn config() -> RunConfig {
        RunConfig {
            limpid: "0.1.0".into(),
            data: "MNIST".into(),
            data_dir: None,
            images: 9,
            preset: Preset::Tutorial,
            checkpoint_every: None,
            train: TrainConfig::default(),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let entries =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    }

    fn create(path: &Path, overwrite: bool) -> std::result::Result<(), String> {
        RunDir::create(path, overwrite).map(drop).map_err(|error| match error {
            Error::Invalid { problem, .. } => problem,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_directory_without_a_run_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        fs::write(dir.path().join("report.html.tmp"), "mine").unwrap();
        fs::write(dir.path().join("config.toml"), "mine = true").unwrap();
        for overwrite in [false, true] {
            let problem = create(dir.path(), overwrite).unwrap_err();
            assert_eq!(problem, "it is not empty and holds no run; choose another directory");
        }
        assert_eq!(names(dir.path()), ["config.toml", "notes.txt", "report.html.tmp"]);
        fs::remove_file(dir.path().join("config.toml")).unwrap();
        let message = RunDir::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains("it has no config.toml, so no run was begun there"), "{message}");
        let message = RunDir::open(&dir.path().join("nothing")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read ") && message.contains("nothing: "), "{message}");
    }

    #[test]
    fn a_run_is_overwritten_where_that_is_asked_for_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        run.write_config(&config()).unwrap();
        for name in FILES.into_iter().chain(["checkpoint.safetensors.tmp", "notes.txt"]) {
            if name != "config.toml" {
                fs::write(dir.path().join(name), "old").unwrap();
            }
        }
        drop(run);
        assert!(
            create(dir.path(), false).unwrap_err().starts_with("it holds a run already: --resume goes on")
        );
        assert_eq!(names(dir.path()).len(), 9);
        create(dir.path(), true).unwrap();
        assert_eq!(names(dir.path()), ["notes.txt"]);
    }

    #[test]
    fn a_directory_in_which_a_program_was_killed_at_once_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml.tmp"), "limp").unwrap();
        create(dir.path(), false).unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    #[cfg(unix)]
    fn two_programs_do_not_write_to_one_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = RunDir::create(dir.path(), false).unwrap();
        first.write_config(&config()).unwrap();
        for overwrite in [false, true] {
            let problem = create(dir.path(), overwrite).unwrap_err();
            assert_eq!(problem, "another limpid is writing there; wait for its end, or end it");
        }
        assert!(
            RunDir::open(dir.path()).unwrap_err().to_string().contains("another limpid is writing there")
        );
        drop(first);
        RunDir::open(dir.path()).unwrap();
    }

    #[test]
    fn two_runs_of_one_second_get_two_directories() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs/2026-01-01-120000");
        let names = [1, 2, 3].map(|_| RunDir::create_new(&path).unwrap().path().to_path_buf());
        let suffixes = names.map(|name| name.file_name().unwrap().to_str().unwrap()[17..].to_owned());
        assert_eq!(suffixes, ["", "-2", "-3"]);
    }

    #[test]
    fn places_where_no_directory_can_be_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "mine").unwrap();
        let problem = |path: &Path| match RunDir::create(path, false).unwrap_err() {
            Error::Invalid { problem, .. } => problem,
            other => panic!("{other}"),
        };
        assert_eq!(problem(&file), "it is a file, not a directory; choose another name");
        assert!(problem(&file.join("run")).starts_with("it cannot be created ("));
        assert!(RunDir::create_new(&file.join("run")).unwrap_err().to_string().contains("cannot be created"));
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(dir.path().join("nothing"), &link).unwrap();
            assert_eq!(problem(&link), "it is a link to something that does not exist; choose another name");
        }
    }
}
