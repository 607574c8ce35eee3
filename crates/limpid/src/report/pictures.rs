//! A grid of images with a title, labelled rows and captions, as PNG: `results.png` and what `limpid data` shows.

use super::canvas::{Align, Canvas, Rgb, TextStyle};
use super::font::{Face, Weight};
use crate::image::Image;
use crate::{Error, Result};

/// Small images are enlarged by the whole factor that brings them closest to this side without exceeding it.
const IMAGE_SIDE: usize = 112;
/// Captions may make a column this wide, so that they need few lines under a small image.
const CAPTION_WIDTH: f32 = 132.0;
/// Words up to this width keep a caption's column from breaking them; beyond, they are broken.
const WORD_WIDTH: f32 = 260.0;
/// Row labels wider than this are wrapped.
const LABEL_WIDTH: f32 = 220.0;

const MARGIN: u32 = 32;
const GAP: u32 = 14;
const LABEL_GAP: u32 = 22;

const INK: Rgb = [0x1f, 0x24, 0x2d];
const MUTED: Rgb = [0x55, 0x5d, 0x6b];
const OUTLINE: Rgb = [0xc9, 0xce, 0xd6];

const TITLE_SIZE: f32 = 24.0;
const LABEL_SIZE: f32 = 19.0;
const CAPTION_SIZE: f32 = 13.5;

/// Rows of images under a title.
///
/// ```
/// use limpid::image::Image;
/// use limpid::report::pictures::{Cell, Grid, Row};
///
/// let digit = Image::new(28, 28, vec![0.5; 28 * 28])?;
/// let grid = Grid {
///     title: Some("Training images".into()),
///     rows: vec![Row { label: None, cells: vec![Cell::captioned(digit, "1st Training Image (label: 7)")] }],
/// };
/// let png: Vec<u8> = grid.to_png()?;
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// Above everything.
    pub title: Option<String>,
    /// From top to bottom. They may differ in length.
    pub rows: Vec<Row>,
}

/// One row of a [`Grid`].
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// At the left of the row.
    pub label: Option<String>,
    /// From left to right. The images may differ in size.
    pub cells: Vec<Cell>,
}

/// One image of a [`Row`].
#[derive(Debug, Clone)]
pub struct Cell {
    /// What is shown, enlarged without smoothing.
    pub image: Image,
    /// Under the image, wrapped to the width of the column.
    pub caption: Option<String>,
}

impl Cell {
    /// An image without a caption.
    pub fn plain(image: Image) -> Self {
        Self { image, caption: None }
    }

    /// An image with a caption.
    pub fn captioned(image: Image, caption: impl Into<String>) -> Self {
        Self { image, caption: Some(caption.into()) }
    }
}

impl Row {
    /// A labelled row of images without captions.
    pub fn labelled(label: impl Into<String>, images: impl IntoIterator<Item = Image>) -> Self {
        Self { label: Some(label.into()), cells: images.into_iter().map(Cell::plain).collect() }
    }
}

impl Grid {
    /// Draws the grid as a PNG file (8-bit RGB, white background).
    ///
    /// Characters that the built-in font lacks (it has Latin-1 and some mathematics) appear as a box.
    ///
    /// # Errors
    /// If there is no image at all, or so many or so large ones that the picture would exceed 100 million pixels.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let layout = Layout::new(self)?;
        let mut canvas = Canvas::new(layout.width, layout.height)?;
        layout.draw(self, &mut canvas);
        canvas.to_png()
    }
}

/// Where everything goes, in pixels.
struct Layout {
    width: u32,
    height: u32,
    zoom: u32,
    title: Vec<String>,
    title_height: u32,
    label_width: u32,
    column_width: u32,
    rows: Vec<RowLayout>,
}

struct RowLayout {
    label: Vec<String>,
    captions: Vec<Vec<String>>,
    image_height: u32,
    height: u32,
}

impl Layout {
    fn new(grid: &Grid) -> Result<Self> {
        let cells = || grid.rows.iter().flat_map(|row| &row.cells);
        let Some(largest_side) = cells().map(|cell| cell.image.height().max(cell.image.width())).max() else {
            return Err(Error::invalid("grid of images", "has no image; give at least one"));
        };
        let zoom = (IMAGE_SIDE / largest_side).max(1) as u32;

        let label_face = Face::new(Weight::Regular, LABEL_SIZE);
        let caption_face = Face::new(Weight::Regular, CAPTION_SIZE);

        let widest_image = cells().map(|cell| zoomed(cell.image.width(), zoom)).max().unwrap_or(1);
        let column_width = widest_image.max(caption_column(grid, &caption_face));

        let labels: Vec<Vec<String>> = grid
            .rows
            .iter()
            .map(|row| label_face.wrap(row.label.as_deref().unwrap_or_default(), LABEL_WIDTH))
            .collect();
        let label_width =
            labels.iter().flatten().map(|line| label_face.width(line)).fold(0.0, f32::max).ceil();
        let label_width = if label_width > 0.0 { label_width as u32 + LABEL_GAP } else { 0 };

        let rows: Vec<RowLayout> = grid
            .rows
            .iter()
            .zip(labels)
            .map(|(row, label)| RowLayout::new(row, label, zoom, column_width, &label_face, &caption_face))
            .collect();

        let columns = grid.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let columns_width = u32::try_from(columns)
            .unwrap_or(u32::MAX)
            .saturating_mul(column_width.saturating_add(GAP))
            .saturating_sub(GAP);
        let content_width = label_width.saturating_add(columns_width);

        let title_face = Face::new(Weight::Medium, TITLE_SIZE);
        // A title does not become a tower of words above a single small image: the picture grows instead.
        let title_width =
            (content_width as f32).max(title_face.width(grid.title.as_deref().unwrap_or("")).min(420.0));
        let title = title_face.wrap(grid.title.as_deref().unwrap_or_default(), title_width);
        let title_height =
            if title.is_empty() { 0 } else { title.len() as u32 * title_face.line_height() as u32 + GAP };
        let title_width = title.iter().map(|line| title_face.width(line)).fold(0.0, f32::max).ceil() as u32;

        let rows_height =
            rows.iter().fold(0_u32, |sum, row| sum.saturating_add(row.height).saturating_add(GAP));
        Ok(Self {
            width: content_width.max(title_width).saturating_add(2 * MARGIN),
            height: title_height.saturating_add(rows_height).saturating_sub(GAP).saturating_add(2 * MARGIN),
            zoom,
            title,
            title_height,
            label_width,
            column_width,
            rows,
        })
    }

    fn draw(&self, grid: &Grid, canvas: &mut Canvas) {
        let left = MARGIN as f32;
        let mut top = MARGIN;

        let style = text_style(TITLE_SIZE, Weight::Medium, INK, Align::Start);
        draw_lines(canvas, &self.title, left, top as f32, &style);
        top += self.title_height;

        for (row, layout) in grid.rows.iter().zip(&self.rows) {
            let style = text_style(LABEL_SIZE, Weight::Regular, INK, Align::Start);
            let lines_height = text_height(&layout.label, &style);
            let label_top = top as f32 + ((layout.image_height as f32 - lines_height) / 2.0).max(0.0);
            draw_lines(canvas, &layout.label, left, label_top, &style);

            for (column, (cell, caption)) in row.cells.iter().zip(&layout.captions).enumerate() {
                let column_left = MARGIN + self.label_width + column as u32 * (self.column_width + GAP);
                let (width, height) =
                    (zoomed(cell.image.width(), self.zoom), zoomed(cell.image.height(), self.zoom));
                let x = (column_left + (self.column_width - width) / 2) as i32;
                let y = (top + (layout.image_height - height)) as i32;
                canvas.fill_rect(x - 1, y - 1, width + 2, height + 2, OUTLINE);
                canvas.image(&cell.image, x, y, self.zoom);

                let middle = column_left as f32 + self.column_width as f32 / 2.0;
                let style = text_style(CAPTION_SIZE, Weight::Regular, MUTED, Align::Middle);
                draw_lines(canvas, caption, middle, (top + layout.image_height) as f32 + 7.0, &style);
            }
            top += layout.height + GAP;
        }
    }
}

impl RowLayout {
    fn new(
        row: &Row,
        label: Vec<String>,
        zoom: u32,
        column_width: u32,
        label_face: &Face,
        caption_face: &Face,
    ) -> Self {
        let captions: Vec<Vec<String>> = row
            .cells
            .iter()
            .map(|cell| caption_face.wrap(cell.caption.as_deref().unwrap_or_default(), column_width as f32))
            .collect();
        let image_height = row.cells.iter().map(|cell| zoomed(cell.image.height(), zoom)).max().unwrap_or(0);
        let caption_lines = captions.iter().map(Vec::len).max().unwrap_or(0);
        let caption_height = if caption_lines == 0 {
            0
        } else {
            (caption_lines as f32 * caption_face.line_height()) as u32 + 14
        };
        let label_height = (label.len() as f32 * label_face.line_height()) as u32;
        let height = image_height.saturating_add(caption_height).max(label_height);
        Self { label, captions, image_height, height }
    }
}

/// How wide a column the captions ask for: their full width where short, room for every normal word where long.
fn caption_column(grid: &Grid, face: &Face) -> u32 {
    let captions = grid.rows.iter().flat_map(|row| &row.cells).filter_map(|cell| cell.caption.as_deref());
    captions
        .map(|caption| {
            let words = caption.split_whitespace().map(|word| face.width(word)).fold(0.0, f32::max);
            face.width(caption).min(CAPTION_WIDTH).max(words.min(WORD_WIDTH))
        })
        .fold(0.0, f32::max)
        .ceil() as u32
}

fn zoomed(side: usize, zoom: u32) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX).saturating_mul(zoom)
}

fn text_style(size: f32, weight: Weight, color: Rgb, align: Align) -> TextStyle {
    TextStyle { size, weight, color, align, upwards: false }
}

fn text_height(lines: &[String], style: &TextStyle) -> f32 {
    lines.len() as f32 * Face::new(style.weight, style.size).line_height()
}

/// Writes lines below each other, the first one's line box starting at `top`.
fn draw_lines(canvas: &mut Canvas, lines: &[String], x: f32, top: f32, style: &TextStyle) {
    let face = Face::new(style.weight, style.size);
    let first_baseline = top + (face.line_height() + face.cap_height()) / 2.0;
    for (i, line) in lines.iter().enumerate() {
        canvas.text(line, x, first_baseline + i as f32 * face.line_height(), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(height: usize, width: usize) -> Image {
        let count = height * width;
        Image::new(height, width, (0..count).map(|i| i as f32 / count as f32).collect()).unwrap()
    }

    fn decode(png: &[u8]) -> image::RgbImage {
        let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png).unwrap();
        assert_eq!(picture.color(), image::ColorType::Rgb8);
        picture.into_rgb8()
    }

    fn dark_pixels(picture: &image::RgbImage, x: std::ops::Range<u32>, y: std::ops::Range<u32>) -> usize {
        y.flat_map(|y| x.clone().map(move |x| (x, y)))
            .filter(|&(x, y)| picture.get_pixel(x, y)[0] < 110)
            .count()
    }

    #[test]
    fn a_plain_image_is_enlarged_pixel_by_pixel() {
        let image = ramp(28, 28);
        let grid =
            Grid { title: None, rows: vec![Row { label: None, cells: vec![Cell::plain(image.clone())] }] };
        let picture = decode(&grid.to_png().unwrap());
        assert_eq!(picture.dimensions(), (2 * MARGIN + 112, 2 * MARGIN + 112));
        let grey = image.to_u8();
        for (i, value) in grey.iter().enumerate() {
            let (x, y) = (MARGIN + (i as u32 % 28) * 4, MARGIN + (i as u32 / 28) * 4);
            for (dx, dy) in [(0, 0), (3, 3)] {
                assert_eq!(picture.get_pixel(x + dx, y + dy).0, [*value; 3]);
            }
        }
        assert_eq!(picture.get_pixel(0, 0).0, [255; 3]);
    }

    #[test]
    fn title_label_and_caption_are_drawn_and_take_room() {
        let white = Image::new(28, 28, vec![1.0; 784]).unwrap();
        let grid = Grid {
            title: Some("Test images".into()),
            rows: vec![Row {
                label: Some("Original".into()),
                cells: vec![Cell::captioned(white, "12345th Training Image (label: 7)")],
            }],
        };
        let picture = decode(&grid.to_png().unwrap());
        let layout = Layout::new(&grid).unwrap();
        assert_eq!(picture.dimensions(), (layout.width, layout.height));
        assert!(layout.rows[0].captions[0].len() == 2, "{:?}", layout.rows[0].captions);
        let row_top = MARGIN + layout.title_height;
        let below = row_top + layout.rows[0].image_height + 2;
        let right = picture.width() - MARGIN;
        assert!(dark_pixels(&picture, MARGIN..right, MARGIN..row_top) > 150, "title");
        assert!(dark_pixels(&picture, MARGIN..MARGIN + layout.label_width, row_top..below) > 80, "label");
        assert!(
            dark_pixels(&picture, MARGIN + layout.label_width..right, below..picture.height() - 8) > 80,
            "caption"
        );
        // Nothing is cut off: the margins stay white.
        assert_eq!(dark_pixels(&picture, 0..picture.width(), 0..MARGIN - 6), 0);
        assert_eq!(dark_pixels(&picture, picture.width() - 20..picture.width(), 0..picture.height()), 0);
        assert_eq!(dark_pixels(&picture, 0..MARGIN - 2, 0..picture.height()), 0);
    }

    #[test]
    fn images_of_several_sizes_share_a_grid() {
        let grid = Grid {
            title: None,
            rows: vec![
                Row::labelled("tall", [ramp(300, 20), ramp(1, 1)]),
                Row::default(),
                Row::labelled("wide", [ramp(20, 300)]),
            ],
        };
        let picture = decode(&grid.to_png().unwrap());
        assert!(picture.height() > 320 && picture.width() > 600);
    }

    #[test]
    fn no_image_is_an_error() {
        for rows in [vec![], vec![Row::labelled("empty", [])]] {
            let message = Grid { title: None, rows }.to_png().unwrap_err().to_string();
            assert!(message.contains("no image"), "{message}");
        }
    }

    #[test]
    fn hopeless_sizes_are_refused_instead_of_allocated() {
        let cells = vec![Cell::plain(ramp(4000, 2000)); 13];
        let message =
            Grid { title: None, rows: vec![Row { label: None, cells }] }.to_png().unwrap_err().to_string();
        assert!(message.contains("pixels"), "{message}");
    }

    #[test]
    fn odd_text_and_odd_pixels_do_no_harm() {
        let odd = Image::new(2, 2, vec![f32::NAN, f32::INFINITY, -3.0, 7.0]).unwrap();
        let grid = Grid {
            title: Some("x".repeat(500)),
            rows: vec![Row {
                label: Some("数字 \u{0} \n".into()),
                cells: vec![Cell::captioned(odd, "y".repeat(300))],
            }],
        };
        let picture = decode(&grid.to_png().unwrap());
        assert!(picture.width() < 1000, "long words are broken, not followed: {}", picture.width());
    }

    #[test]
    fn the_same_grid_gives_the_same_bytes() {
        let grid = Grid { title: Some("Twice".into()), rows: vec![Row::labelled("a", [ramp(9, 9)])] };
        assert_eq!(grid.to_png().unwrap(), grid.to_png().unwrap());
    }
}
