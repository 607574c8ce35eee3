//! `limpid encode`: images in, their codes out, as an array.

use std::io::Write;
use std::path::PathBuf;

use limpid::checkpoint::atomic;
use limpid::code::{Coder, Codes, Format};
use limpid::data::Samples;
use limpid::image::Image;
use limpid::number::grouped;

use crate::dataset::DataArgs;
use crate::{model, picture, values};

/// The arguments of `limpid encode`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trained network: a model file, or the directory of a run
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,

    /// Pictures, all of one size, which the network takes
    #[arg(short, long, value_name = "IMG", num_args = 1.., required_unless_present = "test")]
    input: Vec<PathBuf>,

    /// Instead of pictures, the first N test images of the data set
    #[arg(long, value_name = "N", conflicts_with = "input", value_parser = values::at_least_one_usize, allow_negative_numbers = true)]
    test: Option<usize>,

    #[command(flatten)]
    data: DataArgs,

    /// File to write: codes.npy or codes.safetensors, float32 [images, height, width, channels]
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Encodes the images and writes their codes.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let format = Format::of_name(&args.output)?;
    let (model, _) = model::load(Some(&args.model))?;
    let images: Vec<Image> = match args.test {
        Some(count) => {
            let test = args.data.load()?.test.images;
            (0..count.min(test.len())).map(|index| test.image(index)).collect()
        }
        None => args.input.iter().map(|path| picture::read(path)).collect::<limpid::Result<_>>()?,
    };
    let size = |image: &Image| (image.height(), image.width());
    let (height, width) = size(&images[0]);
    if let Some((index, other)) = images.iter().enumerate().find(|(_, image)| size(image) != (height, width))
    {
        let problem = format!(
            "{}x{}, but {} is {height}x{width}: codes of one file have one size; encode them one by one",
            other.height(),
            other.width(),
            args.input[0].display()
        );
        return Err(limpid::Error::data(&args.input[index], problem).into());
    }
    let coder = Coder::new(&model, (height, width))?;
    let mut workspace = coder.workspace();
    let values = images.iter().flat_map(|image| coder.encode(&mut workspace, image.pixels())).collect();
    let codes = Codes::new(coder.shape(), values)?;
    atomic::write(&args.output, &codes.to_bytes(format))?;
    writeln!(
        out,
        "{}: {} code{} of {}, {} numbers for {} pixels",
        args.output.display(),
        codes.len(),
        if codes.len() == 1 { "" } else { "s" },
        codes.shape(),
        grouped(codes.shape().len() as u64),
        grouped((height * width) as u64)
    )?;
    Ok(())
}
