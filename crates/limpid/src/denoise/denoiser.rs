//! A network over pictures of any size.
//!
//! A picture is cut into tiles. Each goes through the network with so much of its surroundings that its own pixels come out as
//! if the whole picture had gone through at once; where the picture ends, it is continued by reflection to the size that the
//! network takes. So memory is bounded whatever the size, and threads share the tiles of one picture.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::Autoencoder;
use crate::image::Image;
use crate::net::plan::{Plan, Workspace};
use crate::net::{LayerKind, MAX_SIDE, NetSpec, Shape};
use crate::threads::Threads;
use crate::{Error, Result};

/// The largest side of a tile that is chosen without being asked for: beyond it, nothing is gained.
const LARGEST_TILE: usize = 512;
/// The smallest.
const SMALLEST_TILE: usize = 32;
/// Pictures that one thread takes at a time.
const GROUP: usize = 16;
/// Plans for so many sizes are kept: those of inner tiles and those at the borders of a picture.
const KEPT_SIZES: usize = 8;

/// A model, ready for pictures of any size.
///
/// ```
/// use limpid::{denoise::{Autoencoder, Denoiser}, image::Image, net::NetSpec, threads::Threads};
///
/// let model = Autoencoder::untrained(NetSpec::seed(), 1)?;
/// let denoiser = Denoiser::new(model, 0)?;
/// let picture = Image::new(61, 83, vec![0.5; 61 * 83])?;
/// assert_eq!(denoiser.denoise(&picture, &Threads::new(2)?)?.width(), 83);
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug)]
pub struct Denoiser {
    model: Autoencoder,
    tile: usize,
    multiple: usize,
    context: usize,
    plans: Mutex<HashMap<(usize, usize), Prepared>>,
}

/// A plan for one size, and workspaces that are not in use.
#[derive(Debug, Clone)]
struct Prepared {
    plan: Arc<Plan>,
    idle: Arc<Mutex<Vec<Workspace>>>,
}

impl Denoiser {
    /// With tiles of `tile` pixels a side, rounded up to what the network takes; 0 for a size that suits any picture.
    ///
    /// # Errors
    /// If the network's output has another size than its input, or the tile is too large.
    pub fn new(model: Autoencoder, tile: usize) -> Result<Self> {
        let multiple = multiple(&model.net)?;
        let context = context(&model.net, multiple);
        let tile = if tile > 0 { tile } else { LARGEST_TILE };
        let fits = |tile: &usize| tile.checked_add(2 * context).is_some_and(|side| side <= MAX_SIDE);
        let tile = tile.checked_next_multiple_of(multiple).filter(fits).ok_or_else(|| {
            Error::invalid(format!("tiles of {tile} pixels"), "they are too large; 0 chooses a good size")
        })?;
        Ok(Self { model, tile, multiple, context, plans: Mutex::default() })
    }

    /// The largest useful tile whose buffers on so many threads stay within `memory` bytes; none if not even the smallest does.
    ///
    /// # Errors
    /// As [`Denoiser::new`].
    pub fn tile_within(net: &NetSpec, threads: usize, memory: u64) -> Result<Option<usize>> {
        let multiple = multiple(net)?;
        let context = context(net, multiple);
        let fits = |tile: &usize| {
            let bytes = workspace_bytes(net, (tile + 2 * context).next_multiple_of(multiple));
            bytes.is_ok_and(|bytes| bytes.saturating_mul(threads as u64) <= memory)
        };
        let smaller = |tile: &usize| (*tile > SMALLEST_TILE).then_some(tile / 2);
        Ok(std::iter::successors(Some(LARGEST_TILE), smaller).find(fits))
    }

    /// The model.
    pub fn model(&self) -> &Autoencoder {
        &self.model
    }

    /// Rows above and below, and columns beside, that a pixel may depend on; a multiple of [`Denoiser::multiple`].
    pub fn context(&self) -> usize {
        self.context
    }

    /// Parts of a picture begin at multiples of this.
    pub fn multiple(&self) -> usize {
        self.multiple
    }

    /// A picture without its noise, the same bits on any number of threads.
    ///
    /// # Errors
    /// If a pixel comes out as no number: the model or the picture has values that are not finite.
    pub fn denoise(&self, picture: &Image, threads: &Threads) -> Result<Image> {
        let pixels = self.denoise_rows(picture, 0..picture.height(), threads)?;
        Image::new(picture.height(), picture.width(), pixels)
    }

    /// Many pictures without their noise, each on one thread.
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    pub fn denoise_all(&self, pictures: &[Image], threads: &Threads) -> Result<Vec<Image>> {
        let single = Threads::new(1)?;
        let mut denoised: Vec<Option<Result<Vec<Image>>>> = Vec::new();
        denoised.resize_with(pictures.len().div_ceil(GROUP), || None);
        threads.for_each(&mut denoised, |_, index, denoised| {
            let group = &pictures[index * GROUP..pictures.len().min((index + 1) * GROUP)];
            *denoised = Some(group.iter().map(|picture| self.denoise(picture, &single)).collect());
        });
        let groups: Vec<Vec<Image>> = denoised.into_iter().flatten().collect::<Result<_>>()?;
        Ok(groups.into_iter().flatten().collect())
    }

    /// The rows `core` of a part of a picture, denoised. The part has at least [`Denoiser::context`] rows above and below them, or
    /// else the picture ends there; it and `core` begin at multiples of [`Denoiser::multiple`].
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    ///
    /// # Panics
    /// If `core` is not within the part.
    pub fn denoise_rows(&self, part: &Image, core: Range<usize>, threads: &Threads) -> Result<Vec<f32>> {
        assert!(core.start <= core.end && core.end <= part.height(), "rows {core:?} of {}", part.height());
        let mut tiles = Vec::new();
        let (down, right) = (self.step(core.len()), self.step(part.width()));
        for top in core.clone().step_by(down) {
            for left in (0..part.width()).step_by(right) {
                let rows = top..core.end.min(top + down);
                let columns = left..part.width().min(left + right);
                tiles.push(Tile { rows, columns, result: Ok(Vec::new()) });
            }
        }
        threads.for_each(&mut tiles, |_, _, tile| tile.result = self.tile(part, &tile.rows, &tile.columns));
        let mut denoised = vec![0.0; core.len() * part.width()];
        for Tile { rows, columns, result } in tiles {
            for (row, pixels) in rows.zip(result?.chunks_exact(columns.len())) {
                let start = (row - core.start) * part.width() + columns.start;
                denoised[start..][..pixels.len()].copy_from_slice(pixels);
            }
        }
        Ok(denoised)
    }

    /// The side of tiles along `length` pixels: as even as can be, since a narrow last one would be mostly surroundings.
    fn step(&self, length: usize) -> usize {
        length.div_ceil(length.div_ceil(self.tile).max(1)).next_multiple_of(self.multiple).max(self.multiple)
    }

    /// One tile of a part of a picture.
    fn tile(&self, part: &Image, rows: &Range<usize>, columns: &Range<usize>) -> Result<Vec<f32>> {
        let (top, height) = self.surroundings(rows, part.height());
        let (left, width) = self.surroundings(columns, part.width());
        let Prepared { plan, idle } = self.prepared((height, width))?;
        let mut pixels = Vec::with_capacity(height * width);
        for row in top..top + height {
            let row = &part.pixels()[reflect(row, part.height()) * part.width()..][..part.width()];
            let right = part.width().min(left + width);
            pixels.extend_from_slice(&row[left..right]);
            pixels.extend((right..left + width).map(|column| row[reflect(column, part.width())]));
        }
        let lock = || idle.lock().expect("no thread panics while it holds the lock");
        let mut workspace = { lock().pop() }.unwrap_or_else(|| plan.workspace());
        workspace.set_input(&pixels);
        plan.forward(&mut workspace);
        plan.reconstruction(&workspace, &mut pixels);
        lock().push(workspace);
        let mut denoised = Vec::with_capacity(rows.len() * columns.len());
        for row in rows.clone() {
            let start = (row - top) * width + columns.start - left;
            denoised.extend_from_slice(&pixels[start..][..columns.len()]);
        }
        check_finite(&denoised)?;
        Ok(denoised)
    }

    /// Where the surroundings of a range begin, and how long they are; they may pass the end, where reflection continues.
    fn surroundings(&self, range: &Range<usize>, length: usize) -> (usize, usize) {
        let start = range.start.saturating_sub(self.context);
        let end = length.min(range.end + self.context);
        (start, (end - start).next_multiple_of(self.multiple))
    }

    fn prepared(&self, size: (usize, usize)) -> Result<Prepared> {
        let mut plans = self.plans.lock().expect("no thread panics while it holds the lock");
        if let Some(prepared) = plans.get(&size) {
            return Ok(prepared.clone());
        }
        if plans.len() == KEPT_SIZES {
            plans.clear();
        }
        let prepared = Prepared { plan: Arc::new(self.model.plan(size)?), idle: Arc::default() };
        plans.insert(size, prepared.clone());
        Ok(prepared)
    }
}

/// Refuses a reconstruction with a pixel that is no number.
pub(super) fn check_finite(pixels: &[f32]) -> Result<()> {
    match pixels.iter().find(|pixel| !pixel.is_finite()) {
        None => Ok(()),
        Some(bad) => Err(Error::invalid(
            "reconstruction",
            format!("a pixel is {bad}: the image or the model has values that are not finite"),
        )),
    }
}

/// What the sides of a picture must be multiples of.
fn multiple(net: &NetSpec) -> Result<usize> {
    net.multiple().ok_or_else(|| {
        Error::invalid("model", "its output has another size than its input, or a dense layer takes images of one size only, so it cannot \
             denoise pictures")
    })
}

struct Tile {
    rows: Range<usize>,
    columns: Range<usize>,
    result: Result<Vec<f32>>,
}

/// Place `i` of a line that is `n` long and reflected at its last pixel, which is not repeated.
fn reflect(i: usize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let place = i % (2 * n - 2);
    place.min(2 * n - 2 - place)
}

/// How far a pixel of the output looks, at the farthest, rounded up to a multiple of `multiple`.
fn context(net: &NetSpec, multiple: usize) -> usize {
    let mut farthest = 0;
    for pixel in 0..multiple as i64 {
        // From the last layer to the first: which pixels of its input does that range of its output depend on?
        let (mut first, mut last) = (pixel, pixel);
        for layer in net.layers.iter().rev() {
            match layer.kind {
                LayerKind::Conv { kernel, stride, .. } => {
                    let (kernel, stride) = (kernel as i64, stride as i64);
                    let before = (kernel - stride).max(0) / 2;
                    (first, last) = (first * stride - before, last * stride - before + kernel - 1);
                }
                LayerKind::MaxPool { size } => {
                    (first, last) = (first * size as i64, last * size as i64 + size as i64 - 1);
                }
                LayerKind::ConvTranspose { kernel, stride, .. } => {
                    let (kernel, stride) = (kernel as i64, stride as i64);
                    let cut = (kernel - stride).max(0) / 2;
                    (first, last) =
                        (-(-(first + cut - kernel + 1)).div_euclid(stride), (last + cut).div_euclid(stride));
                }
                LayerKind::Dense { .. } => unreachable!("a network with a dense layer has no multiple"),
            }
        }
        farthest = farthest.max(pixel - first).max(last - pixel);
    }
    (farthest.max(0) as usize).next_multiple_of(multiple)
}

/// About the memory of one tile with its surroundings: every layer's output.
fn workspace_bytes(net: &NetSpec, side: usize) -> Result<u64> {
    let shapes = net.shapes(Shape::new(side, side, net.input.channels))?;
    Ok(shapes.iter().map(|shape| shape.len() as u64 * 4).sum::<u64>() + (side * side * 12) as u64)
}

#[cfg(test)]
mod tests {
    use crate::noise::{Noise, test_stream};

    use super::*;

    fn denoiser(net: NetSpec, tile: usize) -> Denoiser {
        Denoiser::new(Autoencoder::untrained(net, 3).unwrap(), tile).unwrap()
    }

    fn picture(height: usize, width: usize) -> Image {
        let pixels = (0..height * width).map(|i| ((i % width) as f32 / 9.0).sin().abs()).collect();
        Noise::default().apply(test_stream(1), &Image::new(height, width, pixels).unwrap())
    }

    const OTHER: &str = r#"
        name = "other"
        input = [16, 16, 1]
        [[layer]]
        name = "down"
        type = "conv"
        filters = 5
        kernel = 5
        stride = 2
        activation = "relu"
        [[layer]]
        name = "up"
        type = "conv_transpose"
        filters = 3
        kernel = 4
        stride = 2
        activation = "relu"
        [[layer]]
        name = "logits"
        type = "conv"
        filters = 1
        kernel = 3
        stride = 1
        activation = "linear"
    "#;

    /// Each pixel's surroundings are enough: cut into tiles, a picture comes out as in one piece.
    #[test]
    fn tiles_are_the_whole() {
        let threads = Threads::new(2).unwrap();
        for net in [NetSpec::seed(), NetSpec::from_toml(OTHER).unwrap()] {
            for (height, width) in [(1, 1), (1, 50), (28, 28), (61, 83), (120, 7)] {
                let picture = picture(height, width);
                let whole = denoiser(net.clone(), 4096).denoise(&picture, &threads).unwrap();
                assert_eq!((whole.height(), whole.width()), (height, width));
                for tile in [4, 12, 32] {
                    let tiled = denoiser(net.clone(), tile).denoise(&picture, &threads).unwrap();
                    for (i, (a, b)) in tiled.pixels().iter().zip(whole.pixels()).enumerate() {
                        assert!(
                            (a - b).abs() < 1e-5,
                            "{} {height}x{width}, tile {tile}, pixel {i}: {a} {b}",
                            net.name
                        );
                    }
                }
            }
        }
    }

    /// The reach is not larger than need be, or large pictures would be slow: with one step less, something changes.
    #[test]
    fn the_context_is_what_the_network_sees() {
        let denoiser = denoiser(NetSpec::seed(), 32);
        assert_eq!((denoiser.multiple(), denoiser.context()), (4, 16));
    }

    #[test]
    fn lines_are_reflected_at_their_ends() {
        let places = |n| (0..9).map(|i| reflect(i, n)).collect::<Vec<_>>();
        assert_eq!(places(1), [0; 9]);
        assert_eq!(places(2), [0, 1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(places(4), [0, 1, 2, 3, 2, 1, 0, 1, 2]);
    }
}
