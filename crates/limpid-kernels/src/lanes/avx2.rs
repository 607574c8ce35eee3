//! AVX2 and FMA: 16 registers of 8 lanes.

use std::arch::x86_64::*;

use super::Lanes;

const LEN: usize = 8;

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Only code that is compiled for these features can make one; who calls that code has asked the CPU.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// `MASKS[LEN - n..]` starts with `n` lanes set, then lanes clear.
static MASKS: [i32; 2 * LEN] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The first `count` lanes set.
#[inline(always)]
fn first(_proof: Avx2, count: usize) -> __m256i {
    debug_assert!(count <= LEN, "{count} lanes");
    // SAFETY: `count <= LEN` by the callers' contract, so 8 values follow; the proof says that the CPU has AVX2.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(LEN - count).cast()) }
}

impl Lanes for Avx2 {
    const LEN: usize = LEN;
    const REGISTERS: usize = 16;
    type F32 = __m256;
    type Index = __m256i;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: &[f32], at: usize) -> __m256 {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX2.
        unsafe { _mm256_loadu_ps(from.as_ptr().add(at)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize, value: __m256) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX2.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr().add(at), value) }
    }

    #[inline(always)]
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> __m256 {
        debug_assert!(at + count <= from.len(), "load of {count} at {at} of {}", from.len());
        // SAFETY: lanes that the mask leaves out are not accessed; the others are in bounds by the caller's promise.
        unsafe { _mm256_maskload_ps(from.as_ptr().wrapping_add(at), first(self, count)) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: __m256) {
        debug_assert!(at + count <= to.len(), "store of {count} at {at} of {}", to.len());
        // SAFETY: lanes that the mask leaves out are not accessed; the others are in bounds by the caller's promise.
        unsafe { _mm256_maskstore_ps(to.as_mut_ptr().wrapping_add(at), first(self, count), value) }
    }

    #[inline(always)]
    unsafe fn load_index(self, from: &[u8], at: usize) -> __m256i {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX2.
        unsafe { _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.as_ptr().add(at).cast())) }
    }

    #[inline(always)]
    unsafe fn look_up(self, table: &[f32], at: usize, index: __m256i) -> __m256 {
        debug_assert!(at + 8 <= table.len(), "table at {at} of {}", table.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX2.
        unsafe { _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(at)), index) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: __m256) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has AVX2.
        unsafe {
            let wide = _mm256_cvtps_epi32(value);
            let half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256::<1>(wide));
            _mm_storel_epi64(to.as_mut_ptr().add(at).cast(), _mm_packus_epi16(half, half));
        }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn select_greater(self, a: __m256, b: __m256, x: __m256, y: __m256) -> __m256 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) }
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
