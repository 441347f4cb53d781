//! L2: threads and who runs next.

pub mod view;
