//! What the firewall promises.

mod first_match;
mod flows;
mod rig;
mod speed;
mod words;
