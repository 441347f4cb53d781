//! A server, its service, and somebody who plays the sessions.

use crate::api::{Api, Trust};
use crate::base::asker::Asker;
use crate::base::time::{Duration, Instant};
use crate::base::token::Token;
use crate::limits::API_WORKERS_MAX;
use crate::net::http::Server;
use crate::net::stream::memory::MemoryStreams;
use crate::net::stream::{StreamId, Streams};
use core::net::{IpAddr, Ipv4Addr};
use std::string::String;
use std::vec::Vec;

pub const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
pub const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// What the played shell answers: a body and the digit of its verdict.
pub type Play = fn(&str, Asker) -> Option<(String, u8)>;

#[derive(Default)]
struct Played {
    has_asked: bool,
    line: Vec<u8>,
    output: Vec<u8>,
}

pub struct Rig {
    pub now: Instant,
    pub server: Server,
    pub api: Api,
    pub streams: MemoryStreams,
    pub play: Play,
    /// Lines that the shell was given, with what they might do.
    pub lines: Vec<(String, Asker)>,
    shells: Vec<Played>,
}

impl Rig {
    pub fn new(token: &str, play: Play) -> Self {
        let mut api = Api::new(Token::parse(token).ok());
        let trust: &mut Trust = api.trust_mut();
        trust.add(HOST);
        Self {
            now: Instant::ZERO,
            server: Server::new(80),
            api,
            streams: MemoryStreams::default(),
            play,
            lines: Vec::new(),
            shells: (0..API_WORKERS_MAX).map(|_| Played::default()).collect(),
        }
    }

    pub fn step(&mut self) {
        for _ in 0..50 {
            self.api.on_time(self.now);
            self.server.step(self.now, &mut self.streams, &mut self.api);
            for index in 0..API_WORKERS_MAX {
                self.play_shell(index);
            }
        }
    }

    fn play_shell(&mut self, index: usize) {
        let asker = self.api.asker(index);
        let shell = &mut self.shells[index];
        let Some(console) = self.api.console(index) else {
            *shell = Played::default();
            return self.api.on_session_left(index);
        };
        if !shell.has_asked {
            shell.has_asked = true;
            shell.output.push(5);
        }
        let mut bytes = [0; 100];
        let count = console.read(&mut bytes);
        shell.line.extend_from_slice(&bytes[..count]);
        if shell.line.last() == Some(&b'\n') {
            shell.line.pop();
            let line = String::from_utf8(core::mem::take(&mut shell.line)).unwrap();
            self.lines.push((line.clone(), asker));
            // None: the command never ends.
            if let Some((body, digit)) = (self.play)(&line, asker) {
                shell.output.push(2);
                shell.output.extend_from_slice(body.as_bytes());
                shell.output.extend_from_slice(&[3, digit, 5]);
            }
        }
        let taken = console.write(&shell.output);
        shell.output.drain(..taken);
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.step();
    }

    pub fn dial(&mut self, from: IpAddr, request: &str) -> StreamId {
        let client = self.streams.dial_from(from, 80);
        assert_eq!(
            self.streams.write(client, request.as_bytes()),
            request.len()
        );
        self.step();
        client
    }

    pub fn read(&mut self, client: StreamId) -> String {
        self.step();
        String::from_utf8(self.streams.take(client)).unwrap()
    }

    /// Sends a request line and headers, and gives the whole answer.
    pub fn ask_from(&mut self, from: IpAddr, first: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let request = std::format!(
            "{first} HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let client = self.dial(from, &request);
        let answer = self.read(client);
        self.streams.release(client);
        self.step();
        answer
    }

    pub fn ask(&mut self, first: &str) -> String {
        self.ask_from(HOST, first, "", "")
    }
}

pub fn status(answer: &str) -> u16 {
    let code = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    code.unwrap_or_else(|| panic!("no answer: {answer:?}"))
        .parse()
        .unwrap()
}

pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
