//! The loss curve: `loss.png`, and the same drawing as SVG for the page.

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::{
    ChartBuilder, ChartContext, Circle, Color as _, DrawingArea, DrawingBackend, FontDesc, FontFamily,
    FontStyle, IntoDrawingArea as _, LineSeries, PathElement, RGBColor, SVGBackend, TRANSPARENT, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::Canvas;
use super::font::{FAMILY, Face, Weight};
use super::plot_backend::{CanvasBackend, LINE_PER_EM};
use super::ticks::{Axis, Ticks};
use crate::train::history::EpochRecord;
use crate::{Error, Result};

/// Width of the picture in pixels; the SVG uses the same units. Meant to be shown at half this size, so that lines
/// and letters are fine on any screen.
pub const WIDTH: u32 = 1920;
/// Height of the picture in pixels.
pub const HEIGHT: u32 = 1200;

/// What stands above the plot.
const TITLE: &str = "Training and validation loss";
const X_LABEL: &str = "Epoch";
const Y_LABEL: &str = "Loss (binary cross-entropy)";
const TRAINING: &str = "Training loss";
const VALIDATION: &str = "Validation loss";

// Colours that the page's dark scheme replaces by name: see `style.css`.
const INK: RGBColor = RGBColor(0x1f, 0x24, 0x2d);
const MUTED: RGBColor = RGBColor(0x55, 0x5d, 0x6b);
const GRID: RGBColor = RGBColor(0xe4, 0xe7, 0xec);
const AXIS: RGBColor = RGBColor(0x9a, 0xa2, 0xaf);
const BLUE: RGBColor = RGBColor(0x25, 0x63, 0xeb);
const RED: RGBColor = RGBColor(0xdc, 0x26, 0x26);

const TITLE_SIZE: f32 = 48.0;
const LABEL_SIZE: f32 = 38.0;
const TICK_SIZE: f32 = 36.0;
const NOTE_SIZE: f32 = 30.0;

const MARGIN: i32 = 48;
const HEADER: i32 = 96;
const X_AREA: i32 = 128;
const LINE_WIDTH: u32 = 6;

/// Losses beyond this are as good as infinite: a curve that shows them shows nothing else.
const LARGEST_LOSS: f64 = 1e30;

/// The loss curve as a PNG file of [`WIDTH`] x [`HEIGHT`] pixels (8-bit RGB, white background): training loss as
/// blue dots, validation loss as a red line.
///
/// Losses that are not finite or beyond 1e30 are left out, and the picture says how many.
///
/// # Errors
/// If no record has a finite loss; in particular, if there is no record.
///
/// ```
/// use limpid::report::loss_plot;
/// use limpid::train::history::EpochRecord;
///
/// let history = [
///     EpochRecord { epoch: 1, training_loss: 0.1433, validation_loss: 0.1101, seconds: 9.4 },
///     EpochRecord { epoch: 2, training_loss: 0.1080, validation_loss: 0.1045, seconds: 9.3 },
/// ];
/// let png: Vec<u8> = loss_plot::png(&history)?;
/// # assert!(png.starts_with(b"\x89PNG"));
/// # Ok::<(), limpid::Error>(())
/// ```
pub fn png(history: &[EpochRecord]) -> Result<Vec<u8>> {
    let curve = Curve::new(history)?;
    let mut canvas = Canvas::new(WIDTH, HEIGHT)?;
    curve.draw(CanvasBackend(&mut canvas))?;
    canvas.to_png()
}

/// The loss curve as an SVG element without a background, for a page of any colour.
///
/// # Errors
/// As [`png()`].
pub fn svg(history: &[EpochRecord]) -> Result<String> {
    let curve = Curve::new(history)?;
    let mut svg = String::new();
    curve.draw(SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)))?;
    Ok(svg)
}

/// What is drawn, and the ranges that it needs.
struct Curve {
    /// `(epoch, loss)`, finite losses only.
    training: Vec<(f64, f64)>,
    /// `(epoch, loss)` in pieces without gaps, finite losses only.
    validation: Vec<Vec<(f64, f64)>>,
    /// How many losses could not be drawn.
    left_out: usize,
    epochs: (u32, u32),
    losses: (f64, f64),
}

/// Whether there is anything to draw: an epoch with a loss that is neither too large nor undefined.
pub fn is_drawable(history: &[EpochRecord]) -> bool {
    history.iter().any(|record| drawable(record.training_loss) || drawable(record.validation_loss))
}

fn drawable(loss: f64) -> bool {
    loss.abs() <= LARGEST_LOSS // false for NaN
}

impl Curve {
    fn new(history: &[EpochRecord]) -> Result<Self> {
        let training: Vec<(f64, f64)> = history
            .iter()
            .filter(|record| drawable(record.training_loss))
            .map(|record| (f64::from(record.epoch), record.training_loss))
            .collect();
        let validation: Vec<Vec<(f64, f64)>> = history
            .split(|record| !drawable(record.validation_loss))
            .map(|piece| piece.iter().map(|r| (f64::from(r.epoch), r.validation_loss)).collect::<Vec<_>>())
            .filter(|piece| !piece.is_empty())
            .collect();

        let points = || training.iter().chain(validation.iter().flatten());
        let (Some(first), Some(last)) =
            (history.iter().map(|r| r.epoch).min(), history.iter().map(|r| r.epoch).max())
        else {
            return Err(Error::invalid("loss plot", "there is no epoch to show; train for at least one"));
        };
        if !is_drawable(history) {
            return Err(Error::invalid(
                "loss plot",
                format!(
                    "none of the losses of {} epochs is a finite number below {LARGEST_LOSS:e}: training has \
                     diverged; try a smaller learning rate",
                    history.len()
                ),
            ));
        }
        let low = points().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = points().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        let left_out = 2 * history.len() - points().count();
        Ok(Self { losses: padded(low, high), epochs: (first, last), left_out, training, validation })
    }

    fn draw<B: DrawingBackend>(&self, backend: B) -> Result<()>
    where
        B::ErrorType: 'static,
    {
        self.try_draw(&backend.into_drawing_area())
            .map_err(|e| Error::invalid("loss plot", format!("cannot be drawn: {e}")))
    }

    fn try_draw<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Drawn<B> {
        let side = (f64::from(self.epochs.1 - self.epochs.0) * 0.02).max(0.5);
        let epochs = Axis {
            low: f64::from(self.epochs.0) - side,
            high: f64::from(self.epochs.1) + side,
            ticks: Ticks::whole(self.epochs.0, self.epochs.1, 12),
        };
        let (low, high) = self.losses;
        let losses = Axis { low, high, ticks: Ticks::new(low, high, 7) };

        let face = Face::new(Weight::Regular, TICK_SIZE);
        let widest = losses.ticks.labels().map(|label| face.width(&label)).fold(0.0, f32::max);
        let y_area = widest.ceil() as i32 + 88; // beside the numbers: the name of the axis and two gaps
        self.draw_header(root, MARGIN + y_area)?;
        let mut chart = ChartBuilder::on(root)
            .margin(MARGIN)
            .margin_top(MARGIN + HEADER)
            .x_label_area_size(X_AREA)
            .y_label_area_size(y_area)
            .build_cartesian_2d(epochs, losses)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID.stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS.stroke_width(2))
            .set_all_tick_mark_size(10)
            // Both backends centre by the height of an x; digits are taller.
            .y_label_offset(3)
            .label_style(text(TICK_SIZE, FontStyle::Normal, MUTED))
            .axis_desc_style(text(LABEL_SIZE, FontStyle::Normal, INK))
            .x_desc(X_LABEL)
            .y_desc(Y_LABEL)
            .draw()?;
        self.draw_series(&mut chart)?;

        if self.left_out > 0 {
            let note = match self.left_out {
                1 => "1 loss is too large to be shown".to_string(),
                n => format!("{n} losses are too large to be shown"),
            };
            let style = text(NOTE_SIZE, FontStyle::Normal, MUTED).pos(Pos::new(HPos::Right, VPos::Bottom));
            root.draw_text(&note, &style, (WIDTH as i32 - MARGIN, HEIGHT as i32 - MARGIN))?;
        }
        root.present()
    }

    fn draw_series<B, X, Y>(&self, chart: &mut ChartContext<'_, B, Cartesian2d<X, Y>>) -> Drawn<B>
    where
        B: DrawingBackend,
        X: Ranged<ValueType = f64>,
        Y: Ranged<ValueType = f64>,
    {
        let spacing = f64::from(WIDTH) / self.training.len().max(1) as f64;
        let dot = (spacing * 0.4).clamp(5.0, 11.0) as i32;
        chart.draw_series(self.training.iter().map(|&at| Circle::new(at, dot, BLUE.filled())))?;
        for piece in &self.validation {
            match piece[..] {
                // A line through one point is invisible.
                [only] => chart.draw_series([Circle::new(only, 11, RED.filled())])?,
                _ => {
                    chart.draw_series(LineSeries::new(piece.iter().copied(), RED.stroke_width(LINE_WIDTH)))?
                }
            };
        }
        Ok(())
    }

    /// The title at the left, the legend at the right, above the plot where no curve can run through them.
    fn draw_header<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>, left: i32) -> Drawn<B> {
        let middle = MARGIN + 28;
        let at_left = Pos::new(HPos::Left, VPos::Center);
        root.draw_text(TITLE, &text(TITLE_SIZE, FontStyle::Bold, INK).pos(at_left), (left, middle))?;

        let style = text(LABEL_SIZE, FontStyle::Normal, INK).pos(at_left);
        let width = |label: &str| Face::new(Weight::Regular, LABEL_SIZE).width(label).ceil() as i32;
        let sign_y = middle - 2;

        let x = WIDTH as i32 - MARGIN - width(VALIDATION);
        root.draw_text(VALIDATION, &style, (x, middle))?;
        let sign = (x - 90, x - 22);
        root.draw(&PathElement::new([(sign.0, sign_y), (sign.1, sign_y)], RED.stroke_width(LINE_WIDTH)))?;
        if self.validation.iter().any(|piece| piece.len() == 1) {
            root.draw(&Circle::new(((sign.0 + sign.1) / 2, sign_y), 11, RED.filled()))?;
        }

        let x = sign.0 - 56 - width(TRAINING);
        root.draw_text(TRAINING, &style, (x, middle))?;
        root.draw(&Circle::new((x - 30, sign_y), 11, BLUE.filled()))
    }
}

type Drawn<B> =
    std::result::Result<(), plotters::drawing::DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A text style by pixels per em.
fn text(size: f32, style: FontStyle, color: RGBColor) -> TextStyle<'static> {
    FontDesc::new(FontFamily::Name(FAMILY), f64::from(size) * LINE_PER_EM, style).color(&color)
}

/// The range that shows `[low, high]` with some air, also where all losses are equal; not below 0 without need.
fn padded(low: f64, high: f64) -> (f64, f64) {
    let (span, size) = (high - low, high.abs().max(low.abs()));
    let air = if span > size * 1e-6 { span * 0.06 } else { size * 0.05 }.max(1e-30);
    let floor = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    ((low - air).max(floor), high + air)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(losses: &[(f64, f64)]) -> Vec<EpochRecord> {
        (1..)
            .zip(losses)
            .map(|(epoch, &(training_loss, validation_loss))| EpochRecord {
                epoch,
                training_loss,
                validation_loss,
                seconds: 1.0,
            })
            .collect()
    }

    /// What Keras reaches in the first four epochs of the tutorial.
    fn keras() -> Vec<EpochRecord> {
        history(&[(0.1433, 0.1101), (0.1080, 0.1045), (0.1039, 0.1015), (0.1019, 0.1003)])
    }

    fn decode(png: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(png, image::ImageFormat::Png).unwrap().into_rgb8()
    }

    fn count(picture: &image::RgbImage, color: RGBColor) -> usize {
        picture.pixels().filter(|p| p.0 == [color.0, color.1, color.2]).count()
    }

    /// Pixels of a disc of radius 11 in one solid colour, edges not counted.
    const DOT: std::ops::Range<usize> = 300..390;

    #[test]
    fn training_is_blue_dots_and_validation_a_red_line() {
        let picture = decode(&png(&keras()).unwrap());
        assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
        let blue = count(&picture, BLUE);
        assert!((5 * DOT.start..5 * DOT.end).contains(&blue), "4 dots and 1 in the legend: {blue}");
        let red = count(&picture, RED);
        assert!(red > 1200 * 4, "a line across the plot: {red}");
        // Every column between the first and the last epoch has some red.
        let red_columns = (0..WIDTH)
            .filter(|&x| (200..HEIGHT).any(|y| picture.get_pixel(x, y).0 == [RED.0, RED.1, RED.2]))
            .collect::<Vec<_>>();
        assert!(red_columns.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gap");
        // Blue comes as four separate groups of columns.
        let blue_columns = (0..WIDTH)
            .filter(|&x| (200..HEIGHT).any(|y| picture.get_pixel(x, y).0 == [BLUE.0, BLUE.1, BLUE.2]))
            .collect::<Vec<_>>();
        assert_eq!(blue_columns.windows(2).filter(|pair| pair[1] > pair[0] + 1).count(), 3);
    }

    #[test]
    fn title_axes_and_legend_are_written() {
        let picture = decode(&png(&keras()).unwrap());
        let dark = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            y.flat_map(|y| x.clone().map(move |x| (x, y)))
                .filter(|&(x, y)| picture.get_pixel(x, y).0.iter().all(|&v| v < 120))
                .count()
        };
        assert!(dark(180..900, 40..120) > 1500, "title");
        assert!(dark(1100..1880, 40..120) > 1500, "legend");
        assert!(dark(40..100, 300..1000) > 800, "name of the y axis");
        assert!(dark(100..195, 150..1050) > 500, "numbers of the y axis");
        assert!(dark(800..1300, 1100..1160) > 300, "name of the x axis");
        let svg = svg(&keras()).unwrap();
        for label in [TITLE, X_LABEL, Y_LABEL, TRAINING, VALIDATION, "\n1\n", "\n4\n", "\n0.11\n", "\n0.14\n"]
        {
            assert!(svg.contains(label), "{label:?} in {svg}");
        }
        assert!(!svg.contains("2.5"), "no mark between two epochs");
    }

    #[test]
    fn the_svg_holds_the_same_curve() {
        let svg = svg(&keras()).unwrap();
        assert!(svg.starts_with("<svg width=\"1920\" height=\"1200\" viewBox=\"0 0 1920 1200\""));
        assert!(svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("fill=\"#2563EB\"").count(), 5, "4 dots and the legend's");
        assert_eq!(svg.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"#DC2626\"").count(), 2);
        assert!(!svg.contains("#FFFFFF"), "no background");
    }

    #[test]
    fn one_epoch_shows_two_points() {
        let one = history(&[(0.1433, 0.1101)]);
        let picture = decode(&png(&one).unwrap());
        assert!((2 * DOT.start..2 * DOT.end).contains(&count(&picture, BLUE)));
        let below_the_legend =
            picture.enumerate_pixels().filter(|(_, y, p)| *y > 150 && p.0 == [RED.0, RED.1, RED.2]).count();
        assert!(DOT.contains(&below_the_legend), "{below_the_legend}");
    }

    #[test]
    fn a_thousand_epochs_stay_inside_the_frame() {
        let losses: Vec<(f64, f64)> =
            (1..=1000).map(|e| f64::from(e).sqrt().recip()).map(|l| (l, l * 0.9)).collect();
        let picture = decode(&png(&history(&losses)).unwrap());
        assert!(count(&picture, BLUE) > 5000 && count(&picture, RED) > 5000);
        for (x, y, p) in picture.enumerate_pixels() {
            let at_the_edge = x < 20 || y < 20 || x >= WIDTH - 20 || y >= HEIGHT - 20;
            assert!(!at_the_edge || p.0 == [255; 3], "{p:?} at {x}, {y}");
        }
    }

    #[test]
    fn no_epoch_is_an_error() {
        let message = png(&[]).unwrap_err().to_string();
        assert_eq!(message, "loss plot: there is no epoch to show; train for at least one");
    }

    #[test]
    fn losses_that_are_not_finite_are_left_out_and_counted() {
        let mixed =
            history(&[(0.2, 0.19), (f64::NAN, 0.18), (0.17, f64::INFINITY), (0.16, 0.15), (1e300, 0.14)]);
        let svg = svg(&mixed).unwrap();
        assert!(svg.contains("3 losses are too large to be shown"), "{svg}");
        assert_eq!(
            svg.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"#DC2626\"").count(),
            3,
            "2 pieces"
        );
        assert_eq!(svg.matches("fill=\"#2563EB\"").count(), 4, "3 dots and the legend's");

        let message =
            png(&history(&[(f64::NAN, f64::NAN), (f64::INFINITY, f64::NAN)])).unwrap_err().to_string();
        assert!(message.contains("none of the losses of 2 epochs"), "{message}");
        assert!(message.contains("learning rate"), "{message}");
    }

    #[test]
    fn every_finite_range_can_be_drawn() {
        let extremes = [0.0, -0.0, 5e-324, 1e-300, 1e-12, 0.1, 1.0, 1e6, 1e29, -1e29, -2.5];
        for a in extremes {
            for b in extremes {
                let svg = svg(&history(&[(a, b), (b, a)])).unwrap();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{a:e}, {b:e}: {svg}");
            }
        }
    }

    #[test]
    fn the_range_is_not_forced_to_zero_and_not_below() {
        let (low, high) = padded(0.095, 0.143);
        assert!(0.09 < low && low < 0.095 && 0.143 < high && high < 0.15);
        assert_eq!(padded(0.001, 1.0).0, 0.0);
        let (low, high) = padded(0.1, 0.1);
        assert!(low < 0.1 && 0.1 < high);
        let (low, high) = padded(0.0, 0.0);
        assert!(low == 0.0 && high > 0.0);
    }

    #[test]
    fn the_same_history_gives_the_same_bytes() {
        assert_eq!(png(&keras()).unwrap(), png(&keras()).unwrap());
        assert_eq!(svg(&keras()).unwrap(), svg(&keras()).unwrap());
    }
}
