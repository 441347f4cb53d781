//! The power goes at any moment, and nothing that was acknowledged is lost.
//!
//! QEMU is killed while commands run that change what is on the disk. After the next boot there is what was
//! acknowledged, and of the one command that was running all or nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rayos_kernel::base::prng::Prng;
use rayos_sim::life::{Act, State, VOLUME};
use rayos_tests::cut_state::read;
use rayos_tests::form;
use rayos_tests::lab::guest::Guest;
use rayos_tests::poll;
use xtask::qemu::devices::{Device, Role};
use xtask::qemu::{Boot, Display, Shape};
use xtask::session::Failure;
use xtask::workspace::Scratch;

const MEBIBYTES: u64 = 32;
const WITHIN: Duration = Duration::from_secs(60);
/// The machine lives at most so long behind its boot.
const LIFE_MS_MAX: u64 = 150;
/// Machines that live and die side by side.
const LANES: u64 = 2;
/// Of both lanes together: 200 in the short form.
const CUTS_A_LANE: u64 = 100;
const CUTS_A_LANE_LONG: u64 = 2000;

fn boot(image: &Path) -> anyhow::Result<Guest> {
    let shape = Shape::new(Boot::Pvh)
        .cores(1)
        .memory_mib(128)
        .display(Display::Absent)
        .virtio(Device::new("disk0", Role::Disk(image.to_path_buf())));
    Guest::boot_plain(&shape)
}

/// Until the disk is in use.
fn is_ready(guest: &mut Guest) -> anyhow::Result<()> {
    poll::until("the disk", WITHIN, || {
        let is_there =
            guest.attempt("ls")?.0 && guest.attempt("storage status")?.1.contains("\"ready\"");
        Ok(is_there.then_some(()))
    })
}

/// A disk that was laid out, with a volume for objects.
fn fresh_disk(scratch: &Scratch) -> anyhow::Result<PathBuf> {
    let path = scratch.path().join("disk.img");
    fs::File::create(&path)?.set_len(MEBIBYTES << 20)?;
    let mut guest = boot(&path)?;
    let command = "storage format disk0";
    let code = poll::until("a disk that was looked at", WITHIN, || {
        let (_, said) = guest.attempt(command)?;
        let code = said.split(&format!("{command} ")).nth(1);
        Ok(code.and_then(|code| Some(code.get(..8)?.to_string())))
    })?;
    guest.ask(&format!("{command} {code}"))?;
    is_ready(&mut guest)?;
    guest.ask(&format!("storage create {VOLUME} object 4M"))?;
    Ok(path)
}

/// Runs acts until the time is over, and kills the machine; what was acknowledged, and what may be.
fn live(guest: &mut Guest, state: &mut State, prng: &mut Prng) -> anyhow::Result<Option<Act>> {
    let end = Instant::now() + Duration::from_millis(prng.below(LIFE_MS_MAX));
    loop {
        let act = state.choose(prng);
        let left = end.saturating_duration_since(Instant::now());
        match guest.session.run_within(&act.command(), left) {
            Ok(answer) => {
                ensure!(answer.ok, "{}: {}", act.command(), answer.output);
                state.apply(&act);
            }
            Err(Failure::TimedOut { .. }) => return Ok(Some(act)),
            Err(failure) => bail!("{}: {failure}", act.command()),
        }
    }
}

/// What stands on the disk after a boot is what is expected, the running act done or not done.
fn settle(guest: &mut Guest, state: &mut State, running: Option<&Act>) -> anyhow::Result<()> {
    let seen = read(guest)?;
    if state.is_seen_in(&seen) {
        return Ok(());
    }
    let mut other = state.clone();
    if let Some(act) = running {
        other.apply(act);
    }
    ensure!(
        other.is_seen_in(&seen),
        "expected {}\nor {}\nfound again: {}, status {:?}",
        state.difference(&seen),
        other.difference(&seen),
        state.difference(&read(guest)?),
        guest.ask("status")?,
    );
    *state = other;
    Ok(())
}

/// Everything that is in use can be read, and the trail of all boots holds.
fn is_sound(guest: &mut Guest) -> anyhow::Result<()> {
    let found = guest.ask("storage scrub")?;
    let scrub = found.fields("scrub")?;
    ensure!(
        scrub["state"] == "ended" && scrub["lost"] == 0,
        "the scrub: {scrub:?}"
    );
    ensure!(
        guest
            .ask("storage status")?
            .number("pool", "contradictions")?
            == 0,
        "the map contradicts itself"
    );
    let report = guest.ask("audit verify")?;
    let kept = report.fields("kept on disk")?;
    ensure!(kept["result"] == "the chain holds", "{kept:?}");
    guest.is_well()
}

fn lane(seed: u64, cuts: u64) -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let image = fresh_disk(&scratch)?;
    let mut prng = Prng::new(seed);
    let mut state = State::default();
    let (mut running, mut acknowledged) = (None, 0);
    for cut in 0..=cuts {
        let context = || format!("seed {seed}, after {cut} cuts");
        let mut guest = boot(&image).with_context(context)?;
        is_ready(&mut guest).with_context(context)?;
        settle(&mut guest, &mut state, running.as_ref()).with_context(context)?;
        is_sound(&mut guest).with_context(context)?;
        if cut < cuts {
            running = live(&mut guest, &mut state, &mut prng).with_context(context)?;
            acknowledged = state.acts();
        }
        // Dropping the guest kills QEMU.
    }
    ensure!(
        acknowledged > cuts,
        "only {acknowledged} acts were acknowledged"
    );
    Ok(())
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes_at_any_moment() {
    let cuts = match form::is_long() {
        true => CUTS_A_LANE_LONG,
        false => CUTS_A_LANE,
    };
    std::thread::scope(|scope| {
        let lanes = (1..=LANES).map(|seed| scope.spawn(move || lane(seed, cuts)));
        let lanes: Vec<_> = lanes.collect();
        for lane in lanes {
            lane.join().unwrap().unwrap();
        }
    });
}
