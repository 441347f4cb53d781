//! A server with a service that is easy to foresee, and its clients.

use super::super::{
    Answer, AnswerHead, Job, Method, Reply, Request, Response, Server, Service, Status,
};
use crate::base::time::{Duration, Instant};
use crate::net::stream::memory::MemoryStreams;
use crate::net::stream::{StreamId, Streams};
use std::string::String;
use std::vec::Vec;

pub const PORT: u16 = 80;
pub const HELLO: &[u8] = b"hello";

/// A job gives out its bytes in so many pieces as it is asked.
#[derive(Default)]
pub struct Echo {
    pub jobs: Vec<Option<Vec<u8>>>,
    /// Jobs that may run at the same time.
    pub places: usize,
    /// Bytes of a job that are known at a time.
    pub piece: usize,
    pub requests: Vec<String>,
}

impl Service for Echo {
    fn request(&mut self, _: Instant, request: &Request<'_>) -> Reply {
        let (method, path) = (request.head.method, request.head.path);
        let bytes = match (method, path) {
            (Method::Get | Method::Head, "/") => {
                self.requests.push("/".into());
                return Reply::Response(Response {
                    content_type: "text/plain",
                    body: [HELLO, b"", b""],
                    ..Response::error(Status::OK, "")
                });
            }
            (Method::Post, "/echo") => request.body.to_vec(),
            (Method::Get | Method::Head, path) => match path.strip_prefix("/job/") {
                Some(length) => std::vec![b'j'; length.parse().unwrap_or(0).min(10_000)],
                None => {
                    return Reply::Response(Response::error(Status::NOT_FOUND, "nothing there"));
                }
            },
            _ => {
                return Reply::Response(Response {
                    headers: "Allow: GET, HEAD\r\n",
                    ..Response::error(Status::METHOD_NOT_ALLOWED, "only GET")
                });
            }
        };
        if !self.has_room() {
            return Reply::Wait;
        }
        self.requests.push(path.into());
        let free = self.jobs.iter().position(Option::is_none);
        let index = free.unwrap_or_else(|| {
            self.jobs.push(None);
            self.jobs.len() - 1
        });
        self.jobs[index] = Some(bytes);
        Reply::Job(index)
    }

    fn has_room(&self) -> bool {
        self.jobs.iter().flatten().count() < self.places
    }

    fn answer(&self, job: Job) -> Answer<'_> {
        let bytes = self.jobs[job].as_ref().unwrap();
        let count = bytes.len().min(self.piece);
        Answer {
            head: Some(AnswerHead {
                status: Status::OK,
                content_type: "text/plain",
                headers: "",
            }),
            bytes: &bytes[..count],
            is_whole: count == bytes.len(),
        }
    }

    fn consume(&mut self, job: Job, count: usize) {
        self.jobs[job].as_mut().unwrap().drain(..count);
    }

    fn release(&mut self, _: Instant, job: Job) {
        assert!(self.jobs[job].take().is_some(), "released twice");
    }
}

pub struct Rig {
    pub now: Instant,
    pub server: Server,
    pub streams: MemoryStreams,
    pub service: Echo,
}

impl Rig {
    pub fn new() -> Self {
        Self {
            now: Instant::ZERO,
            server: Server::new(PORT),
            streams: MemoryStreams::default(),
            service: Echo {
                places: 4,
                piece: 1000,
                ..Echo::default()
            },
        }
    }

    pub fn step(&mut self) {
        for _ in 0..10_000 {
            self.server
                .step(self.now, &mut self.streams, &mut self.service);
            if self.server.next_deadline(self.now) != Some(self.now) {
                return;
            }
        }
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.step();
    }

    pub fn dial(&mut self) -> StreamId {
        self.streams.dial(PORT)
    }

    pub fn write(&mut self, client: StreamId, bytes: &[u8]) {
        assert_eq!(self.streams.write(client, bytes), bytes.len());
    }

    /// What the server says so far.
    pub fn read(&mut self, client: StreamId) -> String {
        self.step();
        String::from_utf8(self.streams.take(client)).unwrap()
    }

    /// One request on a connection of its own, and everything that comes back.
    pub fn ask(&mut self, request: &[u8]) -> String {
        let client = self.dial();
        self.write(client, request);
        let answer = self.read(client);
        self.streams.release(client);
        self.step();
        answer
    }

    /// The status of the answer to one request.
    pub fn status(&mut self, request: &[u8]) -> u16 {
        let answer = self.ask(request);
        let code = answer
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        code.unwrap_or_else(|| panic!("no answer: {answer:?}"))
            .parse()
            .unwrap()
    }

    /// Everything that was taken has been given back.
    pub fn assert_nothing_left(&mut self) {
        self.wait(100);
        self.wait(100);
        assert_eq!(self.server.view().connections, 0);
        assert_eq!(self.streams.in_use(), 0);
        assert!(self.service.jobs.iter().all(Option::is_none));
    }
}
