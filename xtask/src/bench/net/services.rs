//! What both guests offer to the measuring host; this is the Linux guest's form of it.
//!
//! Only the standard library, because `rustc` compiles it alone for the guest.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The ports of RFC 862, 863 and 864.
pub const ECHO: u16 = 7;
pub const DISCARD: u16 = 9;
pub const CHARGEN: u16 = 19;
/// Says how many datagrams were discarded, as decimal digits, and closes.
pub const COUNT: u16 = 1009;

/// Payload of an answer of the datagram character generator.
pub const CHARGEN_DATAGRAM_BYTES: usize = 512;

const BUFFER_BYTES: usize = 64 * 1024;

static DISCARDED_DATAGRAMS: AtomicU64 = AtomicU64::new(0);

/// Offers everything, each in a thread of its own, and returns when all ports are open.
#[allow(dead_code, reason = "only the guest's program serves")]
pub fn serve() -> io::Result<()> {
    let tcp: [(u16, fn(TcpStream) -> io::Result<()>); 4] = [
        (ECHO, echo),
        (DISCARD, discard),
        (CHARGEN, generate),
        (COUNT, tell_count),
    ];
    for (port, service) in tcp {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A client that goes away ends its own service and no other's.
                thread::spawn(move || service(stream));
            }
        });
    }
    let udp: [(u16, fn(&UdpSocket) -> io::Result<()>); 3] = [
        (ECHO, echo_datagram),
        (DISCARD, discard_datagram),
        (CHARGEN, generate_datagram),
    ];
    for (port, service) in udp {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
        thread::spawn(move || {
            loop {
                // An answer that cannot be sent is a lost datagram.
                let _ = service(&socket);
            }
        });
    }
    Ok(())
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return stream.shutdown(Shutdown::Write);
        }
        stream.write_all(&buffer[..count])?;
    }
}

fn discard(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

fn generate(mut stream: TcpStream) -> io::Result<()> {
    let buffer = vec![b'r'; BUFFER_BYTES];
    loop {
        stream.write_all(&buffer)?;
    }
}

fn tell_count(mut stream: TcpStream) -> io::Result<()> {
    let count = DISCARDED_DATAGRAMS.load(Ordering::Relaxed);
    stream.write_all(count.to_string().as_bytes())
}

fn echo_datagram(socket: &UdpSocket) -> io::Result<()> {
    let mut buffer = [0; 2048];
    let (count, from) = socket.recv_from(&mut buffer)?;
    socket.send_to(&buffer[..count], from).map(|_| ())
}

fn discard_datagram(socket: &UdpSocket) -> io::Result<()> {
    socket.recv_from(&mut [0; 2048])?;
    DISCARDED_DATAGRAMS.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn generate_datagram(socket: &UdpSocket) -> io::Result<()> {
    let (_, from) = socket.recv_from(&mut [0; 2048])?;
    socket
        .send_to(&[b'r'; CHARGEN_DATAGRAM_BYTES], from)
        .map(|_| ())
}
