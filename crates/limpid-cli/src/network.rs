//! `--net` and `--activation`: which network a command works on.

use std::path::PathBuf;

use limpid::net::{Activation, NetSpec};

/// The options that choose the network.
#[derive(clap::Args)]
pub(crate) struct NetArgs {
    /// TOML file that describes a network [default: the tutorial's, 37,601 parameters]
    #[arg(long = "net", value_name = "FILE")]
    file: Option<PathBuf>,

    /// Activation of every layer that has one: lrelu:SLOPE or relu [default: as the network says, lrelu:0.1]
    #[arg(long, value_name = "A")]
    activation: Option<Activation>,
}

impl NetArgs {
    /// Loads the description.
    pub(crate) fn load(&self) -> limpid::Result<NetSpec> {
        let spec = self.file.as_ref().map_or_else(|| Ok(NetSpec::seed()), |file| NetSpec::load(file))?;
        Ok(match self.activation {
            Some(activation) => spec.with_activation(activation),
            None => spec,
        })
    }
}
