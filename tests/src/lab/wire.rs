//! A wire that loses, doubles, delays, reorders and spoils frames, from a seed.
//!
//! QEMU hands each frame of the machine to a unix socket and takes frames from it; behind another pair of sockets the
//! same QEMU has the tap. Two threads of the test carry frames between them. So the host's own TCP is at the far end.

use std::collections::BinaryHeap;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use rayos_kernel::base::prng::Prng;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};

/// The largest frame that either side makes.
const FRAME_BYTES_MAX: usize = 1 << 16;
/// How long a thread sleeps at most before it looks whether it is to end.
const SLEEP_MAX: Duration = Duration::from_millis(20);
/// A side that takes nothing for so long has lost the frame.
const SEND_WITHIN: Duration = Duration::from_secs(1);

/// What happens to frames, in frames of a thousand; each way alike.
#[derive(Clone, Copy, Debug, Default)]
pub struct Impairments {
    pub seed: u64,
    pub lost: u64,
    pub doubled: u64,
    /// Frames with one bit turned.
    pub spoiled: u64,
    /// Frames that are held back so that later ones overtake them.
    pub held_back: u64,
    pub held_back_for: Duration,
    /// For every frame.
    pub delay: Duration,
}

/// What has happened, both ways together.
#[derive(Debug, Default)]
pub struct Counters {
    pub carried: AtomicU64,
    pub lost: AtomicU64,
    pub doubled: AtomicU64,
    pub spoiled: AtomicU64,
    pub held_back: AtomicU64,
    /// Frames that the other side did not take in time.
    pub refused: AtomicU64,
}

#[derive(Debug)]
pub struct Wire {
    directory: PathBuf,
    pub counters: Arc<Counters>,
    is_over: Arc<AtomicBool>,
    to_guest: UnixDatagram,
    threads: Vec<JoinHandle<()>>,
}

impl Wire {
    pub fn new(directory: &Path, impairments: Impairments) -> anyhow::Result<Wire> {
        let bind = |name: &str| -> anyhow::Result<UnixDatagram> {
            let socket = UnixDatagram::bind(directory.join(name))
                .with_context(|| format!("the wire's socket {name}"))?;
            socket.set_write_timeout(Some(SEND_WITHIN))?;
            Ok(socket)
        };
        let (guest, host) = (bind("wire-guest")?, bind("wire-host")?);
        let counters = Arc::new(Counters::default());
        let is_over = Arc::new(AtomicBool::new(false));
        let to_guest = guest.try_clone()?;
        let ways = [
            (guest.try_clone()?, host.try_clone()?, "host", 1),
            (host, guest, "guest", 2),
        ];
        let threads = ways.map(|(from, by, to, number)| {
            let mut way = Way {
                from,
                by,
                to: directory.join(format!("qemu-{to}")),
                impairments,
                prng: Prng::new(impairments.seed.wrapping_mul(2).wrapping_add(number)),
                held: BinaryHeap::new(),
                count: 0,
                counters: counters.clone(),
            };
            let is_over = is_over.clone();
            std::thread::spawn(move || way.carry(&is_over))
        });
        Ok(Wire {
            directory: directory.to_path_buf(),
            counters,
            is_over,
            to_guest,
            threads: threads.into_iter().collect(),
        })
    }

    /// The machine's device at this end of the wire.
    pub fn network_device(&self) -> Device {
        let backend = Backend::Datagrams {
            local: self.directory.join("qemu-guest"),
            remote: self.directory.join("wire-guest"),
        };
        Device::network("net0", backend, HARDWARE_ADDRESS)
    }

    /// What QEMU is told so that the far end of the wire is on a tap.
    pub fn tap_arguments(&self, tap: &str) -> Vec<String> {
        let socket = |name: &str| self.directory.join(name).display().to_string();
        let end = format!(
            "dgram,id=wire-end,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            socket("qemu-host"),
            socket("wire-host")
        );
        let tap = format!("tap,id=wire-tap,ifname={tap},script=no,downscript=no");
        let hub =
            |number: u32, peer: &str| format!("hubport,id=wire-hub{number},hubid=1,netdev={peer}");
        [tap, end, hub(0, "wire-tap"), hub(1, "wire-end")]
            .into_iter()
            .flat_map(|argument| ["-netdev".to_string(), argument])
            .collect()
    }

    /// Puts a frame onto the wire towards the machine, unimpaired. False when the machine does not take it.
    pub fn inject(&self, frame: &[u8]) -> bool {
        self.to_guest
            .send_to(frame, self.directory.join("qemu-guest"))
            .is_ok()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has carried nothing since; the test has noticed.
            let _ = thread.join();
        }
    }
}

/// A frame on its way. The heap's greatest is the one that is due first.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    due: Instant,
    number: u64,
    frame: Vec<u8>,
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One direction.
struct Way {
    from: UnixDatagram,
    by: UnixDatagram,
    to: PathBuf,
    impairments: Impairments,
    prng: Prng,
    held: BinaryHeap<Held>,
    count: u64,
    counters: Arc<Counters>,
}

impl Way {
    fn carry(&mut self, is_over: &AtomicBool) {
        let mut buffer = vec![0; FRAME_BYTES_MAX];
        while !is_over.load(Ordering::Relaxed) {
            let now = Instant::now();
            while self.held.peek().is_some_and(|held| held.due <= now) {
                if let Some(held) = self.held.pop() {
                    self.deliver(&held.frame);
                }
            }
            let due = self.held.peek().map(|held| held.due.duration_since(now));
            let patience = due.unwrap_or(SLEEP_MAX).min(SLEEP_MAX);
            // Zero would mean for ever.
            let patience = patience.max(Duration::from_micros(50));
            if self.from.set_read_timeout(Some(patience)).is_err() {
                return;
            }
            if let Ok(count) = self.from.recv(&mut buffer) {
                self.on_frame(&mut buffer[..count]);
            }
        }
    }

    fn on_frame(&mut self, frame: &mut [u8]) {
        let impairments = self.impairments;
        if self.happens(impairments.lost) {
            self.counters.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.happens(impairments.spoiled) {
            self.counters.spoiled.fetch_add(1, Ordering::Relaxed);
            let bit = self.prng.below(frame.len() as u64 * 8) as usize;
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        let copies = if self.happens(impairments.doubled) {
            self.counters.doubled.fetch_add(1, Ordering::Relaxed);
            2
        } else {
            1
        };
        for _ in 0..copies {
            let mut delay = impairments.delay;
            if self.happens(impairments.held_back) {
                self.counters.held_back.fetch_add(1, Ordering::Relaxed);
                delay += impairments.held_back_for;
            }
            if delay.is_zero() {
                self.deliver(frame);
                continue;
            }
            self.count += 1;
            self.held.push(Held {
                due: Instant::now() + delay,
                number: self.count,
                frame: frame.to_vec(),
            });
        }
    }

    fn happens(&mut self, per_mille: u64) -> bool {
        self.prng.below(1000) < per_mille
    }

    fn deliver(&self, frame: &[u8]) {
        let counter = match self.by.send_to(frame, &self.to) {
            Ok(_) => &self.counters.carried,
            Err(_) => &self.counters.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtask::workspace::Scratch;

    const FRAMES: usize = 400;

    /// What arrives at the machine's end of the numbered frames that the host's end sends.
    fn arrivals(impairments: Impairments) -> (Vec<u16>, Arc<Counters>) {
        let scratch = Scratch::new().unwrap();
        let wire = Wire::new(scratch.path(), impairments).unwrap();
        let host = UnixDatagram::bind(scratch.path().join("qemu-host")).unwrap();
        let guest = UnixDatagram::bind(scratch.path().join("qemu-guest")).unwrap();
        guest
            .set_read_timeout(Some(Duration::from_millis(400)))
            .unwrap();
        let sender = std::thread::spawn({
            let wire_end = scratch.path().join("wire-host");
            move || {
                for number in 0..FRAMES as u16 {
                    host.send_to(&number.to_be_bytes(), &wire_end).unwrap();
                }
            }
        });
        let mut heard = Vec::new();
        let mut frame = [0; 2];
        while guest.recv(&mut frame).is_ok() {
            heard.push(u16::from_be_bytes(frame));
        }
        sender.join().unwrap();
        (heard, wire.counters.clone())
    }

    #[test]
    fn a_good_wire_carries_everything_in_order() {
        let (heard, _) = arrivals(Impairments::default());
        assert_eq!(heard, (0..FRAMES as u16).collect::<Vec<_>>());
    }

    #[test]
    fn what_a_bad_wire_does_is_counted_and_the_same_for_the_same_seed() {
        let impairments = Impairments {
            seed: 7,
            lost: 100,
            doubled: 50,
            ..Impairments::default()
        };
        let (heard, counters) = arrivals(impairments);
        let lost = counters.lost.load(Ordering::Relaxed) as usize;
        let doubled = counters.doubled.load(Ordering::Relaxed) as usize;
        assert!(lost > 10 && doubled > 5, "{counters:?}");
        assert_eq!(heard.len(), FRAMES - lost + doubled);
        assert_eq!(arrivals(impairments).0, heard);
    }

    #[test]
    fn held_back_frames_are_overtaken() {
        let (heard, counters) = arrivals(Impairments {
            seed: 3,
            held_back: 100,
            held_back_for: Duration::from_millis(30),
            ..Impairments::default()
        });
        assert_eq!(heard.len(), FRAMES);
        assert!(counters.held_back.load(Ordering::Relaxed) > 10);
        assert!(heard.windows(2).any(|pair| pair[0] > pair[1]));
    }
}
