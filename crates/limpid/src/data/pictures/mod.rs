//! A folder of people's own clean pictures, of any sizes, as a data set: patches are cut out of them at random places.
//!
//! The patches are held, the pictures are not: each is read once, row by row where its format allows, and every patch that lies
//! in it is cut out on the way. So the folder may be larger than memory, and reading never keeps a training step waiting.
//!
//! Which picture is kept for testing, and where patches lie, follows from names and sizes alone: the same folder gives the same
//! data set, on any number of threads.

mod cut;
mod find;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use limpid_kernels::Isa;
use limpid_kernels::noise::{Stream, uniform};

use super::{Dataset, Images, Split};
use crate::digest::Digest;
use crate::number::grouped;
use crate::threads::Threads;
use crate::{Error, Result};
use cut::Patch;
use find::{Picture, Unread};

/// How patches are cut out of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchOptions {
    /// Height and width of a patch, in pixels.
    pub patch: usize,
    /// How many there are to train on; none for four per patch's worth of picture, 10,000 at the least.
    pub count: Option<usize>,
    /// Whether each is turned and mirrored at random, which suits textures, but neither digits nor letters.
    pub augment: bool,
    /// Bytes that all patches may take, and for the pixels of pictures that cannot be read row by row.
    pub memory: u64,
}

impl Default for PatchOptions {
    /// As large as MNIST's digits, in 1 GB at the most.
    fn default() -> Self {
        Self { patch: 28, count: None, augment: false, memory: 1_000_000_000 }
    }
}

/// What became of the pictures of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PictureReport {
    /// Pictures to train on.
    pub trained: Vec<PathBuf>,
    /// Pictures that nobody trains on, for testing.
    pub held_out: Vec<PathBuf>,
    /// Pictures that gave nothing, and why.
    pub unread: Vec<(PathBuf, String)>,
}

/// One picture of this many is kept for testing; at least one.
const TEST_SHARE: usize = 10;
/// Patches at least, where they are not counted: fewer are no epoch.
const LEAST_PATCHES: usize = 10_000;
/// Patches to test with, at least and at most, where memory allows.
const TEST_PATCHES: std::ops::RangeInclusive<usize> = 500..=10_000;
/// A patch with a longer side is none.
const LARGEST_PATCH: usize = 4096;
/// The seed of places and of the choice of test pictures. It is fixed, so that runs can be compared.
const SEED: u64 = 40_117;

impl Dataset {
    /// Patches of the pictures in a folder and the folders in it, in gray: those of nine pictures of ten to train on, those of the
    /// others to test with. Nothing is kept for validation besides.
    ///
    /// # Errors
    /// If the folder cannot be read, the options make no sense, or fewer than two pictures can be read and are as large as a
    /// patch. That some cannot is told by the report.
    pub fn from_pictures(
        dir: &Path,
        options: &PatchOptions,
        threads: &Threads,
    ) -> Result<(Self, PictureReport)> {
        let side = options.patch;
        if !(1..=LARGEST_PATCH).contains(&side) {
            return Err(Error::invalid(
                format!("patch {side}"),
                format!("expected 1 to {LARGEST_PATCH} pixels, for example 28"),
            ));
        }
        let most = usize::try_from(options.memory / (side * side) as u64)
            .unwrap_or(usize::MAX)
            .min(u32::MAX as usize);
        if most < 2 {
            return Err(Error::invalid(
                "--cache",
                format!("too little for two patches of {side}x{side}; allow more"),
            ));
        }
        let (mut pictures, mut unread) = find::pictures(dir, side)?;
        if pictures.len() < 2 {
            let problem = format!(
                "{} of its pictures can be read and {} at least {side}x{side}, expected two: one to train on, one to test with{}",
                pictures.len(),
                if pictures.len() == 1 { "is" } else { "are" },
                unread
                    .first()
                    .map_or(String::new(), |(path, problem)| format!("; {}: {problem}", path.display()))
            );
            return Err(Error::data(dir, problem));
        }
        // By a digest of the name: a new picture does not move the others from one side to the other.
        pictures
            .sort_by_cached_key(|picture| Digest::of(picture.name.to_string_lossy().as_bytes()).to_string());
        let mut train = pictures.split_off((pictures.len() / TEST_SHARE).max(1));
        let mut test = pictures;
        train.sort_by(|a, b| a.name.cmp(&b.name));
        test.sort_by(|a, b| a.name.cmp(&b.name));

        let worth = |pictures: &[Picture]| {
            let pixels: u64 = pictures.iter().map(|picture| picture.pixels).sum();
            usize::try_from(4 * pixels / (side * side) as u64).unwrap_or(usize::MAX)
        };
        let test_count = worth(&test).clamp(*TEST_PATCHES.start(), *TEST_PATCHES.end()).min(most / 10).max(1);
        let train_count =
            options.count.unwrap_or(worth(&train).max(LEAST_PATCHES)).min(most - test_count).max(1);
        let mut images = |pictures: &[Picture], count, purpose| {
            let found = patches(pictures, count, purpose, options, threads);
            unread.extend(found.1);
            let count = found.0.len() / (side * side);
            if count == 0 {
                let problem =
                    format!("none of {} pictures could be read to its end", grouped(pictures.len() as u64));
                return Err(Error::data(dir, problem));
            }
            Images::new(count, side, side, found.0)
        };
        let (train_images, test_images) = (images(&train, train_count, 0)?, images(&test, test_count, 1)?);
        unread.sort();
        let names = |pictures: &[Picture]| -> Vec<PathBuf> {
            let read = |picture: &&Picture| !unread.iter().any(|(name, _)| *name == picture.name);
            pictures.iter().filter(read).map(|picture| picture.name.clone()).collect()
        };
        let report = PictureReport { trained: names(&train), held_out: names(&test), unread: unread.clone() };
        let name =
            dir.canonicalize().ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned()));
        let split = |images| Split { images, labels: None };
        let validation = split(train_images.slice(0..0));
        let name = name.unwrap_or_else(|| dir.display().to_string());
        Ok((Self { name, train: split(train_images), validation, test: split(test_images) }, report))
    }

    /// Whether a folder has a file that is called like one of an IDX data set, so that it is meant to be one.
    pub fn holds_idx(dir: &Path) -> bool {
        let is_idx = |name: &str| name.contains("idx1-ubyte") || name.contains("idx3-ubyte");
        let entries = dir.read_dir().into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.file_name()).any(|name| name.to_str().is_some_and(is_idx))
    }

    /// Whether a folder, or one in it, has a file that is called like a picture.
    pub fn holds_pictures(dir: &Path) -> bool {
        find::files(dir).is_ok_and(|files| !files.is_empty())
    }
}

/// Cuts `count` patches out of pictures, more out of larger ones; also which pictures could not be read after all. Their patches
/// are missing.
fn patches(
    pictures: &[Picture],
    count: usize,
    purpose: u32,
    options: &PatchOptions,
    threads: &Threads,
) -> (Vec<u8>, Vec<Unread>) {
    // Where each patch lies: it must not matter in which order pictures are read.
    let total: f64 = pictures.iter().map(|picture| picture.pixels as f64).sum();
    let mut of_picture: BTreeMap<usize, Vec<Patch>> = BTreeMap::new();
    for index in 0..count {
        let mut random = [0.0; 4];
        uniform(Isa::SCALAR, Stream { seed: SEED, index: index as u32, draw: 0, purpose }, &mut random);
        let [place, top, left, turn] = random;
        let mut rest = f64::from(place) * total;
        let picture = pictures.iter().position(|picture| {
            rest -= picture.pixels as f64;
            rest < 0.0
        });
        let turn = if options.augment { (turn * 8.0) as u8 } else { 0 };
        let patch = Patch { index, top, left, turn };
        of_picture.entry(picture.unwrap_or(pictures.len() - 1)).or_default().push(patch);
    }

    struct Work<'a> {
        picture: &'a Picture,
        patches: Vec<Patch>,
        result: Result<Vec<(usize, Vec<u8>)>>,
    }
    let size = options.patch * options.patch;
    let mut bytes = vec![0; count * size];
    let mut missing = vec![true; count];
    let mut unread = Vec::new();
    let mut work: Vec<Work<'_>> = of_picture
        .into_iter()
        .map(|(picture, patches)| Work { picture: &pictures[picture], patches, result: Ok(Vec::new()) })
        .collect();
    // A few at a time, so that patches are not held twice.
    for part in work.chunks_mut(4 * threads.count()) {
        threads.for_each(part, |_, _, work| {
            work.result = cut::patches(work.picture, &work.patches, options);
        });
        for work in part {
            match std::mem::replace(&mut work.result, Ok(Vec::new())) {
                Ok(patches) => {
                    for (index, patch) in patches {
                        bytes[index * size..][..size].copy_from_slice(&patch);
                        missing[index] = false;
                    }
                }
                Err(error) => unread.push((work.picture.name.clone(), find::problem(error))),
            }
        }
    }
    // What is missing is closed up.
    let mut kept = 0;
    for index in (0..count).filter(|&index| !missing[index]) {
        bytes.copy_within(index * size..(index + 1) * size, kept * size);
        kept += 1;
    }
    bytes.truncate(kept * size);
    (bytes, unread)
}
