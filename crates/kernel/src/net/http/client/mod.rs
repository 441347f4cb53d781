//! The client: fetches what an address names, and measures its parts.

mod answer;
mod fetch;
mod fetch_error;
#[cfg(test)]
mod tests;
mod url;

pub use fetch::{Around as FetchAround, Fetch, Fetched};
pub use fetch_error::FetchError;
pub use url::Url;
