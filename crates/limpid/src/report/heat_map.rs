//! A matrix of numbers as colours, with the numbers in them: confusions, noise against noise.

use super::canvas::{Align, Canvas, Rgb, TextStyle};
use super::font::{Face, Weight};
use crate::experiments::HeatMap;
use crate::{Error, Result};

const INK: Rgb = [0x1f, 0x24, 0x2d];
const MUTED: Rgb = [0x55, 0x5d, 0x6b];
const WHITE: Rgb = [255; 3];
/// From the smallest value to the largest; their brightness falls all the way, so that a grey copy says the same.
const RAMP: [Rgb; 4] = [[0xf4, 0xf7, 0xfb], [0xa9, 0xc8, 0xee], [0x3f, 0x7d, 0xd1], [0x0b, 0x2a, 0x63]];

const MARGIN: f32 = 32.0;
const TITLE_SIZE: f32 = 26.0;
const LABEL_SIZE: f32 = 20.0;
const FIELD_SIZE: f32 = 18.0;
const FIELD_HEIGHT: f32 = 48.0;
const GAP: f32 = 12.0;

/// The matrix as a PNG file (8-bit RGB, white background).
///
/// # Errors
/// If the matrix has no field, or not a name for each row and column.
pub fn png(map: &HeatMap) -> Result<Vec<u8>> {
    let whole = map.values.len() == map.rows.len()
        && map.values.iter().all(|row| row.len() == map.columns.len())
        && !map.rows.is_empty()
        && !map.columns.is_empty();
    if !whole {
        return Err(Error::invalid(
            format!("heat map {:?}", map.title),
            "expected at least one field, and a name for each row and column",
        ));
    }
    let label = Face::new(Weight::Regular, LABEL_SIZE);
    let field = Face::new(Weight::Regular, FIELD_SIZE);
    let number = |value: f64| format!("{value:.*}", map.decimals);
    let widest = |face: &Face, texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| face.width(&text)).fold(0.0, f32::max).ceil()
    };
    let fields = widest(&field, &mut map.values.iter().flatten().map(|&value| number(value)));
    let heads = widest(&label, &mut map.columns.iter().cloned());
    let names = widest(&label, &mut map.rows.iter().cloned());
    let field_width = (fields.max(heads) + 20.0).max(FIELD_HEIGHT);

    let title = Face::new(Weight::Medium, TITLE_SIZE).width(&map.title).ceil();
    let left = MARGIN + LABEL_SIZE + GAP + names + GAP;
    let top = MARGIN + TITLE_SIZE + GAP + 2.0 * (LABEL_SIZE + GAP);
    let (width, height) = (field_width * map.columns.len() as f32, FIELD_HEIGHT * map.rows.len() as f32);
    let mut canvas =
        Canvas::new(((left + width).max(MARGIN + title) + MARGIN) as u32, (top + height + MARGIN) as u32)?;

    let style = |size, weight, color, align| TextStyle { size, weight, color, align, upwards: false };
    canvas.text(
        &map.title,
        MARGIN,
        MARGIN + TITLE_SIZE * 0.8,
        &style(TITLE_SIZE, Weight::Medium, INK, Align::Start),
    );
    let axis = style(LABEL_SIZE, Weight::Regular, MUTED, Align::Middle);
    canvas.text(&map.x_label, left + width / 2.0, top - LABEL_SIZE - 2.0 * GAP, &axis);
    canvas.text(
        &map.y_label,
        MARGIN + LABEL_SIZE * 0.8,
        top + height / 2.0,
        &TextStyle { upwards: true, ..axis },
    );
    for (column, name) in map.columns.iter().enumerate() {
        let x = left + (column as f32 + 0.5) * field_width;
        canvas.text(name, x, top - GAP, &style(LABEL_SIZE, Weight::Regular, INK, Align::Middle));
    }

    let (low, high) = range(map);
    for (row, (name, values)) in map.rows.iter().zip(&map.values).enumerate() {
        let y = top + row as f32 * FIELD_HEIGHT;
        let baseline = y + (FIELD_HEIGHT + label.cap_height()) / 2.0;
        canvas.text(name, left - GAP, baseline, &style(LABEL_SIZE, Weight::Regular, INK, Align::End));
        for (column, &value) in values.iter().enumerate() {
            let x = left + column as f32 * field_width;
            let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
            let color = if value.is_finite() { ramp(share as f32) } else { [0xdd; 3] };
            canvas.fill_rect(x as i32, y as i32, field_width as u32 - 1, FIELD_HEIGHT as u32 - 1, color);
            let ink = if share > 0.55 && value.is_finite() { WHITE } else { INK };
            let baseline = y + (FIELD_HEIGHT + field.cap_height()) / 2.0;
            canvas.text(
                &number(value),
                x + field_width / 2.0,
                baseline,
                &style(FIELD_SIZE, Weight::Regular, ink, Align::Middle),
            );
        }
    }
    canvas.to_png()
}

/// The values of the two ends of the ramp, the one below the other.
fn range(map: &HeatMap) -> (f64, f64) {
    let finite = || map.values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) = map.range.unwrap_or_else(|| {
        (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max))
    });
    if low < high { (low, high) } else { (low - 1.0, low + 1.0) }
}

/// The colour of a share in `[0, 1]`.
fn ramp(share: f32) -> Rgb {
    let at = share * (RAMP.len() - 1) as f32;
    let first = (at as usize).min(RAMP.len() - 2);
    let between = at - first as f32;
    std::array::from_fn(|i| {
        let (from, to) = (f32::from(RAMP[first][i]), f32::from(RAMP[first + 1][i]));
        (from + (to - from) * between).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: Vec<Vec<f64>>) -> HeatMap {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect();
        let (rows, columns) = (names(values.len()), names(values.first().map_or(0, Vec::len)));
        HeatMap { title: "Any".into(), rows, columns, values, ..HeatMap::default() }
    }

    #[test]
    fn every_value_has_its_colour() {
        let picture = image::load_from_memory(&png(&map(vec![vec![0.0, 1.0], vec![0.5, f64::NAN]])).unwrap());
        let picture = picture.unwrap().into_rgb8();
        let count = |color: Rgb| picture.pixels().filter(|pixel| pixel.0 == color).count();
        for color in [RAMP[0], RAMP[3], ramp(0.5), [0xdd; 3]] {
            assert!(count(color) > 1000, "{color:?}: {}", count(color));
        }
    }

    #[test]
    fn equal_values_and_odd_ones_do_no_harm() {
        for values in [vec![vec![3.0; 4]; 2], vec![vec![f64::NAN]], vec![vec![f64::INFINITY, 1.0]]] {
            assert!(png(&map(values)).is_ok());
        }
        assert!(png(&map(vec![])).is_err());
        assert!(png(&map(vec![vec![1.0], vec![]])).is_err());
    }

    #[test]
    fn the_ramp_darkens_all_the_way() {
        let brightness = |share: f32| ramp(share).iter().map(|&v| u32::from(v)).sum::<u32>();
        assert!((0..50).all(|i| brightness(i as f32 / 50.0) > brightness((i + 1) as f32 / 50.0)));
    }
}
