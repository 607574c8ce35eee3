//! Images or labels: what an IDX file of a data set holds.

use std::path::Path;

use crate::{Error, Result};

/// What a file is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Images,
    Labels,
}

impl Kind {
    /// Checks the number of dimensions, which is what tells images from labels.
    pub(super) fn check(self, rank: usize, path: &Path) -> Result<()> {
        let (expected, description, magic) = match self {
            Self::Images => (3, "images: count, height, width", "0x00000803"),
            Self::Labels => (1, "labels: count", "0x00000801"),
        };
        if rank == expected {
            return Ok(());
        }
        let found = match rank {
            1 => "these are labels (1 dimension)".to_owned(),
            3 => "these are images (3 dimensions)".to_owned(),
            _ => format!("{rank} dimensions"),
        };
        Err(Error::data(
            path,
            format!("{found}, expected {expected} for {description} (magic number {magic})"),
        ))
    }
}
