//! What a request says, once its head has been read and found to make sense.

use core::net::IpAddr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
    Trace,
    Connect,
}

impl Method {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "PATCH" => Self::Patch,
            "OPTIONS" => Self::Options,
            "TRACE" => Self::Trace,
            "CONNECT" => Self::Connect,
            _ => return None,
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
        }
    }
}

/// How the body of a message is delimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    None,
    Length(usize),
    Chunked,
}

/// The head of a request; the texts are the received bytes themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestHead<'a> {
    pub method: Method,
    /// Begins with a slash and is still percent-encoded; `*` for the server as a whole.
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// The name and port that the client thinks it speaks to; every HTTP/1.1 request has it.
    pub host: Option<&'a str>,
    pub authorization: Option<&'a [u8]>,
    /// The site whose page made a browser send this.
    pub origin: Option<&'a [u8]>,
    pub if_none_match: Option<&'a [u8]>,
    pub framing: Framing,
    pub expects_continue: bool,
    pub keeps_alive: bool,
    /// HTTP/1.0 knows no chunks.
    pub is_version_1_1: bool,
}

/// A whole request, for a service to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub peer: IpAddr,
    pub head: &'a RequestHead<'a>,
    /// Without the marks of chunks.
    pub body: &'a [u8],
}
