//! Writing portable anymaps, row by row, in their binary forms: P4 for 1 bit, P5 for gray, P6 for RGB, P7 with opacity.

use std::io::Write;
use std::path::Path;

use super::header::{Channels, Depth, Header};
use super::{Sink, samples};
use crate::{Error, Result};

/// Writes a file; `body` writes its rows.
pub(super) fn write<W: Write>(
    mut output: W,
    header: &Header,
    path: &Path,
    body: impl FnOnce(&mut dyn Sink) -> Result<()>,
) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    let (width, height) = (header.width, header.height);
    let most = (1_u32 << header.depth.bits()) - 1;
    let start = match header.channels {
        Channels::Gray if header.depth == Depth::One => format!("P4\n{width} {height}\n"),
        Channels::Gray => format!("P5\n{width} {height}\n{most}\n"),
        Channels::Rgb => format!("P6\n{width} {height}\n{most}\n"),
        Channels::GrayAlpha | Channels::RgbAlpha => format!(
            "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {}\nMAXVAL {most}\nTUPLTYPE {}\nENDHDR\n",
            header.channels.count(),
            if header.channels == Channels::GrayAlpha { "GRAYSCALE_ALPHA" } else { "RGB_ALPHA" },
        ),
    };
    output.write_all(start.as_bytes()).map_err(failed)?;
    body(&mut PnmSink { output: &mut output, header, path })?;
    output.flush().map_err(failed)
}

struct PnmSink<'a, W> {
    output: W,
    header: &'a Header,
    path: &'a Path,
}

impl<W: Write> Sink for PnmSink<'_, W> {
    fn write(&mut self, rows: &mut [u8]) -> Result<()> {
        match self.header.depth {
            Depth::Sixteen => samples::swap_from_big_endian(rows),
            // A bit that is set is black here.
            Depth::One => rows.iter_mut().for_each(|byte| *byte = !*byte),
            _ => {}
        }
        self.output.write_all(rows).map_err(|error| Error::io("write", self.path, error))
    }
}
