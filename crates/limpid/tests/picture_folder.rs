//! A folder of pictures as a data set: patches are what they should be, wherever they come from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use limpid::data::{Dataset, PatchOptions, PictureReport, Samples};
use limpid::image::file::{Channels, Depth, Format, Header, write};
use limpid::threads::Threads;
use tempfile::{TempDir, tempdir};

const SIDE: usize = 8;

/// The byte of a pixel; no two places of a picture have the same patch, nor have two pictures.
fn pixel(picture: usize, row: usize, column: usize) -> u8 {
    ((row * 7919 + column * 104_729 + picture * 15_485_863 + row * column * 31) % 251) as u8
}

fn save(dir: &Path, name: &str, picture: usize, (height, width): (usize, usize)) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let header = Header::new(Format::of_name(&path).unwrap(), (height, width), Channels::Gray, Depth::Eight);
    let values: Vec<f32> =
        (0..height * width).map(|i| f32::from(pixel(picture, i / width, i % width)) / 255.0).collect();
    write(File::create(&path).unwrap(), &header, &values, &path).unwrap();
}

/// Names, by the number of their picture, and sizes.
const PICTURES: [(&str, (usize, usize)); 6] = [
    ("a.png", (40, 50)),
    ("b.tif", (33, 20)),
    ("c/d.bmp", (9, 8)),
    ("c/e.pgm", (8, 90)),
    ("f.webp", (25, 25)),
    ("g.png", (60, 31)),
];

fn folder() -> TempDir {
    let dir = tempdir().unwrap();
    for (picture, (name, size)) in PICTURES.into_iter().enumerate() {
        save(dir.path(), name, picture, size);
    }
    dir
}

fn options(count: usize) -> PatchOptions {
    PatchOptions { patch: SIDE, count: Some(count), ..PatchOptions::default() }
}

fn open(dir: &Path, options: &PatchOptions, threads: usize) -> (Dataset, PictureReport) {
    Dataset::from_pictures(dir, options, &Threads::new(threads).unwrap()).unwrap()
}

/// The picture in which a patch lies, and its place.
fn find(patch: &[u8]) -> Option<(usize, usize, usize)> {
    PICTURES.iter().enumerate().find_map(|(picture, &(_, (height, width)))| {
        (0..=height - SIDE).find_map(|top| {
            (0..=width - SIDE).find_map(|left| {
                let fits =
                    (0..SIDE * SIDE).all(|i| patch[i] == pixel(picture, top + i / SIDE, left + i % SIDE));
                fits.then_some((picture, top, left))
            })
        })
    })
}

#[test]
fn every_patch_lies_in_a_picture_of_its_side() {
    let dir = folder();
    let (data, report) = open(dir.path(), &options(600), 2);
    assert_eq!((data.train.images.len(), data.train.images.size()), (600, (SIDE, SIDE)));
    assert_eq!((report.trained.len(), report.held_out.len()), (5, 1));
    assert!(report.unread.is_empty() && data.validation.images.is_empty());
    let mut counts = [0; PICTURES.len()];
    for (images, names) in [(&data.train.images, &report.trained), (&data.test.images, &report.held_out)] {
        for index in 0..images.len() {
            let (picture, ..) = find(images.bytes(index)).expect("a patch is cut out of a picture");
            assert!(
                names.contains(&PathBuf::from(PICTURES[picture].0)),
                "patch {index} of {}",
                PICTURES[picture].0
            );
            counts[picture] += usize::from(std::ptr::eq(images, &data.train.images));
        }
    }
    // By their share of all pixels.
    let trained = |i: &usize| report.trained.contains(&PathBuf::from(PICTURES[*i].0));
    let area = |i: usize| PICTURES[i].1.0 * PICTURES[i].1.1;
    let total: usize = (0..PICTURES.len()).filter(trained).map(area).sum();
    for i in (0..PICTURES.len()).filter(trained) {
        let expected = 600.0 * area(i) as f64 / total as f64;
        assert!(
            (counts[i] as f64 - expected).abs() < 5.0 * expected.sqrt(),
            "{}: {} not {expected}",
            PICTURES[i].0,
            counts[i]
        );
    }
}

#[test]
fn the_same_folder_gives_the_same_patches_on_any_number_of_threads() {
    let dir = folder();
    let (one, first) = open(dir.path(), &options(300), 1);
    let (many, second) = open(dir.path(), &options(300), 3);
    assert_eq!(first, second);
    assert_eq!(one.train.images.all_bytes(), many.train.images.all_bytes());
    assert_eq!(one.test.images.all_bytes(), many.test.images.all_bytes());
    // More of them begin with the same ones, in pictures that stay on their side when others come.
    let (more, _) = open(dir.path(), &options(400), 2);
    assert_eq!(more.train.images.slice(0..300).all_bytes(), one.train.images.all_bytes());
    save(dir.path(), "h.png", 7, (30, 30));
    let (_, third) = open(dir.path(), &options(300), 1);
    assert!(
        first.trained.iter().all(|name| third.trained.contains(name) || third.held_out == [name.clone()])
    );
}

#[test]
fn augmented_patches_are_turned() {
    let dir = folder();
    let (plain, _) = open(dir.path(), &options(200), 1);
    let (turned, _) = open(dir.path(), &PatchOptions { augment: true, ..options(200) }, 1);
    let mut same = 0;
    for index in 0..200 {
        let (mut a, mut b) =
            (plain.train.images.bytes(index).to_vec(), turned.train.images.bytes(index).to_vec());
        same += usize::from(a == b);
        a.sort_unstable();
        b.sort_unstable();
        assert_eq!(a, b, "the pixels of patch {index} are the same, but for their places");
    }
    assert!((8..50).contains(&same), "{same} of 200 are not turned, expected about an eighth");
}

#[test]
fn pictures_that_give_nothing_are_named() {
    let dir = folder();
    save(dir.path(), "small.png", 8, (7, 100));
    fs::write(dir.path().join("text.png"), "no picture").unwrap();
    let whole = fs::read(dir.path().join("g.png")).unwrap();
    fs::write(dir.path().join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(dir.path().join("notes.txt"), "left alone").unwrap();
    let (data, report) = open(dir.path(), &options(500), 2);
    let problem = |name: &str| {
        let found = report.unread.iter().find(|(path, _)| path.as_os_str() == name);
        found.unwrap_or_else(|| panic!("{name} is not in {:?}", report.unread)).1.clone()
    };
    assert_eq!(report.unread.len(), 3, "{:?}", report.unread);
    assert_eq!(problem("small.png"), "is 100 x 7 pixels, smaller than a patch of 8 x 8");
    assert!(problem("text.png").starts_with("is no picture that can be read"));
    assert!(problem("cut.png").contains("it ends before its last row"), "{}", problem("cut.png"));
    // The patches of the damaged picture are missing, the others are not.
    let images = [&data.train.images, &data.test.images];
    assert!(images.iter().all(|images| (0..images.len()).all(|index| find(images.bytes(index)).is_some())));
}

#[test]
fn memory_bounds_the_patches() {
    let dir = folder();
    let memory = (100 * SIDE * SIDE) as u64 + 10_000; // the WebP is held as a whole: 3 * 25 * 25 bytes
    let (data, _) = open(dir.path(), &PatchOptions { count: None, memory, ..options(0) }, 1);
    let count = data.train.images.len() + data.test.images.len();
    assert!(count as u64 <= memory / (SIDE * SIDE) as u64 && count > 90, "{count}");
}

#[test]
fn folders_without_enough_pictures_are_refused() {
    let dir = tempdir().unwrap();
    let threads = Threads::new(1).unwrap();
    let problem = |options: &PatchOptions| {
        let error = Dataset::from_pictures(dir.path(), options, &threads).unwrap_err().to_string();
        error.replace(dir.path().to_str().unwrap(), "DIR")
    };
    assert!(
        problem(&options(1))
            .starts_with("DIR: 0 of its pictures can be read and are at least 8x8, expected two")
    );
    save(dir.path(), "a.png", 0, (20, 20));
    fs::write(dir.path().join("b.png"), "").unwrap();
    assert!(
        problem(&options(1)).ends_with("one to test with; b.png: is empty, expected a picture"),
        "{}",
        problem(&options(1))
    );
    assert_eq!(
        problem(&PatchOptions { patch: 0, ..options(1) }),
        "patch 0: expected 1 to 4096 pixels, for example 28"
    );
    assert_eq!(
        problem(&PatchOptions { memory: 100, ..options(1) }),
        "--cache: too little for two patches of 8x8; allow more"
    );
}
