//! Commands and answers byte by byte.

mod goldens;
mod sessions;
