//! The experiments in their smallest form, from the outside: what is printed, and the files that are written.

mod common;

use std::fs;
use std::path::Path;

use common::{digits, error, output, quick_run, text};
use limpid::code::{Codes, Format};
use limpid::data::{Dataset, Samples};
use limpid::denoise::Autoencoder;
use limpid::image::file::{Channels, Depth, Format as Picture, Header};
use tempfile::tempdir;

/// Runs an experiment that writes its files, and returns what it prints.
fn experiment(directory: &Path, args: &[&str]) -> String {
    output(&[args, &["--out", text(directory)]].concat())
}

/// Every file that is called so, checked for what it should be.
fn assert_files(directory: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut expected: Vec<&str> = names.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for name in names {
        let bytes = fs::read(directory.join(name)).unwrap();
        match name.rsplit_once('.').unwrap().1 {
            "png" => assert!(bytes.starts_with(b"\x89PNG"), "{name}"),
            "html" => assert!(bytes.starts_with(b"<!DOCTYPE html>"), "{name}"),
            _ => assert!(bytes.iter().filter(|&&byte| byte == b'\n').count() >= 2, "{name}"),
        }
    }
}

/// The numbers of a CSV file's last column.
fn last_column(path: &Path) -> Vec<f64> {
    let csv = fs::read_to_string(path).unwrap();
    csv.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1.parse().unwrap()).collect()
}

#[test]
fn classification_by_the_code() {
    let dir = tempdir().unwrap();
    let shown =
        experiment(dir.path(), &["classify", "--images", "90", "--test-images", "40", "--seeds", "2"]);
    for expected in
        ["No --model was given", "code of a random encoder", "noisy, then denoised", "from scratch"]
    {
        assert!(shown.contains(expected), "{shown}");
    }
    assert_files(
        dir.path(),
        &[
            "classify.html",
            "classify_before_and_after.csv",
            "classify_confusion_fine_tuned.png",
            "classify_confusion_noisy.png",
            "classify_fine_tuning.csv",
            "classify_neighbours.csv",
            "classify_probes.csv",
        ],
    );
    // Ten classes: what knows nothing finds a tenth.
    let clean = last_column(&dir.path().join("classify_probes.csv"));
    // The last are pixels behind a denoiser that was trained for a moment only.
    assert!(
        clean.len() == 4 && clean[..3].iter().all(|accuracy| (30.0..=100.0).contains(accuracy)),
        "{clean:?}"
    );
}

#[test]
fn a_picture_is_classified() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("two.png");
    let two = Dataset::mnist().test.images.image(1);
    let header = Header::new(Picture::Png, (28, 28), Channels::Gray, Depth::Eight);
    let mut png = std::io::Cursor::new(Vec::new());
    limpid::image::file::write(&mut png, &header, two.pixels(), &path).unwrap();
    fs::write(&path, png.get_ref()).unwrap();
    let shown = output(&["classify", "--images", "1000", "--predict", text(&path)]);
    assert!(shown.contains("two.png: 2\n") && shown.contains(" %\n"), "{shown}");
    let message = error(2, &["classify", "--images", "90", "--predict", "no-such.png"]);
    assert!(message.contains("cannot read no-such.png"), "{message}");
}

#[test]
fn without_labels_nothing_is_classified() {
    let data = digits();
    let message = error(2, &["classify", "--data", text(data.path())]);
    assert!(message.contains("has no labels") && message.contains("train-labels-idx1-ubyte"), "{message}");
}

#[test]
fn noise_against_noise() {
    let dir = tempdir().unwrap();
    let args = ["compare", "noise", "--images", "128", "--test-images", "20", "--epochs", "1"];
    let shown = experiment(dir.path(), &[&args[..], &["--training", "0.5", "--testing", "0,0.5"]].concat());
    assert!(shown.contains("trained for 0.5") && shown.contains("at 0 the one trained for 0.5"), "{shown}");
    assert_files(
        dir.path(),
        &[
            "noise.html",
            "noise_digits.png",
            "noise_loss.csv",
            "noise_loss_map.png",
            "noise_psnr.csv",
            "noise_psnr_map.png",
        ],
    );
}

#[test]
fn activations_beside_each_other() {
    let dir = tempdir().unwrap();
    let args =
        ["compare", "activation", "--images", "128", "--test-images", "20", "--epochs", "1", "--seeds", "2"];
    let shown = experiment(dir.path(), &args);
    assert!(shown.contains("lrelu:0.1") && shown.contains("Dead units") && shown.contains(" ± "), "{shown}");
    assert!(dir.path().join("activation_gradients_last.csv").exists());
}

#[test]
fn components_beside_dense_networks() {
    let dir = tempdir().unwrap();
    let args =
        ["compare", "pca", "--images", "200", "--test-images", "20", "--epochs", "1", "--sizes", "2,5"];
    let shown = experiment(dir.path(), &args);
    assert!(shown.contains("vanilla autoencoder"), "{shown}");
    assert_files(dir.path(), &["pca.html", "pca_digits.png", "pca_errors.csv", "pca_errors.png"]);
    let message = error(2, &["compare", "pca", "--images", "10", "--sizes", "1000"]);
    assert!(message.contains("code of 1000 values: expected 1 to 784"), "{message}");
}

#[test]
fn the_latent_space_is_looked_at() {
    let dir = tempdir().unwrap();
    let run = dir.path().join("run");
    let out = dir.path().join("out");
    let net = dir.path().join("small.toml");
    // Of a small code the principal components are found in no time.
    let seed = limpid::net::NetSpec::seed().to_toml();
    fs::write(&net, seed.replace("filters = 32", "filters = 2")).unwrap();
    let args = ["train", "--net", text(&net), "--epochs", "1", "--limit", "200", "--quiet"];
    output(&[&args[..], &["--out", text(&run)]].concat());
    let shown = experiment(&out, &["latent", "--model", text(&run), "--test-images", "60"]);
    assert!(shown.contains("Code: 7x7x2, 98 numbers"), "{shown}");
    let names =
        ["latent.html", "latent_variance.csv", "latent_code.png", "latent_filters.png", "latent_layers.png"];
    assert_files(&out, &[&names[..], &["latent_map.png", "latent_way.png"]].concat());
    let shares = last_column(&out.join("latent_variance.csv"));
    assert!(
        shares.is_sorted() && shares.iter().all(|share| (0.0..=100.0 + 1e-9).contains(share)),
        "{shares:?}"
    );
    let message = error(2, &["latent", "--model", text(&run), "--image", "10000"]);
    assert!(message.contains("test image 10000: MNIST has 10000, counted from 0"), "{message}");
}

#[test]
fn codes_go_out_and_come_back() {
    let dir = tempdir().unwrap();
    let run = dir.path().join("run");
    quick_run(&run);
    let model = Autoencoder::load(&run.join("model.safetensors")).unwrap();
    let images = Dataset::mnist().test.images;
    for (name, format) in [("codes.npy", Format::Npy), ("codes.safetensors", Format::Safetensors)] {
        let (file, pictures) = (dir.path().join(name), dir.path().join(format!("{name}.pictures")));
        let shown = output(&["encode", "--model", text(&run), "--test", "3", "-o", text(&file)]);
        assert!(shown.ends_with("codes of 7x7x32, 1,568 numbers for 784 pixels\n"), "{shown}");
        let codes = Codes::from_bytes(&fs::read(&file).unwrap(), format, &file).unwrap();
        assert_eq!((codes.len(), codes.shape().to_string()), (3, "7x7x32".to_owned()));

        output(&["decode", "--model", text(&run), "-i", text(&file), "-o", text(&pictures)]);
        for index in 0..3 {
            let path = pictures.join(format!("{index:04}.png"));
            let file = std::io::BufReader::new(fs::File::open(&path).unwrap());
            let reader = limpid::image::file::Reader::open(file, &path, Default::default()).unwrap();
            let expected = model.denoise(&images.image(index)).unwrap();
            assert_eq!(reader.into_gray().unwrap().to_u8(), expected.to_u8(), "{name} {index}");
        }
    }
    let wrong = dir.path().join("codes.txt");
    let message = error(2, &["encode", "--model", text(&run), "--test", "1", "-o", text(&wrong)]);
    assert!(message.contains("ends in .npy or .safetensors"), "{message}");
}

#[test]
fn dense_networks_are_trained_and_shown() {
    assert!(output(&["info", "--net", "vanilla:5"]).contains("code (dense)"));
    let dir = tempdir().unwrap();
    let run = dir.path().join("run");
    let args =
        ["train", "--net", "deep:3", "--noise", "gaussian:0", "--epochs", "1", "--limit", "200", "--quiet"];
    output(&[&args[..], &["--out", text(&run)]].concat());
    assert!(output(&["info", text(&run)]).contains("deep:3"));
    let message = error(2, &["info", "--net", "vanilla:5", "--size", "32x32"]);
    assert!(message.contains("a dense layer has weights for images of 28x28x1 only"), "{message}");
    assert!(error(2, &["info", "--net", "vanilla:none"]).contains("from 1 to 4096, for example vanilla:30"));
}
