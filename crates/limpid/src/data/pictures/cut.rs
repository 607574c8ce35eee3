//! Cutting patches out of a picture while it is read.

use super::PatchOptions;
use super::find::{Picture, open};
use crate::image::file::{Limits, Reader, luma};
use crate::{Error, Result};

/// Where a patch lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Patch {
    /// Its number in the data set.
    pub(super) index: usize,
    /// Its place, as fractions in `[0, 1)` of all places that there are.
    pub(super) top: f32,
    pub(super) left: f32,
    /// How it is turned: mirrored at the diagonal for 1, its rows reversed for 2, its columns for 4, and their sums.
    pub(super) turn: u8,
}

/// The pixels of patches, each with its number.
pub(super) fn patches(
    picture: &Picture,
    patches: &[Patch],
    options: &PatchOptions,
) -> Result<Vec<(usize, Vec<u8>)>> {
    let side = options.patch;
    let limits = Limits { memory: options.memory };
    let mut reader = Reader::open(open(&picture.path)?, &picture.path, limits)?;
    let header = reader.header().clone();
    if header.height.min(header.width) < side {
        return Err(Error::data(&picture.path, format!("is smaller than a patch of {side} x {side}")));
    }
    let place = |fraction: f32, length: usize| {
        let places = length - side + 1;
        ((f64::from(fraction) * places as f64) as usize).min(places - 1)
    };
    let mut cut: Vec<(usize, usize, &Patch, Vec<u8>)> = patches
        .iter()
        .map(|patch| (place(patch.top, header.height), place(patch.left, header.width), patch, Vec::new()))
        .collect();
    cut.sort_by_key(|&(top, _, patch, _)| (top, patch.index));
    // Patches begin in the order of their first rows, and as all are as high, they end in it too.
    let (mut begun, mut ended) = (0, 0);
    let (mut values, mut row) = (vec![0.0; header.row_samples()], vec![0; header.width]);
    for y in 0..header.height {
        if ended == cut.len() {
            break;
        }
        reader.read(&mut values)?;
        let pixels = values.chunks_exact(header.channels.count());
        for (byte, pixel) in row.iter_mut().zip(pixels) {
            *byte = (luma(&pixel[..header.channels.colors()]).clamp(0.0, 1.0) * 255.0).round() as u8;
        }
        while begun < cut.len() && cut[begun].0 == y {
            cut[begun].3.reserve_exact(side * side);
            begun += 1;
        }
        for (top, left, _, pixels) in &mut cut[ended..begun] {
            pixels.extend_from_slice(&row[*left..][..side]);
            if y + 1 == *top + side {
                ended += 1;
            }
        }
    }
    Ok(cut.into_iter().map(|(_, _, patch, pixels)| (patch.index, turned(pixels, side, patch.turn))).collect())
}

/// A patch, turned.
fn turned(pixels: Vec<u8>, side: usize, turn: u8) -> Vec<u8> {
    if turn == 0 {
        return pixels;
    }
    let place = |i: usize| {
        let (mut row, mut column) = (i / side, i % side);
        if turn & 1 != 0 {
            (row, column) = (column, row);
        }
        if turn & 2 != 0 {
            row = side - 1 - row;
        }
        if turn & 4 != 0 {
            column = side - 1 - column;
        }
        row * side + column
    };
    (0..side * side).map(|i| pixels[place(i)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::turned;

    #[test]
    fn there_are_eight_ways_to_turn_a_square() {
        let square: Vec<u8> = (0..9).collect();
        let ways: HashSet<Vec<u8>> = (0..8).map(|turn| turned(square.clone(), 3, turn)).collect();
        assert_eq!(ways.len(), 8);
        assert!(ways.iter().all(|way| way[4] == 4 && [0, 2, 6, 8].contains(&way[0])));
    }
}
