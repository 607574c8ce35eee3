//! Files that last: a model, and a run that can be continued. Both are `.safetensors`: tensors by name, and in the header
//! one entry `limpid` of JSON that says what they are.
//!
//! Files are written whole or not at all, and nothing in a file is believed before it has been checked: a hostile file
//! cannot make the reader allocate more than a small multiple of its own size.

pub mod atomic;
mod builtin;
mod file;
mod interval;
mod model;
mod run;

pub use builtin::Builtin;
pub use file::{FORMAT_VERSION, FileSummary};
pub use interval::Interval;
pub use run::Checkpoint;
