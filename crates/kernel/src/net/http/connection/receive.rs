//! The receiving half: from the stream's bytes to a request that is offered.

use super::{Around, Connection, Exchange, Phase, Turn};
use crate::base::time::Instant;
use crate::base::token::redacted;
use crate::limits::{HTTP_BODY_BYTES_MAX, HTTP_HEADER_BYTES_MAX};
use crate::net::http::chunked::Chunked;
use crate::net::http::head::{self, Problem};
use crate::net::http::request::{Framing, Request, RequestHead};
use crate::net::http::response::Response;
use crate::net::http::service::{Reply, Service};
use crate::net::http::status::Status;
use crate::net::stream::StreamState;
use core::net::IpAddr;

pub const HEAD_TOO_SLOW: Problem = Problem {
    status: Status::REQUEST_TIMEOUT,
    sentence: "the request's head took longer than 10 s",
};
pub const BODY_TOO_SLOW: Problem = Problem {
    status: Status::REQUEST_TIMEOUT,
    sentence: "the request's body came too slowly",
};
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What reading a head has come to.
enum Read {
    /// The whole request, and how many bytes it had; what was said to it.
    Request(usize, Reply),
    /// A head of so many bytes, whose body is to follow.
    Head(usize, Framing, bool),
    Partial,
    Problem(Problem),
}

impl Connection {
    /// Reads a head where it lies; only one that is not there whole is copied.
    pub(super) fn receive_head(&mut self, around: &mut Around<'_>) -> Turn {
        if self.request.is_empty() {
            self.skip_empty_lines(around);
        }
        let arrived = around.streams.readable(self.stream);
        if arrived.is_empty() {
            return self.on_silence(around);
        }
        if !self.request.is_empty() {
            return self.continue_head(around);
        }
        let read = read(
            arrived,
            0,
            self.peer,
            around.now,
            around.service,
            &mut self.exchange,
        );
        match read {
            Read::Request(length, Reply::Wait) => {
                self.keep(length, around);
                self.head_length = length;
                self.answer(Reply::Wait, around);
            }
            Read::Request(length, reply) => {
                self.consume(length, around);
                self.answer(reply, around);
            }
            Read::Head(length, framing, expects_continue) => {
                self.keep(length, around);
                self.begin_body(framing, expects_continue, around);
            }
            Read::Partial => {
                let length = arrived.len().min(HTTP_HEADER_BYTES_MAX);
                self.keep(length, around);
                self.looked_at = length;
                if self.phase == Phase::Idle {
                    self.become_phase(Phase::Head, around.now);
                }
            }
            Read::Problem(problem) => return self.refuse(problem, around),
        }
        Turn::Again
    }

    /// Joins what has arrived to the part of the head that is here.
    fn continue_head(&mut self, around: &mut Around<'_>) -> Turn {
        let before = self.request.len();
        let arrived = around.streams.readable(self.stream);
        // One byte more than allowed shows that the head is too long.
        let room = (HTTP_HEADER_BYTES_MAX + 1).saturating_sub(before);
        let count = arrived.len().min(room);
        let kept = self.request.extend_from_slice(&arrived[..count]);
        crate::invariant!(kept.is_ok(), "a request outgrew the room that was checked");
        let read = read(
            &self.request,
            self.looked_at,
            self.peer,
            around.now,
            around.service,
            &mut self.exchange,
        );
        // What stands behind the head is left in the stream.
        let end = match read {
            Read::Request(length, _) | Read::Head(length, ..) => length,
            Read::Partial | Read::Problem(_) => before + count,
        };
        self.consume(end - before, around);
        self.request.truncate(end);
        self.looked_at = end;
        self.head_length = end;
        match read {
            Read::Request(_, reply) => self.answer(reply, around),
            Read::Head(_, framing, expects_continue) => {
                self.begin_body(framing, expects_continue, around);
            }
            Read::Partial => {}
            Read::Problem(problem) => return self.refuse(problem, around),
        }
        Turn::Again
    }

    pub(super) fn receive_body(&mut self, framing: Framing, around: &mut Around<'_>) -> Turn {
        let arrived = around.streams.readable(self.stream);
        let missing = match framing {
            Framing::None => 0,
            Framing::Length(length) => length - self.body_length().min(length),
            Framing::Chunked => usize::from(!self.chunked.is_done()),
        };
        if missing == 0 {
            return self.offer(around);
        }
        if arrived.is_empty() {
            return self.on_silence(around);
        }
        let (marks, data) = match framing {
            Framing::Chunked => match self.chunked.next(arrived) {
                Ok(parts) => parts,
                Err(_) => return self.refuse(head::BAD_CHUNK, around),
            },
            _ => (0, arrived.len().min(missing)),
        };
        let body = &arrived[marks..marks + data];
        let is_too_long = self.body_length() + data > HTTP_BODY_BYTES_MAX;
        if is_too_long || self.request.extend_from_slice(body).is_err() {
            return self.refuse(head::BODY_TOO_LONG, around);
        }
        self.consume(marks + data, around);
        Turn::Again
    }

    /// Asks the service for an answer to the request that is here whole.
    pub(super) fn offer(&mut self, around: &mut Around<'_>) -> Turn {
        let (head, body) = self.request.split_at(self.head_length);
        let head = match head::parse(head) {
            Ok(head) => head,
            Err(problem) => return self.refuse(problem, around),
        };
        self.exchange.begin(&head, around.now);
        let request = Request {
            peer: self.peer,
            head: &head,
            body,
        };
        match around.service.request(around.now, &request) {
            Reply::Wait if self.phase == Phase::Waiting => return Turn::Rest,
            Reply::Wait => self.become_phase(Phase::Waiting, around.now),
            reply => self.answer(reply, around),
        }
        Turn::Again
    }

    pub(super) fn refuse(&mut self, problem: Problem, around: &mut Around<'_>) -> Turn {
        around.counters.malformed += 1;
        if self.phase == Phase::Idle || self.phase == Phase::Head {
            self.exchange = Exchange::none(around.now);
        }
        // Where the next request would begin is not known.
        self.exchange.keeps_alive = false;
        self.answer(Reply::Response(Response::of_problem(problem)), around);
        Turn::Again
    }

    /// Nobody had time for the request.
    pub(super) fn turn_away(&mut self, around: &mut Around<'_>) -> Turn {
        let busy = Response {
            retry_after_secs: Some(1),
            ..Response::error(
                Status::UNAVAILABLE,
                "all workers are busy with other requests; try again",
            )
        };
        self.answer(Reply::Response(busy), around);
        Turn::Again
    }

    fn begin_body(&mut self, framing: Framing, expects_continue: bool, around: &mut Around<'_>) {
        self.head_length = self.request.len();
        self.chunked = Chunked::new();
        self.become_phase(Phase::Body(framing), around.now);
        let is_waiting = expects_continue && around.streams.readable(self.stream).is_empty();
        if is_waiting && around.streams.write_space(self.stream) >= CONTINUE.len() {
            around.streams.write(self.stream, CONTINUE);
        }
    }

    /// Nothing has arrived, and nothing will when the client has said its last word.
    fn on_silence(&mut self, around: &mut Around<'_>) -> Turn {
        if around.streams.state(self.stream) != StreamState::Ended {
            return Turn::Rest;
        }
        around.counters.broken_off += u64::from(!self.request.is_empty());
        Turn::Over
    }

    /// Some clients end a body with a line end that they did not announce (RFC 9112, 2.2).
    fn skip_empty_lines(&mut self, around: &mut Around<'_>) {
        let arrived = around.streams.readable(self.stream).iter();
        let blank = arrived
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        if blank > 0 {
            self.consume(blank, around);
        }
    }

    fn keep(&mut self, count: usize, around: &mut Around<'_>) {
        let arrived = around.streams.readable(self.stream);
        let kept = self.request.extend_from_slice(&arrived[..count]);
        crate::invariant!(kept.is_ok(), "a head is longer than was checked");
        self.consume(count, around);
    }

    fn consume(&mut self, count: usize, around: &mut Around<'_>) {
        around.counters.received_bytes += count as u64;
        around.streams.consume(self.stream, count);
    }
}

/// Finds and reads a head; a request without a body is offered at once.
fn read(
    bytes: &[u8],
    looked_at: usize,
    peer: IpAddr,
    now: Instant,
    service: &mut dyn Service,
    exchange: &mut Exchange,
) -> Read {
    let end = match head::find_end(bytes, looked_at) {
        Ok(Some(end)) => end,
        Ok(None) => return Read::Partial,
        Err(problem) => return Read::Problem(problem),
    };
    let head = match head::parse(&bytes[..end]) {
        Ok(head) => head,
        Err(problem) => return Read::Problem(problem),
    };
    exchange.begin(&head, now);
    if head.framing != Framing::None {
        return Read::Head(end, head.framing, head.expects_continue);
    }
    let request = Request {
        peer,
        head: &head,
        body: &[],
    };
    Read::Request(end, service.request(now, &request))
}

impl Exchange {
    fn begin(&mut self, head: &RequestHead<'_>, now: Instant) {
        self.began = now;
        self.method = Some(head.method);
        self.path = redacted(head.path);
        self.keeps_alive = head.keeps_alive;
        self.is_version_1_1 = head.is_version_1_1;
        self.sent_bytes = 0;
    }
}
