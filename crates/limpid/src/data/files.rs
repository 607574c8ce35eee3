//! Finding the files of an IDX data set in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The files of a data set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileSet {
    /// The prefix of the names if they have one (`emnist-letters`), otherwise the name of the folder.
    pub(super) name: String,
    pub(super) train: Pair,
    pub(super) test: Pair,
}

/// A file of images and, if there is one, the file of their labels.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) images: PathBuf,
    pub(super) labels: Option<PathBuf>,
}

/// What one file of a data set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    TrainImages,
    TrainLabels,
    TestImages,
    TestLabels,
}

/// The names that a file may have, after any prefix and before any suffix. `t10k` is MNIST's word for the test set,
/// `test` EMNIST's; the dots are what some programs that unpack archives make of the last dash.
const NAMES: [(Role, &[&str]); 4] = [
    (Role::TrainImages, &["train-images-idx3-ubyte", "train-images.idx3-ubyte"]),
    (Role::TrainLabels, &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"]),
    (
        Role::TestImages,
        &[
            "t10k-images-idx3-ubyte",
            "t10k-images.idx3-ubyte",
            "test-images-idx3-ubyte",
            "test-images.idx3-ubyte",
        ],
    ),
    (
        Role::TestLabels,
        &[
            "t10k-labels-idx1-ubyte",
            "t10k-labels.idx1-ubyte",
            "test-labels-idx1-ubyte",
            "test-labels.idx1-ubyte",
        ],
    ),
];

/// In the order of preference: a raw file is the fastest to read.
const SUFFIXES: [&str; 3] = ["", ".gz", ".zst"];

/// The files of one data set, by role; of several spellings the preferred one.
type Found = BTreeMap<Role, (Preference, PathBuf)>;
/// Smaller is better: the position of the suffix, then of the spelling.
type Preference = (usize, usize);

/// Finds the one data set in `dir`. A set whose names have no prefix is preferred to those that have one.
pub(super) fn find(dir: &Path) -> Result<FileSet> {
    let names = list(dir)?;
    let mut sets: BTreeMap<&str, Found> = BTreeMap::new();
    for name in &names {
        let Some((prefix, role, preference)) = parse(name) else { continue };
        let candidate = (preference, dir.join(name));
        let best = sets.entry(prefix).or_default().entry(role).or_insert_with(|| candidate.clone());
        if candidate.0 < best.0 {
            *best = candidate;
        }
    }
    let (prefix, mut found) = match sets.remove_entry("") {
        Some(plain) => plain,
        None if sets.len() > 1 => {
            let prefixes: Vec<_> = sets.keys().map(|prefix| prefix.trim_end_matches('-')).collect();
            return Err(Error::data(
                dir,
                format!(
                    "{} data sets found ({}), expected one: move the files of the one you want to a folder of their own",
                    prefixes.len(),
                    prefixes.join(", ")
                ),
            ));
        }
        None => sets.pop_first().unwrap_or_default(),
    };

    let mut take = |role| found.remove(&role).map(|(_, path)| path);
    let train = (take(Role::TrainImages), take(Role::TrainLabels));
    let test = (take(Role::TestImages), take(Role::TestLabels));
    let missing = |what, role| missing(dir, prefix, what, role, &names);
    let (Some(train_images), Some(test_images)) = (&train.0, &test.0) else {
        return Err(match train.0 {
            None => missing("training images", Role::TrainImages),
            Some(_) => missing("test images", Role::TestImages),
        });
    };
    match (&train.1, &test.1) {
        (Some(_), None) => return Err(missing("test labels beside the training labels", Role::TestLabels)),
        (None, Some(_)) => return Err(missing("training labels beside the test labels", Role::TrainLabels)),
        _ => {}
    }
    let name = match prefix.trim_end_matches('-') {
        "" => folder_name(dir),
        prefix => prefix.into(),
    };
    Ok(FileSet {
        name,
        train: Pair { images: train_images.clone(), labels: train.1 },
        test: Pair { images: test_images.clone(), labels: test.1 },
    })
}

/// The last part of a folder's name, its real one where `dir` is `.` or ends in `..`.
fn folder_name(dir: &Path) -> String {
    let real = || Some(dir.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned());
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned());
    name.or_else(real).unwrap_or_else(|| dir.display().to_string())
}

/// Splits a file name into prefix (empty, or with its dash), role and how much it is preferred to others like it.
fn parse(name: &str) -> Option<(&str, Role, Preference)> {
    // The empty suffix fits every name, so it comes last here.
    let (suffix, stem) =
        SUFFIXES.iter().enumerate().rev().find_map(|(i, suffix)| Some((i, name.strip_suffix(suffix)?)))?;
    NAMES.iter().find_map(|&(role, spellings)| {
        spellings.iter().enumerate().find_map(|(spelling, known)| {
            let prefix = stem.strip_suffix(known)?;
            (prefix.is_empty() || prefix.ends_with('-')).then_some((prefix, role, (suffix, spelling)))
        })
    })
}

/// The names of what is in `dir`, sorted; names that are not Unicode cannot be those of a data set.
fn list(dir: &Path) -> Result<Vec<String>> {
    let advice = "expected a folder with the files of an IDX data set, such as train-images-idx3-ubyte.gz";
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::data(dir, format!("no such folder; {advice}")),
        std::io::ErrorKind::NotADirectory => Error::data(dir, format!("not a folder; {advice}")),
        _ => Error::io("read", dir, error),
    };
    let mut names = Vec::new();
    for entry in dir.read_dir().map_err(failed)? {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The error that says which names were tried and what the folder holds instead.
fn missing(dir: &Path, prefix: &str, what: &str, role: Role, names: &[String]) -> Error {
    /// So many names of other files are listed: enough to see a typing error, short enough to read.
    const LISTED: usize = 8;

    let (_, spellings) = NAMES[role as usize];
    let tried: Vec<_> = spellings.iter().map(|spelling| format!("{prefix}{spelling}")).collect();
    let holds = match names {
        [] => "the folder is empty".into(),
        _ if names.len() <= LISTED => format!("the folder holds {}", names.join(", ")),
        _ => format!("the folder holds {} and {} more", names[..LISTED].join(", "), names.len() - LISTED),
    };
    Error::data(dir, format!("no {what}: looked for {}, raw, .gz or .zst; {holds}", tried.join(", ")))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tempfile::{TempDir, tempdir};

    use super::*;

    /// A folder with empty files of these names: finding looks at names only.
    fn folder(names: &[&str]) -> TempDir {
        let dir = tempdir().unwrap();
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    /// What is found, as names.
    fn found(names: &[&str]) -> Vec<Option<String>> {
        let dir = folder(names);
        let FileSet { train, test, .. } = find(dir.path()).unwrap();
        [Some(train.images), train.labels, Some(test.images), test.labels]
            .map(|path| path.map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned()))
            .to_vec()
    }

    fn problem(names: &[&str]) -> String {
        let dir = folder(names);
        find(dir.path()).unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR")
    }

    #[test]
    fn all_known_spellings_are_found() {
        for (train, test) in [
            ("train-#-idx%-ubyte", "t10k-#-idx%-ubyte"),
            ("train-#-idx%-ubyte.gz", "t10k-#.idx%-ubyte.zst"),
            ("train-#.idx%-ubyte", "t10k-#.idx%-ubyte"),
            ("emnist-letters-train-#-idx%-ubyte.gz", "emnist-letters-test-#-idx%-ubyte.gz"),
        ] {
            let names: Vec<_> = [train, test]
                .iter()
                .flat_map(|name| {
                    [("images", "3"), ("labels", "1")]
                        .map(|(what, rank)| name.replace('#', what).replace('%', rank))
                })
                .collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let expected: Vec<_> = names.iter().map(|&name| Some(name.to_owned())).collect();
            assert_eq!(found(&names), expected);
        }
    }

    #[test]
    fn labels_may_be_missing_altogether() {
        let names = ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"];
        assert_eq!(found(&names), [Some(names[0].into()), None, Some(names[1].into()), None]);
    }

    #[test]
    fn raw_files_and_plain_names_are_preferred() {
        let names = [
            "a-train-images-idx3-ubyte",
            "b-train-images-idx3-ubyte",
            "t10k-images-idx3-ubyte.gz",
            "t10k-images.idx3-ubyte",
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte.gz",
        ];
        assert_eq!(found(&names), [Some(names[4].into()), None, Some(names[3].into()), None]);
    }

    #[test]
    fn the_set_is_called_like_its_prefix_or_its_folder() {
        let dir = folder(&["emnist-digits-train-images-idx3-ubyte", "emnist-digits-test-images-idx3-ubyte"]);
        assert_eq!(find(dir.path()).unwrap().name, "emnist-digits");
        let dir = folder(&["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"]);
        let name = dir.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(find(dir.path()).unwrap().name, name);
        std::fs::create_dir(dir.path().join("inner")).unwrap();
        assert_eq!(find(&dir.path().join("inner").join("..")).unwrap().name, name);
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_snapshot!(problem(&[]), @"DIR: no training images: looked for train-images-idx3-ubyte, train-images.idx3-ubyte, raw, .gz or .zst; the folder is empty");
        assert_snapshot!(problem(&["train-images-idx3-ubyte.bz2", "mytrain-images-idx3-ubyte"]), @"DIR: no training images: looked for train-images-idx3-ubyte, train-images.idx3-ubyte, raw, .gz or .zst; the folder holds mytrain-images-idx3-ubyte, train-images-idx3-ubyte.bz2");
        assert_snapshot!(problem(&["train-images-idx3-ubyte", "1", "2", "3", "4", "5", "6", "7", "8"]), @"DIR: no test images: looked for t10k-images-idx3-ubyte, t10k-images.idx3-ubyte, test-images-idx3-ubyte, test-images.idx3-ubyte, raw, .gz or .zst; the folder holds 1, 2, 3, 4, 5, 6, 7, 8 and 1 more");
        assert_snapshot!(
            problem(&["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"]), @"DIR: no test labels beside the training labels: looked for t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte, test-labels-idx1-ubyte, test-labels.idx1-ubyte, raw, .gz or .zst; the folder holds t10k-images-idx3-ubyte, train-images-idx3-ubyte, train-labels-idx1-ubyte"
        );
        assert_snapshot!(
            problem(&["emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"]), @"DIR: no test images: looked for emnist-letters-t10k-images-idx3-ubyte, emnist-letters-t10k-images.idx3-ubyte, emnist-letters-test-images-idx3-ubyte, emnist-letters-test-images.idx3-ubyte, raw, .gz or .zst; the folder holds emnist-letters-test-labels-idx1-ubyte.gz, emnist-letters-train-images-idx3-ubyte.gz"
        );
    }

    #[test]
    fn several_sets_are_not_guessed_between() {
        assert_snapshot!(
            problem(&["emnist-letters-train-images-idx3-ubyte.gz", "emnist-digits-train-images-idx3-ubyte.gz"]), @"DIR: 2 data sets found (emnist-digits, emnist-letters), expected one: move the files of the one you want to a folder of their own"
        );
    }

    #[test]
    fn a_folder_that_is_none_is_said() {
        let dir = folder(&["file"]);
        let problem =
            |path: PathBuf| find(&path).unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR");
        assert_snapshot!(problem(dir.path().join("nothing")), @"DIR/nothing: no such folder; expected a folder with the files of an IDX data set, such as train-images-idx3-ubyte.gz");
        assert_snapshot!(problem(dir.path().join("file")), @"DIR/file: not a folder; expected a folder with the files of an IDX data set, such as train-images-idx3-ubyte.gz");
    }
}
