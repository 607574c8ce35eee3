//! `report.html`: one page that holds a whole run. It needs no other file, no network and no script.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{ImageFormat, ImageReader};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{font, loss_plot};
use crate::number::{grouped, loss};
use crate::train::history::EpochRecord;
use crate::{Error, Result};

/// Everything that the page shows. Plain strings and numbers: the caller decides what a run is.
///
/// All strings may hold any character; they are escaped.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The heading, e.g. `Denoising autoencoder, 25 epochs`.
    pub title: String,
    /// One or two sentences under the heading: what was trained, on what, with what result.
    pub summary: String,
    /// The settings of the run: name and value, in the order shown.
    pub settings: Vec<(String, String)>,
    /// The layers of the network, from the input to the output.
    pub layers: Vec<LayerRow>,
    /// The epochs, in order. At least one.
    pub history: Vec<EpochRecord>,
    /// What else a reader of the losses should know, e.g. that on MNIST no predictor can go below 0.0581.
    pub loss_note: Option<String>,
    /// What the network makes of images that it was not trained on.
    pub pictures: Vec<Picture>,
    /// The quality on the test set.
    pub metrics: Vec<MetricRow>,
}

/// One line of the network's summary.
#[derive(Debug, Clone, Default)]
pub struct LayerRow {
    /// Name and kind, e.g. `conv1 (3×3, leaky ReLU 0.1)`.
    pub layer: String,
    /// Height × width × channels, e.g. `28 × 28 × 32`.
    pub output_shape: String,
    /// Trainable numbers.
    pub parameters: u64,
    /// Multiplications with addition that one image costs.
    pub multiply_accumulates: u64,
}

/// One picture with its explanation.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// A PNG file.
    pub png: Vec<u8>,
    /// What is to be seen, for those who cannot see it.
    pub alt: String,
    /// Under the picture.
    pub caption: String,
}

/// One measure of quality, with as many digits as the caller stands for.
#[derive(Debug, Clone, Default)]
pub struct MetricRow {
    /// E.g. `PSNR, mean over the images (dB)`.
    pub name: String,
    /// The measure of the noisy input against the clean image: what doing nothing achieves.
    pub noisy: String,
    /// The measure of the reconstruction against the clean image.
    pub reconstruction: String,
}

/// The page as HTML.
///
/// # Errors
/// If the history is empty or holds no finite loss (see [`loss_plot::svg`]), or a picture is not a PNG file.
///
/// ```
/// use limpid::report::html::{Report, render};
/// use limpid::train::history::EpochRecord;
///
/// let report = Report {
///     title: "First try".into(),
///     settings: vec![("Batch size".into(), "64".into())],
///     history: vec![EpochRecord { epoch: 1, training_loss: 0.1433, validation_loss: 0.1101, seconds: 9.4 }],
///     ..Report::default()
/// };
/// let page: String = render(&report)?;
/// assert!(page.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), limpid::Error>(())
/// ```
pub fn render(report: &Report) -> Result<String> {
    let plot = loss_plot::svg(&report.history)?;
    let pictures = report.pictures.iter().map(picture).collect::<Result<Vec<_>>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="limpid";
                title { (report.title) }
                style { (PreEscaped(style())) }
            }
            body {
                header {
                    h1 { (report.title) }
                    @if !report.summary.is_empty() { p.lead { (report.summary) } }
                }
                main {
                    @if !pictures.is_empty() { (pictures_section(&pictures)) }
                    @if !report.metrics.is_empty() { (metrics_section(&report.metrics)) }
                    (loss_section(&report.history, &plot, report.loss_note.as_deref()))
                    @if !report.layers.is_empty() { (network_section(&report.layers)) }
                    @if !report.settings.is_empty() { (settings_section(&report.settings)) }
                }
                footer { "Made by limpid. This page is one file: it can be mailed, archived and opened offline." }
            }
        }
    };
    Ok(page.into_string())
}

fn pictures_section(pictures: &[Markup]) -> Markup {
    html! {
        section {
            h2 { "What the network does" }
            p {
                "The network sees only the noisy image and answers with its guess of the clean one. It was never \
                 trained on these images, so it cannot remember them: it has learned what such images look like."
            }
            @for picture in pictures { (picture) }
        }
    }
}

fn metrics_section(metrics: &[MetricRow]) -> Markup {
    html! {
        section {
            h2 { "How good it is" }
            p {
                "Each figure compares images with their clean originals, over the whole noisy test set. The noisy \
                 input is measured the same way: it is what one gets for doing nothing."
            }
            div.wide tabindex="0" role="region" aria-label="Figures" {
                table {
                    thead { tr {
                        th scope="col" { "Measure" }
                        th.number scope="col" { "Noisy input" }
                        th.number scope="col" { "Reconstruction" }
                    } }
                    tbody {
                        @for row in metrics {
                            tr {
                                td { (row.name) }
                                td.number { (row.noisy) }
                                td.number { (row.reconstruction) }
                            }
                        }
                    }
                }
            }
            p {
                b { "MSE" } " is the mean squared error of a pixel; lower is better. " b { "PSNR" }
                " is the same error in decibels; higher is better, and 10 dB more mean a tenth of the squared error. "
                b { "SSIM" }
                " compares brightness, contrast and structure in small windows, closer to how eyes judge; 1 means equal."
            }
        }
    }
}

fn loss_section(history: &[EpochRecord], plot: &str, note: Option<&str>) -> Markup {
    let best = history
        .iter()
        .filter(|r| r.validation_loss.is_finite())
        .min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
        .map(|r| r.epoch);
    html! {
        section {
            h2 { "How it learned" }
            p {
                "The loss says how far the reconstruction is from the clean image: the binary cross-entropy, averaged \
                 over all pixels. Lower is better."
            }
            div.wide tabindex="0" role="region" aria-label="Loss curve" {
                figure.plot role="img" aria-label=(describe(history)) { (PreEscaped(plot)) }
            }
            p {
                "The " b { "training loss" } " is the mean over all batches of an epoch, under noise drawn anew for \
                 every batch, while the weights were still changing. The " b { "validation loss" } " is measured \
                 after the epoch, on images that are never trained on: the test images under their own noise, drawn \
                 once, so that all epochs are compared on the same pixels."
            }
            p {
                "Early on, the validation loss is often the lower one: it is measured with the weights that the epoch \
                 ended with, while the training loss still counts the epoch's first steps. A validation loss that \
                 rises while the training loss falls would mean that the network memorises instead of learning."
            }
            @if let Some(note) = note { p.note { (note) } }
            div.wide.epochs tabindex="0" role="region" aria-label="Table of epochs" {
                table {
                    thead { tr {
                        th scope="col" { "Epoch" }
                        th.number scope="col" { "Training loss" }
                        th.number scope="col" { "Validation loss" }
                        th.number scope="col" { "Seconds of training" }
                    } }
                    tbody {
                        @for record in history {
                            tr class=[(Some(record.epoch) == best).then_some("best")] {
                                td { (record.epoch) @if Some(record.epoch) == best { " (best)" } }
                                td.number { (loss(record.training_loss)) }
                                td.number { (loss(record.validation_loss)) }
                                td.number { (format!("{:.1}", record.seconds)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn network_section(layers: &[LayerRow]) -> Markup {
    let parameters: u64 = layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.parameters));
    let work: u64 = layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.multiply_accumulates));
    html! {
        section {
            h2 { "The network" }
            p {
                "Every layer turns the output of the one above into its own. Parameters are the numbers that training \
                 adjusts; multiply-accumulates are the work for one image."
            }
            div.wide tabindex="0" role="region" aria-label="Layers of the network" {
                table {
                    thead { tr {
                        th scope="col" { "Layer" }
                        th scope="col" { "Output shape" }
                        th.number scope="col" { "Parameters" }
                        th.number scope="col" { "Multiply-accumulates" }
                    } }
                    tbody {
                        @for row in layers {
                            tr {
                                td { (row.layer) }
                                td.shape { (row.output_shape) }
                                td.number { (grouped(row.parameters)) }
                                td.number { (grouped(row.multiply_accumulates)) }
                            }
                        }
                    }
                    tfoot { tr {
                        th scope="row" colspan="2" { "Total" }
                        td.number { (grouped(parameters)) }
                        td.number { (grouped(work)) }
                    } }
                }
            }
        }
    }
}

fn settings_section(settings: &[(String, String)]) -> Markup {
    html! {
        section {
            h2 { "Settings" }
            p { "The same settings on the same build and kind of processor give the same network again, bit by bit." }
            table.settings {
                tbody {
                    @for (name, value) in settings {
                        tr { th scope="row" { (name) } td { (value) } }
                    }
                }
            }
        }
    }
}

pub(super) fn picture(picture: &Picture) -> Result<Markup> {
    let (width, height) = ImageReader::with_format(std::io::Cursor::new(&picture.png), ImageFormat::Png)
        .into_dimensions()
        .map_err(|e| {
            Error::invalid(
                format!("picture \"{}\" of the report", picture.caption),
                format!("expected a PNG file: {e}"),
            )
        })?;
    let broad = width > 1000;
    Ok(html! {
        figure {
            div.wide[broad] tabindex=[broad.then_some("0")] {
                img.broad[broad] src=(data_uri("image/png", &picture.png)) width=(width) height=(height) alt=(picture.alt);
            }
            @if !picture.caption.is_empty() { figcaption { (picture.caption) } }
        }
    })
}

/// The curve in words, for those who cannot see it.
fn describe(history: &[EpochRecord]) -> String {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return String::new() };
    let ends = |r: &EpochRecord| {
        format!("training {}, validation {}", loss(r.training_loss), loss(r.validation_loss))
    };
    match history.len() {
        1 => format!("Loss after epoch {}: {}.", first.epoch, ends(first)),
        _ => format!(
            "Training and validation loss over the epochs. Epoch {}: {}. Epoch {}: {}.",
            first.epoch,
            ends(first),
            last.epoch,
            ends(last)
        ),
    }
}

/// The style sheet with the font inside, so that the page looks the same on every machine.
pub(super) fn style() -> String {
    let face = |weight: &str, ttf: &[u8]| {
        format!(
            "@font-face {{ font-family: \"{}\"; font-weight: {weight}; src: url({}) format(\"truetype\"); }}\n",
            font::FAMILY,
            data_uri("font/ttf", ttf)
        )
    };
    let family = format!("\"{}\"", font::FAMILY);
    [
        face("400", font::REGULAR_TTF),
        face("500 700", font::MEDIUM_TTF),
        include_str!("style.css").replace("FAMILY", &family),
    ]
    .concat()
}

fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;
    use crate::report::pictures::{Grid, Row};

    fn report() -> Report {
        let grey = Image::new(2, 2, vec![0.0, 0.25, 0.5, 1.0]).unwrap();
        let png = Grid { title: None, rows: vec![Row::labelled("Original", [grey])] }.to_png().unwrap();
        Report {
            title: "Denoising autoencoder, 2 epochs".into(),
            summary: "Trained on 55,000 images.".into(),
            settings: vec![("Batch size".into(), "64".into()), ("Noise".into(), "gaussian:0.5".into())],
            layers: vec![
                LayerRow {
                    layer: "conv1".into(),
                    output_shape: "28 × 28 × 32".into(),
                    parameters: 320,
                    multiply_accumulates: 225_792,
                },
                LayerRow {
                    layer: "conv2".into(),
                    output_shape: "14 × 14 × 32".into(),
                    parameters: 9_248,
                    multiply_accumulates: 1_806_336,
                },
            ],
            history: vec![
                EpochRecord { epoch: 1, training_loss: 0.1433, validation_loss: 0.1101, seconds: 9.42 },
                EpochRecord { epoch: 2, training_loss: 0.1080, validation_loss: 0.1045, seconds: 9.31 },
            ],
            loss_note: Some("No predictor can go below 0.0581.".into()),
            pictures: vec![Picture { png, alt: "One image".into(), caption: "A test digit".into() }],
            metrics: vec![MetricRow {
                name: "MSE".into(),
                noisy: "0.1156".into(),
                reconstruction: "0.0102".into(),
            }],
        }
    }

    /// The page without what fills screens: embedded files, the style sheet, the drawing.
    fn abbreviated(page: &str) -> String {
        let mut text = page.to_string();
        for (open, close) in [("<style>", "</style>"), ("<svg", "</svg>"), (";base64,", "\"")] {
            let mut from = 0;
            while let Some(start) = text[from..].find(open).map(|i| from + i + open.len()) {
                let end = start + text[start..].find(close).expect("what opens is closed");
                text.replace_range(start..end, "…");
                from = start;
            }
        }
        // A line for every element, so that a changed one is seen.
        text.replace("><", ">\n<")
    }

    #[test]
    fn the_page_says_it_all() {
        insta::assert_snapshot!(abbreviated(&render(&report()).unwrap()));
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_nothing_runs() {
        let page = render(&report()).unwrap();
        // The namespace of SVG is a name, not an address.
        let rest = page.replace("http://www.w3.org/2000/svg", "");
        for needle in ["http:", "https:", "<script", "<link", "@import", "url(\"", " src=\"/", "javascript:"]
        {
            assert!(!rest.contains(needle), "{needle}");
        }
        assert_eq!(page.matches("url(data:font/ttf;base64,").count(), 2);
        assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 1);
        assert!(page.len() < 150_000, "{} bytes", page.len());
    }

    #[test]
    fn strings_of_the_user_are_escaped_everywhere() {
        let evil = "</style></title><script>alert('&\"')</script>";
        let mut report = report();
        report.title = evil.into();
        report.summary = evil.into();
        report.settings = vec![(evil.into(), evil.into())];
        report.layers[0].layer = evil.into();
        report.layers[0].output_shape = evil.into();
        report.loss_note = Some(evil.into());
        report.pictures[0].alt = evil.into();
        report.pictures[0].caption = evil.into();
        report.metrics[0] = MetricRow { name: evil.into(), noisy: evil.into(), reconstruction: evil.into() };
        let page = render(&report).unwrap();
        assert!(!page.contains("<script"));
        assert_eq!(page.matches("&lt;script&gt;alert('&amp;&quot;')").count(), 13);
        assert_eq!(page.matches("</style>").count(), 1);
        assert_eq!(page.matches("</title>").count(), 1);
    }

    #[test]
    fn the_dark_scheme_knows_every_colour_of_the_drawing() {
        let svg = loss_plot::svg(&report().history).unwrap();
        let css = style();
        for attribute in ["fill", "stroke"] {
            for (at, _) in svg.match_indices(&format!(" {attribute}=\"#")) {
                let color = &svg[at + 1..at + 1 + attribute.len() + 10];
                assert!(css.contains(&format!(".plot [{color}]")), "{color} has no rule in style.css");
            }
        }
    }

    #[test]
    fn a_picture_that_is_no_png_is_named() {
        let mut report = report();
        report.pictures[0].png = b"GIF89a".to_vec();
        let message = render(&report).unwrap_err().to_string();
        assert!(message.contains("A test digit") && message.contains("PNG"), "{message}");
    }

    #[test]
    fn an_empty_history_is_refused() {
        let message = render(&Report { history: vec![], ..report() }).unwrap_err().to_string();
        assert!(message.contains("no epoch"), "{message}");
    }

    #[test]
    fn parts_without_content_are_left_out() {
        let bare = Report { history: report().history, ..Report::default() };
        let page = render(&bare).unwrap();
        assert!(page.contains("How it learned"));
        for heading in ["What the network does", "How good it is", "The network", "Settings"] {
            assert!(!page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
        }
    }

    #[test]
    fn losses_that_are_no_numbers_are_shown_as_such() {
        let mut report = report();
        report.history[1].training_loss = f64::INFINITY;
        report.history[1].validation_loss = f64::NAN;
        let page = render(&report).unwrap();
        assert!(page.contains(">inf<") && page.contains(">NaN<"));
        assert!(page.contains("1 (best)") && !page.contains("2 (best)"));
    }

    #[test]
    fn the_same_run_gives_the_same_page() {
        assert_eq!(render(&report()).unwrap(), render(&report()).unwrap());
    }
}
