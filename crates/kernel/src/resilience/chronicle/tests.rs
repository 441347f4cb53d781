//! What outlives a boot, and what is said when it does not.
