//! What a run looks like: the loss curve, pictures of digits, and one page that holds everything.
//!
//! Every function takes plain values and returns bytes or text; whoever calls decides where they go. No font, clock
//! or other property of the machine has a part in it: the same input gives the same bytes.

mod canvas;
mod font;
mod plot_backend;
mod ticks;

pub mod chart;
pub mod findings;
pub mod heat_map;
pub mod html;
pub mod loss_plot;
pub mod pictures;
pub mod run;
