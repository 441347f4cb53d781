//! What was done before QEMU was killed is known after the next start.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::lab::guest::Guest;
use rayos_tests::poll;
use xtask::deadline::Deadline;
use xtask::qemu::devices::{Device, Role};
use xtask::qemu::{Boot, Display, Platform, Shape};
use xtask::workspace::Scratch;

const WITHIN: Duration = Duration::from_secs(60);
const BOOTS: u64 = 3;

fn disk(image: &Path) -> Device {
    Device::new("disk0", Role::Disk(image.to_path_buf()))
}

fn boot(image: &Path) -> anyhow::Result<Guest> {
    let shape = Shape::new(Boot::Pvh)
        .display(Display::Absent)
        .virtio(disk(image));
    Guest::boot_plain(&shape)
}

fn lay_out(guest: &mut Guest) -> anyhow::Result<()> {
    let command = "storage format disk0";
    let code = poll::until("a disk that was looked at", WITHIN, || {
        let (is_ok, said) = guest.attempt(command)?;
        let code = said.split(&format!("{command} ")).nth(1);
        let code = code.and_then(|code| Some(code.get(..8)?.to_string()));
        Ok(code.filter(|_| is_ok))
    })?;
    guest.ask(&format!("{command} {code}"))?;
    Ok(())
}

/// All that was appended to the audit log is safe.
fn is_kept(guest: &mut Guest) -> anyhow::Result<()> {
    poll::until("a trail that is safe", WITHIN, || {
        let report = guest.ask("storage logs")?;
        let (Ok(next), Ok(safe)) = (report.column("logs", "next"), report.column("logs", "safe"))
        else {
            return Ok(None);
        };
        let of_audit = |cells: &[&serde_json::Value]| cells.get(1).and_then(|cell| cell.as_u64());
        // Of the command itself there may be entries that are not.
        let numbers = of_audit(&next).zip(of_audit(&safe));
        let is_safe = numbers.is_some_and(|(next, safe)| safe > 2 && safe + 4 >= next);
        Ok(is_safe.then_some(()))
    })
}

#[test]
fn the_trail_goes_on_over_kills_and_holds_from_boot_to_boot() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let image = scratch.path().join("disk.img");
    File::create(&image)?.set_len(24 << 20)?;
    let mut guest = boot(&image)?;
    lay_out(&mut guest)?;
    for number in 1..=BOOTS {
        is_kept(&mut guest)?;
        guest.ask(&format!("device quota set 2 network-out {number}MB"))?;
        guest.ask("echo between")?;
        is_kept(&mut guest)?;
        // As by a power cut: QEMU is killed where it stands.
        drop(guest);
        guest = boot(&image)?;
        is_kept(&mut guest)?;
        let (is_ok, said) = guest.attempt("audit earlier 200")?;
        let wanted = format!("to {number}000000 bytes a second");
        ensure!(is_ok && said.contains(&wanted), "{said}");
        let (is_ok, said) = guest.attempt("audit verify")?;
        ensure!(is_ok && said.contains("kept on disk"), "{said}");
        let (is_ok, said) = guest.attempt("log-previous")?;
        ensure!(is_ok && said.contains("boot"), "{said}");
        guest.is_well()?;
    }
    Ok(())
}

#[test]
fn a_disk_that_is_unplugged_and_plugged_goes_on_where_it_was() -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let image = scratch.path().join("disk.img");
    File::create(&image)?.set_len(24 << 20)?;
    let mut guest = boot(&image)?;
    lay_out(&mut guest)?;
    guest.ask("storage create box object 1MB")?;
    guest.ask("storage put box key something")?;
    for number in 1..=2 {
        guest.ask(&format!("device quota set 2 network-out {number}MB"))?;
        is_kept(&mut guest)?;
        let machine = guest.session.machine().context("a machine")?;
        machine.qmp().unplug("disk0", Deadline::after(WITHIN))?;
        poll::until("a disk that is gone", WITHIN, || {
            let (_, said) = guest.attempt("storage logs")?;
            Ok(said.contains("no disk is in use").then_some(()))
        })?;
        guest.ask("echo without a disk")?;
        let machine = guest.session.machine().context("a machine")?;
        let deadline = Deadline::after(WITHIN);
        machine.qmp().plug(&disk(&image), Platform::Q35, deadline)?;
        poll::until("a disk that is in use again", WITHIN, || {
            let (is_ok, said) = guest.attempt("storage get box key")?;
            Ok((is_ok && said.contains("something")).then_some(()))
        })?;
        is_kept(&mut guest)?;
    }
    let (is_ok, said) = guest.attempt("audit verify")?;
    ensure!(is_ok && said.contains("kept on disk"), "{said}");
    drop(guest);
    let mut guest = boot(&image)?;
    let (is_ok, said) = guest.attempt("audit earlier 256")?;
    ensure!(is_ok, "{said}");
    for wanted in ["to 1000000 bytes", "to 2000000 bytes"] {
        ensure!(said.matches(wanted).count() == 1, "{wanted}: {said}");
    }
    guest.is_well()
}
