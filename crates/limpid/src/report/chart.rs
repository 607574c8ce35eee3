//! Lines and points over two axes, with a legend: what several runs of an experiment have to say beside each other.

use ab_glyph_rasterizer::{Point as Place, point};

use super::canvas::{Align, Canvas, Rgb, TextStyle};
use super::font::{Face, Weight};
use super::ticks::Ticks;
use crate::experiments::{Chart, ChartAxis, Point};
use crate::{Error, Result};

/// Width of the picture in pixels; meant to be shown at half of it.
const WIDTH: u32 = 1800;
/// Height of the picture in pixels.
const HEIGHT: u32 = 1120;

const INK: Rgb = [0x1f, 0x24, 0x2d];
const MUTED: Rgb = [0x55, 0x5d, 0x6b];
const GRID: Rgb = [0xe4, 0xe7, 0xec];
const AXIS: Rgb = [0x9a, 0xa2, 0xaf];
/// Ten colours that most eyes can tell apart, in hue or in brightness.
const COLORS: [Rgb; 10] = [
    [0x25, 0x63, 0xeb],
    [0xdc, 0x26, 0x26],
    [0x15, 0x80, 0x3d],
    [0xd9, 0x77, 0x06],
    [0x7c, 0x3a, 0xed],
    [0x08, 0x91, 0xb2],
    [0xdb, 0x27, 0x77],
    [0x65, 0x75, 0x0b],
    [0x78, 0x4f, 0x2a],
    [0x47, 0x55, 0x69],
];

const TITLE_SIZE: f32 = 42.0;
const TEXT_SIZE: f32 = 32.0;
const MARGIN: f32 = 44.0;
const LINE_WIDTH: f32 = 5.0;
const DOT: f32 = 8.0;
/// Radius of a point among many.
const SMALL_DOT: f32 = 4.5;

/// The chart as a PNG file (8-bit RGB, white background).
///
/// # Errors
/// If there is no finite point, or one of 0 or less on a logarithmic axis.
pub fn png(chart: &Chart) -> Result<Vec<u8>> {
    let refuse = |problem: &str| Err(Error::invalid(format!("chart {:?}", chart.title), problem));
    let points = || chart.series.iter().flat_map(|series| &series.points).filter(|point| is_finite(point));
    if points().next().is_none() {
        return refuse("has no finite point to show");
    }
    if points().any(|p| (chart.x.logarithmic && p.x <= 0.0) || (chart.y.logarithmic && p.y <= 0.0)) {
        return refuse("has a value of 0 or less on a logarithmic axis");
    }
    let x = Scale::new(&chart.x, points().flat_map(|p| [p.x, p.x]));
    let y = Scale::new(
        &chart.y,
        points().flat_map(|p| {
            let low = p.y - p.deviation;
            [if chart.y.logarithmic && low <= 0.0 { p.y } else { low }, p.y + p.deviation]
        }),
    );
    Drawing::new(chart, x, y)?.draw()
}

fn is_finite(point: &Point) -> bool {
    point.x.is_finite() && point.y.is_finite() && point.deviation.is_finite()
}

/// The range of an axis and the marks along it.
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Value and text of each.
    marks: Vec<(f64, String)>,
}

impl Scale {
    fn new(axis: &ChartAxis, values: impl Iterator<Item = f64>) -> Self {
        let logarithmic = axis.logarithmic;
        let place = |value: f64| if logarithmic { value.log10() } else { value };
        let (low, high) = values
            .map(place)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let room = if high > low { (high - low) * 0.04 } else { 0.5 };
        let (low, high) = (low - room, high + room);
        let marks = match (axis.unlabelled, logarithmic) {
            (true, _) => Vec::new(),
            (false, true) => decades(low, high),
            (false, false) => {
                let ticks = Ticks::new(low, high, 8);
                ticks.values.iter().copied().zip(ticks.labels()).collect()
            }
        };
        Self { low, high, logarithmic, marks }
    }

    /// Where a value lies, 0 to 1 along the axis.
    fn share(&self, value: f64) -> f32 {
        let value = if self.logarithmic { value.log10() } else { value };
        ((value - self.low) / (self.high - self.low)) as f32
    }
}

/// 1, 2 and 5 times the powers of ten, or, where these were many, the powers alone.
fn decades(low: f64, high: f64) -> Vec<(f64, String)> {
    let factors: &[f64] = if high - low > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = low.floor() as i32..=high.ceil() as i32;
    let values = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
    let inside = values.filter(|value| (low..=high).contains(&value.log10()));
    inside.map(|value| (value, crate::number::short((value * 1e12).round() / 1e12))).collect()
}

struct Drawing<'a> {
    chart: &'a Chart,
    canvas: Canvas,
    x: Scale,
    y: Scale,
    /// The plot inside its axes.
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl<'a> Drawing<'a> {
    fn new(chart: &'a Chart, x: Scale, y: Scale) -> Result<Self> {
        let face = Face::new(Weight::Regular, TEXT_SIZE);
        let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(|t| face.width(t)).fold(0.0, f32::max);
        let marks = widest(&mut y.marks.iter().map(|mark| mark.1.as_str()));
        let names = widest(&mut chart.series.iter().map(|series| series.name.as_str()));
        let legend = if names > 0.0 { names + 70.0 } else { 0.0 };
        Ok(Self {
            chart,
            canvas: Canvas::new(WIDTH, HEIGHT)?,
            x,
            y,
            left: MARGIN + TEXT_SIZE + 24.0 + marks + 16.0,
            top: MARGIN + TITLE_SIZE + 30.0,
            right: WIDTH as f32 - MARGIN - legend,
            bottom: HEIGHT as f32 - MARGIN - 2.0 * TEXT_SIZE - 36.0,
        })
    }

    fn draw(mut self) -> Result<Vec<u8>> {
        self.frame();
        self.legend();
        for (index, series) in self.chart.series.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            let many = series.points.len() > 100;
            for run in series.points.split(|point| !is_finite(point)) {
                let places: Vec<Place> = run.iter().map(|p| self.place(p.x, p.y)).collect();
                if series.line && places.len() > 1 {
                    self.canvas.stroke(&places, LINE_WIDTH, color, 1.0);
                }
                for (p, &place) in run.iter().zip(&places) {
                    if p.deviation > 0.0 {
                        self.whisker(p, color);
                    }
                    match (series.line, many) {
                        (true, true) => (),
                        (true, false) => self.canvas.disc(place, DOT, color, 1.0),
                        (false, true) => self.canvas.disc(place, SMALL_DOT, color, 0.7),
                        (false, false) => self.canvas.disc(place, 1.4 * DOT, color, 1.0),
                    }
                }
            }
        }
        self.canvas.to_png()
    }

    fn place(&self, x: f64, y: f64) -> Place {
        point(
            self.left + self.x.share(x) * (self.right - self.left),
            self.bottom - self.y.share(y) * (self.bottom - self.top),
        )
    }

    /// From one deviation below a point to one above.
    fn whisker(&mut self, p: &Point, color: Rgb) {
        let low = p.y - p.deviation;
        let low = if self.y.logarithmic && low <= 0.0 { p.y } else { low };
        let (from, to) = (self.place(p.x, low), self.place(p.x, p.y + p.deviation));
        for ends in [
            [from, to],
            [point(from.x - 8.0, from.y), point(from.x + 8.0, from.y)],
            [point(to.x - 8.0, to.y), point(to.x + 8.0, to.y)],
        ] {
            self.canvas.stroke(&ends, 2.5, color, 0.8);
        }
    }

    /// Title, grid, axes and what stands along them.
    fn frame(&mut self) {
        let style = |size, weight, color, align| TextStyle { size, weight, color, align, upwards: false };
        let Self { chart, canvas, left, top, right, bottom, .. } = self;
        let (left, top, right, bottom) = (*left, *top, *right, *bottom);
        canvas.text(
            &chart.title,
            MARGIN,
            MARGIN + TITLE_SIZE * 0.8,
            &style(TITLE_SIZE, Weight::Medium, INK, Align::Start),
        );
        let text = |align| style(TEXT_SIZE, Weight::Regular, MUTED, align);
        let face = Face::new(Weight::Regular, TEXT_SIZE);
        let mut free_from = 0.0;
        for (value, label) in &self.x.marks {
            let x = left + self.x.share(*value) * (right - left);
            canvas.stroke(&[point(x, top), point(x, bottom)], 2.0, GRID, 1.0);
            // Where marks stand close, not each has room for its number.
            let half = face.width(label) / 2.0;
            if x - half > free_from {
                canvas.text(label, x, bottom + 16.0 + TEXT_SIZE, &text(Align::Middle));
                free_from = x + half + 12.0;
            }
        }
        let mut free_to = f32::INFINITY;
        for (value, label) in &self.y.marks {
            let y = bottom - self.y.share(*value) * (bottom - top);
            canvas.stroke(&[point(left, y), point(right, y)], 2.0, GRID, 1.0);
            if y < free_to {
                canvas.text(label, left - 16.0, y + face.cap_height() / 2.0, &text(Align::End));
                free_to = y - TEXT_SIZE;
            }
        }
        for ends in [[point(left, bottom), point(right, bottom)], [point(left, top), point(left, bottom)]] {
            canvas.stroke(&ends, 2.0, AXIS, 1.0);
        }
        let name = style(TEXT_SIZE, Weight::Regular, INK, Align::Middle);
        canvas.text(&chart.x.label, (left + right) / 2.0, HEIGHT as f32 - MARGIN, &name);
        let upwards = TextStyle { upwards: true, ..name };
        canvas.text(&chart.y.label, MARGIN + TEXT_SIZE * 0.8, (top + bottom) / 2.0, &upwards);
    }

    /// The names of the series at the right of the plot.
    fn legend(&mut self) {
        let style = TextStyle {
            size: TEXT_SIZE,
            weight: Weight::Regular,
            color: INK,
            align: Align::Start,
            upwards: false,
        };
        for (index, series) in self.chart.series.iter().enumerate().filter(|(_, s)| !s.name.is_empty()) {
            let (x, y) = (self.right + 30.0, self.top + 20.0 + index as f32 * TEXT_SIZE * 1.5);
            self.canvas.disc(point(x, y), 10.0, COLORS[index % COLORS.len()], 1.0);
            self.canvas.text(&series.name, x + 24.0, y + TEXT_SIZE * 0.355, &style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::Series;

    fn chart(points: &[(f64, f64)], line: bool, logarithmic: bool) -> Chart {
        let axis = |label: &str| ChartAxis { label: label.into(), logarithmic, unlabelled: false };
        let points = points.iter().map(|&(x, y)| Point { x, y, deviation: 0.1 }).collect();
        let series = vec![Series { name: "Any".into(), line, points }];
        Chart { title: "Any".into(), x: axis("x"), y: axis("y"), series }
    }

    fn colored(png: &[u8]) -> usize {
        let picture = image::load_from_memory(png).unwrap().into_rgb8();
        picture.pixels().filter(|pixel| pixel.0 == COLORS[0]).count()
    }

    #[test]
    fn lines_cover_more_than_points() {
        let points = [(1.0, 0.2), (10.0, 0.4), (100.0, 0.3)];
        for logarithmic in [false, true] {
            let [line, dots] =
                [true, false].map(|line| colored(&png(&chart(&points, line, logarithmic)).unwrap()));
            assert!(line > 2 * dots && dots > 300, "{line} {dots}");
        }
    }

    #[test]
    fn odd_values_do_no_harm() {
        assert!(png(&chart(&[(1.0, f64::NAN), (2.0, 2.0)], true, false)).is_ok());
        assert!(png(&chart(&[(1.0, 5.0)], true, true)).is_ok());
        assert!(png(&chart(&[], true, false)).unwrap_err().to_string().contains("no finite point"));
        assert!(png(&chart(&[(0.0, 1.0)], true, true)).unwrap_err().to_string().contains("logarithmic"));
    }

    #[test]
    fn decades_are_round() {
        let labels = |low: f64, high: f64| {
            decades(low.log10(), high.log10()).into_iter().map(|mark| mark.1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(0.05, 3.0), "0.05 0.1 0.2 0.5 1 2");
        assert_eq!(labels(1.0, 100_000.0), "1 10 100 1000 10000 100000");
    }
}
