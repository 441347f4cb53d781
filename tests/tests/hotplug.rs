//! Devices that go, come back, or were never there: the shell works on and says what happened.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::form;
use rayos_tests::lab::guest::Guest;
use rayos_tests::lab::{GUEST, HOST, Lab, host};
use rayos_tests::poll;
use serde_json::Value;
use xtask::deadline::Deadline;
use xtask::qemu::devices::{Device, Role};
use xtask::qemu::{Boot, Platform, Qmp, Shape};
use xtask::workspace::Scratch;

const ADDRESS: IpAddr = IpAddr::V4(GUEST);
/// The button of a slot blinks for five seconds before the power goes.
const UNPLUGGED_WITHIN: Duration = Duration::from_secs(60);
const NOTICED_WITHIN: Duration = Duration::from_secs(60);

fn qmp(guest: &mut Guest) -> &mut Qmp {
    guest.session.machine().expect("a machine").qmp()
}

fn soon() -> Deadline {
    Deadline::after(UNPLUGGED_WITHIN)
}

/// How many functions of `device list` are there.
fn device_count(guest: &mut Guest) -> anyhow::Result<usize> {
    let report = guest.ask("device list")?;
    let states = report.column("devices", "state")?;
    Ok(states.iter().filter(|state| **state != "gone").count())
}

/// Waits until so many functions are there.
fn expect_devices(guest: &mut Guest, count: usize) -> anyhow::Result<()> {
    poll::until(&format!("{count} devices"), NOTICED_WITHIN, || {
        Ok((device_count(guest)? == count).then_some(()))
    })
}

/// What is gone is still listed, with the reason.
fn says_what_is_gone(guest: &mut Guest) -> anyhow::Result<()> {
    let report = guest.ask("device list")?;
    let states = report.column("devices", "state")?;
    let reasons = report.column("devices", "reason")?;
    let mut gone = states
        .iter()
        .zip(reasons)
        .filter(|(state, _)| **state == "gone");
    ensure!(
        gone.any(|(_, reason)| reason.as_str().is_some_and(|text| !text.is_empty())),
        "no device is shown as gone with a reason"
    );
    Ok(())
}

#[test]
fn a_network_device_that_is_unplugged_works_again_when_it_is_back() {
    let lab = Lab::new().unwrap();
    let device = lab.network_device();
    let mut guest = Guest::boot(&lab.shape_with(device.clone())).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let before = device_count(&mut guest).unwrap();

    qmp(&mut guest).unplug("net0", soon()).unwrap();
    expect_devices(&mut guest, before - 1).unwrap();
    says_what_is_gone(&mut guest).unwrap();
    let (ok, said) = guest.attempt(&format!("net ping {HOST}")).unwrap();
    assert!(!ok, "{said}");

    qmp(&mut guest)
        .plug(&device, Platform::Q35, soon())
        .unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    host::echo(&lab, ADDRESS, b"back again").unwrap();
    guest.is_well().unwrap();
}

#[test]
fn a_device_can_go_and_come_back_many_times() {
    let lab = Lab::new().unwrap();
    let device = lab.network_device();
    let mut guest = Guest::boot(&lab.shape_with(device.clone())).unwrap();
    for _ in 0..3 {
        guest.expect_reachable(&lab, ADDRESS).unwrap();
        qmp(&mut guest).unplug("net0", soon()).unwrap();
        qmp(&mut guest)
            .plug(&device, Platform::Q35, soon())
            .unwrap();
    }
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    guest.is_well().unwrap();
}

#[test]
fn a_device_that_is_unplugged_in_a_transfer_leaves_a_working_shell() {
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let stream = host::connect(&lab, ADDRESS, 19).unwrap();
    let reader = std::thread::spawn(move || {
        let mut stream = stream;
        // Ends with the silence or with the machine, whichever is first.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let mut buffer = [0; 65536];
        let mut bytes = 0;
        while let Ok(count @ 1..) = std::io::Read::read(&mut stream, &mut buffer) {
            bytes += count;
        }
        bytes
    });
    poll::until("bytes of the transfer", NOTICED_WITHIN, || {
        let sent = guest.service("chargen", "sent_bytes")?.as_u64();
        Ok((sent > Some(100_000)).then_some(()))
    })
    .unwrap();
    qmp(&mut guest).unplug("net0", soon()).unwrap();
    assert!(reader.join().unwrap() > 0);
    guest.is_well().unwrap();
}

#[test]
fn a_cable_that_is_pulled_is_noticed_and_so_is_its_return() {
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    qmp(&mut guest).set_link("net0", false, soon()).unwrap();
    poll::until("a ping that fails", NOTICED_WITHIN, || {
        let (is_answered, said) = guest.attempt(&format!("net ping {HOST}"))?;
        Ok((!is_answered).then_some(said))
    })
    .unwrap();
    qmp(&mut guest).set_link("net0", true, soon()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    guest.ask(&format!("net ping {HOST}")).unwrap();
    guest.is_well().unwrap();
}

/// The bus address of the driven device with this driver.
fn address_of(guest: &mut Guest, driver: &str) -> anyhow::Result<String> {
    let report = guest.ask("device list")?;
    let drivers = report.column("devices", "driver")?;
    let row = drivers.iter().position(|name| **name == driver);
    let row = row.with_context(|| format!("nothing is driven by {driver}"))?;
    let addresses = report.column("devices", "address")?;
    Ok(addresses[row].as_str().unwrap_or_default().to_string())
}

fn free_memory(guest: &mut Guest) -> anyhow::Result<u64> {
    guest.ask("mem")?.number("memory", "free_bytes")
}

#[test]
fn a_card_that_is_reset_or_unplugged_again_and_again_costs_no_memory() {
    let lab = Lab::new().unwrap();
    let device = lab.network_device();
    let mut guest = Guest::boot(&lab.shape_with(device.clone())).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let card = address_of(&mut guest, "virtio-net").unwrap();
    let mut stream = host::connect(&lab, ADDRESS, 7).unwrap();
    let mut free = None;
    let rounds = if form::is_long() { 20 } else { 3 };
    for round in 0..rounds {
        // Frames that wait for a neighbour who does not exist are with the stack meanwhile.
        let (is_answered, _) = guest.attempt("net ping 10.77.0.200 1").unwrap();
        assert!(!is_answered);
        if round % 5 == 2 {
            qmp(&mut guest).unplug("net0", soon()).unwrap();
            qmp(&mut guest)
                .plug(&device, Platform::Q35, soon())
                .unwrap();
        } else {
            guest.ask(&format!("device reset {card}")).unwrap();
        }
        guest.expect_reachable(&lab, ADDRESS).unwrap();
        host::echo(&lab, ADDRESS, b"after a reset").unwrap();
        // Connections outlive the card.
        let mut heard = [0; 5];
        stream.write_all(b"still").unwrap();
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"still");
        let now = free_memory(&mut guest).unwrap();
        // The first reset pays for what is made once.
        let first = *free.get_or_insert(now);
        assert!(
            now >= first,
            "round {round}: {first} bytes were free, now {now}"
        );
    }
    guest.is_well().unwrap();
}

/// Every device but the network's, which has tests of its own.
fn others(disk: &std::path::Path) -> Vec<Device> {
    vec![
        Device::new("disk0", Role::Disk(disk.to_path_buf())),
        Device::new("gpu0", Role::Display),
        Device::new("keyboard0", Role::Keyboard),
        Device::new("console0", Role::Console),
        Device::new("entropy0", Role::Entropy),
    ]
}

/// Resets the one virtio device of the machine and waits until it is driven again.
fn resets(guest: &mut Guest) -> anyhow::Result<()> {
    let report = guest.ask("device list")?;
    let drivers = report.column("devices", "driver")?;
    let is_virtio = |driver: &&&Value| {
        let name = driver.as_str();
        name.is_some_and(|name| name.starts_with("virtio"))
    };
    let driver = drivers.iter().find(is_virtio);
    let driver = driver.and_then(|driver| driver.as_str());
    let driver = driver.context("no virtio device is driven")?.to_string();
    let address = address_of(guest, &driver)?;
    guest.ask(&format!("device reset {address}"))?;
    poll::until("the device that was reset", NOTICED_WITHIN, || {
        let report = guest.ask("device list")?;
        let addresses = report.column("devices", "address")?;
        let states = report.column("devices", "state")?;
        let reasons = report.column("devices", "reason")?;
        let row = addresses.iter().position(|known| **known == address);
        let row = row.context("the device is not listed any more")?;
        let is_told = reasons[row].as_str().is_some_and(|it| it.contains("reset"));
        Ok((is_told && *states[row] == "driven").then_some(()))
    })
}

fn unplug_and_replug(device: &Device) -> anyhow::Result<()> {
    let shape = Shape::new(Boot::Pvh).virtio(device.clone());
    let mut guest = Guest::boot_plain(&shape)?;
    let before = device_count(&mut guest)?;
    resets(&mut guest)?;
    qmp(&mut guest).unplug(&device.name, soon())?;
    expect_devices(&mut guest, before - 1)?;
    says_what_is_gone(&mut guest)?;
    guest.is_well()?;
    qmp(&mut guest).plug(device, Platform::Q35, soon())?;
    expect_devices(&mut guest, before)?;
    guest.is_well()
}

#[test]
fn every_other_device_can_go_and_come_back() {
    let scratch = Scratch::new().unwrap();
    let disk = scratch.path().join("disk.img");
    std::fs::write(&disk, vec![0; 1 << 20]).unwrap();
    for device in others(&disk) {
        if device.role == Role::Display {
            // QEMU itself refuses: "does not support hotplugging".
            continue;
        }
        unplug_and_replug(&device).unwrap_or_else(|error| panic!("{}: {error:#}", device.name));
    }
}

/// How many places of files are in use.
fn files_in_use(guest: &mut Guest) -> anyhow::Result<u64> {
    let report = guest.ask("limits | where name=FILE_WORKS_MAX")?;
    let used = report.column("limits", "used")?;
    used.first()
        .and_then(|used| used.as_u64())
        .context("no such limit")
}

#[test]
fn files_are_there_again_when_their_disk_is_back() {
    let scratch = Scratch::new().unwrap();
    let image = scratch.path().join("disk.img");
    std::fs::write(&image, vec![0; 24 << 20]).unwrap();
    let device = Device::new("disk0", Role::Disk(image));
    let shape = Shape::new(Boot::Pvh).virtio(device.clone());
    let mut guest = Guest::boot_plain(&shape).unwrap();
    guest.lay_out().unwrap();
    guest.ask("put kept.txt from before").unwrap();
    for round in 0..3 {
        qmp(&mut guest).unplug("disk0", soon()).unwrap();
        poll::until("a disk that is gone", NOTICED_WITHIN, || {
            let (is_ok, said) = guest.attempt("put new.txt x")?;
            Ok((!is_ok && said.contains("no disk of this machine")).then_some(()))
        })
        .unwrap();
        assert_eq!(files_in_use(&mut guest).unwrap(), 0, "round {round}");
        qmp(&mut guest)
            .plug(&device, Platform::Q35, soon())
            .unwrap();
        guest.expect_files().unwrap();
        let (is_ok, said) = guest.attempt("cat kept.txt").unwrap();
        assert!(is_ok && said.contains("from before"), "{said}");
        guest.ask("put new.txt x").unwrap();
    }
    guest.is_well().unwrap();
}

fn boots_without(missing: &str, devices: &[Device]) -> anyhow::Result<()> {
    let mut shape = Shape::new(Boot::Pvh);
    shape.virtio.extend(
        devices
            .iter()
            .filter(|device| device.name != missing)
            .cloned(),
    );
    let mut guest = Guest::boot_plain(&shape)?;
    ensure!(
        device_count(&mut guest)? >= devices.len() - 1,
        "devices are missing"
    );
    guest.is_well()
}

#[test]
fn a_device_that_was_never_there_stops_nothing() {
    let scratch = Scratch::new().unwrap();
    let disk = scratch.path().join("disk.img");
    std::fs::write(&disk, vec![0; 1 << 20]).unwrap();
    let devices = others(&disk);
    for device in &devices {
        boots_without(&device.name, &devices)
            .unwrap_or_else(|error| panic!("without {}: {error:#}", device.name));
    }
}

#[test]
fn without_a_network_the_commands_say_so() {
    let mut guest = Guest::boot(&Shape::new(Boot::Pvh)).unwrap();
    let (ok, said) = guest.attempt(&format!("net ping {HOST}")).unwrap();
    assert!(!ok, "{said}");
    guest.is_well().unwrap();
}
