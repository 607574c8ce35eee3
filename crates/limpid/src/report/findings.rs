//! What an experiment found, for people: a table as text and as CSV, its pictures, and a page that holds it all.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::html::{Picture, picture, style};
use super::pictures::{Grid, Row};
use super::{chart, heat_map, pictures};
use crate::Result;
use crate::experiments::{Cell, Drawing, Figure, Findings, Table};

/// The table in columns, for a terminal: words to the left, numbers to the right. It ends with a line break.
///
/// ```
/// use limpid::experiments::{Cell, Table};
///
/// let rows = vec![vec![Cell::text("code"), Cell::number(95.31, 1)]];
/// let table = Table { columns: vec!["sees".into(), "accuracy".into()], rows, ..Table::default() };
/// assert_eq!(limpid::report::findings::text(&table), "sees  accuracy\ncode      95.3\n");
/// ```
pub fn text(table: &Table) -> String {
    let shown: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([name.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let numbers: Vec<bool> = (0..table.columns.len()).map(|column| is_numeric(table, column)).collect();
    let line = |cells: &mut dyn Iterator<Item = &String>| {
        let padded = cells.zip(&widths).zip(&numbers).map(|((cell, &width), &number)| {
            if number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut table.columns.iter());
    for row in &shown {
        text += &line(&mut row.iter());
    }
    text
}

/// The table as CSV (RFC 4180, lines end with a line feed), numbers with all their digits. A column of spreads becomes two,
/// the second one named `NAME deviation`.
pub fn csv(table: &Table) -> String {
    let spread: Vec<bool> = (0..table.columns.len())
        .map(|column| table.rows.iter().any(|row| matches!(row.get(column), Some(Cell::Spread { .. }))))
        .collect();
    let head = table.columns.iter().zip(&spread).flat_map(|(name, &spread)| {
        std::iter::once(quoted(name)).chain(spread.then(|| quoted(&format!("{name} deviation"))))
    });
    let mut csv = head.collect::<Vec<_>>().join(",") + "\n";
    for row in &table.rows {
        let fields = row.iter().zip(&spread).flat_map(|(cell, &spread)| {
            let (first, second) = match cell {
                Cell::Text(text) => (quoted(text), String::new()),
                Cell::Number { value, .. } => (value.to_string(), String::new()),
                Cell::Spread { mean, deviation, .. } => (mean.to_string(), deviation.to_string()),
                Cell::Empty => (String::new(), String::new()),
            };
            std::iter::once(first).chain(spread.then_some(second))
        });
        csv += &(fields.collect::<Vec<_>>().join(",") + "\n");
    }
    csv
}

/// A field of CSV, in quotation marks where it needs them.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Whether all that a column says are numbers.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells =
        table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Empty).peekable();
    cells.peek().is_some() && !cells.any(|cell| matches!(cell, Cell::Text(_)))
}

/// A figure as a PNG file.
///
/// # Errors
/// If there is nothing to draw, or its numbers cannot be drawn: see [`chart::png`] and [`heat_map::png`].
pub fn png(figure: &Figure) -> Result<Vec<u8>> {
    match &figure.drawing {
        Drawing::HeatMap(map) => heat_map::png(map),
        Drawing::Chart(drawing) => chart::png(drawing),
        Drawing::Images { title, rows } => {
            let cell = |(image, caption): &(crate::image::Image, String)| pictures::Cell {
                image: image.clone(),
                caption: (!caption.is_empty()).then(|| caption.clone()),
            };
            let row = |(label, cells): &(String, Vec<_>)| Row {
                label: (!label.is_empty()).then(|| label.clone()),
                cells: cells.iter().map(cell).collect(),
            };
            Grid { title: Some(title.clone()), rows: rows.iter().map(row).collect() }.to_png()
        }
    }
}

/// The findings as a section of an HTML page, pictures inside.
///
/// # Errors
/// As [`png()`].
pub fn section(findings: &Findings) -> Result<String> {
    Ok(markup(findings)?.into_string())
}

/// The findings as a page of their own, one file.
///
/// # Errors
/// As [`png()`].
pub fn page(findings: &Findings) -> Result<String> {
    let section = markup(findings)?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="limpid";
                title { (findings.title) }
                style { (PreEscaped(style())) }
            }
            body {
                main { (section) }
                footer { "Made by limpid. This page is one file: it can be mailed, archived and opened offline." }
            }
        }
    };
    Ok(page.into_string())
}

fn markup(findings: &Findings) -> Result<Markup> {
    let figures = findings.figures.iter().map(|figure| {
        picture(&Picture { png: png(figure)?, alt: figure.caption.clone(), caption: figure.caption.clone() })
    });
    let figures = figures.collect::<Result<Vec<_>>>()?;
    Ok(html! {
        section id=(findings.name) {
            h2 { (findings.title) }
            p.lead { (findings.claim) }
            @for table in &findings.tables { (table_markup(table)) }
            @for remark in &findings.remarks { p { (remark) } }
            @for figure in &figures { (figure) }
            table.settings { tbody {
                @for (name, value) in &findings.settings { tr { th scope="row" { (name) } td { (value) } } }
            } }
        }
    })
}

fn table_markup(table: &Table) -> Markup {
    let class = |column: usize| is_numeric(table, column).then_some("number");
    html! {
        p { (table.title) }
        div.wide tabindex="0" role="region" aria-label=(table.title) {
            table {
                thead { tr {
                    @for (column, name) in table.columns.iter().enumerate() {
                        th scope="col" class=[class(column)] { (name) }
                    }
                } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                td class=[class(column)] { (cell.shown()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::HeatMap;

    fn table() -> Table {
        Table {
            name: "any".into(),
            title: "Any <table>".into(),
            columns: vec!["what, exactly".into(), "runs".into(), "plain".into()],
            rows: vec![
                vec![Cell::text("a \"b\""), Cell::spread(&[1.0, 2.0], 1), Cell::number(1.0 / 3.0, 2)],
                vec![Cell::text("c"), Cell::Empty, Cell::count(12_345)],
            ],
        }
    }

    #[test]
    fn a_table_is_text_with_straight_columns() {
        assert_eq!(
            text(&table()),
            "what, exactly       runs  plain\na \"b\"          1.5 ± 0.7   0.33\nc                         12345\n"
        );
    }

    #[test]
    fn a_table_is_csv_with_all_digits() {
        assert_eq!(
            csv(&table()),
            "\"what, exactly\",runs,runs deviation,plain\n\"a \"\"b\"\"\",1.5,0.7071067811865476,0.3333333333333333\n\
             c,,,12345\n"
        );
    }

    #[test]
    fn the_page_holds_everything_and_escapes_it() {
        let map = HeatMap {
            title: "Map".into(),
            columns: vec!["a".into()],
            rows: vec!["b".into()],
            values: vec![vec![1.0]],
            ..HeatMap::default()
        };
        let findings = Findings {
            name: "any",
            title: "Any & all".into(),
            tables: vec![table()],
            figures: vec![Figure {
                name: "map".into(),
                caption: "A map".into(),
                drawing: Drawing::HeatMap(map),
            }],
            settings: vec![("Seeds".into(), "1 < 2".into())],
            remarks: vec!["So it is.".into()],
            ..Findings::default()
        };
        let page = page(&findings).unwrap();
        for expected in [
            "Any &amp; all",
            "Any &lt;table&gt;",
            "1.5 ± 0.7",
            "1 &lt; 2",
            "So it is.",
            "data:image/png;base64,",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(page.contains(&section(&findings).unwrap()) && !page.contains("http"));
    }
}
