//! Tables and figures in Markdown.

use crate::bench::series::Series;

/// A table that grows by rows.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        let rules = vec!["---"; headings.len()];
        Self { text: format!("| {} |\n|{}|\n", headings.join(" | "), rules.join("|")) }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.text += &format!("| {} |\n", cells.join(" | "));
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

/// Three significant digits, and all of a whole number.
pub(super) fn figure(x: f64) -> String {
    let digits = match x.abs() {
        x if !x.is_finite() => return "–".to_owned(),
        x if x >= 99.95 => 0,
        x if x >= 9.995 => 1,
        x if x >= 0.9995 => 2,
        _ => 3,
    };
    format!("{x:.digits$}")
}

/// The median, and behind it the smallest and the largest: `5.02 (4.87–6.10)`.
pub(super) fn spread(series: &Series) -> String {
    let [low, high] = series.range();
    let median = figure(series.median());
    if series.0.len() < 2 { median } else { format!("{median} ({}–{})", figure(low), figure(high)) }
}

/// A ratio: `12.3 x`.
pub(super) fn times(ratio: &Series) -> String {
    format!("{} x", figure(ratio.median()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let figures: Vec<String> =
            [1234.5, 99.96, 12.345, 9.999, 1.2345, 0.1234, f64::NAN].map(figure).into();
        assert_eq!(figures, ["1234", "100", "12.3", "10.0", "1.23", "0.123", "–"]);
        assert_eq!(spread(&Series(vec![2.0, 1.0, 3.0])), "2.00 (1.00–3.00)");
        assert_eq!(spread(&Series(vec![2.0])), "2.00");
    }
}
