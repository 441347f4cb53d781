//! L5: what tenants run.

pub mod load;
