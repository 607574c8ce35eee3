//! Portable lanes: arrays that the compiler maps to whatever the target's baseline has (SSE2, NEON, simd128).

use super::Lanes;

const LEN: usize = 4;

/// The proof is empty: every CPU can run this.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Lanes for Scalar {
    const LEN: usize = LEN;
    const REGISTERS: usize = 16;
    type F32 = [f32; LEN];
    type Index = [u8; LEN];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F32 {
        [value; LEN]
    }

    #[inline(always)]
    unsafe fn load(self, from: &[f32], at: usize) -> Self::F32 {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: the caller's promise; an array of f32 has the alignment of f32.
        unsafe { *from.as_ptr().add(at).cast() }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize, value: Self::F32) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: the caller's promise; an array of f32 has the alignment of f32.
        unsafe { *to.as_mut_ptr().add(at).cast() = value }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> Self::F32 {
        let mut lanes = [0.0; LEN];
        lanes[..count].copy_from_slice(&from[at..at + count]);
        lanes
    }

    #[inline(always)]
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: Self::F32) {
        to[at..at + count].copy_from_slice(&value[..count]);
    }

    #[inline(always)]
    unsafe fn load_index(self, from: &[u8], at: usize) -> Self::Index {
        std::array::from_fn(|i| from[at + i])
    }

    #[inline(always)]
    unsafe fn look_up(self, table: &[f32], at: usize, index: Self::Index) -> Self::F32 {
        let table = &table[at..at + 8];
        std::array::from_fn(|i| table[usize::from(index[i])])
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: Self::F32) {
        for (to, value) in to[at..at + LEN].iter_mut().zip(value) {
            *to = value as u8;
        }
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    /// Two roundings: a fused multiply-add without hardware is a slow library call.
    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn select_greater(self, a: Self::F32, b: Self::F32, x: Self::F32, y: Self::F32) -> Self::F32 {
        std::array::from_fn(|i| if a[i] > b[i] { x[i] } else { y[i] })
    }

    #[inline(always)]
    fn sum(self, a: Self::F32) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
}
