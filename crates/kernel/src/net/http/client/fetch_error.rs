//! Why something was not fetched.

use crate::net::dns::Failure;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FetchError {
    Name(Failure),
    Unreachable,
    ConnectionsFull,
    /// The connection ended; why, where that is known.
    Broken(&'static str),
    Silent,
    NotHttp,
    TooManyRedirects,
    BadRedirect(&'static str),
    /// There is nothing to be saved; what the server said instead.
    NotGiven(u16),
    /// The file cannot be written; `refusal` says why.
    NotSaved,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(failure) => failure.fmt(f),
            Self::Unreachable => f.write_str("there is no way to that address; see net routes"),
            Self::ConnectionsFull => f.write_str("all connections are in use; try again"),
            Self::Broken(reason) => f.write_str(reason),
            Self::Silent => f.write_str("the server has said nothing for 15 s"),
            Self::NotHttp => f.write_str("what the server said is no HTTP"),
            Self::TooManyRedirects => f.write_str("the server sends from one address to the next"),
            Self::BadRedirect(reason) => write!(f, "the server sends elsewhere: {reason}"),
            Self::NotGiven(status) => {
                write!(f, "the server answered {status}; nothing was saved")
            }
            Self::NotSaved => f.write_str("it could not be saved"),
        }
    }
}
