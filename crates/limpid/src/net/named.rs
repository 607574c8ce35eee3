//! Networks with a name instead of a file: the tutorial's, and the dense ones that it begins with.

use limpid_kernels::Shape;

use super::{Activation, LayerKind, LayerSpec, NetSpec};
use crate::{Error, Result};

/// The images that the dense networks take: MNIST's.
const IMAGE: Shape = Shape { height: 28, width: 28, channels: 1 };
/// Values between the image and the code of [`NetSpec::deep`].
const HIDDEN: usize = 256;
/// Slope of its leaky ReLU, the tutorial's.
const SLOPE: f64 = 0.1;

impl NetSpec {
    /// The tutorial's first autoencoder (section 1) for images of 28x28: 784 values become `code` ones and 784 again, by
    /// one dense layer each. Encoder and logits are linear, as in PCA, whose relative it is; the sigmoid is the loss's.
    ///
    /// ```
    /// use limpid::net::{NetSpec, Summary};
    ///
    /// let five = NetSpec::vanilla(5);
    /// assert_eq!(Summary::new(&five, five.input)?.parameters, (784 * 5 + 5) + (5 * 784 + 784));
    /// # Ok::<(), limpid::Error>(())
    /// ```
    pub fn vanilla(code: usize) -> Self {
        let layers = vec![
            dense("code", Shape::new(1, 1, code), Activation::Linear),
            dense("logits", IMAGE, Activation::Linear),
        ];
        Self { name: format!("vanilla:{code}"), input: IMAGE, layers, latent: Some("code".into()) }
    }

    /// As [`NetSpec::vanilla`], with a layer of 256 values and a leaky ReLU on either side of the code.
    pub fn deep(code: usize) -> Self {
        let hidden = |name| dense(name, Shape::new(1, 1, HIDDEN), Activation::LeakyRelu(SLOPE));
        let layers = vec![
            hidden("hidden1"),
            dense("code", Shape::new(1, 1, code), Activation::Linear),
            hidden("hidden2"),
            dense("logits", IMAGE, Activation::Linear),
        ];
        Self { name: format!("deep:{code}"), input: IMAGE, layers, latent: Some("code".into()) }
    }

    /// The network called `seed`, `vanilla:K` or `deep:K`; none for what is no such name, and so may be a file's.
    ///
    /// # Errors
    /// If the name is one of these, but `K` is no number of values that a code can have.
    pub fn named(name: &str) -> Option<Result<Self>> {
        let (kind, make): (_, fn(usize) -> Self) = match name.split_once(':') {
            None if name == "seed" => return Some(Ok(Self::seed())),
            Some(("vanilla", _)) => ("vanilla", Self::vanilla),
            Some(("deep", _)) => ("deep", Self::deep),
            _ => return None,
        };
        let code = name[kind.len() + 1..].parse().ok().filter(|code| (1..=super::MAX_FILTERS).contains(code));
        Some(code.map(make).ok_or_else(|| {
            let problem = format!(
                "expected a number of code values from 1 to {}, for example {kind}:30",
                super::MAX_FILTERS
            );
            Error::invalid(format!("network {name:?}"), problem)
        }))
    }
}

fn dense(name: &str, output: Shape, activation: Activation) -> LayerSpec {
    LayerSpec { name: name.into(), kind: LayerKind::Dense { output, activation } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_networks() {
        for name in ["seed", "vanilla:5", "deep:2"] {
            let spec = NetSpec::named(name).unwrap().unwrap();
            spec.validate().unwrap();
            assert_eq!(NetSpec::from_toml(&spec.to_toml()).unwrap(), spec);
            assert!(name == "seed" || spec.name == name, "{}", spec.name);
        }
        assert!(NetSpec::named("net.toml").is_none() && NetSpec::named("vanilla").is_none());
        for name in ["vanilla:", "vanilla:0", "deep:-1", "deep:many", "vanilla:5000"] {
            let message = NetSpec::named(name).unwrap().unwrap_err().to_string();
            assert!(message.contains("from 1 to 4096, for example"), "{message}");
        }
    }
}
