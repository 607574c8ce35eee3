//! `--net` and `--activation`: which network a command works on.

use std::path::PathBuf;

use limpid::net::{Activation, NetSpec};

use crate::values;

/// The options that choose the network.
#[derive(clap::Args)]
pub(crate) struct NetArgs {
    /// Network: a TOML file that describes it, or vanilla:K or deep:K, dense ones with a code of K numbers [default: the
    /// tutorial's, 37,601 parameters]
    #[arg(long = "net", value_name = "FILE|NAME")]
    net: Option<PathBuf>,

    /// Activation of every layer that has one: lrelu:SLOPE, relu or linear [default: as the network says, lrelu:0.1]
    #[arg(long, value_name = "A", value_parser = values::parsed::<Activation>)]
    activation: Option<Activation>,
}

impl NetArgs {
    /// Whether the network is the user's own.
    pub(crate) fn is_from_file(&self) -> bool {
        self.net.is_some()
    }

    /// Whether anything was said about the network.
    pub(crate) fn is_given(&self) -> bool {
        self.net.is_some() || self.activation.is_some()
    }

    /// Loads the description.
    pub(crate) fn load(&self) -> limpid::Result<NetSpec> {
        self.load_or(NetSpec::seed())
    }

    /// Loads the description; `otherwise` is the network if no file is named.
    pub(crate) fn load_or(&self, otherwise: NetSpec) -> limpid::Result<NetSpec> {
        let spec = self.net.as_ref().map_or(Ok(otherwise), |net| {
            net.to_str().and_then(NetSpec::named).unwrap_or_else(|| NetSpec::load(net))
        })?;
        Ok(match self.activation {
            Some(activation) => spec.with_activation(activation),
            None => spec,
        })
    }
}
