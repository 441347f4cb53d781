//! Devices that go, come back, or were never there: the shell works on and says what happened.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::ensure;
use rayos_tests::lab::guest::Guest;
use rayos_tests::lab::{GUEST, HOST, Lab, host};
use rayos_tests::poll;
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

/// Waits until the log says this of a device.
fn expect_log(guest: &mut Guest, what: &str, texts: &[&str]) {
    let mut log = String::new();
    let said = poll::until(what, NOTICED_WITHIN, || {
        log = guest.attempt("log")?.1;
        Ok(texts.iter().all(|text| log.contains(text)).then_some(()))
    });
    if let Err(error) = said {
        panic!("{error}; the log: {log}");
    }
}

/// How many functions `device list` shows.
fn device_count(guest: &mut Guest) -> anyhow::Result<usize> {
    let report = guest.ask("device list")?;
    Ok(report.column("devices", "address")?.len())
}

#[test]
fn a_network_device_that_is_unplugged_works_again_when_it_is_back() {
    let lab = Lab::new().unwrap();
    let device = lab.network_device();
    let mut guest = Guest::boot(&lab.shape_with(device.clone())).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let before = device_count(&mut guest).unwrap();

    qmp(&mut guest).unplug("net0", soon()).unwrap();
    expect_log(&mut guest, "a word of the unplugged device", &["eth0"]);
    assert_eq!(device_count(&mut guest).unwrap(), before - 1);
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
    expect_log(&mut guest, "a word of the lost link", &["link", "down"]);
    qmp(&mut guest).set_link("net0", true, soon()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    expect_log(&mut guest, "a word of the link", &["link", "up"]);
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

fn unplug_and_replug(device: &Device) -> anyhow::Result<()> {
    let shape = Shape::new(Boot::Pvh).virtio(device.clone());
    let mut guest = Guest::boot_plain(&shape)?;
    let before = device_count(&mut guest)?;
    qmp(&mut guest).unplug(&device.name, soon())?;
    poll::until("one device less", NOTICED_WITHIN, || {
        Ok((device_count(&mut guest)? == before - 1).then_some(()))
    })?;
    guest.is_well()?;
    qmp(&mut guest).plug(device, Platform::Q35, soon())?;
    poll::until("the device again", NOTICED_WITHIN, || {
        Ok((device_count(&mut guest)? == before).then_some(()))
    })?;
    guest.is_well()
}

#[test]
fn every_other_device_can_go_and_come_back() {
    let scratch = Scratch::new().unwrap();
    let disk = scratch.path().join("disk.img");
    std::fs::write(&disk, vec![0; 1 << 20]).unwrap();
    for device in others(&disk) {
        unplug_and_replug(&device).unwrap_or_else(|error| panic!("{}: {error:#}", device.name));
    }
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
