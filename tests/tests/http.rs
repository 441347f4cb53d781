//! The page and the interface, asked by real HTTP through a forwarded port: who may do what, slow and many clients.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayos_tests::form;
use rayos_tests::lab::guest::Guest;
use rayos_tests::panic_report::PanicReport;
use rayos_tests::{poll, report};
use serde_json::Value;
use xtask::deadline::Deadline;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use xtask::qemu::{Boot, Display, Shape, forward};

const TOKEN: &str = "correct-horse-battery";
const WITHIN: Duration = Duration::from_secs(60);
/// A head may take 10 s, and the answer to one that took longer a moment.
const CUT_WITHIN: Duration = Duration::from_secs(20);
const SLOW_CLIENTS: usize = 8;

/// A machine on QEMU's network, and the port of this host that leads to its port 80.
struct Served {
    guest: Guest,
    port: u16,
}

impl Served {
    fn boot(setting: &str) -> anyhow::Result<Served> {
        let device = Device::network("net0", Backend::User, HARDWARE_ADDRESS);
        let shape = Shape::new(Boot::Pvh)
            .display(Display::Absent)
            .setting(setting)
            .virtio(device);
        let mut guest = Guest::boot_plain(&shape)?;
        let machine = guest.session.machine().context("no machine")?;
        let forward = forward::open_free(machine, &shape, 80, Deadline::after(WITHIN))?;
        poll::until("an address", WITHIN, || {
            let report = guest.ask("dhcp leases")?;
            let leases = report.column("leases", "address")?;
            Ok((!leases.is_empty()).then_some(()))
        })?;
        let port = forward.host_port;
        Ok(Served { guest, port })
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(WITHIN))?;
        Ok(stream)
    }

    /// One request on a connection of its own: status, head and body.
    fn request(&self, line: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
        let length = body.len();
        let text = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = self.connect()?;
        stream.write_all(text.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Answer::parse(&answer).with_context(|| format!("{line}: {answer:?}"))
    }

    fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.request(&format!("GET {path}"), "", "")
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> anyhow::Result<Answer> {
        let (head, body) = text.split_once("\r\n\r\n").context("no end of the head")?;
        let status = head.split(' ').nth(1).context("no status")?;
        Ok(Answer {
            status: status.parse()?,
            head: head.to_string(),
            body: match head.contains("Transfer-Encoding: chunked") {
                true => joined(body)?,
                false => body.to_string(),
            },
        })
    }
}

/// A body in chunks, put together.
fn joined(mut chunks: &str) -> anyhow::Result<String> {
    let mut body = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n").context("no length of a chunk")?;
        let length = usize::from_str_radix(length, 16)?;
        let (data, rest) = rest.split_at_checked(length).context("half a chunk")?;
        body.push_str(data);
        chunks = rest.strip_prefix("\r\n").context("no end of a chunk")?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// A document with its measured values made equal; names, kinds and the rest stay.
fn without_numbers(mut value: Value) -> Value {
    match &mut value {
        Value::Number(_) => return Value::from(0),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = without_numbers(item.take())),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| *field = without_numbers(field.take())),
        _ => {}
    }
    value
}

#[test]
fn the_page_is_served_and_a_report_is_the_same_as_in_the_shell() {
    let mut served = Served::boot("").unwrap();
    // The very first request of the host is trusted already.
    let help = served.get("/api/v1").unwrap();
    assert_eq!(help.status, 200, "{}", help.body);
    let page = served.get("/").unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with("<!doctype html>") && page.body.ends_with("</html>\n"));
    for asset in ["/status.css", "/status.js", "/favicon.ico"] {
        assert!(page.body.contains(asset), "the page does not use {asset}");
        assert_eq!(served.get(asset).unwrap().status, 200, "{asset}");
    }
    for (command, path) in [
        ("help", ""),
        ("version", "/version"),
        ("net routes", "/net/routes"),
        ("dhcp leases", "/dhcp/leases"),
        ("device list", "/device/list"),
        ("limits", "/limits"),
        ("echo a;b", "/echo/a%3Bb"),
    ] {
        let typed = command.replace("a;b", "'a;b'");
        let (_, shell) = served.guest.attempt(&typed).unwrap();
        let answer = served.get(&format!("/api/v1{path}")).unwrap();
        let both = [shell.as_str(), &answer.body].map(|text| report::parse_line(text).unwrap());
        let [shell, web] = both.map(without_numbers);
        assert_eq!(shell["report"], web["report"], "{command}");
        assert_eq!(web["ok"], true, "{command}");
    }
    served.guest.is_well().unwrap();
}

#[test]
fn who_may_do_what_and_no_answer_shows_the_token() {
    let mut served = Served::boot(&format!("token={TOKEN} debug=1 panic=halt")).unwrap();
    let good = format!("Authorization: Bearer {TOKEN}\r\n");
    let wrong = "Authorization: Bearer wrong-horse\r\n";
    let rule = "/firewall/add/deny/tcp/from/any/to/any/port/23";
    for (method, path, headers, status) in [
        ("GET", "/uptime", "", 200),
        ("HEAD", "/uptime", "", 200),
        ("OPTIONS", "/uptime", "", 204),
        ("POST", "/uptime", "", 401),
        ("POST", "/uptime", &good, 200),
        ("GET", rule, &good, 405),
        ("POST", rule, "", 401),
        ("POST", rule, &good, 200),
        ("POST", "/firewall/remove/99", &good, 409),
        ("DELETE", "/uptime", &good, 405),
        ("GET", "/audit/tail", "", 401),
        ("GET", "/audit/tail", &good, 200),
        ("GET", "/tpm/pcrs", "", 401),
        ("GET", "/tpm/pcrs", &good, 200),
        // A script has many answers, and a request gets one.
        ("POST", "/run/start.txt", "", 401),
        ("POST", "/run/start.txt", &good, 400),
        ("GET", "/nothing", "", 404),
        ("GET", "/uptime?a=b", "", 400),
        ("GET", "/uptime", "Origin: http://example.com\r\n", 403),
        ("GET", "/uptime", wrong, 401),
        ("POST", "/uptime", wrong, 401),
        ("POST", "/uptime", wrong, 401),
        ("POST", "/uptime", wrong, 401),
        ("POST", "/uptime", wrong, 401),
        ("POST", "/uptime", &good, 429),
        ("GET", "/uptime", "", 200),
    ] {
        let line = format!("{method} /api/v1{path}");
        let answer = served.request(&line, headers, "").unwrap();
        let said = format!("{line} {headers:?}: {} {}", answer.head, answer.body);
        assert_eq!(answer.status, status, "{said}");
        assert_eq!(answer.status == 429, answer.head.contains("Retry-After: "));
        assert!(!said.contains(TOKEN) || headers.contains(TOKEN), "{said}");
        assert!(!answer.head.contains(TOKEN) && !answer.body.contains(TOKEN));
    }
    let (_, listed) = served.guest.attempt("firewall list").unwrap();
    assert!(listed.contains("port 23"), "{listed}");
    for command in [
        "status",
        "log",
        "history",
        "api requests",
        "api status",
        "device audit",
        "version",
    ] {
        let (_, said) = served.guest.attempt(command).unwrap();
        assert!(!said.contains(TOKEN), "{command}: {said}");
    }
    // The command answers before it breaks the kernel.
    served.guest.ask("debug panic").unwrap();
    let report = PanicReport::wait(&mut served.guest.session, WITHIN).unwrap();
    assert!(!report.text().contains(TOKEN), "{}", report.text());
    let log = std::fs::read_to_string(served.guest.session.serial_log()).unwrap();
    assert!(!log.contains(TOKEN), "{log}");
}

#[test]
fn without_a_token_nobody_changes_anything() {
    let served = Served::boot("").unwrap();
    let headers = format!("Authorization: Bearer {TOKEN}\r\n");
    let answer = served.request("POST /api/v1/uptime", &headers, "").unwrap();
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains("token="), "{}", answer.body);
    // Nor is shown what others did.
    let answer = served
        .request("GET /api/v1/audit/tail", &headers, "")
        .unwrap();
    assert_eq!(answer.status, 403, "{}", answer.body);
}

#[test]
fn slow_clients_are_cut_off_while_others_are_served_and_nothing_leaks() {
    let mut served = Served::boot("").unwrap();
    let before = served.guest.usage().unwrap();
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..SLOW_CLIENTS {
        let mut stream = served.connect().unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            .unwrap();
        stream.set_nonblocking(true).unwrap();
        slow.push(stream);
    }
    let count = match form::is_long() {
        true => 1000,
        false => 200,
    };
    if !form::is_long() {
        form::say_skipped("200 of 1,000 connections; `cargo xtask test --long` opens all");
    }
    for _ in 0..count {
        assert_eq!(served.get("/").unwrap().status, 200);
    }
    pipelines(&served).unwrap();
    let mut cut = 0;
    poll::until("the slow ones cut off", CUT_WITHIN, || {
        let mut rest = Vec::new();
        for mut stream in slow.drain(..) {
            match said(&mut stream)? {
                None => rest.push(stream),
                Some(text) => {
                    ensure!(text.starts_with("HTTP/1.1 408 "), "{text:?}");
                    cut += 1;
                }
            }
        }
        slow = rest;
        ensure!(served.get("/api/v1/uptime")?.status == 200);
        Ok(slow.is_empty().then_some(()))
    })
    .unwrap();
    assert_eq!(cut, SLOW_CLIENTS);
    assert!(
        began.elapsed() >= Duration::from_secs(9),
        "cut off too early"
    );
    // What remembers ended connections keeps them for a minute by design; the rest is as before.
    poll::until("the pools as they were", WITHIN, || {
        let now = served.guest.usage()?;
        let held = now.iter().find(|(name, used)| {
            let was = before.iter().find(|(known, _)| known == name);
            is_released(name) && was.is_some_and(|(_, was)| used > was)
        });
        Ok(held.is_none().then_some(()))
    })
    .unwrap();
    served.guest.is_well().unwrap();
}

fn is_released(name: &str) -> bool {
    [
        "TCP_CONNECTIONS_MAX",
        "TCP_HALF_OPEN_MAX",
        "TCP_CHUNKS_MAX",
        "HTTP_CONNECTIONS_MAX",
        "API_WORKERS_MAX",
    ]
    .contains(&name)
}

/// What has come, none while nothing has; one more byte is dripped then.
fn said(stream: &mut TcpStream) -> anyhow::Result<Option<String>> {
    let mut bytes = [0; 1024];
    match stream.read(&mut bytes) {
        Ok(count) => Ok(Some(String::from_utf8_lossy(&bytes[..count]).into_owned())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            stream.write_all(b"x")?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Requests that are sent before an answer is read are answered in their order.
fn pipelines(served: &Served) -> anyhow::Result<()> {
    let mut stream = served.connect()?;
    let words: Vec<String> = (0..20).map(|number| format!("word-{number}.")).collect();
    let mut text = String::new();
    for word in &words {
        text += &format!("GET /api/v1/echo/{word} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    text += "GET /favicon.ico HTTP/1.0\r\n\r\n";
    stream.write_all(text.as_bytes())?;
    let mut answers = String::new();
    stream.read_to_string(&mut answers)?;
    let mut rest = answers.as_str();
    for word in &words {
        let (_, behind) = rest
            .split_once(&format!("[\"{word}\"]"))
            .with_context(|| format!("{word} is missing or out of order in {answers}"))?;
        rest = behind;
    }
    ensure!(rest.contains("<svg "), "{rest}");
    Ok(())
}
