//! `invariant!`: a check of our own promises that is never compiled out.

/// Stops the kernel when a promise of ours does not hold.
///
/// For own bugs only: what a device, a peer or a user says gets a typed error.
#[macro_export]
macro_rules! invariant {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            panic!("invariant broken: {}", format_args!($($message)+));
        }
    };
}
