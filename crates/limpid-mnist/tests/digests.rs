//! The decompressed files are the published ones, to the last bit.

use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn train_images_are_the_published_file() {
    let bytes = limpid_mnist::train_images();
    assert_eq!(bytes.len(), 47_040_016);
    assert_eq!(sha256(&bytes), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
}

#[test]
fn train_labels_are_the_published_file() {
    let bytes = limpid_mnist::train_labels();
    assert_eq!(bytes.len(), 60_008);
    assert_eq!(sha256(&bytes), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5");
}

#[test]
fn test_images_are_the_published_file() {
    let bytes = limpid_mnist::test_images();
    assert_eq!(bytes.len(), 7_840_016);
    assert_eq!(sha256(&bytes), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7");
}

#[test]
fn test_labels_are_the_published_file() {
    let bytes = limpid_mnist::test_labels();
    assert_eq!(bytes.len(), 10_008);
    assert_eq!(sha256(&bytes), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");
}
