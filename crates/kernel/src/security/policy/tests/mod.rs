//! The promises of the policy, each against the one that is shipped or random ones.

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
