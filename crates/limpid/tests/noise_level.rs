//! The estimate of an image's noise is scikit-image's (tools/golden/noise_level.py).

mod golden;

use golden::Golden;
use limpid::image::Image;
use limpid::noise::estimate_deviation;

#[test]
fn estimates_are_those_of_scikit_image() {
    let golden = Golden::open("noise_level");
    for name in ["noisy_61x48", "clipped_61x48", "text_40x40", "odd_7x9", "small_3x2"] {
        let [height, width] = golden.shape(&format!("{name}.image"));
        let image = Image::new(height, width, golden.f32(&format!("{name}.image"))).unwrap();
        let (got, want) = (estimate_deviation(&image), golden.f64(&format!("{name}.sigma"))[0]);
        assert!((got - want).abs() < 1e-12, "{name}: {got}, scikit-image {want}");
    }
}
