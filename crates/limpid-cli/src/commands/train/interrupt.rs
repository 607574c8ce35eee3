//! Ctrl-C: the first ends the run after the step in hand, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether Ctrl-C was pressed, or the system asked the program to end.
pub(super) struct Flag(Arc<AtomicBool>);

impl Flag {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets the flag at the first Ctrl-C from now on, and then calls `first`, on another thread.
pub(super) fn flag(first: impl Fn() + Send + 'static) -> anyhow::Result<Flag> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        first();
    })?;
    Ok(Flag(flag))
}
