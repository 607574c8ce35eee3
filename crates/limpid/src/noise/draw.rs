//! Changing every pixel by a random number of its own, with no buffer of the image's size.

use limpid_kernels::Isa;
use limpid_kernels::noise::{CHUNK, Stream, normal_from, uniform_from};

/// Numbers that are drawn at a time: few enough to stay in the fastest cache.
const PART: usize = 16 * CHUNK;

/// Each pixel becomes `change(pixel, normal)` with a number of mean 0 and deviation 1.
pub(super) fn with_normals(isa: Isa, stream: Stream, image: &mut [f32], change: impl Fn(f32, f32) -> f32) {
    with(image, |first, numbers| normal_from(isa, stream, first, numbers), change);
}

/// Each pixel becomes `change(pixel, uniform)` with a number in `[0, 1)`.
pub(super) fn with_uniforms(isa: Isa, stream: Stream, image: &mut [f32], change: impl Fn(f32, f32) -> f32) {
    with(image, |first, numbers| uniform_from(isa, stream, first, numbers), change);
}

fn with(image: &mut [f32], draw: impl Fn(usize, &mut [f32]), change: impl Fn(f32, f32) -> f32) {
    let mut numbers = [0.0; PART];
    for (part, pixels) in image.chunks_mut(PART).enumerate() {
        let numbers = &mut numbers[..pixels.len()];
        draw(part * PART, numbers);
        for (pixel, &number) in pixels.iter_mut().zip(&*numbers) {
            *pixel = change(*pixel, number);
        }
    }
}
