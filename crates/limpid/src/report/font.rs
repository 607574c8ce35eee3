//! The letters of every picture: two weights of Roboto that travel inside the library.
//!
//! Nothing here asks the machine for a font, so text measures and looks the same everywhere, wasm32 included.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, OutlinedGlyph, PxScaleFont, ScaleFont as _, point};

/// The name under which SVG and CSS refer to the font.
pub(crate) const FAMILY: &str = "Limpid Roboto";

/// TrueType file of the regular weight (subset; see `assets/fonts/README.md`).
pub(crate) const REGULAR_TTF: &[u8] = include_bytes!("../../assets/fonts/Roboto-Regular-subset.ttf");
/// TrueType file of the medium weight (subset; see `assets/fonts/README.md`).
pub(crate) const MEDIUM_TTF: &[u8] = include_bytes!("../../assets/fonts/Roboto-Medium-subset.ttf");

/// How heavy the letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Running text.
    Regular,
    /// Titles.
    Medium,
}

/// A weight at a size, ready to measure and outline text.
pub(crate) struct Face {
    font: PxScaleFont<&'static FontRef<'static>>,
    /// Pixels per em: the size in the sense of CSS.
    size: f32,
}

impl Face {
    /// The face with `size` pixels per em.
    pub(crate) fn new(weight: Weight, size: f32) -> Self {
        static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| parse(REGULAR_TTF));
        static MEDIUM: LazyLock<FontRef<'static>> = LazyLock::new(|| parse(MEDIUM_TTF));
        let font: &'static FontRef<'static> = match weight {
            Weight::Regular => &REGULAR,
            Weight::Medium => &MEDIUM,
        };
        // ab_glyph scales by the height from descent to ascent; a size elsewhere means pixels per em.
        let units_per_em = font.units_per_em().expect("the font in the assets states its units");
        let scale = size * font.height_unscaled() / units_per_em;
        Self { font: font.into_scaled(scale), size }
    }

    /// Distance from one baseline to the next, in pixels.
    pub(crate) fn line_height(&self) -> f32 {
        (self.size * 1.35).round()
    }

    /// Height of a capital letter in pixels: what looks centred is centred by this.
    pub(crate) fn cap_height(&self) -> f32 {
        self.size * 0.711 // Roboto's OS/2 table: 1456 of 2048 units
    }

    /// Width of one line of text, in pixels.
    pub(crate) fn width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.font.h_advance(self.font.glyph_id(c))).sum()
    }

    /// The outlines of one line of text that starts at `x`, its baseline at `y = 0`. Blanks have no outline.
    pub(crate) fn outlines(&self, text: &str, x: f32) -> impl Iterator<Item = OutlinedGlyph> {
        let mut x = x;
        text.chars().filter_map(move |c| {
            let mut glyph = self.font.scaled_glyph(c);
            glyph.position = point(x, 0.0);
            x += self.font.h_advance(glyph.id);
            self.font.outline_glyph(glyph)
        })
    }

    /// Breaks `text` into lines of at most `max_width` pixels, at blanks where possible, within a word otherwise.
    pub(crate) fn wrap(&self, text: &str, max_width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(line) = lines.last_mut()
                && self.width(line) + self.width(" ") + self.width(word) <= max_width
            {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            let mut line = String::new();
            let mut line_width = 0.0;
            for c in word.chars() {
                let advance = self.font.h_advance(self.font.glyph_id(c));
                if line_width + advance > max_width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    line_width = 0.0;
                }
                line.push(c);
                line_width += advance;
            }
            lines.push(line);
        }
        lines
    }
}

fn parse(ttf: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(ttf).expect("the font in the assets is a valid TrueType file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characters_that_limpid_writes_are_in_both_weights() {
        let needed = ('!'..='~').chain("×·–±σ…—’“”−≈≤≥äöüéß°".chars());
        for ttf in [REGULAR_TTF, MEDIUM_TTF] {
            let font = parse(ttf);
            for c in needed.clone() {
                assert_ne!(font.glyph_id(c).0, 0, "{c:?} is missing");
            }
        }
    }

    #[test]
    fn width_grows_with_size_and_text() {
        let small = Face::new(Weight::Regular, 10.0);
        let large = Face::new(Weight::Regular, 20.0);
        assert_eq!(small.width(""), 0.0);
        assert!((large.width("Epoch") - 2.0 * small.width("Epoch")).abs() < 1e-3);
        assert!(small.width("Epochs") > small.width("Epoch"));
        // Roboto's digits are 1151 of 2048 units wide.
        assert!((small.width("0123456789") - 100.0 * 1151.0 / 2048.0).abs() < 1e-3);
    }

    #[test]
    fn wrapped_lines_fit_and_keep_every_word() {
        let face = Face::new(Weight::Regular, 13.0);
        let text = "12345th Training Image (label: 7)";
        let lines = face.wrap(text, 130.0);
        assert!(lines.len() >= 2, "{lines:?}");
        assert!(lines.iter().all(|line| face.width(line) <= 130.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert!(face.wrap(" \n ", 130.0).is_empty());
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken() {
        let face = Face::new(Weight::Regular, 13.0);
        let word = "W".repeat(40);
        let lines = face.wrap(&word, 60.0);
        assert!(lines.iter().all(|line| face.width(line) <= 60.0));
        assert_eq!(lines.concat(), word);
        assert_eq!(face.wrap("ab", 0.0), ["a", "b"], "every line makes progress");
    }
}
