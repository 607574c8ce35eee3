//! The values of options, and what is said of those that make no sense. clap adds the value and the option's name.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

/// A value of the library, as it reads it.
pub(crate) fn parsed<T: FromStr<Err = limpid::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| match error {
        // What it is about is said already.
        limpid::Error::Invalid { problem, .. } => problem,
        other => other.to_string(),
    })
}

/// A count of at least 1.
pub(crate) fn at_least_one(text: &str) -> Result<u32, String> {
    whole(text, 1..=u32::MAX, "expected a whole number of at least 1")
}

/// A count of at least 1, of things in memory.
pub(crate) fn at_least_one_usize(text: &str) -> Result<usize, String> {
    whole(text, 1..=usize::MAX, "expected a whole number of at least 1")
}

/// A count of 0 or more.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    whole(text, 0..=usize::MAX, "expected a whole number of 0 or more")
}

/// A number of steps of training.
pub(crate) fn steps(text: &str) -> Result<u64, String> {
    whole(text, 0..=u64::MAX, "expected a whole number of 0 or more")
}

/// A seed of random numbers.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    whole(text, 0..=u64::MAX, "expected a whole number of 0 or more")
}

/// Any number; its range is the library's business.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number, for example 1e-3".into())
}

/// A noise factor.
pub(crate) fn factor(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..f32::INFINITY).contains(&value) => Ok(value),
        _ => Err("expected a number of 0 or more, for example 0.5".into()),
    }
}

/// A whole number in a range.
pub(crate) fn whole<T: FromStr + PartialOrd + Copy + Display>(
    text: &str,
    range: RangeInclusive<T>,
    expected: &str,
) -> Result<T, String> {
    let too_large = || {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| format!("{expected} and at most {}", range.end()))
    };
    match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(_) => Err(expected.into()),
        Err(_) => Err(too_large().unwrap_or_else(|| expected.into())),
    }
}

/// The least that makes sense: the smallest tiles and the smallest pictures.
const LEAST_MEMORY: u64 = 32_000_000;

/// A number of bytes in memory, for example `500MB` or `2GiB`.
pub(crate) fn memory(text: &str) -> Result<u64, String> {
    let expected =
        || format!("expected a size of at least {}MB, for example 500MB or 2GB", LEAST_MEMORY / 1_000_000);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "TB" | "T" => 1_000_000_000_000,
        "KIB" => 1 << 10,
        "MIB" => 1 << 20,
        "GIB" => 1 << 30,
        "TIB" => 1 << 40,
        _ => return Err(expected()),
    };
    let number: f64 = digits.trim_end().parse().map_err(|_| expected())?;
    let bytes = number * unit as f64;
    if bytes >= LEAST_MEMORY as f64 && bytes < 1e18 { Ok(bytes as u64) } else { Err(expected()) }
}

/// A path as it can be printed: characters that would disturb a terminal or break a line are written as escapes.
pub(crate) fn shown(path: &Path) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    path.to_string_lossy().chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use limpid::noise::Noise;

    use super::*;

    #[test]
    fn messages_say_what_was_expected_and_nothing_twice() {
        assert_eq!(at_least_one("25"), Ok(25));
        for text in ["0", "-1", "1.5", "many", ""] {
            assert_eq!(at_least_one(text).unwrap_err(), "expected a whole number of at least 1", "{text:?}");
        }
        assert_eq!(
            at_least_one("4294967296").unwrap_err(),
            "expected a whole number of at least 1 and at most 4294967295"
        );
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(count("0"), Ok(0));
        assert_eq!(number("x").unwrap_err(), "expected a number, for example 1e-3");
        let message = parsed::<Noise>("gausian:0.5").unwrap_err();
        assert_eq!(
            message,
            "there is no kind \"gausian\"; known: gaussian, salt-pepper, masking, speckle, poisson, uniform, for example \
             gaussian:0.5"
        );
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(memory("1GB"), Ok(1_000_000_000));
        assert_eq!(memory("1.5g"), Ok(1_500_000_000));
        assert_eq!(memory("512MiB"), Ok(512 << 20));
        assert_eq!(memory("64000000"), Ok(64_000_000));
        for text in ["", "GB", "-1GB", "nanGB", "infGB", "1XB", "1MB", "31MB", "1e30GB"] {
            assert_eq!(
                memory(text).unwrap_err(),
                "expected a size of at least 32MB, for example 500MB or 2GB",
                "{text:?}"
            );
        }
    }

    #[test]
    fn names_cannot_break_lines() {
        assert_eq!(shown("a\nb/\u{1b}[31m.png".as_ref()), "a\\nb/\\u{1b}[31m.png");
        assert_eq!(shown("über/ß.png".as_ref()), "über/ß.png");
    }
}
