//! What is remembered of each epoch: a line of `log.jsonl`, a point of the loss curve.

use serde::{Deserialize, Serialize};

/// One finished epoch of training.
///
/// Losses are the mean binary cross-entropy per pixel, in nats.
///
/// ```
/// use limpid::train::history::EpochRecord;
///
/// let line = r#"{"epoch":1,"training_loss":0.1433,"validation_loss":0.1101,"seconds":9.5}"#;
/// let record: EpochRecord = serde_json::from_str(line)?;
/// assert_eq!(record.epoch, 1);
/// assert_eq!(serde_json::to_string(&record)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Which epoch, counted from 1.
    pub epoch: u32,
    /// Mean loss over the batches of the epoch, each measured just before its own update of the weights.
    pub training_loss: f64,
    /// Mean loss over the whole validation set, measured after the last update of the epoch.
    pub validation_loss: f64,
    /// Wall-clock seconds of training alone: validation, pictures and files are not counted. Of an epoch that was
    /// interrupted, only those behind the last time that the run went on; 0 if they are not known.
    pub seconds: f64,
}
