//! What is on the disks: found out when one appears, and laid out on demand.
//!
//! A disk that was laid out elsewhere is never written to.

mod answer;
mod content;
mod draft;
pub mod gpt;
mod layouts;
mod plan;
#[cfg(test)]
mod tests;
mod wish;

pub use content::{Content, DiskState};
pub use draft::{Draft, Drafts};
pub use layouts::{Layouts, MakeDrafts};
pub use plan::{Layout, LogArea, TooSmall};
pub use wish::{LayoutError, Wish};
