//! Disks, entropy, a console, a keyboard and a display of virtio, as the host sees them.
//!
//! What was seen stays under `target/xtask/screens`.

use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rayos_tests::lab::guest::Guest;
use rayos_tests::{poll, screen};
use xtask::qemu::devices::{Device, Role};
use xtask::qemu::{Boot, Display, Shape};
use xtask::workspace::Scratch;

const SECTOR: u64 = 512;
const DISK_BYTES: u64 = 4 << 20;
const SEEN_WITHIN: Duration = Duration::from_secs(60);

fn disk_in(scratch: &Scratch) -> anyhow::Result<PathBuf> {
    let path = scratch.path().join("disk.img");
    std::fs::File::create(&path)?.set_len(DISK_BYTES)?;
    Ok(path)
}

fn shape() -> Shape {
    Shape::new(Boot::Pvh).display(Display::Absent)
}

fn sector_of(path: &Path, sector: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; SECTOR as usize];
    std::fs::File::open(path)?.read_exact_at(&mut bytes, sector * SECTOR)?;
    Ok(bytes)
}

#[test]
fn sectors_are_the_same_on_both_sides_and_a_flush_outlives_a_killed_machine() {
    let scratch = Scratch::new().unwrap();
    let path = disk_in(&scratch).unwrap();
    let noise: Vec<u8> = (0..8 * SECTOR)
        .map(|index| (index * 131 % 251) as u8)
        .collect();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&noise, 100 * SECTOR).unwrap();

    let device = Device::new("disk0", Role::Disk(path.clone()));
    let mut guest = Guest::boot_plain(&shape().virtio(device)).unwrap();
    let report = guest.ask("disk read disk0 100 8").unwrap();
    let rows = report.column("bytes", "bytes").unwrap();
    let read: Vec<u8> = rows
        .iter()
        .flat_map(|row| row.as_str().unwrap_or_default().split(' '))
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert!(read == noise, "the kernel reads something else");

    guest.ask("disk write disk0 7 'seen by the host'").unwrap();
    guest.ask("disk zero disk0 100 1").unwrap();
    guest.ask("disk flush disk0").unwrap();
    let (ok, said) = guest.attempt("disk read disk0 8192").unwrap();
    assert!(!ok && said.contains("is not on the disk"), "{said}");
    guest.is_well().unwrap();
    // Dropping the session kills QEMU.
    drop(guest);
    assert_eq!(&sector_of(&path, 7).unwrap()[..17], b"seen by the host\0");
    assert_eq!(sector_of(&path, 100).unwrap(), [0; SECTOR as usize]);
    assert_eq!(sector_of(&path, 101).unwrap(), noise[512..1024]);
}

#[test]
fn random_bytes_come_from_a_device_where_there_is_one() {
    let entropy = |guest: &mut Guest| -> anyhow::Result<String> {
        let report = guest.ask("status")?;
        let value = report.fields("system")?.get("entropy");
        Ok(value
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_string())
    };
    let mut guest = Guest::boot_plain(&shape()).unwrap();
    assert!(!entropy(&mut guest).unwrap().contains("device"));
    drop(guest);
    let device = Device::new("entropy0", Role::Entropy);
    let mut guest = Guest::boot_plain(&shape().virtio(device)).unwrap();
    assert!(entropy(&mut guest).unwrap().contains("device"));
    guest.is_well().unwrap();
}

#[test]
fn a_virtio_console_has_a_shell_and_every_line_of_it_is_audited() {
    let device = Device::new("console0", Role::Console);
    let mut guest = Guest::boot_plain(&shape().virtio(device)).unwrap();
    let machine = guest.session.machine().unwrap();
    let mut line = UnixStream::connect(machine.scratch().join("console0")).unwrap();
    line.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    line.write_all(b"echo on the other console\r").unwrap();
    let mut heard = String::new();
    poll::until("the console's answer", SEEN_WITHIN, || {
        let mut bytes = [0; 4096];
        if let Ok(count) = line.read(&mut bytes) {
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        Ok(heard.contains("\non the other console\r\n").then_some(()))
    })
    .unwrap();
    let (_, audit) = guest.attempt("device audit").unwrap();
    assert!(audit.contains("echo on the other console"), "{audit}");
    guest.is_well().unwrap();
}

fn see(guest: &mut Guest, wanted: &[&str], name: &str) -> anyhow::Result<String> {
    let machine = guest.session.machine().context("no machine")?;
    screen::wait_for_text(machine, wanted, name, SEEN_WITHIN)
}

#[test]
fn a_virtual_display_shows_a_panel_and_a_shell_that_its_keyboard_types_into() {
    let shape = shape()
        .virtio(Device::new("gpu0", Role::Display))
        .virtio(Device::new("keyboard0", Role::Keyboard));
    let mut guest = Guest::boot_plain(&shape).unwrap();
    see(
        &mut guest,
        &["machine", "uptime", "memory", "no port", "rayos>"],
        "gpu-panel",
    )
    .unwrap();
    let machine = guest.session.machine().unwrap();
    screen::type_line(machine, "echo typed on the virtual keyboard").unwrap();
    see(
        &mut guest,
        &["\ntyped on the virtual keyboard\n"],
        "gpu-shell",
    )
    .unwrap();
    // What runs here is told on the other side, too.
    let (_, audit) = guest.attempt("device audit").unwrap();
    assert!(
        audit.contains("echo typed on the virtual keyboard"),
        "{audit}"
    );
    let report = guest.ask("display").unwrap();
    assert!(report.number("display", "rectangles_shown").unwrap() > 2);
    guest.is_well().unwrap();
}
