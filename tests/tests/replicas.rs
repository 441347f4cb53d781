//! A pool over two disk images: one rots, one is missing, one is filled again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_tests::lab::guest::Guest;
use rayos_tests::poll;
use xtask::qemu::devices::{Device, Role};
use xtask::qemu::{Boot, Display, Shape};
use xtask::workspace::Scratch;

const MEBIBYTES: u64 = 32;
const WITHIN: Duration = Duration::from_secs(60);
/// Where the pool of a disk of that size begins.
const POOL_FIRST: usize = (1 + 4 + 4) << 20;

fn boot(images: &[&Path]) -> anyhow::Result<Guest> {
    let shape = Shape::new(Boot::Pvh)
        .cores(1)
        .memory_mib(128)
        .display(Display::Absent);
    let shape = images.iter().enumerate().fold(shape, |shape, (at, image)| {
        let role = Role::Disk(image.to_path_buf());
        shape.virtio(Device::new(&format!("disk{at}"), role))
    });
    Guest::boot_plain(&shape)
}

fn wait_for(guest: &mut Guest, state: &str) -> anyhow::Result<()> {
    poll::until(&format!("a pool that is {state}"), WITHIN, || {
        let status = guest.ask("storage status")?;
        let pool = status.fields("pool").ok();
        Ok(pool
            .is_some_and(|pool| pool["state"] == state)
            .then_some(()))
    })
}

fn format(guest: &mut Guest, disk: &str) -> anyhow::Result<()> {
    let command = format!("storage format {disk}");
    let code = poll::until("a disk that was looked at", WITHIN, || {
        let (_, said) = guest.attempt(&command)?;
        let code = said.split(&format!("{command} ")).nth(1);
        Ok(code.and_then(|code| Some(code.get(..8)?.to_string())))
    })?;
    guest.ask(&format!("{command} {code}"))?;
    Ok(())
}

fn scrub(guest: &mut Guest) -> anyhow::Result<u64> {
    guest.ask("storage scrub")?;
    poll::until("the end of the scrub", WITHIN, || {
        let status = guest.ask("storage status")?;
        let what = status.column("scrub", "what")?;
        let states = status.column("scrub", "state")?;
        let at = (0..what.len()).find(|at| *what[*at] == "check" && *states[*at] == "ended");
        let Some(at) = at else { return Ok(None) };
        let lost = status.column("scrub", "lost")?;
        ensure!(*lost[at] == 0, "the scrub has lost {}", lost[at]);
        Ok(status.column("scrub", "repaired")?[at].as_u64())
    })
}

fn expect(guest: &mut Guest, key: &str, value: &str) -> anyhow::Result<()> {
    let (ok, said) = guest.attempt(&format!("storage get bag {key}"))?;
    ensure!(ok && said.contains(value), "{key} is {said}, not {value}");
    Ok(())
}

fn places_of(image: &Path, text: &str) -> anyhow::Result<Vec<usize>> {
    let bytes = fs::read(image)?;
    let pool = &bytes[POOL_FIRST..];
    let windows = pool.windows(text.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == text.as_bytes());
    Ok(found.map(|(at, _)| at + POOL_FIRST).collect())
}

/// Where that text stands, some bytes become others.
fn spoil(image: &Path, text: &str) -> anyhow::Result<usize> {
    let places = places_of(image, text)?;
    let mut bytes = fs::read(image)?;
    for at in &places {
        bytes[*at] ^= 0x20;
    }
    fs::write(image, bytes)?;
    Ok(places.len())
}

fn two_images(scratch: &Scratch) -> anyhow::Result<[PathBuf; 2]> {
    let paths = ["first.img", "second.img"].map(|name| scratch.path().join(name));
    for path in &paths {
        fs::File::create(path)?.set_len(MEBIBYTES << 20)?;
    }
    Ok(paths)
}

#[test]
fn a_pool_over_two_disks_outlives_either() -> anyhow::Result<()> {
    const OLD: &str = "a value that rots";
    const NEW: &str = "a value put while degraded";
    let scratch = Scratch::new()?;
    let [first, second] = two_images(&scratch)?;

    let mut guest = boot(&[&first, &second])?;
    format(&mut guest, "disk0")?;
    wait_for(&mut guest, "ready")?;
    guest.ask("storage create bag object 1M")?;
    guest.ask(&format!("storage put bag old \"{OLD}\""))?;
    format(&mut guest, "disk1")?;
    poll::until("the second disk as a member", WITHIN, || {
        Ok(guest.attempt("storage join disk1")?.0.then_some(()))
    })?;
    wait_for(&mut guest, "ready")?;
    guest.is_well()?;
    drop(guest);

    // What was there before it came is on the second disk as well, and rots there.
    ensure!(spoil(&second, OLD)? > 0, "the second disk was not filled");
    let mut guest = boot(&[&first, &second])?;
    wait_for(&mut guest, "ready").context("with a rotten block")?;
    expect(&mut guest, "old", OLD)?;
    scrub(&mut guest)?;
    ensure!(scrub(&mut guest)? == 0, "the scrub before mended not all");
    guest.is_well()?;
    drop(guest);
    let same = places_of(&first, OLD)?;
    ensure!(
        !same.is_empty() && same == places_of(&second, OLD)?,
        "the disks do not agree"
    );

    let mut guest = boot(&[&first])?;
    wait_for(&mut guest, "waits").context("without the second disk")?;
    ensure!(!guest.attempt("storage get bag old")?.0, "it did not wait");
    guest.ask("storage degraded")?;
    wait_for(&mut guest, "degraded")?;
    guest.ask(&format!("storage put bag new \"{NEW}\""))?;
    guest.is_well()?;
    drop(guest);

    // The first one knows that it is the newest.
    let mut guest = boot(&[&first])?;
    wait_for(&mut guest, "degraded")?;
    drop(guest);

    let mut guest = boot(&[&second, &first])?;
    wait_for(&mut guest, "ready").context("with both again")?;
    expect(&mut guest, "new", NEW)?;
    guest.is_well()?;
    drop(guest);

    let mut guest = boot(&[&second])?;
    wait_for(&mut guest, "waits").context("with the second disk alone")?;
    guest.ask("storage degraded")?;
    wait_for(&mut guest, "degraded")?;
    expect(&mut guest, "old", OLD)?;
    expect(&mut guest, "new", NEW)?;
    guest.is_well()
}
