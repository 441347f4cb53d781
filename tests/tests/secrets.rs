//! Are the token and the owner's secret told by nobody, whatever is asked, by whom, and however it ends?

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_kernel::shell::catalog::{Action, COMMANDS, Command, Kind};
use rayos_tests::panic_report::PanicReport;
use rayos_tests::poll;
use rayos_tests::report;
use rayos_tests::tpm::Tools;
use xtask::attest::bank::hex;
use xtask::attest::evidence;
use xtask::deadline::Deadline;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use xtask::qemu::{Boot, Shape, TpmInterface, forward};
use xtask::session::Session;
use xtask::workspace::Scratch;

const SECRETS: [&str; 2] = ["token-that-nobody-tells", "owner-that-nobody-tells"];
const WITHIN: Duration = Duration::from_secs(120);

/// Everything that was said, by what was asked.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    fn add(&mut self, what: &str, said: impl Into<Vec<u8>>) {
        self.0.push((what.to_string(), said.into()));
    }

    /// Nothing of it has a secret in it, neither as it is nor in digits.
    fn expect_no_secret(&self) {
        for (what, said) in &self.0 {
            let lower = said.to_ascii_lowercase();
            for secret in SECRETS {
                let digits = hex(secret.as_bytes());
                for form in [secret, &digits] {
                    let mut windows = lower.windows(form.len());
                    let is_told = windows.any(|window| window == form.as_bytes());
                    assert!(!is_told, "{what}: {}", String::from_utf8_lossy(said));
                }
            }
        }
    }
}

fn shape(state: &Scratch, shell: &str) -> Shape {
    let [token, owner] = SECRETS;
    Shape::new(Boot::Pvh)
        .tpm(TpmInterface::Tis, state.path())
        .virtio(Device::network("net0", Backend::User, HARDWARE_ADDRESS))
        .setting(&format!(
            "token={token} tpm-owner={owner} debug=1 panic=halt"
        ))
        .setting(shell)
}

/// An action as it can be typed: what must be given is given.
fn line(command: &Command, action: &Action) -> String {
    let mut words = vec![command.name.to_string()];
    if command.has_actions() {
        words.push(action.name.to_string());
    }
    for argument in action
        .arguments
        .iter()
        .filter(|argument| argument.is_required)
    {
        words.push(match argument.kind {
            Kind::Keyword(words) => words.first().copied().unwrap_or("x").to_string(),
            Kind::Number { least, .. } => least.to_string(),
            Kind::Command => "help".to_string(),
            // Enough for a name, an address of a device or a nonce; what it is not is refused, and that is heard too.
            _ => "00".to_string(),
        });
    }
    words.join(" ")
}

/// Every action that only looks.
fn looks() -> Vec<String> {
    let actions = COMMANDS
        .iter()
        .flat_map(|command| command.actions.iter().map(move |action| (command, action)));
    let looks = actions.filter(|(_, action)| !action.access.is_change());
    looks
        .map(|(command, action)| line(command, action))
        .collect()
}

fn ask_everything(session: &mut Session, heard: &mut Heard) {
    let looks = looks();
    assert!(looks.len() > 40, "{looks:?}");
    for line in &looks {
        let answer = session.run_within(line, WITHIN).unwrap();
        heard.add(line, answer.output);
    }
    // Both secrets are in force, so both are in use while everything is asked.
    let answer = session.run_within("tpm nv store", WITHIN).unwrap();
    assert!(answer.ok, "{}", answer.output);
    heard.add("tpm nv store", answer.output);
    for line in [
        "tpm quote 0011",
        "history",
        "log trace",
        "no-such-command token=x",
        "status | match token",
        "help tpm",
    ] {
        let answer = session.run_within(line, WITHIN).unwrap();
        heard.add(line, answer.output);
    }
}

fn get(port: u16, path: &str, headers: &str) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(WITHIN))?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn ask_by_http(session: &mut Session, shape: &Shape, heard: &mut Heard) -> anyhow::Result<()> {
    let machine = session.machine().context("no machine")?;
    let port = forward::open_free(machine, shape, 80, Deadline::after(WITHIN))?.host_port;
    poll::until("an address", WITHIN, || {
        let leases = session.run("dhcp leases")?;
        let leases = report::Report::parse(&leases.output)?;
        Ok((!leases.column("leases", "address")?.is_empty()).then_some(()))
    })?;
    for path in [
        "/",
        "/status.js",
        "/status.css",
        "/metrics",
        "/api/v1",
        "/nothing",
    ] {
        heard.add(path, get(port, path, "")?);
    }
    let token = format!("Authorization: Bearer {}\r\n", SECRETS[0]);
    let answer = get(port, "/api/v1/version", &token)?;
    ensure!(
        answer.starts_with(b"HTTP/1.1 200 "),
        "the token is not in force"
    );
    for line in looks() {
        let path = format!("/api/v1/{}", line.replace(' ', "/"));
        heard.add(&path, get(port, &path, &token)?);
    }
    Ok(())
}

/// A TPM whose owner has the secret.
fn owned_tpm() -> Scratch {
    let state = Scratch::new().unwrap();
    let tools = Tools::on(state.path(), None).unwrap();
    tools
        .run(&format!("tpm2_changeauth -c o {}", SECRETS[1]))
        .unwrap();
    tools.run("tpm2_shutdown").unwrap();
    state
}

#[test]
fn no_command_no_page_no_log_and_no_panic_tells_a_secret() {
    let state = owned_tpm();
    let shape = shape(&state, "shell=framed-json");
    let mut session = Session::boot(&shape).unwrap();
    let mut heard = Heard::default();
    ask_everything(&mut session, &mut heard);
    ask_by_http(&mut session, &shape, &mut heard).unwrap();
    let log = evidence::export_log(&mut session, Deadline::after(WITHIN)).unwrap();
    assert!(!log.is_empty());
    heard.add("the measurement log's bytes", log);
    heard.add("what the kernel said at boot", session.boot_log());
    session.run("debug panic").unwrap();
    let report = PanicReport::wait(&mut session, WITHIN).unwrap();
    assert!(report.trace_events().unwrap() > 0);
    heard.add("the failure report", report.text());
    heard.add(
        "the serial line",
        std::fs::read(session.serial_log()).unwrap(),
    );
    heard.expect_no_secret();
}

#[test]
fn the_face_for_people_tells_no_secret_either() {
    let state = owned_tpm();
    let mut session = Session::boot(&shape(&state, "shell=framed")).unwrap();
    let mut heard = Heard::default();
    ask_everything(&mut session, &mut heard);
    heard.add(
        "the serial line",
        std::fs::read(session.serial_log()).unwrap(),
    );
    heard.expect_no_secret();
}
