//! Numbers as people read them.

/// A number with commas between its thousands.
///
/// ```
/// assert_eq!(limpid::number::grouped(37_601), "37,601");
/// ```
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A loss: with four decimals, or, where that would be a long row of digits, with an exponent.
///
/// ```
/// use limpid::number::loss;
/// assert_eq!([loss(0.09512), loss(1.4512e32)], ["0.0951", "1.45e32"]);
/// ```
pub fn loss(value: f64) -> String {
    if value.is_finite() && value.abs() >= 1e4 { format!("{value:.2e}") } else { format!("{value:.4}") }
}

/// A number as short as it can be written without losing a digit: `0.001`, but `1e-50`.
///
/// ```
/// use limpid::number::short;
/// assert_eq!([short(0.001), short(1e-50), short(3e38)], ["0.001", "1e-50", "3e38"]);
/// ```
pub fn short(value: f64) -> String {
    let usual = value == 0.0 || (1e-4..1e6).contains(&value.abs()) || !value.is_finite();
    if usual { value.to_string() } else { format!("{value:e}") }
}

/// A peak signal-to-noise ratio in dB, with two decimals. It is infinite where the images are equal.
pub fn psnr(value: f64) -> String {
    if value == f64::INFINITY { "∞ (equal)".into() } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::{grouped, loss, psnr, short};

    #[test]
    fn no_number_is_a_long_row_of_digits() {
        assert_eq!(
            [0.0, 0.5, 9999.0, 1e4, -2e300].map(loss),
            ["0.0000", "0.5000", "9999.0000", "1.00e4", "-2.00e300"]
        );
        assert_eq!([f64::NAN, f64::INFINITY].map(loss), ["NaN", "inf"]);
        assert_eq!(
            [0.0, -1.0, 1e-4, 5e-5, 1e30, f64::NAN].map(short),
            ["0", "-1", "0.0001", "5e-5", "1e30", "NaN"]
        );
        assert_eq!([9.366, f64::INFINITY].map(psnr), ["9.37", "∞ (equal)"]);
    }

    #[test]
    fn commas_stand_between_thousands_only() {
        let texts = [0, 7, 999, 1000, 123_456, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "7", "999", "1,000", "123,456", "1,234,567"]);
    }
}
