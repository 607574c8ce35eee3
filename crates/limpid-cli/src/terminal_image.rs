//! Pictures made of characters.
//!
//! A character cell is about twice as high as wide, so each shows two pixels, one above the other: an upper half block
//! in the colour of the upper pixel, on a background in that of the lower. Without colours, one of five shades stands
//! for the mean of the two.

use std::fmt::Write as _;
use std::io::{self, Write};

use limpid::image::Image;

/// The spaces between two pictures.
const GAP: usize = 2;

/// How greys are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// 24-bit colours.
    TrueColor,
    /// The 256 colours of xterm, of which 26 are greys.
    Greys,
    /// Shade characters, without escape sequences: for files, pipes and `NO_COLOR`.
    Shades,
}

/// A picture and what stands above it.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) title: String,
    pub(crate) image: Image,
}

/// Writes pictures of one size, as many beside each other as `columns` allow. Images that are wider than that are
/// shrunk; longer titles are cut.
pub(crate) fn write(
    out: &mut dyn Write,
    pictures: &[Picture],
    palette: Palette,
    columns: usize,
) -> io::Result<()> {
    let drawn: Vec<Vec<String>> =
        pictures.iter().map(|picture| draw(&picture.image, palette, columns)).collect();
    let image_width =
        pictures.iter().map(|picture| shrunk_size(&picture.image, columns).1).max().unwrap_or(0);
    let title_width = pictures.iter().map(|picture| picture.title.chars().count()).max().unwrap_or(0);
    let width = image_width.max(title_width).min(columns);
    let per_line = ((columns + GAP) / (width + GAP)).max(1);

    for (pictures, drawn) in pictures.chunks(per_line).zip(drawn.chunks(per_line)) {
        let titles: Vec<String> =
            pictures.iter().map(|picture| picture.title.chars().take(width).collect()).collect();
        write_beside(out, titles.iter().map(|title| (title.as_str(), title.chars().count())), width)?;
        let height = drawn.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..height {
            let rows =
                drawn.iter().map(|drawn| drawn.get(row).map_or(("", 0), |row| (row.as_str(), image_width)));
            write_beside(out, rows, width)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes a line of texts, each with the number of columns it takes, filled up to `width` before the next.
fn write_beside<'a>(
    out: &mut dyn Write,
    texts: impl Iterator<Item = (&'a str, usize)>,
    width: usize,
) -> io::Result<()> {
    let mut spaces = 0;
    for (text, columns) in texts {
        write!(out, "{:spaces$}{text}", "")?;
        spaces = width - columns + GAP;
    }
    writeln!(out)
}

/// The lines of an image, each of them as wide as the shrunk image.
fn draw(image: &Image, palette: Palette, columns: usize) -> Vec<String> {
    let (height, width) = shrunk_size(image, columns);
    let pixels = shrink(image, columns);
    let row = |y: usize| pixels.get(y * width..(y + 1) * width);
    (0..height)
        .step_by(2)
        .map(|y| {
            let upper = row(y).expect("y < height");
            // Under an odd last row there is nothing: black.
            let pairs = (0..width).map(|x| (upper[x], row(y + 1).map_or(0, |lower| lower[x])));
            match palette {
                Palette::TrueColor => coloured(pairs, |grey| format!("2;{grey};{grey};{grey}")),
                Palette::Greys => coloured(pairs, |grey| format!("5;{}", xterm_grey(grey))),
                Palette::Shades => pairs.map(|(upper, lower)| shade(upper, lower)).collect(),
            }
        })
        .collect()
}

/// Half blocks in the colours that `code` gives to greys; an escape sequence only where the colours change.
fn coloured(pairs: impl Iterator<Item = (u8, u8)>, code: impl Fn(u8) -> String) -> String {
    let mut line = String::new();
    let mut colours = None;
    for (upper, lower) in pairs {
        if colours != Some((upper, lower)) {
            colours = Some((upper, lower));
            write!(line, "\x1b[38;{};48;{}m", code(upper), code(lower)).expect("a string takes everything");
        }
        line.push('▀');
    }
    line + "\x1b[0m"
}

/// The number of the xterm colour nearest to a grey: black is 16, white 231, and 232 to 255 are 8, 18, ... 238.
fn xterm_grey(grey: u8) -> u8 {
    match grey {
        0..=3 => 16,
        247.. => 231,
        _ => 232 + ((grey - 3) / 10).min(23),
    }
}

fn shade(upper: u8, lower: u8) -> char {
    const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
    let sum = usize::from(upper) + usize::from(lower);
    SHADES[(sum * 4 + 255) / 510]
}

/// The height and width of an image shrunk by the smallest whole factor that makes it fit.
fn shrunk_size(image: &Image, columns: usize) -> (usize, usize) {
    let factor = factor(image, columns);
    (image.height().div_ceil(factor), image.width().div_ceil(factor))
}

fn factor(image: &Image, columns: usize) -> usize {
    image.width().div_ceil(columns)
}

/// The pixels of the shrunk image: means of squares of the image's, cut off at its right and lower edge.
fn shrink(image: &Image, columns: usize) -> Vec<u8> {
    let factor = factor(image, columns);
    let (height, width) = shrunk_size(image, columns);
    let pixels = image.to_u8();
    let mean = |y: usize, x: usize| {
        let (mut sum, mut count) = (0, 0);
        for row in y * factor..((y + 1) * factor).min(image.height()) {
            for column in x * factor..((x + 1) * factor).min(image.width()) {
                sum += usize::from(pixels[row * image.width() + column]);
                count += 1;
            }
        }
        ((sum + count / 2) / count) as u8
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).map(|(y, x)| mean(y, x)).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn picture(title: &str, height: usize, width: usize, pixels: &[u8]) -> Picture {
        Picture { title: title.into(), image: Image::from_u8(height, width, pixels).unwrap() }
    }

    fn written(pictures: &[Picture], palette: Palette, columns: usize) -> String {
        let mut out = Vec::new();
        write(&mut out, pictures, palette, columns).unwrap();
        String::from_utf8(out).unwrap().replace('\x1b', "ESC")
    }

    #[test]
    fn shades_are_the_means_of_two_pixels() {
        let ramp = [0, 64, 128, 192, 255, 0, 64, 128, 192, 255, 255, 255, 255, 255, 255];
        assert_eq!(written(&[picture("", 3, 5, &ramp)], Palette::Shades, 80), "\n ░▒▓█\n▒▒▒▒▒\n\n");
    }

    #[test]
    fn colours_are_named_where_they_change() {
        let pixels = [0, 0, 255, 128, 128, 4];
        assert_snapshot!(written(&[picture("a", 2, 3, &pixels)], Palette::TrueColor, 80), @r#"
a
ESC[38;2;0;0;0;48;2;128;128;128m▀▀ESC[38;2;255;255;255;48;2;4;4;4m▀ESC[0m
"#);
        assert_snapshot!(written(&[picture("a", 2, 3, &pixels)], Palette::Greys, 80), @r#"
a
ESC[38;5;16;48;5;244m▀▀ESC[38;5;231;48;5;232m▀ESC[0m
"#);
    }

    #[test]
    fn the_nearest_of_the_xterm_greys_is_chosen() {
        let value = |colour: u8| match colour {
            16 => 0,
            231 => 255,
            grey => 8 + 10 * (i32::from(grey) - 232),
        };
        let colours: Vec<u8> = [16, 231].into_iter().chain(232..=255).collect();
        for grey in 0..=255 {
            let distance = |colour| (value(colour) - i32::from(grey)).abs();
            let nearest = colours.iter().map(|&colour| distance(colour)).min().unwrap();
            assert_eq!(distance(xterm_grey(grey)), nearest, "grey {grey} as {}", xterm_grey(grey));
        }
    }

    #[test]
    fn pictures_stand_beside_each_other_as_far_as_they_fit() {
        let pictures: Vec<_> =
            ["one", "second", "3"].iter().map(|title| picture(title, 2, 4, &[255; 8])).collect();
        assert_snapshot!(written(&pictures, Palette::Shades, 14), @r#"
one     second
████    ████

3
████
"#);
        assert_eq!(written(&pictures, Palette::Shades, 13).matches("████\n").count(), 3);
    }

    #[test]
    fn what_is_too_wide_is_shrunk_and_cut() {
        let wide = picture("a long title", 4, 9, &[255; 36]);
        assert_eq!(written(&[wide], Palette::Shades, 4), "a lo\n▓▓▓\n".replace("▓▓▓", "███") + "\n");
    }
}
