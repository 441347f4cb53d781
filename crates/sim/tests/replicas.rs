//! A pool over two disks: each alone holds what was acknowledged while it was whole.

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use rayos_sim::{DiskFaults, DiskSettings, Settings, SimDisk, World};
use std::collections::BTreeMap;

const MEBIBYTES: u64 = 24;
/// Where the pool begins on disks of that size.
const POOL_FIRST: usize = 18_432;
const KEYS: u64 = 6;

struct Desk(World);

impl Desk {
    /// Two disks, the second a member of the pool of the first.
    fn new(seed: u64) -> Self {
        let mut desk = Self(World::single(Settings {
            command_line: "shell=framed".to_string(),
            disks: vec![DiskSettings::ssd(MEBIBYTES), DiskSettings::ssd(MEBIBYTES)],
            seed,
            ..Settings::default()
        }));
        desk.rest();
        desk.format("disk0");
        desk.good("storage create bag object 4M");
        desk.good("storage put bag first \"of one disk\"");
        desk.format("disk1");
        desk.good("storage join disk1");
        desk.until("ready");
        desk
    }

    fn format(&mut self, disk: &str) {
        self.0.lay_out(0, disk);
        self.rest();
    }

    fn rest(&mut self) {
        self.0.run_for(Duration::from_secs(1));
        self.0.serial(0).take_arrived();
    }

    fn good(&mut self, line: &str) -> String {
        self.0.answer_of(0, line)
    }

    fn pool_state(&mut self) -> String {
        let status = self.good("storage status");
        let pool = status.split("pool:\n").nth(1).unwrap_or_default();
        let state = pool.lines().find_map(|line| line.strip_prefix("state "));
        state.unwrap_or("absent").trim().to_string()
    }

    fn until(&mut self, state: &str) {
        let mut last = String::new();
        for _ in 0..60 {
            last = self.pool_state();
            if last == state {
                return;
            }
            self.rest();
        }
        let status = self.good("storage status");
        panic!("the pool is {last}, not {state}: {status}");
    }

    /// The power goes; the disks that are there when it is back are these.
    fn boot_with(&mut self, disks: impl FnOnce(Vec<SimDisk>) -> Vec<SimDisk>) {
        self.0.crash(0);
        let own = &mut self.0.machine(0).disks;
        let all = std::mem::take(own);
        *own = disks(all);
        self.0.run_for(Duration::from_secs(1));
        self.0.restart(0);
        self.rest();
    }

    fn get(&mut self, key: &str) -> Option<String> {
        let answer = self.0.ask(0, &format!("storage get bag {key}"));
        answer.has_succeeded.then_some(answer.text)
    }

    /// Every key has the value that it is to have, or the one that was perhaps put.
    fn check(&mut self, truth: &BTreeMap<String, String>, running: Option<&(String, String)>) {
        for (key, value) in truth {
            let found = self.get(key).unwrap_or_else(|| panic!("{key} is lost"));
            let maybe = running.filter(|(other, _)| other == key);
            let fits = found.contains(value.as_str())
                || maybe.is_some_and(|(_, value)| found.contains(value.as_str()));
            assert!(fits, "{key} is {found}, not {value} or {maybe:?}");
        }
    }
}

/// Puts values until the time is over; the one that was not answered may be there or not.
fn live(
    desk: &mut Desk,
    prng: &mut Prng,
    truth: &mut BTreeMap<String, String>,
    acts: u64,
) -> Option<(String, String)> {
    for act in 0..acts {
        let key = format!("k{}", prng.below(KEYS));
        let value = format!("value-{}", prng.next_u64());
        let line = format!("storage put bag {key} {value}");
        if act + 1 == acts {
            let within = Duration::from_micros(prng.below(3000));
            return match desk.0.try_ask(0, &line, within) {
                Some(answer) if answer.has_succeeded => {
                    truth.insert(key, value);
                    None
                }
                _ => Some((key, value)),
            };
        }
        desk.good(&line);
        truth.insert(key, value);
    }
    None
}

#[test]
fn each_disk_alone_holds_what_was_acknowledged_while_both_were_whole() {
    for seed in 1..=12 {
        let (mut desk, mut prng) = (Desk::new(seed), Prng::new(seed));
        let mut truth = BTreeMap::from([("first".to_string(), "of one disk".to_string())]);
        let acts = 2 + prng.below(12);
        let running = live(&mut desk, &mut prng, &mut truth, acts);
        let alone = (seed % 2) as usize;
        let mut other = None;
        desk.boot_with(|mut disks| {
            other = Some(disks.remove(1 - alone));
            disks
        });
        // The other one was whole when it was last seen: nobody knows who is further.
        desk.until("waits");
        assert!(!desk.0.ask(0, "storage get bag first").has_succeeded);
        desk.good("storage degraded");
        desk.until("degraded");
        desk.check(&truth, running.as_ref());
        if let Some((key, value)) = running {
            let found = desk.get(&key).unwrap_or_default();
            if found.contains(&value) {
                truth.insert(key, value);
            }
        }
        let more = live(&mut desk, &mut prng, &mut truth, 4);
        // This one is the newest now, and knows it: it starts by itself.
        desk.boot_with(|disks| disks);
        desk.until("degraded");
        desk.check(&truth, more.as_ref());
        if let Some((key, value)) = more
            && desk.get(&key).unwrap_or_default().contains(&value)
        {
            truth.insert(key, value);
        }
        // The other one is back, and is filled, whichever comes first now.
        desk.boot_with(|mut disks| {
            disks.extend(other.take());
            if seed % 3 == 0 {
                disks.reverse();
            }
            disks
        });
        desk.until("ready");
        desk.check(&truth, None);
        // And now it holds all that the first one holds.
        let keeps = if seed % 3 == 0 { 0 } else { 1 };
        desk.boot_with(|mut disks| vec![disks.remove(keeps)]);
        desk.until("waits");
        desk.good("storage degraded");
        desk.until("degraded");
        desk.check(&truth, None);
    }
}

#[test]
fn disks_that_each_went_on_alone_are_never_mixed() {
    let mut desk = Desk::new(5);
    let mut others = Vec::new();
    desk.boot_with(|mut disks| {
        others.extend(disks.pop());
        disks
    });
    desk.good("storage degraded");
    desk.until("degraded");
    desk.good("storage put bag first \"of disk0\"");
    desk.boot_with(|mut disks| {
        others.append(&mut disks);
        vec![others.remove(0)]
    });
    desk.until("waits");
    desk.good("storage degraded");
    desk.until("degraded");
    desk.good("storage put bag first \"of disk1\"");
    desk.boot_with(|mut disks| {
        disks.append(&mut others);
        disks
    });
    desk.until("waits");
    let status = desk.good("storage status");
    assert!(
        status.contains("each went on without the other"),
        "{status}"
    );
    assert!(!desk.0.ask(0, "storage degraded").has_succeeded);
}

#[test]
fn a_disk_that_is_unplugged_and_plugged_again_is_filled() {
    let mut desk = Desk::new(8);
    let disk = desk.0.machine(0).disks.pop().expect("there are two");
    desk.0.wake(0);
    desk.good("storage put bag while-away \"written to one\"");
    desk.until("degraded");
    assert!(desk.good("storage volumes").contains("degraded"));
    desk.0.machine(0).disks.push(disk);
    desk.0.wake(0);
    desk.until("ready");
    assert!(desk.good("storage volumes").contains("available"));
    desk.boot_with(|mut disks| vec![disks.remove(1)]);
    desk.good("storage degraded");
    desk.until("degraded");
    let found = desk.get("while-away").expect("it was filled");
    assert!(found.contains("written to one"), "{found}");
}

#[test]
fn a_disk_that_dies_costs_nothing_that_was_acknowledged() {
    for seed in 1..=8 {
        let (mut desk, mut prng) = (Desk::new(seed + 40), Prng::new(seed));
        let mut truth = BTreeMap::new();
        live(&mut desk, &mut prng, &mut truth, 4);
        let dies = (seed % 2) as usize;
        let faults = DiskFaults {
            dying_after: 20 + prng.below(60),
            ..DiskFaults::default()
        };
        desk.0.machine(0).disks[dies].set_faults(faults);
        for _ in 0..12 {
            let (key, value) = (format!("k{}", prng.below(KEYS)), prng.next_u64());
            if desk
                .0
                .ask(0, &format!("storage put bag {key} value-{value}"))
                .has_succeeded
            {
                truth.insert(key, format!("value-{value}"));
            } else {
                truth.remove(&key);
            }
        }
        desk.boot_with(|mut disks| {
            disks[dies].set_faults(DiskFaults::default());
            vec![disks.remove(1 - dies)]
        });
        if desk.pool_state() == "waits" {
            desk.good("storage degraded");
        }
        desk.until("degraded");
        desk.check(&truth, None);
    }
}

#[test]
fn what_rots_on_one_disk_is_read_right_and_mended_by_a_scrub() {
    let mut desk = Desk::new(3);
    for key in 0..8 {
        desk.good(&format!("storage put bag k{key} value-{key}"));
    }
    desk.rest();
    for rotten in [0, 1] {
        desk.until("ready");
        // Everything of the pool but its header.
        let sectors = desk.0.machine(0).disks[rotten].sectors_mut().len() / 512;
        for sector in POOL_FIRST + 8..sectors - 2048 {
            let is_used = |bytes: &[u8]| bytes.iter().any(|byte| *byte != 0);
            let machine = desk.0.machine(0);
            let at = sector * 512;
            if is_used(&machine.disks[rotten].sectors_mut()[at..at + 512]) {
                machine.disks[rotten].tamper(sector as u64, |bytes| bytes[9] ^= 1);
            }
        }
        desk.boot_with(|disks| disks);
        desk.until("ready");
        for key in 0..8 {
            let found = desk.get(&format!("k{key}")).expect("the other disk has it");
            assert!(found.contains(&format!("value-{key}")), "{found}");
        }
        desk.good("storage scrub");
        desk.0.run_for(Duration::from_secs(20));
        let status = desk.good("storage status");
        assert!(status.contains("ended"), "{status}");
        desk.until("ready");
    }
    // The second was rotten last, and is whole by itself now.
    desk.boot_with(|mut disks| vec![disks.remove(1)]);
    desk.good("storage degraded");
    desk.until("degraded");
    for key in 0..8 {
        assert!(desk.get(&format!("k{key}")).is_some(), "{key}");
    }
}
