//! Keys in, screen out; and a storm of bytes after which a good line is still a line.

mod promises;
mod rig;
mod sessions;
mod storm;
mod terminal;
