//! L7: the commands of the shell by HTTP, and the page that shows them.
//!
//! A request becomes a command line; a worker types it into a shell session of its own
//! and passes the session's answer on. So what a person sees and what a program gets
//! comes from the same handlers.

mod credentials;
pub mod line;
mod offenders;
mod origin;
mod page;
mod route;
mod service;
#[cfg(test)]
mod tests;
mod trust;
mod worker;

pub use credentials::Denied;
pub use service::Api;
pub use trust::{Trust, is_user_network_host};
