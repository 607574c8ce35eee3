//! What the terminal can show, if there is one.

use std::io::{IsTerminal, stdout};

use crate::terminal_image::Palette;

/// The width of what is written to no terminal.
const DEFAULT_COLUMNS: usize = 80;

/// What standard output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Characters in a line.
    pub(crate) columns: usize,
    /// How greys are shown.
    pub(crate) palette: Palette,
}

impl Terminal {
    /// Asks the system and the environment.
    pub(crate) fn detect() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let is_terminal = stdout().is_terminal();
        let columns = terminal_size::terminal_size().filter(|_| is_terminal);
        Self {
            columns: columns.map_or(DEFAULT_COLUMNS, |(width, _)| usize::from(width.0).max(1)),
            palette: palette(is_terminal, &variable("NO_COLOR"), &variable("TERM"), &variable("COLORTERM")),
        }
    }
}

/// Escape sequences are for terminals only, and for none whose user refuses them (<https://no-color.org>).
fn palette(is_terminal: bool, no_color: &str, term: &str, colorterm: &str) -> Palette {
    if !is_terminal || !no_color.is_empty() || term == "dumb" {
        Palette::Shades
    } else if matches!(colorterm, "truecolor" | "24bit") {
        Palette::TrueColor
    } else {
        Palette::Greys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_only_for_terminals_that_want_them() {
        assert_eq!(palette(true, "", "xterm-256color", "truecolor"), Palette::TrueColor);
        assert_eq!(palette(true, "", "xterm-256color", ""), Palette::Greys);
        assert_eq!(palette(true, "1", "xterm-256color", "truecolor"), Palette::Shades);
        assert_eq!(palette(true, "", "dumb", "truecolor"), Palette::Shades);
        assert_eq!(palette(false, "", "xterm-256color", "truecolor"), Palette::Shades);
    }
}
