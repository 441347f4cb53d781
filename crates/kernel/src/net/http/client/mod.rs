//! The client: fetches what an address names, and measures its parts.

mod answer;
mod fetch;
#[cfg(test)]
mod tests;
mod url;

pub use fetch::{Around as FetchAround, Fetch, FetchError, Fetched};
pub use url::Url;
