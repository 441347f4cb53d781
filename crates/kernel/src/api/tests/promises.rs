//! What a client of the interface may rely on.

use super::rig::{HOST, OTHER, Rig, body, status};
use crate::base::asker::Asker;
use crate::base::subject::Subject;
use crate::limits::{API_ANSWER_BYTES, API_WORKERS_MAX};
use crate::net::stream::Streams;
use std::format;
use std::string::String;
use std::vec::Vec;

const TOKEN: &str = "Authorization: Bearer correct-horse\r\n";
const WRONG: &str = "Authorization: Bearer battery-staple\r\n";

fn rig() -> Rig {
    Rig::new("correct-horse", |line, asker| {
        let digit = match line.trim_end() {
            "nonsense" => b'3',
            "mem 1" => b'4',
            "poweroff" if !asker.may_change => b'5',
            "audit tail" if asker.subject == Subject::Visitor => b'2',
            "forbidden" => b'2',
            "selftest exceptions" => b'1',
            "hang" => return None,
            "long" => return Some(("x".repeat(5 * API_ANSWER_BYTES), b'0')),
            _ => b'0',
        };
        Some((format!("{{\"line\":\"{line}\"}}\n"), digit))
    })
}

#[test]
fn a_path_is_a_command_and_its_answer_is_the_shells() {
    let mut rig = rig();
    let answer = rig.ask("GET /api/v1/mem/status");
    assert_eq!(status(&answer), 200);
    assert!(
        answer.contains("Content-Type: application/json\r\n"),
        "{answer}"
    );
    assert!(answer.contains("Content-Length: 23\r\n"), "{answer}");
    assert!(answer.contains("Cache-Control: no-store\r\n"));
    assert_eq!(body(&answer), "{\"line\":\"mem status \"}\n");
    rig.ask("GET /api/v1");
    rig.ask("HEAD /api/v1/uptime");
    rig.ask_from(HOST, "POST /api/v1/firewall/add", TOKEN, "deny\nport 23");
    let lines: Vec<_> = rig
        .lines
        .iter()
        .map(|(line, may)| (line.trim_end(), *may))
        .collect();
    assert_eq!(
        lines,
        [
            ("mem status", Asker::looking(Subject::Visitor)),
            ("help", Asker::looking(Subject::Visitor)),
            ("uptime", Asker::looking(Subject::Visitor)),
            ("firewall add deny 'port 23'", Asker::new(Subject::Api)),
        ]
    );
}

#[test]
fn each_way_to_fail_has_its_status() {
    let mut rig = rig();
    let cases = [
        ("GET /api/v1/nonsense", 404),
        ("GET /api/v1/mem/1", 400),
        ("GET /api/v1/selftest/exceptions", 409),
        ("GET /api/v1/poweroff", 405),
        ("GET /api/v1/a%0ab", 400),
        ("GET /api/v1/a?b", 400),
        ("GET /api/v2/a", 404),
        ("GET /api/v1x", 404),
        ("DELETE /api/v1/mem", 405),
        ("POST /", 405),
        ("PUT /api/v1", 405),
        ("OPTIONS /api/v1/mem", 204),
        ("OPTIONS *", 204),
        ("GET /", 200),
        ("GET /status.js", 200),
        ("GET /status.css", 200),
        ("HEAD /favicon.ico", 200),
    ];
    for (first, expected) in cases {
        let answer = rig.ask(first);
        assert_eq!(status(&answer), expected, "{first}: {answer:.300}");
        if expected == 405 {
            assert!(answer.contains("\r\nAllow: "), "{answer}");
        }
    }
}

#[test]
fn looking_is_free_at_the_host_and_everything_else_takes_the_token() {
    let mut rig = rig();
    let mut ask = |from, first, headers| status(&rig.ask_from(from, first, headers, ""));
    assert_eq!(ask(HOST, "GET /api/v1/mem", ""), 200);
    assert_eq!(ask(OTHER, "GET /api/v1/mem", ""), 401);
    assert_eq!(ask(OTHER, "GET /api/v1/mem", TOKEN), 200);
    assert_eq!(ask(HOST, "POST /api/v1/poweroff", ""), 401);
    assert_eq!(ask(HOST, "POST /api/v1/poweroff", WRONG), 401);
    assert_eq!(ask(HOST, "POST /api/v1/poweroff", TOKEN), 200);
    // A token does not make looking change anything.
    assert_eq!(ask(HOST, "GET /api/v1/poweroff", TOKEN), 405);
    // Nor is everything for everybody to see.
    assert_eq!(ask(HOST, "GET /api/v1/audit/tail", ""), 401);
    assert_eq!(ask(HOST, "GET /api/v1/audit/tail", TOKEN), 200);
    assert_eq!(ask(HOST, "GET /api/v1/forbidden", TOKEN), 403);
    assert_eq!(ask(HOST, "POST /api/v1/forbidden", TOKEN), 403);
    // The page itself says nothing of the machine.
    assert_eq!(ask(OTHER, "GET /", ""), 200);
    for (from, first) in [(OTHER, "GET /api/v1/mem"), (HOST, "GET /api/v1/audit/tail")] {
        let missing = rig.ask_from(from, first, "", "");
        assert!(missing.contains("WWW-Authenticate: Bearer realm=\"rayos\"\r\n"));
    }
    let counters = rig.api.counters();
    assert_eq!((counters.without_token, counters.wrong_token), (3, 1));
}

#[test]
fn without_a_token_on_the_command_line_the_answer_says_how_to_set_one() {
    let mut rig = Rig::new("", |line, _| {
        let digit = match line.trim_end() {
            "audit tail" => b'2',
            _ => b'0',
        };
        Some((String::new(), digit))
    });
    assert_eq!(status(&rig.ask("GET /api/v1/mem")), 200);
    assert_eq!(status(&rig.ask("GET /api/v1/audit/tail")), 403);
    let answer = rig.ask_from(HOST, "POST /api/v1/reboot", TOKEN, "");
    assert_eq!(status(&answer), 403);
    assert!(body(&answer).contains("boot with token=SECRET"), "{answer}");
    assert!(rig.lines.iter().all(|(line, _)| !line.contains("reboot")));
}

#[test]
fn guessing_ends_in_429() {
    let mut rig = rig();
    for _ in 0..5 {
        assert_eq!(
            status(&rig.ask_from(OTHER, "GET /api/v1/mem", WRONG, "")),
            401
        );
    }
    let answer = rig.ask_from(OTHER, "GET /api/v1/mem", TOKEN, "");
    assert_eq!(status(&answer), 429);
    assert!(answer.contains("\r\nRetry-After: 60\r\n"), "{answer}");
    assert_eq!(rig.api.counters().shut_out, 1);
    rig.wait(60);
    assert_eq!(
        status(&rig.ask_from(OTHER, "GET /api/v1/mem", TOKEN, "")),
        200
    );
}

#[test]
fn pages_of_others_are_turned_away() {
    let mut rig = rig();
    let own = "Origin: http://localhost:8080\r\n";
    let foreign = "Origin: http://evil.example\r\n";
    let get = "GET /api/v1/mem";
    assert_eq!(status(&rig.ask_from(HOST, get, own, "")), 200);
    assert_eq!(status(&rig.ask_from(HOST, get, foreign, "")), 403);
    assert_eq!(
        status(&rig.ask_from(HOST, get, "Origin: null\r\n", "")),
        403
    );
    let post = "POST /api/v1/reboot";
    let both = format!("{foreign}{TOKEN}");
    assert_eq!(status(&rig.ask_from(HOST, post, &both, "")), 403);
    let rebound = rig.dial(
        HOST,
        "GET /api/v1/mem HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n",
    );
    assert_eq!(status(&rig.read(rebound)), 421);
    assert_eq!(rig.api.counters().foreign, 4);
}

#[test]
fn a_long_answer_comes_in_chunks_and_is_whole() {
    let mut rig = rig();
    let client = rig.dial(HOST, "GET /api/v1/long HTTP/1.0\r\n\r\n");
    let mut answer = String::new();
    for _ in 0..20 {
        answer += &rig.read(client);
    }
    assert_eq!(body(&answer), "x".repeat(5 * API_ANSWER_BYTES));
    let client = rig.dial(HOST, "GET /api/v1/long HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = String::new();
    for _ in 0..20 {
        answer += &rig.read(client);
    }
    assert!(answer.contains("Transfer-Encoding: chunked"));
    assert_eq!(answer.matches('x').count(), 5 * API_ANSWER_BYTES);
    assert!(answer.ends_with("\r\n0\r\n\r\n"));
}

#[test]
fn more_requests_than_workers_wait_and_all_are_answered() {
    let mut rig = rig();
    let request = "GET /api/v1/uptime HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    let clients: Vec<_> = (0..40).map(|_| rig.dial(HOST, &request)).collect();
    for client in clients {
        assert_eq!(rig.read(client).matches("HTTP/1.1 200").count(), 3);
        rig.streams.release(client);
    }
    assert_eq!(rig.api.counters().commands, 120);
}

#[test]
fn a_command_that_never_ends_is_given_up_and_its_worker_works_again() {
    let mut rig = rig();
    let hanging: Vec<_> = (0..API_WORKERS_MAX)
        .map(|_| rig.dial(HOST, "GET /api/v1/hang HTTP/1.1\r\nHost: x\r\n\r\n"))
        .collect();
    let waiting = rig.dial(HOST, "GET /api/v1/mem HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.wait(5);
    let answer = rig.read(waiting);
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("Retry-After"));
    // One client loses patience.
    rig.streams.abort(hanging[0]);
    rig.step();
    assert_eq!(rig.api.counters().abandoned, 1);
    assert_eq!(status(&rig.ask("GET /api/v1/mem")), 200);
    rig.wait(60);
    for client in &hanging[1..] {
        assert_eq!(status(&rig.read(*client)), 504);
    }
    assert_eq!(rig.api.counters().timed_out, API_WORKERS_MAX as u64 - 1);
    assert_eq!(rig.api.workers_busy(), 0);
    assert_eq!(status(&rig.ask("GET /api/v1/mem")), 200);
}

#[test]
fn a_browser_that_has_the_page_is_told_so() {
    let mut rig = rig();
    let answer = rig.ask("GET /");
    let mark = answer
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .unwrap();
    assert!(answer.contains("Content-Security-Policy: default-src 'none'"));
    let headers = format!("If-None-Match: \"other\", {mark}\r\n");
    let again = rig.ask_from(HOST, "GET /", &headers, "");
    assert_eq!(status(&again), 304);
    assert!(again.ends_with("\r\n\r\n") && !again.contains("Content-Length"));
}

#[test]
fn no_answer_and_no_record_shows_the_token() {
    let mut rig = rig();
    let asked = [
        rig.ask_from(HOST, "POST /api/v1/echo", TOKEN, "x"),
        rig.ask_from(HOST, "GET /?token=correct-horse", TOKEN, ""),
        rig.ask_from(HOST, "GET /api/v1/mem?token=correct-horse", TOKEN, ""),
    ];
    let mut shown: String = asked.concat();
    for record in rig.server.records() {
        shown += &format!("{record:?}");
    }
    assert!(!shown.contains("correct-horse"), "{shown}");
}
