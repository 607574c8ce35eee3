//! What follows a convolution: nothing, ReLU or leaky ReLU.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The function applied to every output of a layer, written `linear`, `relu` or `lrelu:SLOPE`.
///
/// ```
/// use limpid::net::Activation;
///
/// let activation: Activation = "lrelu:0.1".parse()?;
/// assert_eq!(activation, Activation::LeakyRelu(0.1));
/// assert_eq!(activation.to_string(), "lrelu:0.1");
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Activation {
    /// `y = x`.
    #[default]
    Linear,
    /// `y = max(0, x)`.
    Relu,
    /// `y = max(slope * x, x)` with a slope in `[0, 1]`; the tutorial's is 0.1.
    LeakyRelu(f64),
}

impl Activation {
    /// The slope for negative inputs: every activation is `y = max(slope * x, x)`. 1 for linear, 0 for ReLU.
    pub fn slope(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Relu => 0.0,
            Self::LeakyRelu(slope) => slope,
        }
    }

    /// Checks that the slope is in `[0, 1]`, where `max(slope * x, x)` has a kink but no fold.
    ///
    /// # Errors
    /// If it is not, or is not a number.
    pub(crate) fn validate(self) -> Result<()> {
        match self {
            Self::LeakyRelu(slope) if !(0.0..=1.0).contains(&slope) => Err(Error::invalid(
                format!("activation \"{self}\""),
                "the slope must be between 0 (the same as relu) and 1 (linear), for example lrelu:0.1",
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Relu => f.write_str("relu"),
            Self::LeakyRelu(slope) => write!(f, "lrelu:{slope}"),
        }
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |problem: &str| Err(Error::invalid(format!("activation {text:?}"), problem));
        let activation = match text.split_once(':') {
            None if text == "linear" => Self::Linear,
            None if text == "relu" => Self::Relu,
            None if text == "lrelu" => {
                return refuse("the slope is missing, for example lrelu:0.1");
            }
            Some(("lrelu", slope)) => match slope.parse() {
                Ok(slope) => Self::LeakyRelu(slope),
                Err(_) => return refuse("the slope must be a number between 0 and 1, for example lrelu:0.1"),
            },
            Some((name @ ("linear" | "relu"), _)) => return refuse(&format!("{name} takes no value")),
            _ => return refuse("expected linear, relu or lrelu:SLOPE, for example lrelu:0.1"),
        };
        activation.validate()?;
        Ok(activation)
    }
}

impl TryFrom<String> for Activation {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Activation> for String {
    fn from(activation: Activation) -> Self {
        activation.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_parsed() {
        for activation in
            [Activation::Linear, Activation::Relu, Activation::LeakyRelu(0.1), Activation::LeakyRelu(1e-9)]
        {
            assert_eq!(activation.to_string().parse::<Activation>().unwrap(), activation);
        }
    }

    #[test]
    fn every_mistake_has_its_message() {
        let message = |text: &str| text.parse::<Activation>().unwrap_err().to_string();
        assert_eq!(
            message("tanh"),
            "activation \"tanh\": expected linear, relu or lrelu:SLOPE, for example lrelu:0.1"
        );
        assert_eq!(message("lrelu"), "activation \"lrelu\": the slope is missing, for example lrelu:0.1");
        assert_eq!(
            message("lrelu:steep"),
            "activation \"lrelu:steep\": the slope must be a number between 0 and 1, for example lrelu:0.1"
        );
        for slope in ["-0.1", "1.5", "nan", "inf"] {
            assert!(message(&format!("lrelu:{slope}")).ends_with(
                "the slope must be between 0 (the same as relu) and 1 (linear), for example lrelu:0.1"
            ));
        }
        assert_eq!(message("relu:0.1"), "activation \"relu:0.1\": relu takes no value");
    }
}
