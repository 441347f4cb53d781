//! The network with both hands on its ports: what goes in, what comes out.

mod attacks;
mod fuzz;
mod golden;
mod rig;

use super::network::Network;

#[test]
fn a_network_fits_on_the_stack_that_builds_it() {
    // It passes through a few frames of functions on its way to the heap.
    assert!(
        size_of::<Network>() <= 12 * 1024,
        "{}",
        size_of::<Network>()
    );
}
