//! What the tests that boot the kernel share.
