//! How often a run writes its checkpoint between the ends of its epochs.

use std::time::Duration;
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A number of steps or a time, written `500steps`, `90s`, `2m` or `1h`.
///
/// ```
/// use limpid::checkpoint::Interval;
///
/// assert_eq!("500steps".parse::<Interval>()?, Interval::Steps(500));
/// assert_eq!("2m".parse::<Interval>()?.to_string(), "120s");
/// # Ok::<(), limpid::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Interval {
    /// Whenever the count of the run's steps divides by this, which is at least 1.
    Steps(u64),
    /// When so much time has passed since the last one: at least a second.
    Time(Duration),
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}steps"),
            Self::Time(time) => write!(f, "{}s", time.as_secs()),
        }
    }
}

impl FromStr for Interval {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
            let number = number.parse::<u64>().ok().filter(|&number| number > 0)?;
            let seconds = match unit.trim_start() {
                "step" | "steps" => return Some(Self::Steps(number)),
                "s" => 1,
                "m" | "min" => 60,
                "h" => 3600,
                _ => return None,
            };
            Some(Self::Time(Duration::from_secs(number.checked_mul(seconds)?)))
        };
        parse().ok_or_else(|| {
            Error::invalid(
                format!("interval {text:?}"),
                "expected a whole number of at least 1 with its unit, for example 500steps, 90s, 2m or 1h",
            )
        })
    }
}

impl TryFrom<String> for Interval {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_parsed() {
        for (text, printed) in
            [("1step", "1steps"), ("500 steps", "500steps"), ("90s", "90s"), ("2m", "120s"), ("1h", "3600s")]
        {
            let interval: Interval = text.parse().unwrap();
            assert_eq!(interval.to_string(), printed);
            assert_eq!(printed.parse::<Interval>().unwrap(), interval);
        }
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for text in [
            "",
            "5",
            "steps",
            "0steps",
            "0s",
            "-1s",
            "1.5m",
            "2d",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            let message = text.parse::<Interval>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("interval {text:?}: expected a whole number")), "{message}");
        }
    }
}
