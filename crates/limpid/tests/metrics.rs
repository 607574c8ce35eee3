//! MSE, PSNR and SSIM are what scikit-image computes (tools/golden/metrics.py).

use limpid::image::Image;
use limpid::metrics::{mse, psnr, ssim};
use safetensors::SafeTensors;

#[test]
fn the_measures_agree_with_scikit_image() {
    let golden = SafeTensors::deserialize(include_bytes!("golden/metrics.safetensors")).unwrap();
    let image = |name: String| {
        let tensor = golden.tensor(&name).unwrap();
        let pixels =
            tensor.data().chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap())).collect();
        Image::new(tensor.shape()[0], tensor.shape()[1], pixels).unwrap()
    };
    let number = |name: String| f64::from_le_bytes(golden.tensor(&name).unwrap().data().try_into().unwrap());

    let names = golden.names();
    let cases: Vec<_> = names.iter().filter_map(|name| name.strip_suffix(".ssim")).collect();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (x, y) = (image(format!("{case}.x")), image(format!("{case}.y")));
        let agree = |what: &str, found: f64| {
            let expected = number(format!("{case}.{what}"));
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs(),
                "{case} {what}: {found}, expected {expected}"
            );
        };
        agree("mse", mse(&x, &y));
        agree("psnr", psnr(mse(&x, &y)));
        agree("ssim", ssim(&x, &y));
    }
}
