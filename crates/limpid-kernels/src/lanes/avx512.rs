//! AVX-512 (F, BW, DQ, VL): 32 registers of 16 lanes.

use std::arch::x86_64::*;

use super::Lanes;

const LEN: usize = 16;

/// Proof that the CPU has AVX-512 F, BW, DQ and VL, AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Only code that is compiled for these features can make one; who calls that code has asked the CPU.
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// The first `count` lanes set.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    debug_assert!(count <= LEN, "{count} lanes");
    ((1_u32 << count) - 1) as __mmask16
}

impl Lanes for Avx512 {
    const LEN: usize = LEN;
    const REGISTERS: usize = 32;
    type F32 = __m512;
    type Index = __m512i;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: &[f32], at: usize) -> __m512 {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX-512.
        unsafe { _mm512_loadu_ps(from.as_ptr().add(at)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize, value: __m512) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX-512.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr().add(at), value) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> __m512 {
        debug_assert!(at + count <= from.len(), "load of {count} at {at} of {}", from.len());
        // SAFETY: lanes that the mask leaves out are not accessed; the others are in bounds by the caller's promise.
        unsafe { _mm512_maskz_loadu_ps(first(count), from.as_ptr().wrapping_add(at)) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: __m512) {
        debug_assert!(at + count <= to.len(), "store of {count} at {at} of {}", to.len());
        // SAFETY: lanes that the mask leaves out are not accessed; the others are in bounds by the caller's promise.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr().wrapping_add(at), first(count), value) }
    }

    #[inline(always)]
    unsafe fn load_index(self, from: &[u8], at: usize) -> __m512i {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX-512.
        unsafe { _mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().add(at).cast())) }
    }

    #[inline(always)]
    unsafe fn look_up(self, table: &[f32], at: usize, index: __m512i) -> __m512 {
        debug_assert!(at + 8 <= table.len(), "table at {at} of {}", table.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX-512.
        unsafe {
            let table = _mm256_loadu_ps(table.as_ptr().add(at));
            _mm512_permutexvar_ps(index, _mm512_broadcast_f32x8(table))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: __m512) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX-512.
        unsafe {
            _mm_storeu_si128(to.as_mut_ptr().add(at).cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value)))
        }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn select_greater(self, a: __m512, b: __m512, x: __m512, y: __m512) -> __m512 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), y, x) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX-512.
        unsafe { _mm512_reduce_add_ps(a) }
    }
}
