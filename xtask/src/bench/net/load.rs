//! What the host does to a guest and measures: the same calls for every guest.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::guest::{GUEST, Guest};
use super::services;
use crate::bench::statistics::Samples;
use crate::deadline::Deadline;
use crate::namespace::Namespace;
use crate::process;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const SILENCE_MAX: Duration = Duration::from_secs(30);
const BUFFER_BYTES: usize = 256 * 1024;

const TRANSFER_BYTES: usize = 48 << 20;
const ROUND_TRIPS: usize = 2000;
/// Round trips before the measured ones: the first ones find neighbours and fill caches.
const WARM_UP: usize = 100;

/// Small datagrams, of which the guest's cost a packet is measured and not its cost a byte.
const DATAGRAM_BYTES: usize = 64;
const FLOOD_FOR: Duration = Duration::from_secs(2);
/// Requests on their way at the same time.
const WINDOW: usize = 64;
const LOST_AFTER: Duration = Duration::from_millis(200);

pub const HTTP_CONNECTIONS: usize = 16;
const HTTP_SECONDS: u64 = 3;

fn connect(address: Ipv4Addr, port: u16) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&(address, port).into(), CONNECT_WITHIN)
        .with_context(|| format!("{address} port {port}"))?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Bytes a second into the guest, until it has read the last one.
pub fn send_stream(address: Ipv4Addr) -> anyhow::Result<f64> {
    let mut stream = connect(address, services::DISCARD)?;
    let buffer = vec![b'h'; BUFFER_BYTES];
    let started = Instant::now();
    for _ in 0..TRANSFER_BYTES / BUFFER_BYTES {
        stream.write_all(&buffer)?;
    }
    stream.shutdown(Shutdown::Write)?;
    // The guest closes when it has read to the end.
    ensure!(
        stream.read(&mut [0])? == 0,
        "the discard service answers with bytes"
    );
    Ok(TRANSFER_BYTES as f64 / started.elapsed().as_secs_f64())
}

/// Bytes a second out of the guest.
pub fn receive_stream(address: Ipv4Addr) -> anyhow::Result<f64> {
    let mut stream = connect(address, services::CHARGEN)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let started = Instant::now();
    let mut received = 0;
    while received < TRANSFER_BYTES {
        let count = stream.read(&mut buffer)?;
        ensure!(count > 0, "the guest stops after {received} bytes");
        received += count;
    }
    Ok(received as f64 / started.elapsed().as_secs_f64())
}

/// Times of round trips of one byte over one connection.
pub fn round_trips(address: Ipv4Addr) -> anyhow::Result<Vec<f64>> {
    let mut stream = connect(address, services::ECHO)?;
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for index in 0..WARM_UP + ROUND_TRIPS {
        let started = Instant::now();
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
        if index >= WARM_UP {
            times.push(started.elapsed().as_secs_f64());
        }
    }
    Ok(times)
}

/// The round trip that half of them, or all but one in a hundred, are faster than.
pub fn latency(address: Ipv4Addr, percent: u32) -> anyhow::Result<f64> {
    let times = Samples::new(round_trips(address)?).context("no round trip was made")?;
    Ok(times.quantile(percent, 100))
}

/// Datagrams a second that reach a program in the guest while more come than it can take.
pub fn flood(guest: &mut Guest) -> anyhow::Result<f64> {
    let before = guest.discarded_datagrams()?;
    let (sent, elapsed) = guest.within(|| pour(GUEST))?;
    let arrived = guest.discarded_datagrams()?.saturating_sub(before);
    ensure!(
        arrived <= sent,
        "{arrived} of {sent} datagrams arrived, which cannot be"
    );
    Ok(arrived as f64 / elapsed.as_secs_f64())
}

/// Sends as many datagrams as this host can; returns how many, and in what time.
fn pour(address: Ipv4Addr) -> anyhow::Result<(u64, Duration)> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((address, services::DISCARD))?;
    let started = Instant::now();
    let mut sent = 0_u64;
    while started.elapsed() < FLOOD_FOR {
        // A full queue on this side is not the guest's loss.
        sent += u64::from(socket.send(&[b'h'; DATAGRAM_BYTES]).is_ok());
    }
    Ok((sent, started.elapsed()))
}

/// What the Linux guest's program says that it has discarded.
pub fn told_count(address: Ipv4Addr) -> anyhow::Result<u64> {
    let mut text = String::new();
    connect(address, services::COUNT)?.read_to_string(&mut text)?;
    Ok(text.parse()?)
}

/// Answers a second, each a datagram of the guest to a datagram of ours, with several on their way.
pub fn ask_datagrams(address: Ipv4Addr, port: u16) -> anyhow::Result<f64> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((address, port))?;
    socket.set_read_timeout(Some(LOST_AFTER))?;
    let request = [b'h'; DATAGRAM_BYTES];
    let mut buffer = [0; 2048];
    let started = Instant::now();
    let mut answers = 0_u64;
    let mut lost_in_a_row = 0;
    for _ in 0..WINDOW {
        socket.send(&request)?;
    }
    while started.elapsed() < FLOOD_FOR {
        if socket.recv(&mut buffer).is_ok() {
            answers += 1;
            lost_in_a_row = 0;
            socket.send(&request)?;
            continue;
        }
        // All that were on their way are lost: the window is filled anew.
        lost_in_a_row += 1;
        if lost_in_a_row > 5 {
            bail!("the guest does not answer datagrams to port {port}");
        }
        for _ in 0..WINDOW {
            socket.send(&request)?;
        }
    }
    ensure!(
        answers > 0,
        "the guest does not answer datagrams to port {port}"
    );
    Ok(answers as f64 / started.elapsed().as_secs_f64())
}

/// Requests a second over connections that stay, as `wrk` counts them.
pub fn http(namespace: &Namespace, address: Ipv4Addr) -> anyhow::Result<f64> {
    let mut wrk = namespace.command("wrk")?;
    wrk.args(["-t1", &format!("-c{HTTP_CONNECTIONS}")])
        .arg(format!("-d{HTTP_SECONDS}s"))
        .arg(format!("http://{address}/"));
    let said = process::ask(
        &mut wrk,
        Deadline::after(Duration::from_secs(HTTP_SECONDS) + SILENCE_MAX),
    )?;
    let value = |key: &str| {
        let line = said
            .stdout
            .lines()
            .find_map(|line| line.trim().strip_prefix(key))?;
        line.trim().parse::<f64>().ok()
    };
    if let Some(wrong) = value("Non-2xx or 3xx responses:") {
        bail!("{wrong} of the guest's answers are errors");
    }
    value("Requests/sec:")
        .filter(|rate| *rate > 0.0)
        .with_context(|| {
            format!(
                "wrk measured nothing: {}{}",
                said.stdout.trim(),
                said.stderr.trim()
            )
        })
}

/// How many bytes the guest's page has.
pub fn page_bytes(address: Ipv4Addr) -> anyhow::Result<usize> {
    let mut stream = connect(address, 80)?;
    stream.write_all(
        format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end_of_head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end_of_head = end_of_head.context("the page has no head")?;
    Ok(answer.len() - end_of_head - 4)
}
