//! Nobody keeps a connection for himself by being slow.

use super::rig::Rig;
use crate::net::stream::{StreamState, Streams};

#[test]
fn a_head_that_drips_ends_in_408() {
    let mut rig = Rig::new();
    let client = rig.dial();
    for byte in "GET / HTTP/1.1\r\nX: slow".bytes().take(10) {
        rig.write(client, &[byte]);
        assert_eq!(rig.read(client), "");
        rig.wait(1);
    }
    assert!(rig.read(client).starts_with("HTTP/1.1 408"));
    assert_eq!(rig.server.view().counters.head_timeouts, 1);
    rig.streams.release(client);
    rig.assert_nothing_left();
}

#[test]
fn who_says_nothing_is_let_go() {
    let mut rig = Rig::new();
    let silent = rig.dial();
    rig.step();
    rig.wait(10);
    assert_eq!(rig.read(silent), "");
    assert_eq!(rig.streams.state(silent), StreamState::Ended);
    let kept = rig.dial();
    rig.write(kept, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.step();
    rig.wait(29);
    assert_eq!(rig.streams.state(kept), StreamState::Open);
    rig.wait(1);
    assert_eq!(rig.streams.state(kept), StreamState::Ended);
    assert_eq!(rig.server.view().counters.idle_timeouts, 2);
}

#[test]
fn a_body_must_keep_a_pace() {
    let mut rig = Rig::new();
    let post = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n";
    let slow = rig.dial();
    rig.write(slow, post);
    rig.step();
    for _ in 0..4 {
        rig.write(slow, b"b");
        rig.wait(1);
    }
    assert_eq!(rig.read(slow), "");
    rig.wait(1);
    assert!(rig.read(slow).starts_with("HTTP/1.1 408"));
    let steady = rig.dial();
    rig.write(steady, post);
    rig.step();
    for _ in 0..8 {
        rig.write(steady, &[b'b'; 250]);
        rig.wait(1);
    }
    assert!(rig.read(steady).starts_with("HTTP/1.1 200"));
    assert_eq!(rig.server.view().counters.body_timeouts, 1);
}

#[test]
fn who_does_not_take_his_answer_loses_it() {
    let mut rig = Rig::new();
    let client = rig.dial();
    rig.write(client, b"GET /job/5000 HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.streams.window = 500;
    rig.step();
    rig.wait(19);
    assert_eq!(rig.streams.state(client), StreamState::Open);
    rig.wait(1);
    assert_eq!(rig.streams.state(client), StreamState::Gone);
    assert_eq!(rig.server.view().counters.stalled, 1);
    rig.streams.release(client);
    rig.assert_nothing_left();
}

#[test]
fn a_request_waits_for_a_place_not_longer_than_is_polite() {
    let mut rig = Rig::new();
    rig.service.places = 0;
    let client = rig.dial();
    rig.write(client, b"GET /job/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    rig.step();
    rig.wait(4);
    assert_eq!(rig.read(client), "");
    rig.wait(1);
    let answer = rig.read(client);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 1\r\n"));
    // The connection is as good as before.
    rig.write(client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(rig.read(client).starts_with("HTTP/1.1 200"));
}
