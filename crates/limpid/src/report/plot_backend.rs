//! Lets plotters draw on our [`Canvas`]: its charts, our antialiased shapes and our font.

use std::convert::Infallible;

use ab_glyph_rasterizer::{Point, point};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::canvas::{Align, Canvas, TextStyle};
use super::font::{Face, Weight};

/// plotters measures a font by its line, 1.24 em by its own convention (see plotters-svg's `font-size`).
pub(crate) const LINE_PER_EM: f64 = 1.24;

/// A plotters backend that draws on a canvas and cannot fail.
pub(crate) struct CanvasBackend<'a>(pub(crate) &'a mut Canvas);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for CanvasBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.size()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.0.blend(x, y, color.rgb.into(), color.alpha as f32);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        // An odd width is centred on the middle of a pixel, an even one on its edge: both fill whole pixels.
        let shift = if style.stroke_width() % 2 == 1 { 0.5 } else { 0.0 };
        let points: Vec<Point> =
            path.into_iter().map(|(x, y)| point(x as f32 + shift, y as f32 + shift)).collect();
        let color = style.color();
        self.0.stroke(&points, style.stroke_width() as f32, color.rgb.into(), color.alpha as f32);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        debug_assert!(fill, "only discs are used");
        let color = style.color();
        self.0.disc(point(x as f32, y as f32), radius as f32, color.rgb.into(), color.alpha as f32);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        let size = (style.size() / LINE_PER_EM) as f32;
        // From the anchor down to the baseline, in em, as plotters-svg does it: 0.5 ex is 0.264 em in Roboto.
        let drop = size
            * match style.anchor().v_pos {
                VPos::Top => 0.76,
                VPos::Center => 0.264,
                VPos::Bottom => -0.264,
            };
        let upwards = matches!(style.transform(), FontTransform::Rotate270);
        let (x, y) = (x as f32, y as f32);
        let (x, y) = if upwards { (x + drop, y) } else { (x, y + drop) };
        let style = TextStyle {
            size,
            weight: weight(style.style()),
            color: style.color().rgb.into(),
            align: match style.anchor().h_pos {
                HPos::Left => Align::Start,
                HPos::Center => Align::Middle,
                HPos::Right => Align::End,
            },
            upwards,
        };
        self.0.text(text, x, y, &style);
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = (style.size() / LINE_PER_EM) as f32;
        let face = Face::new(weight(style.style()), size);
        Ok((face.width(text).ceil() as u32, size.ceil() as u32))
    }
}

fn weight(style: FontStyle) -> Weight {
    match style {
        FontStyle::Bold => Weight::Medium,
        FontStyle::Normal | FontStyle::Italic | FontStyle::Oblique => Weight::Regular,
    }
}
