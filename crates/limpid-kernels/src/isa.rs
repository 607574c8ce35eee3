//! The instruction sets that kernels are compiled for, and proof that this CPU has one.

use std::fmt;

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
use crate::lanes::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::lanes::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{Lanes, Scalar};

/// An instruction set that this CPU is known to have. Holding one is the proof that makes running its kernels safe, so
/// there is no other way to get one than by asking the CPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Kind);

/// Which instruction set, without the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Isa {
    /// Portable code: what every CPU has. The compiler may still use its baseline SIMD.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// All that this CPU has, the slowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "nothing is pushed where only the portable code exists")]
        let mut found = vec![Self::SCALAR];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Self(Kind::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    found.push(Self(Kind::Avx512));
                }
            }
        }
        // What the target begins with needs no asking.
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        found.push(Self(Kind::Neon));
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        found.push(Self(Kind::Simd128));
        found
    }

    /// The fastest that this CPU has.
    pub fn best() -> Self {
        *Self::available().last().expect("the portable code is always there")
    }

    /// The one of a name, as [`Isa::name`] gives it, if this CPU has it.
    pub fn named(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|isa| isa.name() == name)
    }

    /// Its name: `scalar`, `avx2`, `avx512`, `neon` or `simd128`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Kind::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Simd128 => "simd128",
        }
    }

    /// Values of `f32` in one of its vectors.
    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::Scalar => Scalar::LEN,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Avx2::LEN,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Avx512::LEN,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Kind::Neon => Neon::LEN,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Kind::Simd128 => Simd128::LEN,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isa({self})")
    }
}

/// Declares a function `name(isa, arguments)` whose body is compiled once for each instruction set.
///
/// The body is written once, over `lanes: L` with `L: Lanes`; everything that it calls in a hot loop must be
/// `#[inline(always)]`, or that part loses the instruction set's features and its intrinsics become function calls.
macro_rules! per_isa {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident<$L:ident>($lanes:ident; $($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?
        $body:block
    ) => {
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments)]
        $visibility fn $name(isa: $crate::Isa, $($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, unused_variables)]
            fn body<$L: $crate::lanes::Lanes>($lanes: $L, $($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($argument: $type),*) $(-> $result)? {
                body($crate::lanes::Avx2::new(), $($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($argument: $type),*) $(-> $result)? {
                body($crate::lanes::Avx512::new(), $($argument),*)
            }

            match isa.kind() {
                $crate::isa::Kind::Scalar => body($crate::lanes::Scalar, $($argument),*),
                // SAFETY: an `Isa` of this kind exists only where the CPU has these features.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Kind::Avx512 => unsafe { avx512($($argument),*) },
                // The whole crate is compiled for what the target begins with.
                #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
                $crate::isa::Kind::Neon => body($crate::lanes::Neon::new(), $($argument),*),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                $crate::isa::Kind::Simd128 => body($crate::lanes::Simd128::new(), $($argument),*),
            }
        }
    };
}
pub(crate) use per_isa;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_target_begins_with_is_always_there_and_preferred_to_portable_code() {
        for (name, there) in [
            ("scalar", true),
            ("neon", cfg!(all(target_arch = "aarch64", target_feature = "neon"))),
            ("simd128", cfg!(all(target_arch = "wasm32", target_feature = "simd128"))),
        ] {
            assert_eq!(Isa::named(name).map(Isa::name), there.then_some(name));
            assert!(!there || name == "scalar" || Isa::best().name() == name);
        }
    }
}
