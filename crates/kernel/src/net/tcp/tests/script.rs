//! Scenarios as text: user, peer, and what must come out.
//!
//! A line is an action (`connect`, `listen`, `write 100`, `read`, `shutdown`, `abort`,
//! `release`, `+200` milliseconds) or a segment of the peer (`< A 1+100 ack 1 win 500`).
//! Indented below stands what it brings: `> ...` segments, `! ...` events. Sequence numbers
//! count from each side's SYN, which is 0. Times are milliseconds since the action began.

use super::world::{PORT, address};
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::net::packet::Endpoint;
use crate::net::segment::{Arrival, Departure, Route, SegmentSink, SendError};
use crate::net::tcp::header::{HEADER_BYTES_MAX, Header, Timestamps, flags};
use crate::net::tcp::sequence::Sequence;
use crate::net::tcp::{ConnectionId, ListenerId, Options, Tcp};
use core::net::IpAddr;
use std::fmt::Write as _;
use std::string::{String, ToString};
use std::vec::Vec;

const THEIR_FIRST: u32 = 0xffff_fff0;
const LETTERS: [(char, u8); 5] = [
    ('S', flags::SYN),
    ('F', flags::FIN),
    ('R', flags::RST),
    ('P', flags::PSH),
    ('A', flags::ACK),
];

/// A listener with an open connection, no timestamps so that segments hold 1460 bytes.
macro_rules! accepted {
    ($rest:literal) => {
        concat!(
            "listen\n",
            "< S 0 win 64000 mss 1460 sackok ws 0\n",
            "  > SA 0 ack 1 win 65535 mss 1460 sackok ws 6\n",
            "+10\n",
            "< A 1 ack 1 win 64000\n",
            $rest
        )
    };
}
pub(super) use accepted;

/// Runs a scenario and compares all that came out with what stands in it.
#[track_caller]
pub fn check(text: &str) {
    let mut script = Script::new();
    for line in text.lines() {
        let line = line.trim_end();
        let is_output = line.starts_with("  ");
        if !line.is_empty() && !is_output {
            script.run(line);
        }
    }
    let expected = text.trim().to_string() + "\n";
    assert!(
        script.seen == expected,
        "what came out is this:\n\n{}",
        script.seen
    );
}

struct Script {
    tcp: Tcp,
    now: Instant,
    began: Instant,
    mtu: usize,
    listener: Option<ListenerId>,
    connection: Option<ConnectionId>,
    local_port: u16,
    our_first: Option<u32>,
    seen: String,
    clock: Option<u32>,
    first_clock: Option<u32>,
}

/// Writes down what is sent.
struct Recorder {
    mtu: usize,
    out: Vec<(Header, usize, u16)>,
}

impl SegmentSink for Recorder {
    fn route(&mut self, _: Tenant, _: Option<IpAddr>, _: IpAddr) -> Option<Route> {
        Some(Route {
            source: address(1),
            mtu: self.mtu,
            departure_bytes_max: 1,
        })
    }

    fn send(&mut self, departure: &Departure<'_>) -> Result<(), SendError> {
        let header = Header::parse(departure.header).unwrap();
        let bytes = departure.payload.iter().map(|piece| piece.len()).sum();
        self.out.push((header, bytes, departure.local.port));
        Ok(())
    }
}

impl Script {
    fn new() -> Self {
        Self {
            tcp: Tcp::new([7; 16], 4 << 20),
            now: Instant::from_nanos(5_000_000_000),
            began: Instant::ZERO,
            mtu: 1500,
            listener: None,
            connection: None,
            local_port: PORT,
            our_first: None,
            seen: String::new(),
            clock: None,
            first_clock: None,
        }
    }

    fn run(&mut self, line: &str) {
        self.seen.push_str(line);
        self.seen.push('\n');
        self.began = self.now;
        let mut words = line.split_whitespace();
        let verb = words.next().unwrap();
        let argument = words.clone().next();
        match verb {
            "listen" => {
                let listener = self.tcp.listen(Tenant::KERNEL, None, PORT, 8).unwrap();
                self.listener = Some(listener);
            }
            "connect" => self.connect(),
            "write" => {
                let bytes = std::vec![b'x'; argument.unwrap().parse().unwrap()];
                let count = self.tcp.write(self.id(), &bytes);
                if count < bytes.len() {
                    let _ = writeln!(self.seen, "  = {count}");
                }
            }
            "read" => self.read(),
            "shutdown" => self.tcp.shutdown(self.id()),
            "abort" => self.tcp.abort(self.id()),
            "release" => self.tcp.release(self.id()),
            "keep-alive" => {
                let seconds = argument.unwrap().parse().unwrap();
                let options = Options {
                    keep_alive: Some(Duration::from_secs(seconds)),
                    ..Options::default()
                };
                self.tcp.set_options(self.id(), options);
            }
            "too-large" => {
                let mtu = argument.unwrap().parse().unwrap();
                let sequence = self.our_first.unwrap().wrapping_add(1);
                let (local, remote) = (self.local(), remote());
                self.tcp
                    .on_path_mtu(self.now, Tenant::KERNEL, local, remote, sequence, mtu);
            }
            "status" => {
                let status = self.connection.and_then(|id| self.tcp.status(id));
                let text = match status {
                    None => "none".to_string(),
                    Some(status) => match status.end {
                        Some(end) => std::format!("{} {end:?}", status.state.name()),
                        None => status.state.name().to_string(),
                    },
                };
                let _ = writeln!(self.seen, "  = {text}");
            }
            "window" => {
                let (_, view) = self.tcp.connections().next().unwrap();
                let segments = view.congestion_window_bytes / view.segment_bytes;
                let _ = writeln!(self.seen, "  = {segments} segments");
            }
            "<" => self.arrive(words.collect()),
            _ => {
                let millis = verb.strip_prefix('+').expect("no such action");
                self.wait(Duration::from_millis(millis.parse().unwrap()));
            }
        }
        self.transmit();
        self.tcp.assert_consistent();
    }

    fn id(&self) -> ConnectionId {
        self.connection.expect("there is no connection yet")
    }

    fn local(&self) -> Endpoint {
        Endpoint {
            address: address(1),
            port: self.local_port,
        }
    }

    fn connect(&mut self) {
        let id = self
            .tcp
            .connect(self.now, Tenant::KERNEL, address(1), remote())
            .unwrap();
        self.connection = Some(id);
    }

    fn read(&mut self) {
        let mut count = 0;
        loop {
            let bytes = self.tcp.readable(self.id()).len();
            if bytes == 0 {
                break;
            }
            self.tcp.consume(self.id(), bytes);
            count += bytes;
        }
        let status = self.tcp.status(self.id()).unwrap();
        let end = if status.is_end_of_stream { " end" } else { "" };
        let _ = writeln!(self.seen, "  = {count}{end}");
    }

    fn wait(&mut self, span: Duration) {
        let deadline = self.now + span;
        while let Some(next) = self.tcp.next_deadline()
            && next <= deadline
        {
            self.now = self.now.max(next);
            self.transmit();
        }
        self.now = deadline;
    }

    fn arrive(&mut self, words: Vec<&str>) {
        let mut header = Header::default();
        for letter in words[0].chars() {
            header.flags |= LETTERS.iter().find(|(name, _)| *name == letter).unwrap().1;
        }
        let (sequence, bytes) = words[1].split_once('+').unwrap_or((words[1], "0"));
        let bytes: usize = bytes.parse().unwrap();
        header.sequence = Sequence::new(THEIR_FIRST) + place(sequence);
        let ours = self.our_first.unwrap_or_default();
        let mut rest = words[2..].iter();
        while let Some(word) = rest.next() {
            let mut value = || *rest.next().unwrap();
            match *word {
                "ack" => header.acknowledgement = Sequence::new(ours) + place(value()),
                "win" => header.window = value().parse().unwrap(),
                "mss" => header.segment_bytes_max = Some(value().parse().unwrap()),
                "ws" => header.window_shift = Some(value().parse().unwrap()),
                "sackok" => header.is_sack_permitted = true,
                "ts" => {
                    header.timestamps = Some(Timestamps {
                        value: value().parse().unwrap(),
                        echo: self.clock.unwrap_or_default(),
                    });
                }
                "first" => {
                    let echo = self.first_clock.unwrap_or_default();
                    header.timestamps = header.timestamps.map(|it| Timestamps { echo, ..it });
                }
                "sack" => {
                    let (start, end) = value().split_once('-').unwrap();
                    let at = |text| Sequence::new(ours) + place(text);
                    header.sack.push((at(start), at(end)));
                }
                other => panic!("no such word: {other}"),
            }
        }
        let mut buffer = [0; HEADER_BYTES_MAX];
        let arrival = Arrival {
            tenant: Tenant::KERNEL,
            local: self.local(),
            remote: remote(),
            header: header.emit(remote().port, self.local_port, &mut buffer),
            payload: &std::vec![b'y'; bytes],
            is_congestion_marked: false,
        };
        self.tcp.on_segment(self.now, &arrival);
    }

    fn transmit(&mut self) {
        if self.connection.is_none() {
            let listener = self.listener;
            self.connection = listener.and_then(|listener| self.tcp.accept(listener));
        }
        let mut recorder = Recorder {
            mtu: self.mtu,
            out: Vec::new(),
        };
        self.tcp.transmit(self.now, &mut recorder);
        for (header, bytes, port) in recorder.out {
            self.local_port = port;
            self.write_down(&header, bytes);
        }
        while let Some((id, event)) = self.tcp.next_event() {
            assert_eq!(Some(id), self.connection);
            let _ = writeln!(self.seen, "  ! {event:?}");
        }
    }

    fn write_down(&mut self, header: &Header, bytes: usize) {
        if header.has(flags::SYN) {
            self.our_first.get_or_insert(header.sequence.number());
        }
        let ours = Sequence::new(self.our_first.unwrap_or_default());
        let letters = LETTERS.iter().filter(|(_, flag)| header.has(*flag));
        let letters: String = letters.map(|(letter, _)| letter).collect();
        let sequence = header.sequence.number().wrapping_sub(ours.number()) as i32;
        let mut line = std::format!("  > {letters} {sequence}");
        if bytes > 0 {
            let _ = write!(line, "+{bytes}");
        }
        if header.has(flags::ACK) {
            let theirs = |at: Sequence| at.number().wrapping_sub(THEIR_FIRST) as i32;
            let _ = write!(line, " ack {}", theirs(header.acknowledgement));
            for (start, end) in header.sack.as_slice() {
                let _ = write!(line, " sack {}-{}", theirs(*start), theirs(*end));
            }
        }
        if !header.has(flags::RST) {
            let _ = write!(line, " win {}", header.window);
        }
        if let Some(bytes) = header.segment_bytes_max {
            let _ = write!(line, " mss {bytes}");
        }
        if header.is_sack_permitted {
            line += " sackok";
        }
        if let Some(shift) = header.window_shift {
            let _ = write!(line, " ws {shift}");
        }
        if let Some(timestamps) = header.timestamps {
            self.clock = Some(timestamps.value);
            self.first_clock.get_or_insert(timestamps.value);
            let _ = write!(line, " ts {}", timestamps.echo);
        }
        let millis = self.now.since(self.began).as_millis();
        if millis > 0 {
            let _ = write!(line, " @{millis}");
        }
        self.seen.push_str(&line);
        self.seen.push('\n');
    }
}

fn remote() -> Endpoint {
    Endpoint {
        address: address(0),
        port: 4000,
    }
}

/// A place in the stream; a negative one lies before it.
fn place(text: &str) -> usize {
    text.parse::<i32>().unwrap() as u32 as usize
}
