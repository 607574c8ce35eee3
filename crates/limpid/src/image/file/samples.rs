//! Channels as they lie in memory, and as values from 0 to 1.
//!
//! In memory: integers of 8 bits, or of 16 in the machine's order; less than 8 are packed into bytes, the first in the high
//! bits, rows beginning at whole bytes; or floats. What is read and written back unchanged gives the same bits.

use super::header::{Depth, Header};

/// Rows as values: `bytes` are whole rows, `values` has their channels. Opacity of floats is taken as it is.
pub(super) fn unpack(header: &Header, bytes: &[u8], values: &mut [f32]) {
    match header.depth {
        Depth::Eight => {
            for (value, &byte) in values.iter_mut().zip(bytes) {
                *value = f32::from(byte) / 255.0;
            }
        }
        Depth::Sixteen => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from(u16::from_ne_bytes(*bytes)) / 65_535.0;
            }
        }
        Depth::Float => {
            for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                *value = f32::from_ne_bytes(*bytes);
            }
            let (low, high) = header.range;
            if header.range != (0.0, 1.0) {
                for_colors(header, values, |value| (value - low) / (high - low));
            }
        }
        Depth::One | Depth::Two | Depth::Four => {
            let bits = header.depth.bits();
            let (per_byte, most) = (8 / bits, (1_u8 << bits) - 1);
            let rows = values.chunks_exact_mut(header.row_samples());
            for (values, bytes) in rows.zip(bytes.chunks_exact(header.row_bytes())) {
                for (i, value) in values.iter_mut().enumerate() {
                    let shift = 8 - bits * (i % per_byte + 1);
                    *value = f32::from(bytes[i / per_byte] >> shift & most) / f32::from(most);
                }
            }
        }
    }
}

/// The reverse: values are clamped to `[0, 1]` and rounded to the nearest integer; floats are written as they are.
pub(super) fn pack(header: &Header, values: &[f32], bytes: &mut [u8]) {
    match header.depth {
        Depth::Eight => {
            for (byte, &value) in bytes.iter_mut().zip(values) {
                *byte = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
            }
        }
        Depth::Sixteen => {
            for (bytes, &value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
                *bytes = ((value.clamp(0.0, 1.0) * 65_535.0).round() as u16).to_ne_bytes();
            }
        }
        Depth::Float => {
            let (low, high) = header.range;
            let count = header.channels.count();
            let alpha = header.channels.has_alpha().then_some(count - 1);
            for (i, (bytes, &value)) in bytes.as_chunks_mut().0.iter_mut().zip(values).enumerate() {
                let is_color = header.range != (0.0, 1.0) && Some(i % count) != alpha;
                let value = if is_color { low + value * (high - low) } else { value };
                *bytes = value.to_ne_bytes();
            }
        }
        Depth::One | Depth::Two | Depth::Four => {
            let bits = header.depth.bits();
            let (per_byte, most) = (8 / bits, f32::from((1_u8 << bits) - 1));
            bytes.fill(0);
            let rows = values.chunks_exact(header.row_samples());
            for (values, bytes) in rows.zip(bytes.chunks_exact_mut(header.row_bytes())) {
                for (i, value) in values.iter().enumerate() {
                    let shift = 8 - bits * (i % per_byte + 1);
                    bytes[i / per_byte] |= ((value.clamp(0.0, 1.0) * most).round() as u8) << shift;
                }
            }
        }
    }
}

/// Changes every channel but opacity.
fn for_colors(header: &Header, values: &mut [f32], change: impl Fn(f32) -> f32) {
    for pixel in values.chunks_exact_mut(header.channels.count()) {
        for value in &mut pixel[..header.channels.colors()] {
            *value = change(*value);
        }
    }
}

/// 16-bit values from the order of the network, high byte first, to that of the machine, or back.
pub(super) fn swap_from_big_endian(bytes: &mut [u8]) {
    for pair in bytes.as_chunks_mut().0 {
        *pair = u16::from_be_bytes(*pair).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Channels, Format};
    use super::*;

    proptest! {
        #[test]
        fn what_is_read_and_written_unchanged_keeps_its_bits(
            depth in prop::sample::select(vec![Depth::One, Depth::Two, Depth::Four, Depth::Eight, Depth::Sixteen]),
            channels in prop::sample::select(vec![Channels::Gray, Channels::GrayAlpha, Channels::Rgb, Channels::RgbAlpha]),
            width in 1_usize..20,
            random in prop::collection::vec(any::<u8>(), 400),
        ) {
            let header = Header::new(Format::Png, (2, width), channels, depth);
            let mut bytes = random[..2 * header.row_bytes()].to_vec();
            // The bits behind the last pixel of a row mean nothing and are written as 0.
            let used = header.row_samples() * depth.bits() % 8;
            if used > 0 {
                for row in bytes.chunks_exact_mut(header.row_bytes()) {
                    *row.last_mut().unwrap() &= 0xff << (8 - used);
                }
            }
            let mut values = vec![f32::NAN; 2 * header.row_samples()];
            unpack(&header, &bytes, &mut values);
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let mut again = vec![0xaa; bytes.len()];
            pack(&header, &values, &mut again);
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn floats_are_scaled_by_their_range_but_opacity_is_not() {
        let mut header = Header::new(Format::Tiff, (1, 1), Channels::GrayAlpha, Depth::Float);
        header.range = (-100.0, 300.0);
        let bytes: Vec<u8> = [100.0_f32, 0.75].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let mut values = [0.0; 2];
        unpack(&header, &bytes, &mut values);
        assert_eq!(values, [0.5, 0.75]);
        let mut again = [0; 8];
        pack(&header, &values, &mut again);
        assert_eq!(again[..], bytes);
    }
}
