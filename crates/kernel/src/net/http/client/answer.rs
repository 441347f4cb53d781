//! The head of an answer, and how its body ends (RFC 9112, 6.3).

use crate::limits::HTTP_HEADERS_MAX;
use crate::net::http::chunked::Chunked;
use core::mem::MaybeUninit;

/// How the end of the body is found.
pub enum BodyEnd {
    Length(u64),
    Chunks(Chunked),
    /// The end of the stream.
    Stream,
}

pub struct AnswerHead<'a> {
    pub status: u16,
    pub reason: &'a str,
    pub content_type: Option<&'a str>,
    pub location: Option<&'a str>,
    pub end: BodyEnd,
    /// Bytes of the head.
    pub length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadAnswer;

/// `None` as long as the head is not there whole.
pub fn parse(bytes: &[u8]) -> Result<Option<AnswerHead<'_>>, BadAnswer> {
    let mut room = [const { MaybeUninit::uninit() }; HTTP_HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut room) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(BadAnswer),
    };
    let status = parsed.code.ok_or(BadAnswer)?;
    let (mut content_type, mut location) = (None, None);
    let (mut body_length, mut is_chunked) = (None, false);
    for header in parsed.headers.iter() {
        let text = core::str::from_utf8(header.value).ok().map(str::trim);
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-type") {
            content_type = text;
        } else if is("location") {
            location = text;
        } else if is("transfer-encoding") {
            is_chunked = text.is_some_and(|text| text.eq_ignore_ascii_case("chunked"));
            if !is_chunked {
                return Err(BadAnswer);
            }
        } else if is("content-length") {
            let length: u64 = text.and_then(|text| text.parse().ok()).ok_or(BadAnswer)?;
            if body_length
                .replace(length)
                .is_some_and(|other| other != length)
            {
                return Err(BadAnswer);
            }
        }
    }
    let end = match (status, is_chunked, body_length) {
        (204 | 304, ..) => BodyEnd::Length(0),
        (_, true, _) => BodyEnd::Chunks(Chunked::new()),
        (_, false, Some(length)) => BodyEnd::Length(length),
        (_, false, None) => BodyEnd::Stream,
    };
    Ok(Some(AnswerHead {
        status,
        reason: parsed.reason.unwrap_or_default(),
        content_type,
        location,
        end,
        length,
    }))
}
