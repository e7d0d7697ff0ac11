//! How fast a job is, in virtual time: ours and the peers' on the same virtual board, beside what the parts allow.
//!
//! A [`Case`] says what is done on which board. [`measure`] does it on a fresh virtual board, twice, and checks that the
//! flash holds the image and that nothing was done that the manuals forbid; a run that does not prove that has no
//! figures. [`Bound`] is what link and flash need for the same bytes if nothing else took any time. [`Timeline`] draws
//! what link and flash were busy with.

mod bound;
mod case;
mod content;
mod measure;
mod set;
mod table;
mod timeline;

pub use bound::Bound;
pub use case::{Before, Case, Must, Way, Work};
pub use measure::{MeasureError, Measured, measure};
pub use set::{Set, cases};
pub use table::{Row, table};
pub use timeline::Timeline;
