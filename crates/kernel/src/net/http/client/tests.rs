//! Tests of the client against servers that a test plays.

use super::fetch::Around;
use super::{Fetch, FetchError, Fetched, Url};
use crate::base::file_sink::{FileSink, SinkError};
use crate::base::operation::{OperationId, Operations};
use crate::base::time::{Duration, Instant};
use crate::limits::{HTTP_FETCH_SHOWN_BYTES, HTTP_HEADER_BYTES_MAX};
use crate::net::dns::Resolver;
use crate::net::stream::memory::MemoryStreams;
use crate::net::stream::{StreamId, Streams};
use std::format;
use std::string::String;

/// A file that has as much room as a test gives it.
#[derive(Default)]
struct Saved {
    bytes: std::vec::Vec<u8>,
    room: usize,
    has_all: bool,
    is_given_up: bool,
    outcome: Option<Result<u64, SinkError>>,
}

impl FileSink for Saved {
    fn room(&mut self, _: OperationId) -> usize {
        self.room
    }

    fn take(&mut self, _: OperationId, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room);
        self.bytes.extend_from_slice(&bytes[..count]);
        self.room -= count;
        count
    }

    fn end(&mut self, _: OperationId) {
        self.has_all = true;
    }

    fn give_up(&mut self, _: OperationId) {
        self.is_given_up = true;
    }

    fn outcome(&mut self, _: OperationId) -> Option<Result<u64, SinkError>> {
        self.outcome.take()
    }
}

struct Rig {
    now: Instant,
    streams: MemoryStreams,
    resolver: Resolver,
    files: Saved,
    fetch: Fetch,
}

impl Rig {
    fn new(url: &str) -> Self {
        Self {
            now: Instant::ZERO,
            streams: MemoryStreams::default(),
            resolver: Resolver::new(1),
            files: Saved::default(),
            fetch: Fetch::new(Instant::ZERO, Url::parse(url).unwrap()),
        }
    }

    fn step(&mut self) {
        let mut around = Around {
            now: self.now,
            streams: &mut self.streams,
            resolver: &mut self.resolver,
            files: &mut self.files,
            released: &mut |_| {},
        };
        while self.fetch.step(&mut around) {}
    }

    /// The server's end of the next connection, with the request.
    fn accept(&mut self, port: u16) -> (StreamId, String) {
        self.step();
        let stream = self.streams.accept(port).expect("nobody has connected");
        (
            stream,
            String::from_utf8(self.streams.take(stream)).unwrap(),
        )
    }

    fn result(&mut self) -> Option<Result<Fetched, FetchError>> {
        self.step();
        self.fetch.result().map(|result| result.cloned())
    }
}

/// What one answer, sent in pieces and ended or not, is taken for.
fn fetch(
    answer: &str,
    piece: usize,
    is_ended: bool,
) -> (Option<Result<Fetched, FetchError>>, String) {
    let mut rig = Rig::new("http://192.0.2.1:8000/a?b");
    let (server, _) = rig.accept(8000);
    for piece in answer.as_bytes().chunks(piece) {
        rig.streams.write(server, piece);
        rig.step();
    }
    if is_ended {
        rig.streams.finish(server);
    }
    let result = rig.result();
    let shown = String::from_utf8(rig.fetch.shown().to_vec()).unwrap();
    rig.streams.release(server);
    if result.is_some() {
        assert_eq!(rig.streams.in_use(), 0);
    }
    (result, shown)
}

#[test]
fn a_request_is_these_bytes() {
    let mut rig = Rig::new("192.0.2.1:8000/a?b#c");
    let (_, request) = rig.accept(8000);
    assert_eq!(
        request,
        "GET /a?b HTTP/1.1\r\nHost: 192.0.2.1:8000\r\nUser-Agent: RayOS\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let (_, request) = Rig::new("http://localhost").accept(80);
    assert!(request.starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n"));
}

#[test]
fn every_way_to_end_a_body_is_understood() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    let cases = [
        (format!("{head}Content-Length: 5\r\n\r\nhello"), false),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
            false,
        ),
        (format!("{head}\r\nhello"), true),
        (
            format!("HTTP/1.1 100 Continue\r\n\r\n{head}Content-Length: 5\r\n\r\nhello"),
            false,
        ),
    ];
    for (answer, is_ended) in cases {
        for piece in [1, 2, 3, 7, 1000] {
            let (result, shown) = fetch(&answer, piece, is_ended);
            let fetched = result.unwrap().unwrap();
            assert_eq!(
                (fetched.status, fetched.body_bytes, shown.as_str()),
                (200, 5, "hello")
            );
            assert_eq!(fetched.reason.as_str(), "OK");
        }
    }
    let (result, _) = fetch("HTTP/1.1 204 No Content\r\n\r\n", 5, false);
    assert_eq!(result.unwrap().unwrap().body_bytes, 0);
}

#[test]
fn a_long_text_is_shown_in_part_and_other_things_not_at_all() {
    let length = 3 * HTTP_FETCH_SHOWN_BYTES;
    let body = "x".repeat(length);
    for (kind, shown_bytes) in [
        ("text/html; charset=utf-8", HTTP_FETCH_SHOWN_BYTES),
        ("image/png", 0),
    ] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        let (result, shown) = fetch(&format!("{head}{body}"), 5000, false);
        assert_eq!(result.unwrap().unwrap().body_bytes, length as u64);
        assert_eq!(shown.len(), shown_bytes);
    }
}

#[test]
fn redirects_are_followed_and_counted() {
    let mut rig = Rig::new("http://192.0.2.1/a/b");
    let steps = [
        (80, "c", "/a/b"),
        (80, "/d?e", "/a/c"),
        (80, "http://192.0.2.2:81/f", "/d?e"),
        (81, "g", "/f"),
        (81, "?h", "/g"),
        (81, "/", "/g?h"),
    ];
    for (port, location, path) in steps {
        let (server, request) = rig.accept(port);
        assert!(request.starts_with(&format!("GET {path} ")), "{request}");
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n");
        rig.streams.write(server, answer.as_bytes());
        rig.step();
        rig.streams.release(server);
    }
    assert_eq!(
        rig.result().unwrap().unwrap_err(),
        FetchError::TooManyRedirects
    );
    for bad in ["https://192.0.2.1/", "ftp://x/"] {
        let answer = format!("HTTP/1.1 301 Moved\r\nLocation: {bad}\r\n\r\n");
        let (result, _) = fetch(&answer, 1000, false);
        assert!(
            matches!(result, Some(Err(FetchError::BadRedirect(_)))),
            "{bad}"
        );
    }
}

#[test]
fn what_is_no_answer_is_said_so() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nX: {}",
        "y".repeat(HTTP_HEADER_BYTES_MAX)
    );
    for bad in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz",
        &long,
    ] {
        let (result, _) = fetch(bad, 4000, false);
        assert_eq!(
            result.unwrap().unwrap_err(),
            FetchError::NotHttp,
            "{bad:.40}"
        );
    }
    for cut in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    ] {
        let (result, _) = fetch(cut, 4000, true);
        assert!(matches!(result, Some(Err(FetchError::Broken(_)))), "{cut}");
    }
}

#[test]
fn a_server_that_is_not_there_or_says_nothing_is_given_up() {
    let mut rig = Rig::new("http://192.0.2.1/");
    rig.streams.is_reachable = false;
    assert_eq!(rig.result().unwrap().unwrap_err(), FetchError::Unreachable);
    let mut rig = Rig::new("http://192.0.2.1/");
    let (server, _) = rig.accept(80);
    rig.now = rig.now + Duration::from_secs(14);
    assert!(rig.result().is_none());
    rig.now = rig.now + Duration::from_secs(1);
    assert_eq!(rig.result().unwrap().unwrap_err(), FetchError::Silent);
    rig.streams.release(server);
    assert_eq!(rig.streams.in_use(), 0);
}

#[test]
fn addresses_are_read_as_people_type_them() {
    let cases = [
        ("example.com", "http://example.com/"),
        ("HTTP://Example.com:80/x", "http://example.com/x"),
        (
            "http://[2001:db8::1]:8080?q",
            "http://[2001:db8::1]:8080/?q",
        ),
        ("10.0.2.2:8000/a#b", "http://10.0.2.2:8000/a"),
    ];
    for (typed, meant) in cases {
        assert_eq!(format!("{}", Url::parse(typed).unwrap()), meant);
    }
    let long = "a".repeat(2000);
    for bad in [
        "",
        "http://",
        "https://x/",
        "ftp://x",
        "http://a b/",
        "http://u:p@x/",
        "x:0",
        "x:99999",
        "[::1",
        "ä",
        "a..b",
        &long,
    ] {
        assert!(Url::parse(bad).is_err(), "{bad}");
    }
}

/// A fetch into a file, with its answer on the way.
fn saving(answer: &str) -> (Rig, StreamId) {
    let mut rig = Rig::new("http://10.0.0.1/x");
    let id = Operations::default().open(Instant::ZERO, Duration::from_secs(9));
    rig.fetch = Fetch::new(Instant::ZERO, Url::parse("http://10.0.0.1/x").unwrap())
        .into_file(id.expect("there is room"));
    let (stream, _) = rig.accept(80);
    rig.streams.write(stream, answer.as_bytes());
    (rig, stream)
}

#[test]
fn a_body_goes_into_a_file_as_fast_as_that_has_room() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n",
    ] {
        let (mut rig, _) = saving(head);
        assert!(rig.result().is_none());
        assert_eq!(rig.files.bytes, b"");
        for _ in 0..40 {
            rig.files.room = 1;
            assert!(rig.result().is_none());
        }
        assert_eq!(
            (&*rig.files.bytes, rig.files.has_all),
            (&b"0123456789"[..], true)
        );
        rig.files.outcome = Some(Ok(10));
        let fetched = rig
            .result()
            .expect("the file is safe")
            .expect("all went well");
        assert_eq!(fetched.body_bytes, 10);
        assert!(!rig.files.is_given_up && rig.fetch.shown().is_empty());
    }
}

#[test]
fn a_slow_disk_is_not_taken_for_a_silent_server() {
    let (mut rig, _) = saving("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0123");
    for seconds in 0..60 {
        rig.now = Instant::ZERO + Duration::from_secs(seconds);
        assert!(rig.result().is_none());
    }
    rig.files.room = 4;
    assert!(rig.result().is_none());
    assert!(rig.files.has_all);
}

#[test]
fn what_cannot_be_saved_is_given_up_on_both_sides() {
    let (mut rig, _) = saving("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n0123");
    assert_eq!(
        rig.result().map(|result| result.err()),
        Some(Some(FetchError::NotGiven(404)))
    );
    assert!(rig.files.is_given_up && rig.files.bytes.is_empty());
    let (mut rig, _) = saving("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0123");
    rig.files.outcome = Some(Err(SinkError::cut_from("the disk is full")));
    assert_eq!(
        rig.result().map(|result| result.err()),
        Some(Some(FetchError::NotSaved))
    );
    assert_eq!(rig.fetch.refusal(), Some("the disk is full"));
}

#[test]
fn a_file_that_cannot_be_is_said_so_before_the_server_has_said_anything() {
    let refusal = || Some(Err(SinkError::cut_from("there is no such file; see ls")));
    let not_saved = Some(Some(FetchError::NotSaved));
    let (mut rig, _) = saving("");
    assert!(rig.result().is_none());
    rig.files.outcome = refusal();
    assert_eq!(rig.result().map(|result| result.err()), not_saved);
    // Not even a connection is wanted for it.
    let mut rig = Rig::new("http://10.0.0.1/x");
    let id = Operations::default().open(Instant::ZERO, Duration::from_secs(9));
    let url = Url::parse("http://10.0.0.1/x").unwrap();
    rig.fetch = Fetch::new(Instant::ZERO, url).into_file(id.expect("there is room"));
    rig.files.outcome = refusal();
    assert_eq!(rig.result().map(|result| result.err()), not_saved);
    assert!(rig.files.is_given_up);
}
