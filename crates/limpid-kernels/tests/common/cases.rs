//! How much the property tests try.

use proptest::prelude::*;

/// How often a property is tried: as often as `PROPTEST_CASES` says, else `usual`, but twice under Miri, which takes a
/// thousand times as long.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = ProptestConfig::with_cases(asked.unwrap_or(if cfg!(miri) { 2 } else { usual }));
    // Miri keeps a program from the file system, where proptest looks for cases that failed before.
    if cfg!(miri) { ProptestConfig { failure_persistence: None, ..config } } else { config }
}
