//! WebAssembly's 128-bit SIMD: vectors of 4 lanes. A module either contains these instructions or it does not, so there is
//! nothing to ask at run time: this is compiled with `-C target-feature=+simd128` and taken then.

use std::arch::wasm32::*;

use super::Lanes;

const LEN: usize = 4;

/// Proof that the engine has SIMD: this module is compiled only where all of the code may contain it.
#[derive(Clone, Copy)]
pub(crate) struct Simd128(());

impl Simd128 {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Lanes for Simd128 {
    const LEN: usize = LEN;
    /// WebAssembly has no registers, but what runs it has: 16 on x86.
    const REGISTERS: usize = 16;
    type F32 = v128;
    /// The four bytes of each lane's value in a table of 32 bytes.
    type Index = v128;

    #[inline(always)]
    fn splat(self, value: f32) -> v128 {
        f32x4_splat(value)
    }

    #[inline(always)]
    unsafe fn load(self, from: &[f32], at: usize) -> v128 {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise.
        unsafe { v128_load(from.as_ptr().add(at).cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize, value: v128) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise.
        unsafe { v128_store(to.as_mut_ptr().add(at).cast(), value) }
    }

    /// There are no masked loads: two lanes, one lane, or both.
    #[inline(always)]
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> v128 {
        debug_assert!(count <= LEN, "{count} lanes");
        debug_assert!(at + count <= from.len(), "load of {count} at {at} of {}", from.len());
        // SAFETY: each arm reads `count` values, in bounds by the caller's promise.
        unsafe {
            let first = from.as_ptr().add(at);
            match count {
                0 => f32x4_splat(0.0),
                1 => v128_load32_zero(first.cast()),
                2 => v128_load64_zero(first.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(first.cast()), first.add(2).cast()),
                _ => v128_load(first.cast()),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: v128) {
        debug_assert!(count <= LEN, "{count} lanes");
        debug_assert!(at + count <= to.len(), "store of {count} at {at} of {}", to.len());
        // SAFETY: each arm writes `count` values, in bounds by the caller's promise.
        unsafe {
            let first = to.as_mut_ptr().add(at);
            match count {
                0 => {}
                1 => v128_store32_lane::<0>(value, first.cast()),
                2 => v128_store64_lane::<0>(value, first.cast()),
                3 => {
                    v128_store64_lane::<0>(value, first.cast());
                    v128_store32_lane::<2>(value, first.add(2).cast());
                }
                _ => v128_store(first.cast(), value),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_index(self, from: &[u8], at: usize) -> v128 {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise.
        let bytes = unsafe { v128_load32_zero(from.as_ptr().add(at).cast()) };
        // Value `i` of the table is bytes `4 i` to `4 i + 3`.
        let each = i8x16_shuffle::<0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3>(bytes, bytes);
        i8x16_add(i32x4_shl(each, 2), u32x4_splat(0x0302_0100))
    }

    /// A swizzle reaches 16 bytes and gives 0 outside of them: one of each half of the table.
    #[inline(always)]
    unsafe fn look_up(self, table: &[f32], at: usize, index: v128) -> v128 {
        debug_assert!(at + 8 <= table.len(), "table at {at} of {}", table.len());
        // SAFETY: in bounds by the caller's promise.
        unsafe {
            let low = i8x16_swizzle(self.load(table, at), index);
            let high = i8x16_swizzle(self.load(table, at + LEN), i8x16_sub(index, i8x16_splat(16)));
            v128_or(low, high)
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: v128) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        let half = i32x4_trunc_sat_f32x4(value);
        let half = i16x8_narrow_i32x4(half, half);
        // SAFETY: in bounds by the caller's promise.
        unsafe { v128_store32_lane::<0>(u8x16_narrow_i16x8(half, half), to.as_mut_ptr().add(at).cast()) }
    }

    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }

    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    /// The pseudo-maximum is its first operand unless the second is greater.
    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        f32x4_pmax(b, a)
    }

    /// Two roundings; with `+relaxed-simd` the engine may fuse them, and does where the CPU can.
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        #[cfg(target_feature = "relaxed-simd")]
        let sum = f32x4_relaxed_madd(a, b, c);
        #[cfg(not(target_feature = "relaxed-simd"))]
        let sum = f32x4_add(f32x4_mul(a, b), c);
        sum
    }

    #[inline(always)]
    fn select_greater(self, a: v128, b: v128, x: v128, y: v128) -> v128 {
        v128_bitselect(x, y, f32x4_gt(a, b))
    }

    #[inline(always)]
    fn sum(self, a: v128) -> f32 {
        let two = f32x4_add(a, i32x4_shuffle::<2, 3, 0, 1>(a, a));
        f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
    }
}
