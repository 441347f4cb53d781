//! DNS: names to addresses through the servers of the lease (RFC 1034, 1035, 2308, 7766).

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
