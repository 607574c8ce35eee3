//! NEON: 32 registers of 4 lanes, with fused multiply-add. Part of every 64-bit Arm CPU that this crate is compiled for, so
//! nothing is asked at run time.

use std::arch::aarch64::*;

use super::Lanes;

const LEN: usize = 4;

/// Proof that the CPU has NEON: this module is compiled only for targets that begin with it.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Lanes for Neon {
    const LEN: usize = LEN;
    const REGISTERS: usize = 32;
    type F32 = float32x4_t;
    /// The four bytes of each lane's value in a table of 32 bytes.
    type Index = uint8x16_t;

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: &[f32], at: usize) -> float32x4_t {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe { vld1q_f32(from.as_ptr().add(at)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: &mut [f32], at: usize, value: float32x4_t) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe { vst1q_f32(to.as_mut_ptr().add(at), value) }
    }

    /// There are no masked loads: two lanes, one lane, or both.
    #[inline(always)]
    unsafe fn load_first(self, from: &[f32], at: usize, count: usize) -> float32x4_t {
        debug_assert!(count <= LEN, "{count} lanes");
        debug_assert!(at + count <= from.len(), "load of {count} at {at} of {}", from.len());
        // SAFETY: each arm reads `count` values, in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe {
            let first = from.as_ptr().add(at);
            let two = |first| vcombine_f32(vld1_f32(first), vdup_n_f32(0.0));
            match count {
                0 => vdupq_n_f32(0.0),
                1 => vld1q_lane_f32::<0>(first, vdupq_n_f32(0.0)),
                2 => two(first),
                3 => vld1q_lane_f32::<2>(first.add(2), two(first)),
                _ => vld1q_f32(first),
            }
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: &mut [f32], at: usize, count: usize, value: float32x4_t) {
        debug_assert!(count <= LEN, "{count} lanes");
        debug_assert!(at + count <= to.len(), "store of {count} at {at} of {}", to.len());
        // SAFETY: each arm writes `count` values, in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe {
            let first = to.as_mut_ptr().add(at);
            match count {
                0 => {}
                1 => vst1q_lane_f32::<0>(first, value),
                2 => vst1_f32(first, vget_low_f32(value)),
                3 => {
                    vst1_f32(first, vget_low_f32(value));
                    vst1q_lane_f32::<2>(first.add(2), value);
                }
                _ => vst1q_f32(first, value),
            }
        }
    }

    #[inline(always)]
    unsafe fn load_index(self, from: &[u8], at: usize) -> uint8x16_t {
        debug_assert!(at + LEN <= from.len(), "load at {at} of {}", from.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe {
            let bytes = from.as_ptr().add(at).cast::<[u8; LEN]>().read();
            let lanes = vld1q_u32(bytes.map(u32::from).as_ptr());
            // Value `i` of the table is bytes `4 i` to `4 i + 3`.
            let bytes = vmlaq_n_u32(vdupq_n_u32(u32::from_ne_bytes([0, 1, 2, 3])), lanes, 0x0404_0404);
            vreinterpretq_u8_u32(bytes)
        }
    }

    #[inline(always)]
    unsafe fn look_up(self, table: &[f32], at: usize, index: uint8x16_t) -> float32x4_t {
        debug_assert!(at + 8 <= table.len(), "table at {at} of {}", table.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe {
            let halves = [0, LEN].map(|half| vreinterpretq_u8_f32(vld1q_f32(table.as_ptr().add(at + half))));
            vreinterpretq_f32_u8(vqtbl2q_u8(uint8x16x2_t(halves[0], halves[1]), index))
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: &mut [u8], at: usize, value: float32x4_t) {
        debug_assert!(at + LEN <= to.len(), "store at {at} of {}", to.len());
        // SAFETY: in bounds by the caller's promise; `self` proves that the CPU has NEON.
        unsafe {
            let half = vmovn_u32(vcvtq_u32_f32(value));
            let bytes = vreinterpret_u32_u8(vmovn_u16(vcombine_u16(half, half)));
            to.as_mut_ptr().add(at).cast::<[u8; LEN]>().write(vget_lane_u32::<0>(bytes).to_ne_bytes());
        }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vmulq_f32(a, b) }
    }

    /// Not `vmaxq_f32`, which is NaN where either is.
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        self.select_greater(a, b, a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn select_greater(self, a: float32x4_t, b: float32x4_t, x: float32x4_t, y: float32x4_t) -> float32x4_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vbslq_f32(vcgtq_f32(a, b), x, y) }
    }

    #[inline(always)]
    fn sum(self, a: float32x4_t) -> f32 {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vpadds_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a))) }
    }
}
