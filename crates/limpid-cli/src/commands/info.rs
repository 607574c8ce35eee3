//! `limpid info`: the layers of a network, as people know them from Keras.

use std::io::Write;
use std::path::PathBuf;

use limpid::net::plan::{self, Isa, Plan, Purpose};
use limpid::net::{Shape, Summary};

use crate::model;
use crate::network::NetArgs;

/// The arguments of `limpid info`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Model file or run directory to look into [default: the network that --net describes]
    #[arg(value_name = "MODEL", conflicts_with_all = ["file", "activation"])]
    model: Option<PathBuf>,

    #[command(flatten)]
    net: NetArgs,

    /// Size of the images, for example 64x96 [default: the network's own]
    #[arg(long, value_name = "HxW", value_parser = size)]
    size: Option<(usize, usize)>,

    /// Show how the network is executed: which layers are folded into one, and the work before and after
    #[arg(long)]
    plan: bool,

    /// Show which instruction sets this CPU has and which one is used
    #[arg(long)]
    cpu: bool,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
    sides.ok_or_else(|| "expected HEIGHTxWIDTH, for example 64x96".into())
}

/// Prints the table.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let spec = match &args.model {
        Some(path) => {
            let (model, file) = model::load(path)?;
            writeln!(out, "{}: {}\n", file.display(), model::describe(&model))?;
            model.net
        }
        None => args.net.load()?,
    };
    let (height, width) = args.size.unwrap_or((spec.input.height, spec.input.width));
    let summary = Summary::new(&spec, Shape::new(height, width, spec.input.channels))?;
    write!(out, "{summary}")?;
    if args.plan {
        let plan = Plan::new(&spec, (height, width), plan::isa()?, Purpose::Inference)?;
        write!(out, "\n{}", plan.explain(&spec))?;
    }
    if args.cpu {
        let names: Vec<_> = Isa::available().into_iter().map(Isa::name).collect();
        writeln!(
            out,
            "\nThis CPU has {}; {} is used. {} chooses another.",
            names.join(", "),
            plan::isa()?,
            plan::ISA_VARIABLE
        )?;
    }
    Ok(())
}
