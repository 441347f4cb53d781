//! The host's side of transfers: plain sockets of Linux inside the laboratory.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_kernel::base::service::Service;
use rayos_kernel::net::services::{Pattern, StreamSum};

use super::Lab;

const CONNECT_WITHIN: Duration = Duration::from_secs(60);
/// A retransmission after several losses may take long; nothing at all for so long is a failure.
const SILENCE_MAX: Duration = Duration::from_secs(120);
const BUFFER_BYTES: usize = 64 * 1024;

pub fn connect(lab: &Lab, address: IpAddr, port: u16) -> anyhow::Result<TcpStream> {
    connect_within(lab, address, port, CONNECT_WITHIN)
}

pub fn connect_within(
    lab: &Lab,
    address: IpAddr,
    port: u16,
    within: Duration,
) -> anyhow::Result<TcpStream> {
    lab.within(|| {
        let stream = TcpStream::connect_timeout(&SocketAddr::new(address, port), within)
            .with_context(|| format!("{address} port {port}"))?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        Ok(stream)
    })
}

/// Sends so many bytes of the pattern to the discard service and returns their sum, once the machine has read all.
pub fn send(lab: &Lab, address: IpAddr, bytes: u64) -> anyhow::Result<u64> {
    let mut stream = connect(lab, address, Service::Discard.port())?;
    let pattern = Pattern::new();
    let mut sum = StreamSum::new();
    while sum.bytes() < bytes {
        let piece = pattern.piece(sum.bytes());
        let left = usize::try_from(bytes - sum.bytes()).unwrap_or(usize::MAX);
        let piece = &piece[..piece.len().min(left)];
        stream
            .write_all(piece)
            .with_context(|| format!("after {} bytes", sum.bytes()))?;
        sum.add(piece);
    }
    stream.shutdown(Shutdown::Write)?;
    let answer = stream
        .read(&mut [0])
        .context("the machine does not close")?;
    ensure!(answer == 0, "the discard service answers with bytes");
    Ok(sum.value())
}

/// Reads so many bytes of the machine's character generator; each of them must be the right one.
pub fn receive(lab: &Lab, address: IpAddr, bytes: u64) -> anyhow::Result<()> {
    let mut stream = connect(lab, address, Service::Chargen.port())?;
    let pattern = Pattern::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut received = 0;
    while received < bytes {
        let count = stream
            .read(&mut buffer)
            .with_context(|| format!("after {received} bytes"))?;
        ensure!(count > 0, "the machine stops after {received} bytes");
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let piece = pattern.piece(received);
            let length = piece.len().min(rest.len());
            ensure!(
                rest[..length] == piece[..length],
                "wrong bytes behind byte {received}"
            );
            received += length as u64;
            rest = &rest[length..];
        }
    }
    Ok(())
}

/// Sends these bytes to the echo service and hears them again.
pub fn echo(lab: &Lab, address: IpAddr, bytes: &[u8]) -> anyhow::Result<()> {
    let mut stream = connect(lab, address, Service::Echo.port())?;
    stream.write_all(bytes)?;
    let mut heard = vec![0; bytes.len()];
    stream.read_exact(&mut heard)?;
    ensure!(heard == bytes, "the echo is not what was said");
    Ok(())
}
