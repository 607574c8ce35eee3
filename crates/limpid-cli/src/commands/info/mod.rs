//! `limpid info`: the layers of a network, as people know them from Keras, and all that a model's file says of itself.

mod contents;

use std::io::Write;
use std::path::PathBuf;

use limpid::checkpoint::{Checkpoint, FileSummary};
use limpid::denoise::Autoencoder;
use limpid::net::plan::{self, Isa, Plan, Purpose};
use limpid::net::{NetSpec, Shape, Summary};

use crate::model::{self, Source};
use crate::network::NetArgs;

/// The arguments of `limpid info`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Model, checkpoint or run directory to look into, or mnist, which is built in [default: the network that --net
    /// describes, else mnist]
    #[arg(value_name = "MODEL", conflicts_with_all = ["net", "activation"])]
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

/// What a file turned out to be.
enum Inside {
    Model(Box<Autoencoder>, FileSummary),
    Checkpoint(Box<Checkpoint>, FileSummary),
}

impl Inside {
    fn load(source: &Source) -> limpid::Result<Self> {
        let path = match source {
            Source::Builtin(builtin) => {
                return Ok(Self::Model(Box::new(builtin.model()), builtin.summary()?));
            }
            Source::File(path) => path,
        };
        let file = FileSummary::read(path)?;
        Ok(match file.kind.as_str() {
            "checkpoint" => Self::Checkpoint(Box::new(Checkpoint::load(path)?), file),
            _ => Self::Model(Box::new(Autoencoder::load(path)?), file),
        })
    }

    fn net(&self) -> &NetSpec {
        match self {
            Self::Model(model, _) => &model.net,
            Self::Checkpoint(run, _) => &run.config.net,
        }
    }
}

/// Prints the tables.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    // A network that is described instead of a model.
    let source = (!args.net.is_given()).then(|| Source::of(args.model.as_deref())).transpose()?;
    let inside = source.as_ref().map(Inside::load).transpose()?;
    let spec = match &inside {
        Some(inside) => inside.net().clone(),
        None => args.net.load()?,
    };
    let (height, width) = args.size.unwrap_or((spec.input.height, spec.input.width));
    let summary = Summary::new(&spec, Shape::new(height, width, spec.input.channels))?;
    if let (Some(source), Some(Inside::Model(model, _))) = (&source, &inside) {
        writeln!(out, "{source}: {}\n", model::describe(model))?;
    }
    write!(out, "{summary}")?;
    match &inside {
        Some(Inside::Model(model, file)) => contents::write_model(model, file, out)?,
        Some(Inside::Checkpoint(run, file)) => contents::write_checkpoint(run, file, out)?,
        None => {}
    }
    if args.plan {
        let plan = Plan::new(&spec, (height, width), plan::isa()?, Purpose::Training)?;
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
