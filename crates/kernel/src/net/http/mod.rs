//! HTTP/1.1: a server and a client over byte streams (RFC 9110, RFC 9112).
//!
//! Both are machines: they are stepped with the time and with `Streams`, never wait, and
//! take from a stream only what they have room for, so that TCP slows the other side down.

mod chunked;
mod client;
mod connection;
mod head;
mod request;
mod response;
mod server;
mod service;
mod status;
#[cfg(test)]
mod tests;
mod view;

pub use client::{Fetch, FetchAround, FetchError, Fetched, Url};
pub use request::{Method, Request};
pub use response::{Body, FOR_NOW, JSON, Response};
pub use server::Server;
pub use service::{Answer, AnswerHead, Job, Reply, Service};
pub use status::Status;
pub use view::{ApiCounters, ApiView, RequestRecord, ServerCounters, ServerView};
