//! The arguments of `limpid denoise`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use limpid::image::file::{Depth, Format, Header};
use limpid::noise::Noise;

use crate::values;

/// The arguments of `limpid denoise`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long, short, value_name = "MODEL", help = crate::model::HELP)]
    pub(super) model: Option<PathBuf>,

    /// Picture, folder of pictures, or - for standard input
    #[arg(long, short, value_name = "IN")]
    pub(super) input: PathBuf,

    /// Where to: a picture, a folder, or - for standard output; not needed where only figures are wanted
    #[arg(long, short, value_name = "OUT", required_unless_present_any = ["noise_test", "compare"])]
    pub(super) output: Option<PathBuf>,

    /// Colour pictures: luma takes the noise from their brightness and leaves their colours; each takes it from red,
    /// green and blue by themselves
    #[arg(long, value_name = "luma|each", default_value = "luma", value_parser = values::parsed::<Color>)]
    pub(super) color: Color,

    /// For dark on light, where the model was trained on light on dark: work on the negative
    #[arg(long)]
    pub(super) invert: bool,

    /// Format of the output: png, jpg, tif, pnm, bmp or webp [default: by the name of OUT, else that of the input]
    #[arg(long, value_name = "FORMAT", value_parser = values::parsed::<Format>)]
    pub(super) format: Option<Format>,

    /// Bits of the output: 1, 2, 4, 8, 16, or 32 for float [default: those of the input]
    #[arg(long, value_name = "BITS", value_parser = depth)]
    pub(super) depth: Option<Depth>,

    /// Quality of JPEG output, 1 to 100
    #[arg(long, value_name = "N", default_value_t = Header::QUALITY, value_parser = quality)]
    pub(super) quality: u8,

    /// Replace what exists
    #[arg(long)]
    pub(super) overwrite: bool,

    /// Do only what is missing
    #[arg(long, conflicts_with = "overwrite")]
    pub(super) resume: bool,

    /// Corrupt the pictures first, and print PSNR and SSIM before and after; for example gaussian:0.3
    #[arg(long, value_name = "KIND:LEVEL", value_parser = values::parsed::<Noise>)]
    pub(super) noise_test: Option<Noise>,

    /// Print PSNR and SSIM before and after against a clean picture, or a folder of them with the same names
    #[arg(long, value_name = "CLEAN", conflicts_with = "noise_test")]
    pub(super) compare: Option<PathBuf>,

    /// Side of the tiles in which large pictures are denoised, in pixels [default: 0, what fits]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count)]
    pub(super) tile: usize,

    /// Memory to stay within; pictures that need more are refused
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = values::memory)]
    pub(super) max_memory: u64,

    /// Threads; they do not change the result [default: 0, one per processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = values::count)]
    pub(super) threads: usize,

    /// Print nothing but problems
    #[arg(long)]
    pub(super) quiet: bool,
}

/// Whether a path stands for standard input or output.
pub(super) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What is denoised of a picture in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    /// The brightness; red, green and blue change by as much as it does.
    Luma,
    /// Red, green and blue, each by itself.
    Each,
}

impl FromStr for Color {
    type Err = limpid::Error;

    fn from_str(text: &str) -> limpid::Result<Self> {
        match text {
            "luma" => Ok(Self::Luma),
            "each" => Ok(Self::Each),
            _ => Err(limpid::Error::invalid("color", "expected luma or each")),
        }
    }
}

fn depth(text: &str) -> Result<Depth, String> {
    [Depth::One, Depth::Two, Depth::Four, Depth::Eight, Depth::Sixteen, Depth::Float]
        .into_iter()
        .find(|depth| depth.bits().to_string() == text)
        .ok_or_else(|| "expected 1, 2, 4, 8, 16 or 32".into())
}

fn quality(text: &str) -> Result<u8, String> {
    values::whole(text, 1..=100, "expected a whole number from 1 to 100")
}
