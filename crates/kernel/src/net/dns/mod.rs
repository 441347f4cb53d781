//! DNS: names to addresses through the lease's servers (RFC 1034, 1035).

mod cache;
mod exchange;
mod message;
mod name;
mod resolver;
#[cfg(test)]
mod tests;
mod view;

pub use name::Name;
pub use resolver::{LookupId, Resolver};
pub use view::{Answer, CacheEntryView, DnsCounters, DnsView, Failure, Kind};
