//! SIMD lanes of `f32`: the operations that the kernels need, one backend per instruction set.
//!
//! Kernels whose data flow matters (which values stay in registers) are written over [`Lanes`]. Kernels that treat each
//! value alone are plain loops, which the compiler vectorises under each instruction set's features.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
pub(crate) use neon::Neon;
pub(crate) use scalar::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd128::Simd128;

/// A vector of `LEN` lanes of `f32` on one instruction set. A value of an implementing type is the proof that the CPU
/// has it.
///
/// Memory is addressed as slice and offset, so that every access is checked in builds with debug assertions.
pub(crate) trait Lanes: Copy {
    /// Lanes in a vector.
    const LEN: usize;
    /// Vector registers: they bound how many accumulators a tile may hold.
    const REGISTERS: usize;
    /// One vector.
    type F32: Copy;
    /// Where each lane looks up its value in a table of 8.
    type Index: Copy;

    /// All lanes `value`.
    fn splat(self, value: f32) -> Self::F32;

    /// Lanes `from[at..at + LEN]`.
    ///
    /// # Safety
    /// `at + LEN <= from.len()`.
    unsafe fn load(self, from: &[f32], at: usize) -> Self::F32;

    /// `to[at..at + LEN] = value`.
    ///
    /// # Safety
    /// `at + LEN <= to.len()`.
    unsafe fn store(self, to: &mut [f32], at: usize, value: Self::F32);

    /// The first `count` lanes from `from[at..at + count]`, 0 in the others.
    ///
    /// # Safety
    /// `count <= LEN` and `at + count <= from.len()`.
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> Self::F32;

    /// `to[at..at + count]` = the first `count` lanes.
    ///
    /// # Safety
    /// `count <= LEN` and `at + count <= to.len()`.
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: Self::F32);

    /// Indices `from[at..at + LEN]`, each below 8.
    ///
    /// # Safety
    /// `at + LEN <= from.len()`.
    unsafe fn load_index(self, from: &[u8], at: usize) -> Self::Index;

    /// Lane `i` is `table[at + index[i]]`.
    ///
    /// # Safety
    /// `at + 8 <= table.len()`, and every index is below 8.
    unsafe fn look_up(self, table: &[f32], at: usize, index: Self::Index) -> Self::F32;

    /// `to[at..at + LEN]` = the lanes, whole numbers from 0 to 255, as bytes.
    ///
    /// # Safety
    /// `at + LEN <= to.len()`.
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: Self::F32);

    /// `a + b`.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a - b`.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a * b`.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `max(a, b)`, and `b` where either is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a * b + c`, rounded once where the instruction set can.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;

    /// `x` in the lanes where `a > b`, `y` in the others.
    fn select_greater(self, a: Self::F32, b: Self::F32, x: Self::F32, y: Self::F32) -> Self::F32;

    /// The sum of all lanes, in an order that is fixed for an instruction set.
    fn sum(self, a: Self::F32) -> f32;
}

/// Reads one value.
///
/// # Safety
/// `at < from.len()`.
#[inline(always)]
pub(crate) unsafe fn read(from: &[f32], at: usize) -> f32 {
    debug_assert!(at < from.len(), "read at {at} of {}", from.len());
    // SAFETY: the caller's promise.
    unsafe { *from.get_unchecked(at) }
}

#[cfg(test)]
mod tests {
    use crate::isa::{Isa, per_isa};

    per_isa! {
        /// Every operation once, on known values.
        fn exercise<L>(lanes; out: &mut Vec<f32>) {
            let values: Vec<f32> = (0..2 * L::LEN).map(|i| i as f32 - 3.0).collect();
            // SAFETY: `values` and the buffers below have at least `LEN` values from each offset used.
            unsafe {
                let (a, b) = (lanes.load(&values, 1), lanes.splat(2.0));
                let mut row = vec![0.0; L::LEN];
                for result in [
                    a,
                    lanes.add(a, b),
                    lanes.sub(a, b),
                    lanes.mul(a, b),
                    lanes.max(a, b),
                    lanes.max(lanes.splat(f32::NAN), b),
                    lanes.max(lanes.splat(0.0), lanes.splat(-0.0)),
                    lanes.mul_add(a, b, a),
                    lanes.select_greater(b, a, a, lanes.splat(9.0)),
                    lanes.load_first(&values, 2, L::LEN - 1),
                    lanes.load_first(&values, 2, 2),
                    lanes.load_first(&values, 2, 1),
                    lanes.load_first(&values, values.len(), 0),
                    lanes.load_first(&values, L::LEN, L::LEN),
                ] {
                    lanes.store(&mut row, 0, result);
                    out.extend(&row);
                }
                for count in 0..=L::LEN {
                    let mut part = vec![-9.0; L::LEN + 1];
                    lanes.store_first(&mut part, 1, count, a);
                    out.extend(&part);
                }
                let mut bytes = vec![255_u8; L::LEN + 2];
                lanes.store_bytes(&mut bytes, 1, lanes.mul(a, a));
                out.extend(bytes.into_iter().map(f32::from));
                let table: Vec<f32> = (0..9).map(|i| 100.0 - i as f32).collect();
                let indices: Vec<u8> = (0..=L::LEN).map(|i| (i * 5 % 8) as u8).collect();
                lanes.store(&mut row, 0, lanes.look_up(&table, 1, lanes.load_index(&indices, 1)));
                out.extend(&row);
                out.push(lanes.sum(a));
                out.push(L::LEN as f32);
            }
        }
    }

    #[test]
    fn every_operation_does_what_its_name_says() {
        for isa in Isa::available() {
            let mut got = Vec::new();
            exercise(isa, &mut got);
            let len = *got.last().unwrap() as usize;
            let a = |i: usize| i as f32 - 2.0;
            let mut want = Vec::new();
            want.extend((0..len).map(a));
            want.extend((0..len).map(|i| a(i) + 2.0));
            want.extend((0..len).map(|i| a(i) - 2.0));
            want.extend((0..len).map(|i| a(i) * 2.0));
            want.extend((0..len).map(|i| a(i).max(2.0)));
            want.extend((0..len).map(|_| 2.0));
            want.extend((0..len).map(|_| -0.0));
            want.extend((0..len).map(|i| a(i) * 3.0));
            want.extend((0..len).map(|i| if a(i) < 2.0 { a(i) } else { 9.0 }));
            want.extend((0..len).map(|i| if i < len - 1 { a(i) + 1.0 } else { 0.0 }));
            want.extend((0..len).map(|i| if i < 2 { a(i) + 1.0 } else { 0.0 }));
            want.extend((0..len).map(|i| if i == 0 { -1.0 } else { 0.0 }));
            want.extend((0..len).map(|_| 0.0));
            want.extend((0..len).map(|i| (len + i) as f32 - 3.0));
            for count in 0..=len {
                want.push(-9.0);
                want.extend((0..len).map(|i| if i < count { a(i) } else { -9.0 }));
            }
            want.push(255.0);
            want.extend((0..len).map(|i| a(i) * a(i)));
            want.push(255.0);
            want.extend((0..len).map(|i| 99.0 - ((i + 1) * 5 % 8) as f32));
            want.push((0..len).map(a).sum());
            want.push(len as f32);
            // By bits: zeros have signs.
            let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(got), bits(want), "{isa}");
        }
    }
}
