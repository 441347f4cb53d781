//! One fetch: from the address to the answer's last byte.
//!
//! Limits: `REDIRECTS_MAX`, `HTTP_HEADER_BYTES_MAX` of a head; of a text the first
//! `HTTP_FETCH_SHOWN_BYTES` are kept, everything else is counted and dropped.

use super::answer::{self, BodyEnd};
use super::fetch_error::FetchError;
use super::url::{Authority, Host, Url};
use crate::base::file_sink::{FileSink, SinkError};
use crate::base::fixed::{Text, Vec};
use crate::base::operation::OperationId;
use crate::base::time::{Duration, Instant};
use crate::limits::{HTTP_FETCH_SHOWN_BYTES, HTTP_HEADER_BYTES_MAX, HTTP_URL_MAX};
use crate::net::dns::{Answer, Failure, Kind, LookupId, Resolver};
use crate::net::packet::Endpoint;
use crate::net::stream::{ConnectError, StreamId, StreamState, Streams};
use alloc::boxed::Box;
use core::net::IpAddr;

const REDIRECTS_MAX: usize = 5;
/// A server that says nothing for so long has nothing to say.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Pieces of a body that are read in one step.
const PIECES_A_STEP: usize = 64;
/// A request of ours: the longest path and host, and some header lines.
const REQUEST_MAX: usize = 2 * HTTP_URL_MAX + 256;

/// What has been fetched and how long that took.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub url: Url,
    pub redirects: usize,
    pub server: IpAddr,
    pub status: u16,
    pub reason: Text<48>,
    pub content_type: Option<Text<64>>,
    pub head_bytes: u64,
    pub body_bytes: u64,
    /// All from the start of the last connection on.
    pub looked_up: Duration,
    pub connected: Duration,
    pub first_byte: Duration,
    pub total: Duration,
}

enum Phase {
    /// The name of the address is to be looked up, or there is none.
    Start,
    Resolving(LookupId),
    Connecting(StreamId),
    Head(StreamId),
    Body(StreamId, BodyEnd),
    /// All is here, and the file is not safe on its disk yet.
    Saving(OperationId),
    Done(Result<(), FetchError>),
}

pub struct Fetch {
    phase: Phase,
    kind: Kind,
    began: Instant,
    progress: Instant,
    is_shown: bool,
    /// Where the body goes, when it is to be a file.
    file: Option<OperationId>,
    refusal: Option<SinkError>,
    facts: Fetched,
    head: Box<Vec<u8, HTTP_HEADER_BYTES_MAX>>,
    shown: Box<Vec<u8, HTTP_FETCH_SHOWN_BYTES>>,
}

/// What a fetch needs from around it.
pub struct Around<'a> {
    pub now: Instant,
    pub streams: &'a mut dyn Streams,
    pub resolver: &'a mut Resolver,
    /// Where bodies become files.
    pub files: &'a mut dyn FileSink,
    /// Lookups that nobody waits for any more.
    pub released: &'a mut dyn FnMut(LookupId),
}

impl Fetch {
    pub fn new(now: Instant, url: Url) -> Self {
        Self {
            phase: Phase::Start,
            kind: Kind::A,
            began: now,
            progress: now,
            is_shown: false,
            file: None,
            refusal: None,
            facts: Fetched {
                url,
                redirects: 0,
                server: IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED),
                status: 0,
                reason: Text::new(),
                content_type: None,
                head_bytes: 0,
                body_bytes: 0,
                looked_up: Duration::ZERO,
                connected: Duration::ZERO,
                first_byte: Duration::ZERO,
                total: Duration::ZERO,
            },
            head: Box::default(),
            shown: Box::default(),
        }
    }

    /// Its body becomes the file of that operation.
    pub fn into_file(self, of: OperationId) -> Self {
        Self {
            file: Some(of),
            ..self
        }
    }

    /// Why the file could not be written.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    pub const fn is_for_file(&self) -> bool {
        self.file.is_some()
    }

    /// What came of it, once it is over.
    pub fn result(&self) -> Option<Result<&Fetched, FetchError>> {
        match self.phase {
            Phase::Done(result) => Some(result.map(|()| &self.facts)),
            _ => None,
        }
    }

    /// The first bytes of the body, where it is text.
    pub fn shown(&self) -> &[u8] {
        &self.shown
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Start | Phase::Resolving(_) | Phase::Saving(_) | Phase::Done(_) => None,
            _ => Some(self.progress + SILENCE_MAX),
        }
    }

    /// Goes on as far as it goes without waiting; says whether there is more to do now.
    pub fn step(&mut self, around: &mut Around<'_>) -> bool {
        for _ in 0..PIECES_A_STEP {
            match self.turn(around) {
                Ok(true) => {}
                Ok(false) => {
                    let is_late = self.next_deadline().is_some_and(|late| late <= around.now);
                    if is_late {
                        self.finish(Err(FetchError::Silent), around);
                    }
                    return false;
                }
                Err(error) => {
                    self.finish(Err(error), around);
                    return false;
                }
            }
        }
        true
    }

    /// Gives back what it holds.
    pub fn give_up(&mut self, around: &mut Around<'_>) {
        if self.result().is_none() {
            self.finish(Err(FetchError::Silent), around);
        }
    }

    fn turn(&mut self, around: &mut Around<'_>) -> Result<bool, FetchError> {
        if let Some(of) = self.file
            && !matches!(self.phase, Phase::Saving(_) | Phase::Done(_))
        {
            // What cannot be saved is not worth being waited for.
            self.look_at_file(of, around)?;
        }
        match self.phase {
            Phase::Start => self.start(around),
            Phase::Resolving(lookup) => self.resolve(lookup, around),
            Phase::Connecting(stream) => self.connect(stream, around),
            Phase::Head(stream) => self.receive_head(stream, around),
            Phase::Body(..) => self.receive_body(around),
            Phase::Saving(of) => match self.look_at_file(of, around)? {
                true => {
                    self.finish(Ok(()), around);
                    Ok(false)
                }
                false => Ok(false),
            },
            Phase::Done(_) => Ok(false),
        }
    }

    fn start(&mut self, around: &mut Around<'_>) -> Result<bool, FetchError> {
        match &self.facts.url.host {
            Host::Address(address) => {
                let address = *address;
                self.dial(address, around)?;
            }
            Host::Name(name) => {
                let lookup = around.resolver.ask(around.now, name, self.kind);
                self.phase = Phase::Resolving(lookup.map_err(FetchError::Name)?);
            }
        }
        Ok(true)
    }

    fn resolve(&mut self, lookup: LookupId, around: &mut Around<'_>) -> Result<bool, FetchError> {
        let Some(result) = around.resolver.answer(lookup) else {
            return Ok(false);
        };
        let first = result
            .as_ref()
            .map(first_address)
            .map_err(|failure| *failure);
        (around.released)(lookup);
        self.phase = Phase::Start;
        match first {
            Ok(Some(address)) => self.dial(address, around)?,
            Err(Failure::NoAddress) | Ok(None) if self.kind == Kind::A => self.kind = Kind::Aaaa,
            Err(failure) => return Err(FetchError::Name(failure)),
            Ok(None) => return Err(FetchError::Name(Failure::NoAddress)),
        }
        Ok(true)
    }

    fn dial(&mut self, address: IpAddr, around: &mut Around<'_>) -> Result<(), FetchError> {
        self.facts.server = address;
        self.facts.looked_up = around.now.since(self.began);
        self.progress = around.now;
        let port = self.facts.url.port;
        let stream = around.streams.connect(Endpoint { address, port });
        self.phase = Phase::Connecting(stream.map_err(|error| match error {
            ConnectError::Full => FetchError::ConnectionsFull,
            ConnectError::Unreachable => FetchError::Unreachable,
        })?);
        Ok(())
    }

    fn connect(&mut self, stream: StreamId, around: &mut Around<'_>) -> Result<bool, FetchError> {
        match around.streams.state(stream) {
            StreamState::Connecting => return Ok(false),
            StreamState::Gone => return Err(broken(stream, around)),
            StreamState::Open | StreamState::Ended => {}
        }
        let url = &self.facts.url;
        let request = Text::<REQUEST_MAX>::format(format_args!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: RayOS\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            url.path,
            Authority(url),
        ));
        if around.streams.write_space(stream) < request.len() {
            return Ok(false);
        }
        around.streams.write(stream, request.as_bytes());
        self.facts.connected = around.now.since(self.began);
        self.progress = around.now;
        self.head.clear();
        self.phase = Phase::Head(stream);
        Ok(true)
    }

    fn receive_head(
        &mut self,
        stream: StreamId,
        around: &mut Around<'_>,
    ) -> Result<bool, FetchError> {
        let arrived = around.streams.readable(stream);
        if arrived.is_empty() {
            return match around.streams.state(stream) {
                StreamState::Ended | StreamState::Gone => Err(broken(stream, around)),
                _ => Ok(false),
            };
        }
        if self.head.is_empty() {
            self.facts.first_byte = around.now.since(self.began);
        }
        self.progress = around.now;
        let before = self.head.len();
        let count = arrived.len().min(self.head.capacity() - before);
        let kept = self.head.extend_from_slice(&arrived[..count]);
        crate::invariant!(kept.is_ok(), "a head outgrew the room that was checked");
        let head = match answer::parse(&self.head) {
            Ok(Some(head)) => head,
            // A head that fills all the room has no end.
            Ok(None) if count > 0 => {
                around.streams.consume(stream, count);
                return Ok(true);
            }
            Ok(None) | Err(_) => return Err(FetchError::NotHttp),
        };
        let (status, length) = (head.status, head.length);
        // What stands behind the head stays in the stream.
        around.streams.consume(stream, length - before);
        if (100..200).contains(&status) {
            self.head.clear();
            return Ok(true);
        }
        if let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, head.location) {
            let next = self.facts.url.join(location);
            let next = next.map_err(FetchError::BadRedirect)?;
            return self.follow(next, stream, around);
        }
        if self.file.is_some() && !(200..300).contains(&status) {
            return Err(FetchError::NotGiven(status));
        }
        self.facts.status = status;
        self.facts.reason = Text::cut_from(head.reason);
        self.facts.content_type = head.content_type.map(Text::cut_from);
        self.facts.head_bytes = length as u64;
        self.is_shown = self.file.is_none() && head.content_type.is_some_and(is_text);
        self.phase = Phase::Body(stream, head.end);
        Ok(true)
    }

    fn follow(
        &mut self,
        next: Url,
        stream: StreamId,
        around: &mut Around<'_>,
    ) -> Result<bool, FetchError> {
        if self.facts.redirects == REDIRECTS_MAX {
            return Err(FetchError::TooManyRedirects);
        }
        around.streams.abort(stream);
        around.streams.release(stream);
        self.facts.redirects += 1;
        self.facts.url = next;
        self.kind = Kind::A;
        self.began = around.now;
        self.phase = Phase::Start;
        Ok(true)
    }

    fn receive_body(&mut self, around: &mut Around<'_>) -> Result<bool, FetchError> {
        let Phase::Body(stream, end) = &mut self.phase else {
            return Ok(false);
        };
        let stream = *stream;
        let arrived = around.streams.readable(stream);
        let has_ended = match end {
            BodyEnd::Length(left) => *left == 0,
            BodyEnd::Chunks(chunks) => chunks.is_done(),
            BodyEnd::Stream => false,
        };
        if has_ended {
            return Ok(self.on_body_end(stream, around));
        }
        if arrived.is_empty() {
            let is_over = around.streams.state(stream) == StreamState::Ended;
            return match around.streams.state(stream) {
                StreamState::Ended if matches!(end, BodyEnd::Stream) => {
                    Ok(self.on_body_end(stream, around))
                }
                _ if is_over => Err(FetchError::Broken(
                    "the connection ended in the middle of the answer",
                )),
                StreamState::Gone => Err(broken(stream, around)),
                _ => Ok(false),
            };
        }
        let arrived = match self.file {
            Some(of) => &arrived[..arrived.len().min(around.files.room(of))],
            None => arrived,
        };
        if arrived.is_empty() {
            // The disk is what is slow, not the server.
            self.progress = around.now;
            return Ok(false);
        }
        let (marks, data) = match end {
            BodyEnd::Length(left) => {
                let data = (arrived.len() as u64).min(*left);
                *left -= data;
                // Not more than has arrived.
                (0, data as usize)
            }
            BodyEnd::Chunks(chunks) => chunks.next(arrived).map_err(|_| FetchError::NotHttp)?,
            BodyEnd::Stream => (0, arrived.len()),
        };
        if self.is_shown {
            let room = self.shown.capacity() - self.shown.len();
            let kept = self
                .shown
                .extend_from_slice(&arrived[marks..marks + data.min(room)]);
            crate::invariant!(kept.is_ok(), "a body outgrew the room that was checked");
        }
        if let Some(of) = self.file {
            let taken = around.files.take(of, &arrived[marks..marks + data]);
            crate::invariant!(taken == data, "a file had less room than it said");
        }
        self.facts.body_bytes += data as u64;
        self.progress = around.now;
        around.streams.consume(stream, marks + data);
        Ok(true)
    }

    /// All has come; a file that it becomes may take a moment more.
    fn on_body_end(&mut self, stream: StreamId, around: &mut Around<'_>) -> bool {
        let Some(of) = self.file else {
            self.finish(Ok(()), around);
            return false;
        };
        around.files.end(of);
        around.streams.finish(stream);
        around.streams.release(stream);
        self.phase = Phase::Saving(of);
        true
    }

    /// Is the file safe? One that cannot be written ends the fetch.
    fn look_at_file(
        &mut self,
        of: OperationId,
        around: &mut Around<'_>,
    ) -> Result<bool, FetchError> {
        match around.files.outcome(of) {
            None => Ok(false),
            Some(Ok(_)) => Ok(true),
            Some(Err(refusal)) => {
                self.refusal = Some(refusal);
                Err(FetchError::NotSaved)
            }
        }
    }

    fn finish(&mut self, result: Result<(), FetchError>, around: &mut Around<'_>) {
        self.facts.total = around.now.since(self.began);
        match core::mem::replace(&mut self.phase, Phase::Done(result)) {
            Phase::Resolving(lookup) => (around.released)(lookup),
            Phase::Connecting(stream) | Phase::Head(stream) | Phase::Body(stream, _) => {
                match result {
                    Ok(()) => around.streams.finish(stream),
                    Err(_) => around.streams.abort(stream),
                }
                around.streams.release(stream);
            }
            Phase::Start | Phase::Saving(_) | Phase::Done(_) => {}
        }
        if let (Some(of), Err(_)) = (self.file, result) {
            around.files.give_up(of);
        }
    }
}

fn first_address(answer: &Answer) -> Option<IpAddr> {
    answer.addresses.first().copied()
}

fn broken(stream: StreamId, around: &Around<'_>) -> FetchError {
    let reason = around.streams.failure(stream);
    FetchError::Broken(reason.unwrap_or("the server ended the connection without an answer"))
}

/// Something that a terminal can show.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let texts = [
        "application/json",
        "application/xml",
        "application/javascript",
    ];
    kind.starts_with("text/") || texts.iter().any(|text| kind.eq_ignore_ascii_case(text))
}
