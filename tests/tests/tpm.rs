//! What if the TPM is another's, dies, or is not there? It is said as it is, and the machine goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;
use rayos_tests::lab::guest::Guest;
use rayos_tests::report::{self, Report};
use rayos_tests::tpm::{Tools, diary};
use rayos_tests::{form, poll};
use serde_json::Value;
use xtask::deadline::Deadline;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use xtask::qemu::{Boot, Shape, TpmInterface, forward};
use xtask::session::Session;
use xtask::workspace::Scratch;

const WITHIN: Duration = Duration::from_secs(90);
const UNATTESTED: &str = "software (not attested)";
const OWNER: &str = "owner-of-this-tpm";

fn shape(interface: TpmInterface, state: &Scratch) -> Shape {
    Shape::new(Boot::Pvh).tpm(interface, state.path())
}

fn field(guest: &mut Guest, command: &str, title: &str, key: &str) -> anyhow::Result<Value> {
    let report = guest.ask(command)?;
    let value = report.fields(title)?.get(key);
    Ok(value
        .with_context(|| format!("{command} has no {key}"))?
        .clone())
}

#[test]
fn a_machine_with_a_tpm_is_attested_and_names_it() {
    for (interface, name) in [(TpmInterface::Tis, "tis"), (TpmInterface::Crb, "crb")] {
        let state = Scratch::new().unwrap();
        let mut guest = Guest::boot_plain(&shape(interface, &state)).unwrap();
        let report = guest.ask("tpm status").unwrap();
        let status = report.fields("tpm").unwrap();
        assert_eq!(status["state"], "attested", "{status:?}");
        assert_eq!(status["interface"], name);
        assert_eq!(status["manufacturer"], "IBM");
        guest.ask("tpm verify").unwrap();
        guest.is_well().unwrap();
    }
}

#[test]
fn what_was_stored_in_the_tpm_is_there_after_a_reboot_and_in_no_other_tpm() {
    let state = Scratch::new().unwrap();
    let shape = shape(TpmInterface::Crb, &state);
    let kept = |report: &Report| -> Vec<Value> {
        let fields = report.fields("stored").unwrap();
        [
            "times",
            "policy_version",
            "policy",
            "audit_head",
            "audit_entries",
        ]
        .map(|key| fields[key].clone())
        .to_vec()
    };
    let mut guest = Guest::boot_plain(&shape).unwrap();
    let (ok, said) = guest.attempt("tpm nv load").unwrap();
    assert!(!ok, "there is something before it was stored: {said}");
    guest.ask("tpm nv store").unwrap();
    let before = kept(&guest.ask("tpm nv load").unwrap());
    // Dropping the session kills QEMU and the TPM.
    drop(guest);
    let mut guest = Guest::boot_plain(&shape).unwrap();
    assert_eq!(kept(&guest.ask("tpm nv load").unwrap()), before);
    drop(guest);
    let other = Scratch::new().unwrap();
    let mut guest = Guest::boot_plain(&shape.clone().tpm(TpmInterface::Crb, other.path())).unwrap();
    assert!(!guest.attempt("tpm nv load").unwrap().0);
}

#[test]
fn only_who_knows_the_owners_secret_stores_something_and_others_are_told_why_not() {
    let state = Scratch::new().unwrap();
    let tools = Tools::on(state.path(), None).unwrap();
    tools.run(&format!("tpm2_changeauth -c o {OWNER}")).unwrap();
    tools.run("tpm2_shutdown").unwrap();
    drop(tools);
    for (setting, is_owner) in [
        ("", false),
        ("tpm-owner=somebody-else", false),
        (&format!("tpm-owner={OWNER}"), true),
    ] {
        let shape = shape(TpmInterface::Tis, &state).setting(setting);
        let mut guest = Guest::boot_plain(&shape).unwrap();
        let (ok, said) = guest.attempt("tpm nv store").unwrap();
        assert_eq!(ok, is_owner, "{setting}: {said}");
        assert!(is_owner || said.contains("tpm-owner"), "{said}");
        for secret in [OWNER, "somebody-else"] {
            assert!(!said.contains(secret), "{said}");
        }
        guest.is_well().unwrap();
    }
}

#[test]
fn machines_that_are_switched_off_hard_do_not_lock_the_tpm() {
    let state = Scratch::new().unwrap();
    // A TPM that loses its power after a key with protection was used counts that as a wrong guess; three are allowed.
    for round in 0..6 {
        let mut guest = Guest::boot_plain(&shape(TpmInterface::Crb, &state)).unwrap();
        let (ok, said) = guest.attempt("tpm quote 00").unwrap();
        assert!(ok, "boot {round}: {said}");
    }
}

#[test]
fn a_tpm_is_told_that_its_power_goes_before_it_goes() {
    for interface in [TpmInterface::Tis, TpmInterface::Crb] {
        let state = Scratch::new().unwrap();
        let diary = state.path().join("diary");
        let mut shape = shape(interface, &state);
        shape.tpm.as_mut().unwrap().diary = Some(diary.clone());
        let mut guest = Guest::boot_plain(&shape).unwrap();
        assert!(!diary::ends_with_a_shutdown(&diary).unwrap());
        assert!(guest.attempt("poweroff").unwrap().0);
        guest.session.wait_for_end(WITHIN).unwrap();
        assert!(diary::ends_with_a_shutdown(&diary).unwrap());
    }
}

/// Kills the TPM when the machine has said this much, and waits for its shell.
fn lose_tpm_at(interface: TpmInterface, bytes: usize) -> anyhow::Result<Guest> {
    let state = Scratch::new()?;
    let shape = shape(interface, &state).setting("shell=framed-json");
    let mut session = Session::start(&shape, WITHIN)?;
    let log = session.serial_log().to_path_buf();
    if bytes > 0 {
        // Nobody reads the line meanwhile, so what the kernel says waits in the socket.
        poll::until("the kernel's first words", WITHIN, || {
            let _ = session.wait_until_ready(Duration::from_millis(1));
            let said = std::fs::metadata(&log)?.len();
            Ok((said >= bytes as u64).then_some(()))
        })?;
    }
    let machine = session.machine().context("no machine")?;
    machine.tpm().context("no TPM")?.kill();
    session.wait_until_ready(WITHIN)?;
    Ok(Guest { session })
}

#[test]
fn a_tpm_that_dies_in_the_middle_of_the_boot_leaves_a_machine_that_says_so() {
    let interfaces = form::cases(vec![TpmInterface::Tis], || {
        vec![TpmInterface::Tis, TpmInterface::Crb]
    });
    for interface in interfaces {
        let mut guest = lose_tpm_at(interface, 0).unwrap();
        let state = field(&mut guest, "tpm status", "tpm", "state").unwrap();
        assert_eq!(state, UNATTESTED);
        assert!(!guest.attempt("tpm quote 00").unwrap().0);
        guest.is_well().unwrap();
    }
}

#[test]
fn a_tpm_that_dies_later_is_missed_by_the_next_who_asks() {
    for interface in [TpmInterface::Tis, TpmInterface::Crb] {
        let state = Scratch::new().unwrap();
        let mut guest = Guest::boot_plain(&shape(interface, &state)).unwrap();
        let machine = guest.session.machine().unwrap();
        machine.tpm().unwrap().kill();
        let (ok, said) = guest.attempt("tpm quote 00").unwrap();
        assert!(!ok, "a dead TPM signs: {said}");
        let state = field(&mut guest, "tpm status", "tpm", "state").unwrap();
        assert_eq!(state, UNATTESTED);
        guest.is_well().unwrap();
    }
}

fn status_by_http(session: &mut Session, shape: &Shape) -> anyhow::Result<String> {
    poll::until("an address", WITHIN, || {
        let leases = Report::parse(&session.run("dhcp leases | json")?.output)?;
        Ok((!leases.column("leases", "address")?.is_empty()).then_some(()))
    })?;
    let machine = session.machine().context("no machine")?;
    let port = forward::open_free(machine, shape, 80, Deadline::after(WITHIN))?.host_port;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.write_all(b"GET /api/v1/tpm/status HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn without_a_tpm_every_face_says_that_nothing_is_attested() {
    let network = Device::network("net0", Backend::User, HARDWARE_ADDRESS);
    let shape = Shape::new(Boot::Pvh).virtio(network);
    let mut session = Session::boot(&shape).unwrap();
    let table = session.run("tpm status").unwrap().output;
    assert!(table.contains(UNATTESTED), "{table}");
    let json = session.run("tpm status | json").unwrap().output;
    let report = Report::parse(&json).unwrap();
    assert_eq!(report.fields("tpm").unwrap()["state"], UNATTESTED);
    let web = status_by_http(&mut session, &shape).unwrap();
    let text = format!("\"state\":\"{UNATTESTED}\"");
    assert!(
        web.starts_with("HTTP/1.1 200 ") && web.contains(&text),
        "{web}"
    );
    drop(session);
    for (setting, interface) in [("tpm=off", Some(TpmInterface::Tis)), ("log=info", None)] {
        let state = Scratch::new().unwrap();
        let mut shape = Shape::new(Boot::Pvh).setting(setting);
        if let Some(interface) = interface {
            shape = shape.tpm(interface, state.path());
        }
        let mut session = report::boot(&shape).unwrap();
        let report = Report::ask(&mut session, "tpm status").unwrap();
        assert_eq!(
            report.fields("tpm").unwrap()["state"],
            UNATTESTED,
            "{setting}"
        );
        let answer = session.run("tpm quote 00").unwrap();
        assert!(
            !answer.ok && answer.output.contains("TPM"),
            "{}",
            answer.output
        );
    }
}
