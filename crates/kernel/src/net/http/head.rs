//! From the bytes of a request's head to its meaning; errors live here.
//!
//! What two servers could understand differently is refused (RFC 9112, 11.2): a body
//! announced twice, a name with a blank behind it, two hosts.

use super::request::{Framing, Method, RequestHead};
use super::status::Status;
use crate::limits::{
    HTTP_BODY_BYTES_MAX, HTTP_HEADER_BYTES_MAX, HTTP_HEADERS_MAX, HTTP_REQUEST_LINE_MAX,
};
use core::mem::MaybeUninit;
use httparse::Header;

/// Why a request is not answered but refused, and what its sender can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Problem {
    pub status: Status,
    pub sentence: &'static str,
}

const fn problem(status: Status, sentence: &'static str) -> Problem {
    Problem { status, sentence }
}

const fn malformed(sentence: &'static str) -> Problem {
    problem(Status::BAD_REQUEST, sentence)
}

pub const LINE_TOO_LONG: Problem = problem(
    Status::URI_TOO_LONG,
    "the request's first line is longer than HTTP_REQUEST_LINE_MAX bytes",
);
pub const HEAD_TOO_LONG: Problem = problem(
    Status::HEADERS_TOO_LARGE,
    "the request's headers are longer than HTTP_HEADER_BYTES_MAX bytes",
);
pub const BODY_TOO_LONG: Problem = problem(
    Status::CONTENT_TOO_LARGE,
    "the request's body is longer than HTTP_BODY_BYTES_MAX bytes",
);
pub const BAD_CHUNK: Problem = malformed("the request's body is not in chunks as it says");
const TWO_LENGTHS: Problem = malformed("the request says twice how long its body is");

/// Where the head ends in bytes that begin with one; looks at those from `looked_at` on.
///
/// Ends of lines may lack their carriage return (RFC 9112, 2.2).
pub fn find_end(bytes: &[u8], looked_at: usize) -> Result<Option<usize>, Problem> {
    if bytes
        .first()
        .is_some_and(|first| !first.is_ascii_uppercase())
    {
        return Err(malformed("this is not an HTTP request"));
    }
    // The end may have begun in what was looked at before.
    let mut at = looked_at.saturating_sub(2);
    while let Some(offset) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let next = at + offset + 1;
        match &bytes[next..] {
            [b'\n', ..] => return bounded(next + 1, bytes).map(Some),
            [b'\r', b'\n', ..] => return bounded(next + 2, bytes).map(Some),
            _ => at = next,
        }
    }
    bounded(bytes.len(), bytes).map(|_| None)
}

fn bounded(length: usize, bytes: &[u8]) -> Result<usize, Problem> {
    let mut line = bytes.iter().take(HTTP_REQUEST_LINE_MAX + 1);
    if length > HTTP_REQUEST_LINE_MAX && !line.any(|byte| *byte == b'\n') {
        return Err(LINE_TOO_LONG);
    }
    match length <= HTTP_HEADER_BYTES_MAX {
        true => Ok(length),
        false => Err(HEAD_TOO_LONG),
    }
}

/// Reads a head that `find_end` has found whole.
pub fn parse(bytes: &[u8]) -> Result<RequestHead<'_>, Problem> {
    let mut room = [const { MaybeUninit::<Header<'_>>::uninit() }; HTTP_HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(bytes, &mut room) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => {
            return Err(malformed(
                "the request's head has an empty line in its middle",
            ));
        }
        Err(error) => return Err(refusal(error)),
    }
    let method = Method::parse(parsed.method.unwrap_or_default()).ok_or(problem(
        Status::NOT_IMPLEMENTED,
        "the method is none that is known here; use GET or POST",
    ))?;
    let mut fields = Fields::default();
    for header in parsed.headers.iter() {
        fields.add(header)?;
    }
    let is_version_1_1 = parsed.version == Some(1);
    let target = Target::parse(method, parsed.path.unwrap_or_default())?;
    if is_version_1_1 && fields.host.is_none() {
        return Err(malformed("the request names no host"));
    }
    Ok(RequestHead {
        method,
        path: target.path,
        query: target.query,
        host: target.authority.or(fields.host),
        authorization: fields.authorization,
        origin: fields.origin,
        if_none_match: fields.if_none_match,
        framing: fields.framing(is_version_1_1)?,
        expects_continue: fields.expects_continue && is_version_1_1,
        keeps_alive: !fields.closes && (is_version_1_1 || fields.keeps_alive),
        is_version_1_1,
    })
}

fn refusal(error: httparse::Error) -> Problem {
    match error {
        httparse::Error::TooManyHeaders => problem(
            Status::HEADERS_TOO_LARGE,
            "the request has more than HTTP_HEADERS_MAX header lines",
        ),
        httparse::Error::Version => problem(
            Status::VERSION_NOT_SUPPORTED,
            "only HTTP/1.1 and HTTP/1.0 are spoken here",
        ),
        httparse::Error::HeaderName => malformed("a header's name has signs that no name has"),
        httparse::Error::HeaderValue => malformed("a header's value has control characters"),
        _ => malformed("the request's first line is not METHOD TARGET HTTP/1.1"),
    }
}

/// What is asked for, taken apart.
struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
    authority: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn parse(method: Method, text: &'a str) -> Result<Self, Problem> {
        if text == "*" && method == Method::Options {
            return Ok(Self {
                path: text,
                query: None,
                authority: None,
            });
        }
        // As a proxy is asked; every server must take it (RFC 9112, 3.2.2).
        let (authority, rest) = match text.split_at_checked("http://".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http://") => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(authority), if path.is_empty() { "/" } else { path })
            }
            _ => (None, text),
        };
        if !rest.starts_with('/') || rest.contains('#') {
            return Err(malformed(
                "the target of the request is not a path that begins with a slash",
            ));
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Ok(Self {
            path,
            query,
            authority,
        })
    }
}

/// The header lines that matter here.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a str>,
    length: Option<usize>,
    is_chunked: bool,
    authorization: Option<&'a [u8]>,
    origin: Option<&'a [u8]>,
    if_none_match: Option<&'a [u8]>,
    expects_continue: bool,
    closes: bool,
    keeps_alive: bool,
}

impl<'a> Fields<'a> {
    fn add(&mut self, header: &Header<'a>) -> Result<(), Problem> {
        let (name, value) = (header.name, header.value.trim_ascii());
        // A look at the length first spares most of the comparisons.
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match name.len() {
            4 if is("host") => self.set_host(value),
            6 if is("expect") => self.set_expectation(value),
            6 if is("origin") => only_once(&mut self.origin, value),
            10 if is("connection") => {
                self.set_connection(value);
                Ok(())
            }
            13 if is("authorization") => only_once(&mut self.authorization, value),
            13 if is("if-none-match") => {
                self.if_none_match = Some(value);
                Ok(())
            }
            14 if is("content-length") => self.set_length(value),
            17 if is("transfer-encoding") => self.set_encoding(value),
            _ => Ok(()),
        }
    }

    fn set_host(&mut self, value: &'a [u8]) -> Result<(), Problem> {
        let text = core::str::from_utf8(value)
            .ok()
            .filter(|text| is_authority(text));
        match (self.host, text) {
            (None, Some(text)) => self.host = Some(text),
            (Some(_), _) => return Err(malformed("the request names two hosts")),
            (None, None) => return Err(malformed("the host is not a name or an address")),
        }
        Ok(())
    }

    fn set_expectation(&mut self, value: &[u8]) -> Result<(), Problem> {
        self.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
        match self.expects_continue {
            true => Ok(()),
            false => Err(problem(
                Status::EXPECTATION_FAILED,
                "nothing but 100-continue can be expected",
            )),
        }
    }

    fn set_connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            self.closes |= option.eq_ignore_ascii_case(b"close");
            self.keeps_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn set_length(&mut self, value: &[u8]) -> Result<(), Problem> {
        if self.length.is_some() {
            return Err(TWO_LENGTHS);
        }
        let digits = core::str::from_utf8(value)
            .ok()
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or(malformed("the length of the body is not a number"))?;
        // A number too large for the machine is too long as well.
        self.length = Some(digits.parse().unwrap_or(usize::MAX));
        Ok(())
    }

    fn set_encoding(&mut self, value: &[u8]) -> Result<(), Problem> {
        if self.is_chunked {
            return Err(TWO_LENGTHS);
        }
        self.is_chunked = value.eq_ignore_ascii_case(b"chunked");
        match self.is_chunked {
            true => Ok(()),
            false => Err(problem(
                Status::NOT_IMPLEMENTED,
                "no transfer encoding but chunked is understood",
            )),
        }
    }

    fn framing(&self, is_version_1_1: bool) -> Result<Framing, Problem> {
        match (self.is_chunked, self.length) {
            (true, Some(_)) => Err(TWO_LENGTHS),
            (true, None) if !is_version_1_1 => Err(malformed("HTTP/1.0 has no chunks")),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) if length > HTTP_BODY_BYTES_MAX => Err(BODY_TOO_LONG),
            (false, None | Some(0)) => Ok(Framing::None),
            (false, Some(length)) => Ok(Framing::Length(length)),
        }
    }
}

fn only_once<'a>(field: &mut Option<&'a [u8]>, value: &'a [u8]) -> Result<(), Problem> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed("a header stands there twice that may stand once")),
    }
}

/// A name or an address, with a port perhaps; an empty one is allowed (RFC 9112, 3.2).
fn is_authority(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]%".contains(&byte))
}
