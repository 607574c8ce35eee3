//! The progress bar, in the last line of the terminal behind standard error.

use std::io;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// With less columns than this, there is no space for a bar beside the figures.
const COLUMNS_FOR_A_BAR: u16 = 68;
/// With less columns than this, only the most important figures are shown.
const COLUMNS_FOR_ALL_FIGURES: u16 = 60;
/// From here on the bar has its full width.
const COLUMNS_FOR_A_WIDE_BAR: u16 = 88;

/// A bar that is hidden where standard error is no terminal, and whether the terminal is too narrow for all figures.
pub(super) fn new(length: u64) -> (ProgressBar, bool) {
    let terminal = Term::stderr();
    if !terminal.features().is_attended() {
        return (ProgressBar::hidden(), false);
    }
    let (_, columns) = terminal.size();
    let target = ProgressDrawTarget::term_like(Box::new(Margin(terminal)));
    let style = ProgressStyle::with_template(template(columns)).expect("the templates are constants");
    let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style.progress_chars("━╸─"));
    (bar, columns < COLUMNS_FOR_ALL_FIGURES)
}

fn template(columns: u16) -> &'static str {
    match columns {
        COLUMNS_FOR_A_WIDE_BAR.. => "{prefix} {bar:24.cyan/dim} {msg}",
        COLUMNS_FOR_A_BAR.. => "{prefix} {wide_bar:.cyan/dim} {msg}",
        _ => "{prefix} {msg}",
    }
}

/// A terminal whose last columns stay free. The cursor waits behind the bar, and terminals show Ctrl-C as `^C` where the
/// cursor is: without space for it, it would go to the next line, and the bar would not be where it is to be cleared.
#[derive(Debug)]
struct Margin(Term);

impl Margin {
    const COLUMNS: u16 = 4;
}

impl TermLike for Margin {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(Self::COLUMNS)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn a_narrow_terminal_has_no_bar() {
        assert_eq!([200, 88].map(template), ["{prefix} {bar:24.cyan/dim} {msg}"; 2]);
        assert!(template(80).contains("wide_bar"));
        assert_eq!([67, 40, 0].map(template), ["{prefix} {msg}"; 3]);
    }
}
