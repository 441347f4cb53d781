//! The promises of the policy, each against the one that is shipped or random ones.

mod shipped;
