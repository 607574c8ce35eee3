//! Elementary functions of `f32` as polynomials without branches, which the compiler vectorises.
//!
//! None of them uses a fused multiply-add, so each gives the same bits on every machine.

use std::f32::consts::{LN_2, LOG2_E, SQRT_2};

/// Adding and subtracting it rounds to the nearest integer, which then stands in the low bits of the sum.
const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23

/// `exp(x)` for `x <= 0`, to 2 units in the last place; below -87 it stays at `exp(-87)`, about 1e-38. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp_negative(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4; // 15 bits: its product with an integer below 2^9 is exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    // The Taylor series: |r| <= ln(2)/2, so the first term left out is below 6e-9.
    let mut p = 1.0 / 5040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0_f32] {
        p = p * r + 1.0 / factorial;
    }
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// `2 * atanh(s)` for `|s| <= 1/3`, by its series; the first term left out is below 3e-10.
#[inline(always)]
fn two_atanh(s: f32) -> f32 {
    let square = s * s;
    let mut p = 2.0 / 17.0;
    for odd in [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0_f32] {
        p = p * square + 2.0 / odd;
    }
    p * s
}

/// `ln(1 + x)` for `x` in `[0, 1]`, to 2 units in the last place also where `x` is tiny.
#[inline(always)]
pub(crate) fn ln_1p_unit(x: f32) -> f32 {
    two_atanh(x / (2.0 + x))
}

/// `ln(x)` for normal, positive `x`.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // Mantissa in [1, 2) and exponent; above the root of 2, half of the one and one more of the other.
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    let large = mantissa > SQRT_2;
    let m = if large { 0.5 * mantissa } else { mantissa };
    let e = if large { exponent + 1.0 } else { exponent };
    e * LN_2 + two_atanh((m - 1.0) / (m + 1.0))
}

/// `ln(x)` for normal, positive `x` in double precision, to 4 units in the last place (near 1 of the value 1); the standard
/// library's is that of the system, whose last bits differ between machines.
#[inline(always)]
pub(crate) fn ln_f64(x: f64) -> f64 {
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let exponent = ((bits >> 52) as i32 - 1023) as f64;
    let large = mantissa > std::f64::consts::SQRT_2;
    let m = if large { 0.5 * mantissa } else { mantissa };
    let e = if large { exponent + 1.0 } else { exponent };
    // 2 atanh(s) by its series: |s| <= 0.172, so the first term left out is below 1e-18.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut p = 2.0 / 23.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0_f64] {
        p = p * square + 2.0 / odd;
    }
    e * std::f64::consts::LN_2 + p * s
}

/// `(sin, cos)` of `2 pi turns` for `turns` in `[0, 1]`, to 2e-7.
#[inline(always)]
pub(crate) fn sin_cos_turns(turns: f32) -> (f32, f32) {
    let shifted = 4.0 * turns + ROUND;
    let quadrant = shifted.to_bits();
    // Exact: the quadrant is a multiple of 1/4 next to `turns`.
    let angle = (turns - 0.25 * (shifted - ROUND)) * std::f32::consts::TAU;
    let square = angle * angle;
    // Taylor series: |angle| <= pi/4, so the first terms left out are below 2e-9 and 3e-8.
    let mut sin = 1.0 / 362_880.0;
    for reciprocal in [-1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0_f32] {
        sin = sin * square + reciprocal;
    }
    let sin = sin * angle;
    let mut cos = 1.0 / 40_320.0;
    for reciprocal in [-1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0_f32] {
        cos = cos * square + reciprocal;
    }
    let (s, c) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
    (if quadrant & 2 == 0 { s } else { -s }, if (quadrant.wrapping_add(1)) & 2 == 0 { c } else { -c })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps through a range.
    const STEPS: u32 = if cfg!(miri) { 100 } else { 100_000 };

    /// The largest error of `got` against `want` over a range, relative where the value is large.
    fn worst(
        range: std::ops::RangeInclusive<f64>,
        got: impl Fn(f32) -> f32,
        want: impl Fn(f64) -> f64,
    ) -> f64 {
        let (low, high) = (*range.start(), *range.end());
        let error = |i: u32| {
            let x = (low + (high - low) * f64::from(i) / f64::from(STEPS)) as f32;
            let want = want(f64::from(x));
            (f64::from(got(x)) - want).abs() / want.abs().max(1e-30)
        };
        (0..=STEPS).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_exact_to_two_units() {
        assert!(worst(-87.0..=0.0, exp_negative, f64::exp) < 2.4e-7);
        assert_eq!(exp_negative(0.0), 1.0);
        assert!(exp_negative(f32::NEG_INFINITY) < 1e-37);
        assert!(exp_negative(f32::NAN).is_nan());
    }

    #[test]
    fn ln_1p_is_exact_to_two_units() {
        assert!(worst(1e-30..=1.0, ln_1p_unit, f64::ln_1p) < 2.4e-7);
        assert!(worst(1e-12..=1e-6, ln_1p_unit, f64::ln_1p) < 2.4e-7);
        assert_eq!(ln_1p_unit(0.0), 0.0);
    }

    #[test]
    fn ln_is_close() {
        assert!(worst(1e-8..=0.9, ln, f64::ln) < 5e-7);
        assert_eq!(ln(1.0), 0.0);
        let absolute = (1..1000).map(|i| {
            let x = i as f32 / 1000.0;
            (f64::from(ln(x)) - f64::from(x).ln()).abs()
        });
        assert!(absolute.fold(0.0, f64::max) < 5e-7);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri's own logarithm is inexact on purpose")]
    fn ln_in_double_precision_is_close() {
        for i in 1..STEPS {
            for x in [f64::from(i) / 50_000.0, f64::from(i) * 37.5, 1.0 / f64::from(i).powi(3)] {
                let want = x.ln();
                assert!((ln_f64(x) - want).abs() <= 1e-15 * want.abs().max(1.0), "ln of {x}");
            }
        }
        assert_eq!(ln_f64(1.0), 0.0);
    }

    #[test]
    fn sin_and_cos_are_close_on_the_whole_circle() {
        for i in 0..=STEPS {
            let turns = i as f32 / STEPS as f32;
            let (sin, cos) = sin_cos_turns(turns);
            let (want_sin, want_cos) = (f64::from(turns) * std::f64::consts::TAU).sin_cos();
            assert!((f64::from(sin) - want_sin).abs() < 4e-7, "sin of {turns} turns: {sin}, not {want_sin}");
            assert!((f64::from(cos) - want_cos).abs() < 4e-7, "cos of {turns} turns: {cos}, not {want_cos}");
        }
    }
}
