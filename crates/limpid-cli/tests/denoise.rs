//! `limpid denoise`, from the outside.

mod common;

use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{error, limpid, output, text, write_images};
use limpid::data::{Dataset, Samples};
use limpid::image::file::{Channels, Depth, Format, Header, Limits, Reader, write};
use tempfile::{TempDir, tempdir};

/// A model that was trained for a moment, long enough to be of some use.
static MODEL: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let dir = tempdir().unwrap();
    let (run, data, mnist) = (dir.path().join("run"), dir.path().join("MNIST"), Dataset::mnist());
    fs::create_dir(&data).unwrap();
    for (name, images) in [
        ("train-images-idx3-ubyte", mnist.train.images.slice(0..1500)),
        ("t10k-images-idx3-ubyte", mnist.test.images.slice(0..20)),
    ] {
        write_images(&data, name, &[images.len(), 28, 28], images.all_bytes());
    }
    let args =
        ["train", "--data", text(&data), "--epochs", "5", "--lr", "3e-3", "--quiet", "--out", text(&run)];
    limpid(&args).assert().success();
    let path = run.to_str().unwrap().to_owned();
    (dir, path)
});

/// `limpid denoise --model MODEL` with more arguments.
fn denoise<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["denoise", "--model", MODEL.1.as_str()], more].concat()
}

/// The pictures that other programs wrote.
fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../limpid/tests/pictures")
}

fn save(path: &Path, header: &Header, values: &[f32]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write(File::create(path).unwrap(), header, values, path).unwrap();
}

/// A gray PNG of 8 bits with a gradient.
fn save_gray(path: &Path, height: usize, width: usize) {
    let header = Header::new(Format::of_name(path).unwrap(), (height, width), Channels::Gray, Depth::Eight);
    let values: Vec<f32> = (0..height * width).map(|i| (i % 251) as f32 / 250.0).collect();
    save(path, &header, &values);
}

fn load(path: &Path) -> (Header, Vec<f32>) {
    decode(BufReader::new(File::open(path).unwrap()), path)
}

fn decode(file: impl std::io::BufRead + std::io::Seek, path: &Path) -> (Header, Vec<f32>) {
    let mut reader = Reader::open(file, path, Limits::default()).unwrap();
    let header = reader.header().clone();
    let mut values = vec![0.0; header.row_samples() * header.height];
    reader.read(&mut values).unwrap();
    (header, values)
}

/// All files below a folder, by their path within it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_comes_out_in_the_same_forms() {
    let out = tempdir().unwrap();
    let assert = limpid(&denoise(&["-i", text(&pictures()), "-o", text(out.path()), "--threads", "2"]))
        .assert()
        .code(1);
    let said = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let complained = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let names = files(&pictures());
    assert_eq!(said, format!("{} pictures were denoised, 1 failed\n", names.len() - 1));
    assert!(complained.contains("two_pages.tif: has several pages, expected one"), "{complained}");
    assert!(complained.ends_with("error: 1 picture was not denoised\n"), "{complained}");

    let done = files(out.path());
    assert_eq!(done, names.iter().filter(|name| *name != "two_pages.tif").cloned().collect::<Vec<_>>());
    for name in done {
        let ((before, noisy), (after, denoised)) =
            (load(&pictures().join(&name)), load(&out.path().join(&name)));
        // An orientation has been applied; what floats mean may be rounded.
        let form =
            |header: &Header| (header.format, header.height, header.width, header.channels, header.depth);
        assert_eq!(form(&before), form(&after), "{name}");
        assert_ne!(noisy, denoised, "{name}");
        let count = before.channels.count();
        if before.channels.has_alpha() {
            let alpha =
                |values: &[f32]| values.iter().skip(count - 1).step_by(count).copied().collect::<Vec<_>>();
            assert_eq!(alpha(&noisy), alpha(&denoised), "opacity of {name}");
        }
    }
}

/// What people may have in a folder, by mischief or misfortune: nothing is lost, nothing hangs, each is named.
#[test]
#[cfg(unix)]
fn a_hostile_folder_is_survived() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let dir = tempdir().unwrap();
    let (input, out) = (dir.path().join("in"), dir.path().join("out"));
    save_gray(&input.join("good.png"), 30, 41);
    save_gray(&input.join("deep/er/good.pgm"), 3, 2);
    save_gray(&input.join("new\nline.png"), 28, 28);
    let png = fs::read(input.join("good.png")).unwrap();
    fs::write(input.join("truncated.png"), &png[..png.len() / 2]).unwrap();
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]); // 100,000 x 100,000
    let crc = crc32(&huge[12..29]).to_be_bytes();
    huge[29..33].copy_from_slice(&crc);
    fs::write(input.join("huge.png"), huge).unwrap();
    fs::write(input.join("text.png"), "This is no picture.").unwrap();
    fs::write(input.join("empty.png"), "").unwrap();
    fs::write(input.join("notes.txt"), "left alone").unwrap();
    symlink("..", input.join("deep/loop")).unwrap();
    symlink("nowhere.png", input.join("dangling.png")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(input.join("pipe.png")).status();
    let unreadable = input.join("unreadable.png");
    fs::write(&unreadable, &png).unwrap();
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).unwrap();
    // The administrator may read everything.
    let is_admin = File::open(&unreadable).is_ok();
    let before = files(&input);

    let assert = limpid(&denoise(&["-i", text(&input), "-o", text(&out), "--threads", "2"]))
        .timeout(std::time::Duration::from_secs(60))
        .assert()
        .code(1);
    let said = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let complained = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let place = format!("error: {}", text(&input));
    for problem in [
        "/truncated.png: is damaged or in a form of PNG that is not known: it ends before its last row",
        "/huge.png: claims to be 100,000 x 100,000 pixels; at most",
        "/text.png: is no picture that can be read; expected PNG, JPEG, TIFF, PNM, BMP, WebP",
        "/empty.png: is empty, expected a picture",
        "/deep/loop: is a link back to",
        "/dangling.png: cannot be read: ",
    ] {
        assert!(complained.contains(&format!("{place}{problem}")), "{problem}\nis not in\n{complained}");
    }
    let mut failed = 6;
    if pipe.is_ok_and(|status| status.success()) {
        assert!(complained.contains("/pipe.png: is no regular file"), "{complained}");
        failed += 1;
    }
    if !is_admin {
        assert!(complained.contains("cannot read") && complained.contains("unreadable.png"), "{complained}");
        failed += 1;
    }
    let done = 3 + usize::from(is_admin);
    assert_eq!(
        said,
        format!("{done} pictures were denoised, {failed} failed; files that are no pictures: 1\n"),
        "{complained}"
    );
    let mut expected = vec!["deep/er/good.pgm", "good.png", "new\nline.png"];
    expected.extend(is_admin.then_some("unreadable.png"));
    assert_eq!(files(&out), expected);
    assert_eq!(files(&input), before, "the input is untouched");

    // No line but those of the program itself: the name with a line break is one line.
    fs::write(input.join("new\nline.png"), "now damaged").unwrap();
    let complained =
        limpid(&denoise(&["-i", text(&input), "-o", text(&out), "--overwrite"])).assert().code(1);
    let complained = String::from_utf8(complained.get_output().stderr.clone()).unwrap();
    assert!(complained.contains(r"/new\nline.png: is no picture"), "{complained}");
    assert!(
        complained.lines().all(|line| line.starts_with("error: ") || line.starts_with("warning: ")),
        "{complained}"
    );
    assert_eq!(files(&out), expected, "what was there before is still there");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn nothing_done_is_another_exit_code_than_something() {
    let dir = tempdir().unwrap();
    let (input, out) = (dir.path().join("in"), dir.path().join("out"));
    fs::create_dir(&input).unwrap();
    let message = error(2, &denoise(&["-i", text(&input), "-o", text(&out)]));
    assert_eq!(message, format!("error: {}: holds no pictures (0 other files)\n", text(&input)));
    fs::write(input.join("a.png"), "text").unwrap();
    let assert = limpid(&denoise(&["-i", text(&input), "-o", text(&out)])).assert().code(2);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.ends_with("error: 1 picture was not denoised\n"), "{message}");
    let message = error(2, &denoise(&["-i", text(&input.join("a.png")), "-o", text(&out.join("a.png"))]));
    assert!(message.contains("a.png: is no picture"), "{message}");
    assert!(!out.join("a.png").exists() && !out.join("a.png.tmp").exists());
}

#[test]
fn what_exists_is_kept_replaced_or_resumed() {
    let dir = tempdir().unwrap();
    let (input, out) = (dir.path().join("in"), dir.path().join("out"));
    save_gray(&input.join("a.png"), 20, 20);
    save_gray(&input.join("b.png"), 20, 20);
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.png"), "precious").unwrap();
    let args = denoise(&["-i", text(&input), "-o", text(&out)]);
    let assert = limpid(&args).assert().code(1);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("out/a.png exists; --overwrite replaces it, --resume leaves it"), "{message}");
    assert_eq!(fs::read(out.join("a.png")).unwrap(), b"precious");
    assert_eq!(load(&out.join("b.png")).0.height, 20);

    fs::remove_file(out.join("b.png")).unwrap();
    let said = limpid(&[&args[..], &["--resume"]].concat()).assert().success();
    assert_eq!(said.get_output().stdout, b"1 picture was denoised, 1 done before\n");
    assert_eq!(fs::read(out.join("a.png")).unwrap(), b"precious");
    let said = limpid(&[&args[..], &["--resume"]].concat()).assert().success();
    assert_eq!(said.get_output().stdout, b"0 pictures were denoised, 2 done before\n");

    limpid(&[&args[..], &["--overwrite"]].concat()).assert().success();
    assert_eq!(load(&out.join("a.png")), load(&out.join("b.png")));
}

/// Into the folder itself, into a folder within it, and over another input: no picture is lost.
#[test]
fn inputs_are_not_lost() {
    let dir = tempdir().unwrap();
    let input = dir.path().join("in");
    save_gray(&input.join("a.png"), 20, 20);
    let within = input.join("out");
    for _ in 0..2 {
        limpid(&denoise(&["-i", text(&input), "-o", text(&within), "--overwrite"])).assert().success();
        assert_eq!(files(&input), ["a.png", "out/a.png"], "what was denoised is not denoised again");
    }
    let (before, denoised) = (load(&input.join("a.png")), load(&within.join("a.png")));
    assert_ne!(before, denoised);
    // In place, row by row, while it is read.
    limpid(&denoise(&["-i", text(&input.join("a.png")), "-o", text(&input.join("a.png")), "--overwrite"]))
        .assert()
        .success();
    assert_eq!(load(&input.join("a.png")), denoised);
    assert_eq!(files(&input), ["a.png", "out/a.png"]);

    // b/a.png would become a.png, which is an input too.
    let other = dir.path().join("other");
    save_gray(&other.join("b/b/a.png"), 5, 5);
    save_gray(&other.join("b/a.png"), 6, 6);
    let assert =
        limpid(&denoise(&["-i", text(&other.join("b")), "-o", text(&other), "--overwrite"])).assert().code(1);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("b/a.png is another picture of the input, which would be lost"), "{message}");

    // With another format, two pictures have one name.
    save_gray(&dir.path().join("twins/a.png"), 5, 5);
    save_gray(&dir.path().join("twins/a.bmp"), 5, 5);
    let out = dir.path().join("twins-out");
    let assert =
        limpid(&denoise(&["-i", text(&dir.path().join("twins")), "-o", text(&out), "--format", "webp"]))
            .assert()
            .code(1);
    let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(message.contains("a.png: would be written to"), "{message}");
    assert_eq!(files(&out), ["a.webp"]);
}

#[test]
fn pictures_flow_through_pipes() {
    let dir = tempdir().unwrap();
    let (input, out) = (dir.path().join("a.png"), dir.path().join("b.png"));
    save_gray(&input, 33, 20);
    assert_eq!(output(&denoise(&["-i", text(&input), "-o", text(&out), "--quiet"])), "");
    let args = denoise(&["-i", "-", "-o", "-", "--quiet"]);
    let piped = limpid(&args).write_stdin(fs::read(&input).unwrap()).assert().success();
    assert_eq!(piped.get_output().stdout, fs::read(&out).unwrap());
    assert!(piped.get_output().stderr.is_empty());
    let cut = fs::read(&input).unwrap()[..100].to_vec();
    let failed = limpid(&denoise(&["-i", "-", "-o", "-"])).write_stdin(cut).assert().code(2);
    assert!(failed.get_output().stdout.is_empty(), "whole or not at all");
    let message = String::from_utf8(failed.get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("error: standard input: is damaged"), "{message}");
}

#[test]
fn tiles_threads_and_bands_do_not_change_the_picture() {
    let dir = tempdir().unwrap();
    let input = dir.path().join("a.png");
    save_gray(&input, 150, 170);
    let denoised = |more: &[&str]| {
        let out = dir.path().join("out.png");
        let args = ["-i", text(&input), "-o", text(&out), "--overwrite", "--quiet"];
        limpid(&denoise(&[&args, more].concat())).assert().success().stdout("").stderr("");
        load(&out).1
    };
    let whole = denoised(&["--tile", "4096", "--threads", "1"]);
    for more in [&["--tile", "32"][..], &["--tile", "50", "--threads", "2"], &["--max-memory", "32MB"]] {
        let close = denoised(more).iter().zip(&whole).all(|(a, b)| (a - b).abs() <= 1.01 / 255.0);
        assert!(close, "{more:?}");
    }
    assert_eq!(denoised(&["--tile", "32", "--threads", "1"]), denoised(&["--tile", "32", "--threads", "2"]));
}

#[test]
fn colours_go_by_brightness_or_one_by_one() {
    let dir = tempdir().unwrap();
    let input = dir.path().join("a.png");
    let header = Header::new(Format::Png, (24, 24), Channels::RgbAlpha, Depth::Sixteen);
    let values: Vec<f32> =
        (0..24 * 24).flat_map(|i| [0.3, 0.4 + (i % 7) as f32 / 30.0, 0.5, i as f32 / 600.0]).collect();
    save(&input, &header, &values);
    let denoised = |color: &str| {
        let out = dir.path().join(color).with_extension("png");
        limpid(&denoise(&["-i", text(&input), "-o", text(&out), "--color", color, "--quiet"]))
            .assert()
            .success();
        load(&out).1
    };
    let (luma, each) = (denoised("luma"), denoised("each"));
    assert_ne!(luma, each);
    for ((pixel, luma), each) in values.chunks(4).zip(luma.chunks(4)).zip(each.chunks(4)) {
        assert!((pixel[3] - luma[3]).abs() < 1e-5 && (pixel[3] - each[3]).abs() < 1e-5, "opacity");
        // Where nothing is clipped, all colours change alike.
        if luma[..3].iter().all(|v| (0.001..0.999).contains(v)) {
            let change = [0, 1, 2].map(|i| luma[i] - pixel[i]);
            assert!(
                (change[0] - change[1]).abs() < 1e-4 && (change[0] - change[2]).abs() < 1e-4,
                "{change:?}"
            );
        }
    }
}

#[test]
fn figures_tell_what_denoising_is_worth() {
    let dir = tempdir().unwrap();
    let (clean, noisy) = (dir.path().join("clean"), dir.path().join("noisy"));
    let mnist = Dataset::mnist().test.images;
    let header = Header::new(Format::Png, (28, 28), Channels::Gray, Depth::Eight);
    for index in 0..3 {
        let image = mnist.image(index);
        save(&clean.join(format!("{index}.png")), &header, image.pixels());
        let image = limpid::noise::Noise::default().apply(limpid::noise::test_stream(index), &image);
        save(&noisy.join(format!("{index}.png")), &header, image.pixels());
    }
    let figures =
        |line: &str| -> Vec<f64> { line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect() };
    let shown = output(&denoise(&["-i", text(&clean), "--noise-test", "gaussian:0.5"]));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "{shown}");
    for line in &lines[..4] {
        let [before, after, ssim_before, ssim_after] = figures(line)[..] else { panic!("{line}") };
        assert!((7.0..12.0).contains(&before) && after > before + 2.0 && ssim_after > ssim_before, "{line}");
    }
    assert!(lines[3].starts_with("mean: PSNR ") && lines[4] == "3 pictures were denoised", "{shown}");

    let out = dir.path().join("out");
    let shown =
        output(&denoise(&["-i", text(&noisy), "--compare", text(&clean), "-o", text(&out), "--quiet"]));
    let [before, after, ..] = figures(shown.lines().last().unwrap())[..] else { panic!("{shown}") };
    assert!((7.0..12.0).contains(&before) && after > before + 2.0, "{shown}");
    assert_eq!(files(&out), ["0.png", "1.png", "2.png"]);
    let same =
        output(&denoise(&["-i", text(&out.join("0.png")), "--compare", text(&out.join("0.png")), "--quiet"]));
    assert!(same.contains("PSNR ∞ (equal) -> "), "{same}");
}

#[test]
fn doubtful_results_come_with_a_warning() {
    let dir = tempdir().unwrap();
    let page = dir.path().join("page.png");
    let header = Header::new(Format::Png, (100, 120), Channels::Gray, Depth::Eight);
    let dark_on_light: Vec<f32> =
        (0..12_000).map(|i| if i % 120 / 10 % 3 == 0 && i / 1200 % 2 == 0 { 0.1 } else { 0.9 }).collect();
    save(&page, &header, &dark_on_light);
    let warnings = |more: &[&str]| {
        let args = ["-i", text(&page), "-o", "-"];
        let assert = limpid(&denoise(&[&args, more].concat())).assert().success();
        let bytes = assert.get_output().stdout.clone();
        assert_eq!(decode(Cursor::new(bytes), "-".as_ref()).0.width, 120);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let said = warnings(&[]);
    for part in [
        "the model saw nothing but MNIST's digits",
        "see whether --invert does better",
        "its noise is estimated at 0.0",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(said.lines().all(|line| line.starts_with(&format!("warning: {}: ", text(&page)))), "{said}");
    assert!(!warnings(&["--invert"]).contains("--invert"));
    assert_eq!(warnings(&["--quiet"]), "");

    // A noisy digit is what the model is for.
    let digit = dir.path().join("digit.png");
    let image = limpid::noise::Noise::default()
        .apply(limpid::noise::test_stream(0), &Dataset::mnist().test.images.image(0));
    save(&digit, &Header::new(Format::Png, (28, 28), Channels::Gray, Depth::Eight), image.pixels());
    limpid(&denoise(&["-i", text(&digit), "-o", "-"])).assert().success().stderr("");
}

#[test]
fn the_model_in_the_program_serves_where_none_is_named() {
    let dir = tempdir().unwrap();
    let (digit, out) = (dir.path().join("digit.png"), dir.path().join("out.png"));
    let clean = Dataset::mnist().test.images.image(0);
    let noisy = limpid::noise::Noise::default().apply(limpid::noise::test_stream(0), &clean);
    let header = Header::new(Format::Png, (28, 28), Channels::Gray, Depth::Eight);
    save(&digit, &header, noisy.pixels());
    let run = |args: &[&str]| limpid(&[&["denoise", "-i", text(&digit)], args].concat()).assert().success();
    run(&["-o", text(&out)]);
    let (_, denoised) = load(&out);
    let mse = |pixels: &[f32]| pixels.iter().zip(clean.pixels()).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    assert!(mse(&denoised) < mse(noisy.pixels()) / 5.0);
    let named = dir.path().join("named.png");
    run(&["--model", "mnist", "-o", text(&named)]);
    assert_eq!(fs::read(out).unwrap(), fs::read(named).unwrap());
}

#[test]
fn wrong_usage_is_explained() {
    let dir = tempdir().unwrap();
    let picture = dir.path().join("a.png");
    save_gray(&picture, 10, 10);
    let input = text(&picture);
    let message = error(2, &denoise(&["-i", input]));
    assert!(message.contains("--output <OUT>"), "{message}");
    let nothing = dir.path().join("nothing.png");
    let message = error(2, &denoise(&["-i", text(&nothing), "-o", "b.png"]));
    assert!(message.contains("cannot read") && message.contains("nothing.png"), "{message}");
    let odd = dir.path().join("b.xyz");
    let message = error(2, &denoise(&["-i", input, "-o", text(&odd)]));
    assert!(
        message.contains("b.xyz: its ending names no format; expected one such as .png, or --format"),
        "{message}"
    );
    let out = dir.path().join("b.jpg");
    let message = error(2, &denoise(&["-i", input, "-o", text(&out), "--depth", "16"]));
    assert!(message.contains("cannot be written as JPEG with 16 bit, but with 8 bit"), "{message}");
    let message = error(2, &denoise(&["-i", text(dir.path()), "-o", "-"]));
    assert!(message.contains("standard output takes one picture"), "{message}");
    for (args, part) in [
        (["--color", "blue"], "expected luma or each"),
        (["--max-memory", "1MB"], "expected a size of at least 32MB"),
        (["--depth", "3"], "expected 1, 2, 4, 8, 16 or 32"),
        (["--format", "gif"], "there is no such format; known: png, jpg, tif, pnm, bmp, webp"),
        (["--quality", "0"], "expected a whole number from 1 to 100"),
        (["--noise-test", "fog:1"], "there is no kind \"fog\""),
    ] {
        let message = error(2, &denoise(&[&["-i", input, "-o", "b.png"], &args[..]].concat()));
        assert!(message.contains(part), "{part} is not in {message}");
    }
}

/// A network that is trained on pictures of one's own, and then at work on them.
#[test]
fn a_folder_of_pictures_can_be_trained_on() {
    let dir = tempdir().unwrap();
    let (data, run) = (dir.path().join("photos"), dir.path().join("run"));
    for index in 0..4 {
        save_gray(&data.join(format!("{index}.png")), 40 + index, 60);
    }
    fs::write(data.join("broken.png"), "no picture").unwrap();
    let args = ["--data", text(&data), "--patch", "20", "--patches", "200", "--augment"];
    let train = [&["train", "--epochs", "1", "--out", text(&run)], &args[..]].concat();
    let assert = limpid(&train).assert().success();
    let (said, noted) = (assert.get_output().stdout.clone(), assert.get_output().stderr.clone());
    let (said, noted) = (String::from_utf8(said).unwrap(), String::from_utf8(noted).unwrap());
    assert!(said.contains("on 200 images"), "{said}");
    let [first, second] = noted.lines().collect::<Vec<_>>()[..] else { panic!("{noted}") };
    assert!(
        first.starts_with("3 pictures to train on; to test with: ") && first.ends_with(".png"),
        "{noted}"
    );
    assert!(second.starts_with("warning: broken.png: is no picture that can be read"), "{noted}");

    let shown = limpid(&[&["eval", text(&run), "--json"], &args[..]].concat()).assert().success();
    let images: serde_json::Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    assert!(images["images"].as_u64().unwrap() > 0);
    let out = dir.path().join("out.png");
    let picture = data.join("0.png");
    limpid(&["denoise", "--model", text(&run), "-i", text(&picture), "-o", text(&out), "--quiet"])
        .assert()
        .success();
    assert_eq!(load(&out).0.width, 60);
}
