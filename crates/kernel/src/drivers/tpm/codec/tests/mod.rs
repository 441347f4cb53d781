//! Commands and answers byte by byte: those that a standard or an swtpm has given.

mod goldens;
mod sessions;
