//! L2: devices, and what they give to the floors above.
