//! Bringing a device up (virtio 1.2, 3.1.1), in steps that never wait.

use super::features::*;
use super::transport::{StartError, Transport};

/// Acknowledges a device that was reset and settles what it and its driver can do.
///
/// Gives back what both have: of `wanted`, and all of `required`. The queues are
/// started next, then `finish`.
pub fn negotiate(
    transport: &mut dyn Transport,
    wanted: u64,
    required: &[(u64, &'static str)],
) -> Result<u64, StartError> {
    match transport.status() {
        STATUS_GONE => return Err(StartError::Gone),
        0 => {}
        _ => return Err(StartError::ResetHangs),
    }
    transport.set_status(STATUS_ACKNOWLEDGE);
    transport.set_status(STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    let offered = transport.offered_features();
    if offered & VERSION_1 == 0 {
        return Err(StartError::Lacks(
            "virtio 1; attach it with disable-legacy=on",
        ));
    }
    let mut accepted = offered & (wanted | VERSION_1);
    for (feature, name) in required {
        if offered & feature == 0 {
            return Err(StartError::Lacks(name));
        }
        accepted |= feature;
    }
    transport.accept_features(accepted);
    transport.set_status(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    match transport.status() {
        STATUS_GONE => Err(StartError::Gone),
        status if status & STATUS_FEATURES_OK == 0 => Err(StartError::FeaturesRefused),
        _ => Ok(accepted),
    }
}

/// Lets the device run.
pub fn finish(transport: &mut dyn Transport) {
    transport
        .set_status(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}
