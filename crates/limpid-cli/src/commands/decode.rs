//! `limpid decode`: codes in, the images that they stand for out.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use limpid::checkpoint::atomic;
use limpid::code::{Coder, Codes, Format};
use limpid::image::file::{self, Channels, Depth, Header};
use limpid::net::{NetSpec, Shape};

use crate::model;

/// The arguments of `limpid decode`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trained network whose encoder made the codes: a model file, or the directory of a run
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,

    /// File of codes, as `limpid encode` writes it: .npy or .safetensors
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,

    /// Directory for the images, 0000.png and so on
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Decodes the codes and writes the images.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let format = Format::of_name(&args.input)?;
    let (model, _) = model::load(Some(&args.model))?;
    let bytes = std::fs::read(&args.input).map_err(|error| limpid::Error::io("read", &args.input, error))?;
    let codes = Codes::from_bytes(&bytes, format, &args.input)?;
    let refuse = || {
        let problem =
            format!("its codes are {}, which the network {:?} does not make", codes.shape(), model.net.name);
        limpid::Error::data(&args.input, problem)
    };
    let (height, width) = image_size(&model.net, codes.shape())?.ok_or_else(refuse)?;
    let coder = Coder::new(&model, (height, width))?;
    if coder.shape() != codes.shape() {
        return Err(refuse().into());
    }
    std::fs::create_dir_all(&args.output)
        .map_err(|error| limpid::Error::io("create", &args.output, error))?;
    let mut workspace = coder.workspace();
    let mut pixels = vec![0.0; height * width];
    let digits = (codes.len() - 1).to_string().len().max(4);
    for (index, code) in codes.iter().enumerate() {
        coder.decode(&mut workspace, code, &mut pixels);
        let path = args.output.join(format!("{index:0digits$}.png"));
        let header = Header::new(file::Format::Png, (height, width), Channels::Gray, Depth::Eight);
        let mut png = Cursor::new(Vec::new());
        file::write(&mut png, &header, &pixels, &path)?;
        atomic::write(&path, png.get_ref())?;
    }
    let plural = if codes.len() == 1 { "" } else { "s" };
    writeln!(out, "{}: {} image{plural} of {height}x{width}", args.output.display(), codes.len())?;
    Ok(())
}

/// The size of images whose codes are so large, if the network's nominal image and code are in a whole proportion to it.
fn image_size(net: &NetSpec, code: Shape) -> limpid::Result<Option<(usize, usize)>> {
    let Some(index) = net.latent_index() else { return Ok(Some((net.input.height, net.input.width))) };
    let nominal = net.shapes(net.input)?[index];
    let side = |code: usize, image: usize, nominal: usize| {
        code.checked_mul(image).filter(|side| side.is_multiple_of(nominal)).map(|side| side / nominal)
    };
    let height = side(code.height, net.input.height, nominal.height);
    Ok(height.zip(side(code.width, net.input.width, nominal.width)))
}
