//! Which path means what.

use super::page::{self, Asset};
use crate::net::http::Method;

pub const COMMANDS: &str = "/api/v1";

pub enum Route<'a> {
    Asset(&'static Asset),
    /// The path behind `/api/v1/`: a command with its words.
    Command(&'a str),
    /// `*`: the server as a whole.
    Server,
    Nothing,
}

pub fn find(path: &str) -> Route<'_> {
    if let Some(asset) = page::find(path) {
        return Route::Asset(asset);
    }
    match path.strip_prefix(COMMANDS) {
        Some("" | "/") => Route::Command("help"),
        Some(rest) => match rest.strip_prefix('/') {
            Some(words) => Route::Command(words),
            None => Route::Nothing,
        },
        None if path == "*" => Route::Server,
        None => Route::Nothing,
    }
}

impl Route<'_> {
    /// The methods that make sense there, as a header line.
    pub const fn allow(&self) -> &'static str {
        match self {
            Self::Command(_) => "Allow: GET, HEAD, POST, OPTIONS\r\n",
            _ => "Allow: GET, HEAD, OPTIONS\r\n",
        }
    }

    pub const fn allows(&self, method: Method) -> bool {
        match method {
            Method::Get | Method::Head | Method::Options => true,
            Method::Post => matches!(self, Self::Command(_)),
            _ => false,
        }
    }
}
