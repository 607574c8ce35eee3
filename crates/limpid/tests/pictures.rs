//! Picture files: those that other programs wrote (tools/pictures/pictures.py) are read, ours are written back the same, and
//! damaged ones are errors.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use limpid::image::file::{Channels, Density, Depth, Format, Header, Limits, Reader, rewrite, write};
use proptest::prelude::*;

/// What all the pictures but the lossy ones show.
const SIZE: (usize, usize) = (5, 7);

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
}

fn file(name: &str) -> Vec<u8> {
    fs::read(directory().join(name)).unwrap()
}

fn open(bytes: &[u8]) -> limpid::Result<Reader<Cursor<Vec<u8>>>> {
    Reader::open(Cursor::new(bytes.to_vec()), "FILE".as_ref(), Limits::default())
}

fn decode(bytes: &[u8]) -> limpid::Result<(Header, Vec<f32>)> {
    let mut reader = open(bytes)?;
    let header = reader.header().clone();
    let mut values = vec![f32::NAN; header.row_samples() * header.height];
    // Not all at once, and not row by row either.
    let (first, rest) = values.split_at_mut(header.row_samples() * (header.height / 3));
    reader.read(first)?;
    reader.read(rest)?;
    Ok((header, values))
}

/// The integer of `bits` bits in a channel of a pixel, as in the script.
fn integer(row: usize, column: usize, channel: usize, bits: u32) -> u32 {
    ((row * 9001 + column * 1511 + row * column * 307 + channel * 20_011) % 65_536) as u32 >> (16 - bits)
}

fn expected(channels: usize, bits: u32) -> Vec<f32> {
    let most = ((1_u32 << bits) - 1) as f32;
    let mut values = Vec::new();
    for row in 0..SIZE.0 {
        for column in 0..SIZE.1 {
            values.extend((0..channels).map(|channel| integer(row, column, channel, bits) as f32 / most));
        }
    }
    values
}

/// Channels and bits that a name speaks of.
fn promised(name: &str) -> (Channels, u32) {
    let channels = match name {
        _ if name.starts_with("gray_alpha") => Channels::GrayAlpha,
        _ if name.starts_with("rgb_alpha") => Channels::RgbAlpha,
        _ if name.starts_with("rgb") => Channels::Rgb,
        _ => Channels::Gray,
    };
    let bits = name.split(['_', '.']).find_map(|part| part.parse().ok()).unwrap_or(32);
    (channels, bits)
}

#[test]
fn pictures_of_other_programs_are_read_bit_by_bit() {
    let mut count = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if ["smooth", "colors", "two_pages", "gray_float_wide", "gray_8_with_transparent"]
            .iter()
            .any(|other| name.starts_with(other))
        {
            continue;
        }
        let (header, values) = decode(&file(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (channels, bits) = promised(&name);
        assert_eq!((header.height, header.width), SIZE, "{name}");
        assert_eq!(header.channels, channels, "{name}");
        assert_eq!(Some(header.format), Format::of_name(name.as_ref()));
        let (depth, precision) = match (bits, name.as_str()) {
            // A gray of 4 bits in a palette of 8 bits, or as text, is one of 8.
            (4, "gray_4_in_palette.png" | "gray_4_in_text.pgm") => (8, 4),
            (32, _) => (32, 16),
            _ => (bits, bits),
        };
        assert_eq!(header.depth.bits() as u32, depth, "{name}");
        assert_eq!(values, expected(channels.count(), precision), "{name}");
        count += 1;
    }
    assert!(count > 45, "only {count} pictures");
}

#[test]
fn palettes_and_transparent_greys_become_channels() {
    let (header, values) = decode(&file("colors_in_palette.png")).unwrap();
    assert_eq!((header.channels, header.depth), (Channels::Rgb, Depth::Eight));
    for (pixel, index) in values.chunks(3).zip(expected(1, 4)) {
        let index = (index * 15.0).round() as u8;
        assert_eq!(pixel, [index * 17, 255 - index * 17, index].map(|v| f32::from(v) / 255.0));
    }
    let (header, values) = decode(&file("gray_8_with_transparent.png")).unwrap();
    assert_eq!((header.channels, header.depth), (Channels::GrayAlpha, Depth::Eight));
    let gray: Vec<f32> = values.iter().step_by(2).copied().collect();
    assert_eq!(gray, expected(1, 8));
    let transparent = integer(2, 3, 0, 8) as f32 / 255.0;
    assert!(values.chunks(2).all(|pixel| pixel[1] == f32::from(u8::from(pixel[0] != transparent))));
}

#[test]
fn floats_of_any_range_are_scaled_and_written_back() {
    let (header, values) = decode(&file("gray_float_wide.tif")).unwrap();
    let wide: Vec<f32> = expected(1, 16).iter().map(|v| v * 400.0 - 100.0).collect();
    let low = wide.iter().copied().fold(f32::INFINITY, f32::min);
    let high = wide.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert_eq!(header.range, (low, high));
    for (value, wide) in values.iter().zip(&wide) {
        assert!((value - (wide - low) / (high - low)).abs() < 1e-6);
    }
    let (again, back) = decode(&copied(&file("gray_float_wide.tif"), |header| header)).unwrap();
    assert_eq!(again.range, header.range);
    assert!(values.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn orientations_are_applied() {
    // Of the TIFF the pixels are compared above; here the density, which turns with it.
    let (header, _) = decode(&file("gray_8_orientation_6.tif")).unwrap();
    let Some(Density { x, y }) = header.density else { panic!("the density is lost") };
    assert!((x - 150.0 / 0.0254).abs() < 1.0 && (y - 300.0 / 0.0254).abs() < 1.0, "{x} {y}");
    for name in ["smooth_gray.jpg", "smooth_gray_orientation_8.jpg"] {
        let (header, values) = decode(&file(name)).unwrap();
        assert_eq!((header.height, header.width, header.channels), (16, 24, Channels::Gray), "{name}");
        for (i, value) in values.iter().enumerate() {
            let want = (i / 24 * 9 + i % 24 * 4 + 10) as f32 / 255.0;
            assert!((value - want).abs() < 0.012, "{name}, pixel {i}: {value}, not {want}");
        }
    }
    let (header, values) = decode(&file("smooth_rgb.jpg")).unwrap();
    assert_eq!(header.channels, Channels::Rgb);
    let smooth = |i: usize| i / 24 * 9 + i % 24 * 4 + 10;
    for (i, pixel) in values.chunks(3).enumerate() {
        let want = [smooth(i), 255 - smooth(i), smooth(i) / 2].map(|v| v as f32 / 255.0);
        assert!(
            pixel.iter().zip(want).all(|(a, b)| (a - b).abs() < 0.03),
            "pixel {i}: {pixel:?}, not {want:?}"
        );
    }
}

/// A file read and written again, row by row.
fn copied(bytes: &[u8], header: impl FnOnce(Header) -> Header) -> Vec<u8> {
    let reader = open(bytes).unwrap();
    let header = header(reader.header().clone());
    let mut output = Cursor::new(Vec::new());
    rewrite(reader, &header, &mut output, "OUT".as_ref(), |rows| {
        let mut row = vec![0.0; header.row_samples()];
        for _ in 0..header.height {
            rows.read(&mut row)?;
            rows.write(&row)?;
        }
        Ok(())
    })
    .unwrap();
    output.into_inner()
}

#[test]
fn what_is_read_is_written_in_the_same_form() {
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("two_pages") || name.starts_with("gray_float_wide") {
            continue;
        }
        let (header, values) = decode(&file(&name)).unwrap();
        let fitted = header.fit(header.format).unwrap();
        let again = copied(&file(&name), |_| fitted.clone());
        let (back, copy) = decode(&again).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (back.height, back.width, back.channels, back.format),
            (header.height, header.width, header.channels, header.format),
            "{name}"
        );
        assert_eq!(back.depth, header.depth, "{name}");
        if let (Some(a), Some(b)) = (back.density, header.density) {
            assert!((a.x / b.x - 1.0).abs() < 1e-4 && (a.y / b.y - 1.0).abs() < 1e-4, "{name}: {a:?} {b:?}");
        } else {
            assert_eq!(back.density.is_some(), header.density.is_some(), "{name}");
        }
        if header.format == Format::Jpeg {
            assert!(values.iter().zip(copy).all(|(a, b)| (a - b).abs() < 0.03), "{name}");
        } else {
            assert_eq!(copy, values, "{name}");
        }
    }
}

#[test]
fn every_format_takes_every_picture_or_says_why_not() {
    for name in
        ["gray_1.png", "gray_16.png", "gray_alpha_8.png", "rgb_16.tif", "rgb_alpha_8.png", "gray_float.tif"]
    {
        let (header, values) = decode(&file(name)).unwrap();
        for format in Format::ALL {
            let fitted = match header.fit(format) {
                Ok(fitted) => fitted,
                Err(error) => {
                    assert!(format == Format::Jpeg && header.channels.has_alpha(), "{name}: {error}");
                    continue;
                }
            };
            let (back, copy) = decode(&copied(&file(name), |_| fitted.clone())).unwrap();
            assert_eq!(back.format, format, "{name}");
            // BMP has no gray with alpha, WebP no gray at all; the picture is the same.
            if back.channels == header.channels {
                let step = 1.0 / ((1_u64 << fitted.depth.bits().min(24)) - 1) as f32;
                let allowed = if format == Format::Jpeg { 0.25 } else { 0.5001 * step };
                for (a, b) in values.iter().zip(&copy) {
                    assert!((a - b).abs() <= allowed, "{name} as {format}: {a} {b}");
                }
            } else {
                assert!(
                    matches!(format, Format::Bmp | Format::WebP),
                    "{name} as {format}: {}",
                    back.channels
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let problem = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(problem(b""), "FILE: is empty, expected a picture");
    assert_eq!(
        problem(b"just text"),
        "FILE: is no picture that can be read; expected PNG, JPEG, TIFF, PNM, BMP, WebP"
    );
    assert!(problem(&file("two_pages.tif")).starts_with("FILE: has several pages, expected one: split it"));
    let png = file("rgb_8.png");
    assert_eq!(
        problem(&png[..60]),
        "FILE: is damaged or in a form of PNG that is not known: it ends before its last row"
    );
    // The header claims 100,000 x 100,000 pixels; its checksum is right.
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = crc32(&huge[12..29]).to_be_bytes();
    huge[29..33].copy_from_slice(&crc);
    assert_eq!(
        problem(&huge),
        "FILE: claims to be 100,000 x 100,000 pixels; at most 1,048,576 a side and 4,294 megapixels in all are read"
    );
    let pgm = b"P5\n40000 40000\n255\n\0\0\0";
    assert!(
        problem(pgm).starts_with("FILE: claims 1,600,000,000 pixels in a file of 22 bytes"),
        "{}",
        problem(pgm)
    );
    // A strip of 400 MB in a file of 200 bytes.
    let mut tiff = file("gray_8.tif");
    let place = |tiff: &[u8], tag: u16| tiff.windows(2).position(|two| two == tag.to_le_bytes()).unwrap();
    for tag in [256, 257, 278] {
        let place = place(&tiff, tag) + 2;
        tiff[place..place + 10].copy_from_slice(&[4, 0, 1, 0, 0, 0, 0x20, 0x4e, 0, 0]);
    }
    assert!(
        problem(&tiff).starts_with("FILE: claims 400,000,000 pixels in a file of 211 bytes"),
        "{}",
        problem(&tiff)
    );
    assert_eq!(problem(b"P5\n0 4\n255\n\0"), "FILE: claims to be 0 x 4 pixels, expected at least one pixel");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn memory_is_bounded_where_a_picture_is_held_as_a_whole() {
    let header = Header::new(Format::Bmp, (100, 100), Channels::Gray, Depth::Eight);
    let mut bmp = Cursor::new(Vec::new());
    write(&mut bmp, &header, &vec![0.5; 10_000], "OUT".as_ref()).unwrap();
    let open = |memory| {
        Reader::open(Cursor::new(bmp.get_ref().clone()), "FILE".as_ref(), Limits { memory })
            .map(|reader| reader.is_whole())
    };
    assert!(open(100_000).unwrap());
    let message = open(9_000).unwrap_err().to_string();
    assert!(
        message.starts_with("FILE: its pixels take 1 MB of memory, more than the 0 MB allowed"),
        "{message}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is done to a file, it is read or refused: no panic, no endless loop, no allocation out of proportion.
    #[test]
    fn damaged_files_are_errors_not_panics(
        pick in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut names: Vec<PathBuf> = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let mut bytes = fs::read(pick.get(&names)).unwrap();
        bytes.truncate(cut.index(bytes.len()) + bytes.len() / 2);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let limits = Limits { memory: 50_000_000 };
        if let Ok(mut reader) = Reader::open(Cursor::new(bytes), "FILE".as_ref(), limits) {
            let header = reader.header().clone();
            let mut row = vec![0.0; header.row_samples()];
            for _ in 0..header.height.min(2000) {
                if reader.read(&mut row).is_err() {
                    break;
                }
            }
        }
    }
}
