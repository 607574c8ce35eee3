//! Tiles of a row: how a row of pixels is cut into tiles whose width is known to the compiler.

/// Cuts `total` into pieces of at most `most`, as even as possible (7 by at most 6 is 4 + 3, not 6 + 1), and yields
/// `(start, length)` of each.
#[inline(always)]
pub(crate) fn split(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let pieces = total.div_ceil(most);
    let (short, longer) = (total / pieces.max(1), total % pieces.max(1));
    (0..pieces).map(move |i| (i * short + i.min(longer), short + usize::from(i < longer)))
}

/// Evaluates an expression with a constant in place of a number: `with_constant!(n in [1 2 3] as N => f::<N>())`. Numbers
/// that are not listed do not occur.
macro_rules! with_constant {
    ($number:expr, [$($value:literal)+] as $name:ident => $body:expr) => {
        match $number {
            $($value => {
                const $name: usize = $value;
                $body
            })+
            other => unreachable!("a tile of {other} was never cut"),
        }
    };
}
pub(crate) use with_constant;

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn pieces_are_even_and_cover_everything() {
        assert_eq!(split(7, 6).collect::<Vec<_>>(), [(0, 4), (4, 3)]);
        assert_eq!(split(28, 6).collect::<Vec<_>>(), [(0, 6), (6, 6), (12, 6), (18, 5), (23, 5)]);
        assert_eq!(split(0, 6).count(), 0);
        for total in 0..60 {
            for most in 1..15 {
                let mut next = 0;
                for (start, length) in split(total, most) {
                    assert_eq!(start, next);
                    assert!((1..=most).contains(&length));
                    next += length;
                }
                assert_eq!(next, total);
            }
        }
    }
}
