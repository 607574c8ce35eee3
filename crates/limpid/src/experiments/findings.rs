//! What an experiment found, as data: tables, figures, and what can be said about them.

use crate::image::Image;

/// The result of an experiment. Programs print its tables; [`report::findings`](crate::report::findings) draws it.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What its files are called after: `classify`.
    pub name: &'static str,
    /// The heading.
    pub title: String,
    /// What is in question: the tutorial's claim, or a reader's.
    pub claim: String,
    /// With what it was found: name and value.
    pub settings: Vec<(String, String)>,
    /// The figures that count, in the order in which they are told.
    pub tables: Vec<Table>,
    /// Pictures of them.
    pub figures: Vec<Figure>,
    /// What the tables say, in sentences made from their numbers.
    pub remarks: Vec<String>,
}

/// A table with a name.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What its file is called after, in the findings' directory.
    pub name: String,
    /// The line above it.
    pub title: String,
    /// The headings.
    pub columns: Vec<String>,
    /// From top to bottom, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// One place of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, and how many decimals of it people are shown.
    Number {
        /// The number.
        value: f64,
        /// Digits behind the point.
        decimals: usize,
    },
    /// The mean of several runs and their standard deviation.
    Spread {
        /// The mean.
        mean: f64,
        /// The sample standard deviation; 0 for a single run.
        deviation: f64,
        /// Digits behind the point.
        decimals: usize,
    },
    /// Nothing was measured here.
    Empty,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number.
    pub fn number(value: f64, decimals: usize) -> Self {
        Self::Number { value, decimals }
    }

    /// A whole number.
    pub fn count(value: usize) -> Self {
        Self::Number { value: value as f64, decimals: 0 }
    }

    /// Several runs of the same thing; one alone is a plain number.
    pub fn spread(values: &[f64], decimals: usize) -> Self {
        let (mean, deviation) = mean_and_deviation(values);
        match values.len() {
            0 => Self::Empty,
            1 => Self::Number { value: mean, decimals },
            _ => Self::Spread { mean, deviation, decimals },
        }
    }

    /// The cell as people read it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number { value, decimals } => format!("{value:.decimals$}"),
            Self::Spread { mean, deviation, decimals } => {
                format!("{mean:.decimals$} ± {deviation:.decimals$}")
            }
            Self::Empty => String::new(),
        }
    }
}

/// The mean and the sample standard deviation, which is 0 for less than two values.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
    (mean, deviation)
}

/// A picture, as what is to be drawn.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What its file is called after.
    pub name: String,
    /// What is to be seen.
    pub caption: String,
    /// The drawing.
    pub drawing: Drawing,
}

/// The kinds of pictures.
#[derive(Debug, Clone)]
pub enum Drawing {
    /// A matrix of numbers as colours.
    HeatMap(HeatMap),
    /// Lines or points over two axes.
    Chart(Chart),
    /// Labelled rows of images, each with a caption or none.
    Images {
        /// Above everything.
        title: String,
        /// From top to bottom.
        rows: Vec<(String, Vec<(Image, String)>)>,
    },
}

/// A matrix of numbers as colours.
#[derive(Debug, Clone, Default)]
pub struct HeatMap {
    /// Above everything.
    pub title: String,
    /// What goes from left to right.
    pub x_label: String,
    /// What goes from top to bottom.
    pub y_label: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows' names.
    pub rows: Vec<String>,
    /// `values[row][column]`.
    pub values: Vec<Vec<f64>>,
    /// Digits behind the point of the numbers in the fields.
    pub decimals: usize,
    /// The values of the palest and the darkest colour; none for the smallest and the largest value.
    pub range: Option<(f64, f64)>,
}

/// Lines or points over two axes.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    /// Above everything.
    pub title: String,
    /// The horizontal axis.
    pub x: ChartAxis,
    /// The vertical axis.
    pub y: ChartAxis,
    /// What is drawn, in the order of the legend.
    pub series: Vec<Series>,
}

/// An axis of a [`Chart`].
#[derive(Debug, Clone, Default)]
pub struct ChartAxis {
    /// What it measures, with its unit.
    pub label: String,
    /// Whether equal distances are equal factors; all values must then be above 0.
    pub logarithmic: bool,
    /// Whether the numbers along it say nothing, as on a map.
    pub unlabelled: bool,
}

impl ChartAxis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), logarithmic: false, unlabelled: false }
    }

    /// A logarithmic axis.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self { label: label.into(), logarithmic: true, unlabelled: false }
    }
}

/// One thing in a [`Chart`].
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// Whether the points are joined by a line.
    pub line: bool,
    /// The points; those that are not finite are left out.
    pub points: Vec<Point>,
}

/// One point of a [`Series`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along the horizontal axis.
    pub x: f64,
    /// Along the vertical axis.
    pub y: f64,
    /// How far the whiskers reach up and down; 0 for none.
    pub deviation: f64,
}

impl Point {
    /// A point without whiskers.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, deviation: 0.0 }
    }

    /// The mean of several runs, with its deviation.
    pub fn spread(x: f64, values: &[f64]) -> Self {
        let (y, deviation) = mean_and_deviation(values);
        Self { x, y, deviation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_shown_as_people_read_them() {
        assert_eq!(Cell::number(0.09512, 4).shown(), "0.0951");
        assert_eq!(Cell::spread(&[1.0, 2.0, 3.0], 1).shown(), "2.0 ± 1.0");
        assert_eq!(Cell::spread(&[2.0], 1).shown(), "2.0");
        assert_eq!(Cell::spread(&[], 1), Cell::Empty);
        assert_eq!(Cell::count(37_601).shown(), "37601");
    }
}
