//! The answering half: header and body go out as the stream takes them.

use super::{Around, Connection, Phase, Turn};
use crate::base::fixed::Text;
use crate::net::http::request::Method;
use crate::net::http::response::{Body, ConnectionLine, Delimiting, Header, Response};
use crate::net::http::service::{AnswerHead, Job, Reply};
use crate::net::http::view::RequestRecord;

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// Room for a chunk's size, the ends of its lines, and the last chunk.
const CHUNK_MARKS: usize = 16;
/// A chunk is not made smaller than this for want of room.
const CHUNK_BYTES_MIN: usize = 256;
const CHUNK_BYTES_MAX: usize = 0xffff;

impl Connection {
    pub(super) fn answer(&mut self, reply: Reply, around: &mut Around<'_>) {
        match reply {
            Reply::Wait => return self.become_phase(Phase::Waiting, around.now),
            Reply::Response(response) => self.begin_response(&response, around),
            Reply::Job(job) => self.become_phase(Phase::Working(job, None), around.now),
        }
        around.counters.requests += 1;
    }

    fn begin_response(&mut self, response: &Response, around: &mut Around<'_>) {
        let delimiting = match response.status.is_bodiless() {
            true => Delimiting::Nothing,
            false => Delimiting::Length(response.length()),
        };
        self.write_header(&Header {
            status: response.status,
            content_type: response.content_type,
            headers: response.headers,
            mark: response.mark,
            retry_after_secs: response.retry_after_secs,
            delimiting,
            connection: self.connection_line(),
        });
        let has_body = delimiting != Delimiting::Nothing && !self.is_head();
        self.body = if has_body {
            response.body
        } else {
            Body::default()
        };
        self.body_sent = 0;
        self.become_phase(Phase::Sending, around.now);
    }

    /// Sends what there is of an answer that lies in memory whole.
    pub(super) fn send(&mut self, around: &mut Around<'_>) -> Turn {
        if !self.send_header(around) {
            return Turn::Rest;
        }
        let mut skipped = self.body_sent;
        for piece in self.body {
            let rest = &piece[skipped.min(piece.len())..];
            skipped -= skipped.min(piece.len());
            let taken = self.write(rest, around);
            self.body_sent += taken;
            if taken < rest.len() {
                return Turn::Rest;
            }
        }
        self.end_exchange(around)
    }

    /// Passes on what a job has to say.
    pub(super) fn work(
        &mut self,
        job: Job,
        delimiting: Option<Delimiting>,
        around: &mut Around<'_>,
    ) -> Turn {
        let answer = around.service.answer(job);
        let (length, is_whole) = (answer.bytes.len(), answer.is_whole);
        let Some(delimiting) = delimiting else {
            let Some(head) = answer.head else {
                return Turn::Rest;
            };
            let delimiting = self.begin_answer(&head, length, is_whole);
            self.become_phase(Phase::Working(job, Some(delimiting)), around.now);
            return Turn::Again;
        };
        if !self.send_header(around) {
            return Turn::Rest;
        }
        if self.is_head() || (is_whole && length == 0) {
            return self.end_answer(job, delimiting, around);
        }
        let taken = match delimiting {
            Delimiting::Chunks => self.send_chunk(job, around),
            _ => self.send_piece(job, around),
        };
        if taken > 0 {
            return Turn::Again;
        }
        if around.streams.write_space(self.stream) > CHUNK_MARKS + CHUNK_BYTES_MIN {
            // It is the job that is slow, not the client.
            self.since = around.now;
        }
        Turn::Rest
    }

    fn begin_answer(&mut self, head: &AnswerHead, length: usize, is_whole: bool) -> Delimiting {
        let delimiting = match (is_whole, self.exchange.is_version_1_1) {
            (true, _) => Delimiting::Length(length),
            (false, true) => Delimiting::Chunks,
            (false, false) => Delimiting::Close,
        };
        self.exchange.keeps_alive &= delimiting != Delimiting::Close;
        self.write_header(&Header {
            status: head.status,
            content_type: head.content_type,
            headers: head.headers,
            mark: "",
            retry_after_secs: None,
            delimiting,
            connection: self.connection_line(),
        });
        delimiting
    }

    fn send_piece(&mut self, job: Job, around: &mut Around<'_>) -> usize {
        let bytes = around.service.answer(job).bytes;
        let taken = around.streams.write(self.stream, bytes);
        self.on_sent(taken, around);
        around.service.consume(job, taken);
        taken
    }

    fn send_chunk(&mut self, job: Job, around: &mut Around<'_>) -> usize {
        let space = around.streams.write_space(self.stream);
        let answer = around.service.answer(job);
        let room = space.saturating_sub(CHUNK_MARKS).min(CHUNK_BYTES_MAX);
        let length = answer.bytes.len().min(room);
        let is_small = length < CHUNK_BYTES_MIN && length < answer.bytes.len();
        if length == 0 || is_small {
            return 0;
        }
        let size = Text::<8>::format(format_args!("{length:x}\r\n"));
        let mut written = around.streams.write(self.stream, size.as_bytes());
        written += around.streams.write(self.stream, &answer.bytes[..length]);
        written += around.streams.write(self.stream, b"\r\n");
        if written != size.len() + length + 2 {
            // The stream did not keep its word, and the client cannot know where it is.
            around.streams.abort(self.stream);
        }
        around.service.consume(job, length);
        self.on_sent(written, around);
        length
    }

    fn end_answer(&mut self, job: Job, delimiting: Delimiting, around: &mut Around<'_>) -> Turn {
        if delimiting == Delimiting::Chunks && !self.is_head() {
            if around.streams.write_space(self.stream) < LAST_CHUNK.len() {
                return Turn::Rest;
            }
            self.write(LAST_CHUNK, around);
        }
        around.service.release(around.now, job);
        self.end_exchange(around)
    }

    /// The answer is written; what comes next?
    fn end_exchange(&mut self, around: &mut Around<'_>) -> Turn {
        let exchange = &self.exchange;
        around.counters.answers[exchange.status.class().min(5)] += 1;
        around.records.push(RequestRecord {
            at: exchange.began,
            peer: self.peer,
            method: exchange.method,
            path: exchange.path.clone(),
            status: exchange.status,
            took: around.now.since(exchange.began),
            sent_bytes: exchange.sent_bytes,
        });
        self.clear_request();
        if self.exchange.keeps_alive {
            self.become_phase(Phase::Idle, around.now);
        } else {
            around.streams.finish(self.stream);
            self.become_phase(Phase::Lingering, around.now);
        }
        Turn::Again
    }

    fn write_header(&mut self, header: &Header) {
        self.exchange.status = header.status;
        self.exchange.sent_bytes = 0;
        header.write(&mut self.header);
        self.header_sent = 0;
    }

    /// Says whether all of the header is out.
    fn send_header(&mut self, around: &mut Around<'_>) -> bool {
        let rest = &self.header[self.header_sent..];
        let taken = around.streams.write(self.stream, rest);
        let is_out = taken == rest.len();
        self.header_sent += taken;
        self.on_sent(taken, around);
        is_out
    }

    fn write(&mut self, bytes: &[u8], around: &mut Around<'_>) -> usize {
        let taken = around.streams.write(self.stream, bytes);
        self.on_sent(taken, around);
        taken
    }

    fn on_sent(&mut self, count: usize, around: &mut Around<'_>) {
        if count > 0 {
            self.since = around.now;
            self.exchange.sent_bytes += count as u64;
            around.counters.sent_bytes += count as u64;
        }
    }

    fn is_head(&self) -> bool {
        self.exchange.method == Some(Method::Head)
    }

    fn connection_line(&self) -> ConnectionLine {
        match (self.exchange.keeps_alive, self.exchange.is_version_1_1) {
            (false, _) => ConnectionLine::Close,
            (true, true) => ConnectionLine::Nothing,
            (true, false) => ConnectionLine::KeepAlive,
        }
    }
}
