//! What a client may rely on.

use super::rig::Rig;
use crate::limits::{
    HTTP_BODY_BYTES_MAX, HTTP_CONNECTIONS_MAX, HTTP_HEADER_BYTES_MAX, HTTP_HEADERS_MAX,
    HTTP_REQUEST_LINE_MAX,
};
use crate::net::stream::{StreamState, Streams};
use std::format;
use std::string::String;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\nhello";

#[test]
fn an_answer_is_these_bytes() {
    let mut rig = Rig::new();
    assert_eq!(rig.ask(GET), HELLO);
    let head = rig.ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(head, HELLO.strip_suffix("hello").unwrap());
    rig.assert_nothing_left();
}

#[test]
fn a_request_cut_anywhere_is_the_same_request() {
    let post = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    let chunks = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nbo\r\n02\r\ndy\r\n0\r\nT: z\r\n\r\n";
    for request in [GET, post, chunks] {
        let whole = Rig::new().ask(request);
        assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
        for cut in 1..request.len() {
            let mut rig = Rig::new();
            let client = rig.dial();
            rig.write(client, &request[..cut]);
            rig.step();
            rig.write(client, &request[cut..]);
            assert_eq!(rig.read(client), whole, "cut at {cut}");
        }
        let mut rig = Rig::new();
        rig.streams.run = 1;
        assert_eq!(rig.ask(request), whole, "byte by byte");
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    for run in [1, 7, 64, usize::MAX] {
        let mut rig = Rig::new();
        rig.streams.run = run;
        let client = rig.dial();
        let mut expected = String::new();
        for index in 0..60 {
            rig.write(
                client,
                b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n",
            );
            rig.write(client, format!("{index:02}").as_bytes());
            rig.write(client, GET);
            expected += &format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{index:02}{HELLO}"
            );
        }
        assert!(rig.read(client) == expected, "in runs of {run}");
        assert_eq!(rig.streams.state(client), StreamState::Open);
        assert_eq!(rig.server.view().counters.requests, 120);
        rig.streams.release(client);
        rig.assert_nothing_left();
    }
}

#[test]
fn a_connection_is_kept_unless_one_side_says_otherwise() {
    let cases: [(&[u8], bool); 6] = [
        (GET, true),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            false,
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n",
            false,
        ),
        (b"GET / HTTP/1.0\r\n\r\n", false),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        (b"nonsense\r\n\r\n", false),
    ];
    for (request, is_kept) in cases {
        let mut rig = Rig::new();
        let client = rig.dial();
        rig.write(client, request);
        let answer = rig.read(client);
        let state = if is_kept {
            StreamState::Open
        } else {
            StreamState::Ended
        };
        assert_eq!(rig.streams.state(client), state, "{answer}");
        assert_eq!(answer.contains("Connection: close"), !is_kept, "{answer}");
    }
}

#[test]
fn an_answer_of_unknown_length_comes_in_chunks() {
    let mut rig = Rig::new();
    let answer = rig.ask(b"GET /job/2500 HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Length"));
    let j = |count| "j".repeat(count);
    let expected = format!(
        "3e8\r\n{}\r\n3e8\r\n{}\r\n1f4\r\n{}\r\n0\r\n\r\n",
        j(1000),
        j(1000),
        j(500)
    );
    assert_eq!(body, expected);
    let old = rig.ask(b"GET /job/2500 HTTP/1.0\r\n\r\n");
    let (head, body) = old.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Connection: close") && !head.contains("chunked"));
    assert_eq!(body, j(2500));
    let only_head = rig.ask(b"HEAD /job/2500 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(only_head.ends_with("\r\n\r\n") && !only_head.contains('j'));
    rig.assert_nothing_left();
}

#[test]
fn a_client_that_reads_slowly_gets_everything() {
    for window in [1, 3, 50, 700] {
        let mut rig = Rig::new();
        rig.streams.window = 200;
        let client = rig.dial();
        rig.write(
            client,
            b"GET /job/5000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        );
        rig.streams.window = window;
        let mut answer = String::new();
        while rig.streams.state(client) != StreamState::Ended {
            answer += &rig.read(client);
        }
        assert!(answer.ends_with(&"j".repeat(5000)) && answer.matches('j').count() == 5000);
        rig.streams.release(client);
        rig.assert_nothing_left();
    }
}

#[test]
fn every_limit_has_its_status() {
    let mut rig = Rig::new();
    let get = |rest: String| format!("GET / HTTP/1.1\r\nHost: x\r\n{rest}\r\n\r\n");
    let long_path = format!(
        "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(HTTP_REQUEST_LINE_MAX)
    );
    let long_header = get(format!("X: {}", "a".repeat(HTTP_HEADER_BYTES_MAX)));
    let many = get("X: y\r\n".repeat(HTTP_HEADERS_MAX));
    let long_body = get(format!("Content-Length: {}", HTTP_BODY_BYTES_MAX + 1));
    let huge_body = get("Content-Length: 99999999999999999999999".into());
    let long_chunks = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}",
        HTTP_BODY_BYTES_MAX + 1,
        "b".repeat(HTTP_BODY_BYTES_MAX + 1)
    );
    let cases = [
        (long_path.clone(), 414),
        (long_path.trim_end().replace("\r\n", ""), 414),
        (long_header.clone(), 431),
        (long_header.trim_end().into(), 431),
        (many, 431),
        (long_body, 413),
        (huge_body, 413),
        (long_chunks, 413),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n".into(), 501),
        (get("Transfer-Encoding: gzip".into()), 501),
        (get("Expect: a miracle".into()), 417),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n".into(), 505),
        ("PUT / HTTP/1.1\r\nHost: x\r\n\r\n".into(), 405),
        ("GET /x HTTP/1.1\r\nHost: x\r\n\r\n".into(), 404),
    ];
    for (request, status) in cases {
        assert_eq!(rig.status(request.as_bytes()), status, "{:.200}", request);
    }
    let longest = "a".repeat(HTTP_REQUEST_LINE_MAX - "GET / HTTP/1.1\r".len());
    let fits = format!("GET /{longest} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(rig.status(fits.as_bytes()), 404);
    rig.assert_nothing_left();
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    let mut rig = Rig::new();
    let bad = [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1, 1",
        "Content-Length: +1",
        "Content-Length: -1",
        "Content-Length: 0x1",
        "Content-Length:",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length : 1",
        "Host: y",
        "X: a\r\n folded",
        "X\x01: y",
        "X: a\x00b",
        "Authorization: a\r\nAuthorization: b",
        "Origin: a\r\nOrigin: b",
    ];
    for header in bad {
        let request = format!("POST /echo HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n1");
        assert_eq!(rig.status(request.as_bytes()), 400, "{header:?}");
    }
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /#f HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\x16\x03\x01\x02",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff",
    ] {
        assert_eq!(rig.status(request.as_bytes()), 400, "{request:?}");
    }
    assert!(rig.service.requests.is_empty());
    rig.assert_nothing_left();
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let mut rig = Rig::new();
    let client = rig.dial();
    rig.write(
        client,
        b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    assert_eq!(rig.read(client), "HTTP/1.1 100 Continue\r\n\r\n");
    rig.write(client, b"ok");
    assert!(rig.read(client).ends_with("\r\n\r\nok"));
    rig.write(
        client,
        b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n",
    );
    assert!(rig.read(client).starts_with("HTTP/1.1 413"));
}

#[test]
fn proxies_absolute_targets_and_line_feeds_alone_are_understood() {
    let mut rig = Rig::new();
    assert_eq!(rig.ask(b"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"), HELLO);
    assert_eq!(rig.ask(b"GET HTTP://y HTTP/1.1\r\nHost: x\r\n\r\n"), HELLO);
    assert_eq!(rig.ask(b"\r\n\r\nGET / HTTP/1.1\nHost: x\n\n"), HELLO);
    assert_eq!(rig.ask(b"GET /?a=b HTTP/1.1\r\nHost: x\r\n\r\n"), HELLO);
}

#[test]
fn requests_wait_for_a_place_and_none_is_lost() {
    let mut rig = Rig::new();
    rig.service.places = 1;
    let clients: std::vec::Vec<_> = (0..20).map(|_| rig.dial()).collect();
    for client in &clients {
        rig.write(
            *client,
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok",
        );
        rig.write(*client, b"GET /job/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for _ in 0..100 {
        rig.step();
    }
    for client in clients {
        let answer = rig.read(client);
        assert!(answer.contains("\r\n\r\nokHTTP/1.1 200") && answer.ends_with("\r\n\r\nj"));
        rig.streams.release(client);
    }
    rig.assert_nothing_left();
}

#[test]
fn a_place_between_two_requests_is_given_to_a_new_connection() {
    let mut rig = Rig::new();
    let first = rig.dial();
    rig.write(first, GET);
    assert_eq!(rig.read(first), HELLO);
    rig.wait(1);
    let mut others = std::vec::Vec::new();
    for _ in 0..HTTP_CONNECTIONS_MAX {
        let client = rig.dial();
        rig.write(client, b"GET /");
        rig.step();
        others.push(client);
    }
    assert_eq!(rig.streams.state(first), StreamState::Ended);
    assert_eq!(rig.server.view().counters.made_room, 1);
    // Now all of them are in the middle of a request.
    let late = rig.ask(GET);
    assert!(
        late.starts_with("HTTP/1.1 503") && late.contains("Retry-After: 1\r\n"),
        "{late}"
    );
    assert_eq!(rig.server.usage().refused, Some(1));
    for client in others {
        rig.streams.release(client);
    }
    rig.streams.release(first);
    rig.assert_nothing_left();
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let requests: [&[u8]; 4] = [
        b"GET / HT",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nb",
        b"GET /job/5000 HTTP/1.1\r\nHost: x\r\n\r\n",
        GET,
    ];
    for request in requests {
        for is_abort in [true, false] {
            let mut rig = Rig::new();
            let client = rig.dial();
            rig.write(client, request);
            rig.streams.window = 100;
            rig.step();
            if is_abort {
                rig.streams.abort(client);
            }
            rig.streams.release(client);
            rig.step();
            rig.assert_nothing_left();
        }
    }
}

#[test]
fn what_was_asked_is_remembered_without_its_query_and_without_secrets() {
    let mut rig = Rig::new();
    rig.ask(b"GET /?token=secret-secret HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.ask(b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.ask(b"GET /no/token=secret-secret HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.ask(b"rubbish\r\n\r\n");
    let shown: std::vec::Vec<_> = rig
        .server
        .records()
        .map(|record| {
            (
                record.method.map(|method| method.name()),
                record.path.as_str().to_owned(),
                record.status.code(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (Some("GET"), "/".to_owned(), 200),
            (Some("GET"), "/no".to_owned(), 404),
            (Some("GET"), "/no/token=(hidden)".to_owned(), 404),
            (None, String::new(), 400),
        ]
    );
    let answers = rig.server.view().counters.answers;
    assert_eq!((answers[2], answers[4]), (1, 3));
}
