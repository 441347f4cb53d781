//! The header of every answer, and answers that are known whole.

use super::head::Problem;
use super::status::Status;
use crate::base::fixed::Vec;
use crate::limits::HTTP_ANSWER_HEADER_MAX;

/// Pieces of memory that always lives, sent one after the other.
pub type Body = [&'static [u8]; 3];

pub const JSON: &str = "application/json";

/// Header lines of answers that say something about this moment.
pub const FOR_NOW: &str = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Response {
    pub status: Status,
    /// Empty when there is no body.
    pub content_type: &'static str,
    /// More header lines, each with its end.
    pub headers: &'static str,
    /// Names this content among all that the path ever had, in quotes; empty for none.
    pub mark: &'static str,
    pub retry_after_secs: Option<u64>,
    pub body: Body,
}

impl Response {
    /// A failure, said in the form in which commands say theirs.
    pub const fn error(status: Status, sentence: &'static str) -> Self {
        Self {
            status,
            content_type: JSON,
            headers: FOR_NOW,
            mark: "",
            retry_after_secs: None,
            body: [
                br#"{"command":"","ok":false,"error":""#,
                sentence.as_bytes(),
                b"\"}\n",
            ],
        }
    }

    pub const fn of_problem(problem: Problem) -> Self {
        Self::error(problem.status, problem.sentence)
    }

    pub fn length(&self) -> usize {
        self.body.iter().map(|piece| piece.len()).sum()
    }
}

/// How the receiver finds the end of the answer's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delimiting {
    /// No body by the rules of the status.
    Nothing,
    Length(usize),
    Chunks,
    /// For clients that know no chunks.
    Close,
}

/// What the header of an answer says.
pub struct Header {
    pub status: Status,
    pub content_type: &'static str,
    pub headers: &'static str,
    pub mark: &'static str,
    pub retry_after_secs: Option<u64>,
    pub delimiting: Delimiting,
    /// What is said about the connection's future.
    pub connection: ConnectionLine,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionLine {
    /// HTTP/1.1 keeps connections unless told otherwise.
    Nothing,
    KeepAlive,
    Close,
}

pub type HeaderBytes = Vec<u8, HTTP_ANSWER_HEADER_MAX>;

impl Header {
    pub fn write(&self, out: &mut HeaderBytes) {
        out.clear();
        add(out, self.status.line());
        if !self.content_type.is_empty() {
            add(out, "Content-Type: ");
            add(out, self.content_type);
            add(out, "\r\n");
        }
        match self.delimiting {
            Delimiting::Length(length) => add_number(out, "Content-Length: ", length as u64),
            Delimiting::Chunks => add(out, "Transfer-Encoding: chunked\r\n"),
            Delimiting::Nothing | Delimiting::Close => {}
        }
        if let Some(seconds) = self.retry_after_secs {
            add_number(out, "Retry-After: ", seconds);
        }
        if !self.mark.is_empty() {
            add(out, "ETag: ");
            add(out, self.mark);
            add(out, "\r\n");
        }
        add(out, self.headers);
        add(
            out,
            match self.connection {
                ConnectionLine::Nothing => "\r\n",
                ConnectionLine::KeepAlive => "Connection: keep-alive\r\n\r\n",
                ConnectionLine::Close => "Connection: close\r\n\r\n",
            },
        );
    }
}

fn add(out: &mut HeaderBytes, text: &str) {
    let kept = out.extend_from_slice(text.as_bytes());
    crate::invariant!(
        kept.is_ok(),
        "our own headers are longer than HTTP_ANSWER_HEADER_MAX"
    );
}

fn add_number(out: &mut HeaderBytes, name: &str, number: u64) {
    add(out, name);
    add_digits(out, number);
    add(out, "\r\n");
}

fn add_digits(out: &mut HeaderBytes, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    add(out, core::str::from_utf8(&digits[at..]).unwrap_or_default());
}
