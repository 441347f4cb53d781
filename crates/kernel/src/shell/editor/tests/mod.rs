//! Keys in, screen out; and storms of bytes that leave a prompt.

mod promises;
mod rig;
mod sessions;
mod storm;
mod terminal;
