//! The promises of the policy, of the shipped one and of random ones.

mod changes;
mod digest;
mod explain;
mod first_match;
mod reference;
mod rig;
mod shipped;
mod speed;
mod transitions;
mod words;
