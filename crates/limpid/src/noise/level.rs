//! How strong noise is: one level, or a range from which each image draws its own.

use std::fmt;
use std::ops::RangeInclusive;

use limpid_kernels::Isa;
use limpid_kernels::noise::{Stream, uniform};

/// A strength, written `0.5`, or a range of strengths, written `0.1..0.5`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    low: f32,
    high: f32,
}

impl Level {
    /// From its text; none if it is no level, a bound is not in `allowed`, or the bounds are in the wrong order.
    pub(super) fn parse(text: &str, allowed: &RangeInclusive<f32>) -> Option<Self> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let bound = |text: &str| text.parse().ok().filter(|bound| allowed.contains(bound));
        let level = Self { low: bound(low)?, high: bound(high)? };
        (level.low <= level.high).then_some(level)
    }

    /// One strength.
    pub(super) fn fixed(level: f32) -> Self {
        Self { low: level, high: level }
    }

    /// The least strength.
    pub fn low(self) -> f32 {
        self.low
    }

    /// The greatest strength.
    pub fn high(self) -> f32 {
        self.high
    }

    /// The strength for the image that a stream names: evenly distributed over the range.
    pub(super) fn of(self, stream: Stream) -> f32 {
        if self.low == self.high {
            return self.low;
        }
        let mut place = [0.0];
        // Any instruction set gives the same bits.
        uniform(Isa::SCALAR, stream, &mut place);
        // Not `low + (high - low) * place`: the difference may overflow, and rounding may pass the end.
        ((1.0 - place[0]) * self.low + place[0] * self.high).clamp(self.low, self.high)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.low)?;
        if self.low != self.high {
            write!(f, "..{}", self.high)?;
        }
        Ok(())
    }
}
