//! DHCP in the simulator: servers, the honest one and all the others, and a link to try them on.

mod checker;
mod faults;
mod host;
mod link;
mod server;

pub use checker::Checker;
pub use faults::Fault;
pub use host::DhcpHost;
pub use link::{Link, Station};
pub use server::{Answer, DhcpServer, Offered};
