//! `bench net`: TCP, UDP and HTTP between this host and a guest, RayOS beside Linux.

mod guest;
mod linux_guest;
mod load;
mod services;

use std::cell::RefCell;
use std::rc::Rc;

use super::comparison::{Bench, Comparison, Contender, Sample};
use super::quantity::{Promise, Unit};
use guest::{GUEST, Guest};

/// What is measured of a guest.
struct Task {
    conditions: &'static str,
    unit: Unit,
    promise: Promise,
    measure: fn(&mut Guest) -> anyhow::Result<f64>,
}

const FASTER: Promise = Promise::AtLeast(1.0);
const SOONER: Promise = Promise::AtMost(1.0);

const TASKS: &[Task] = &[
    Task {
        conditions: "TCP into the guest",
        unit: Unit::BytesPerSecond,
        promise: FASTER,
        measure: |guest| guest.within(|| load::send_stream(GUEST)),
    },
    Task {
        conditions: "TCP out of the guest",
        unit: Unit::BytesPerSecond,
        promise: FASTER,
        measure: |guest| guest.within(|| load::receive_stream(GUEST)),
    },
    Task {
        conditions: "UDP into the guest, flooded",
        unit: Unit::PerSecond("packets"),
        promise: FASTER,
        measure: |guest| load::flood(guest),
    },
    Task {
        conditions: "UDP echo, 64 on their way",
        unit: Unit::PerSecond("packets"),
        promise: FASTER,
        measure: |guest| guest.within(|| load::ask_datagrams(GUEST, services::ECHO)),
    },
    Task {
        conditions: "UDP out of the guest, 512 bytes for 64",
        unit: Unit::PerSecond("packets"),
        promise: FASTER,
        measure: |guest| guest.within(|| load::ask_datagrams(GUEST, services::CHARGEN)),
    },
    Task {
        conditions: "TCP round trip of a byte, P50",
        unit: Unit::Time,
        promise: SOONER,
        measure: |guest| guest.within(|| load::latency(GUEST, 50)),
    },
    Task {
        conditions: "TCP round trip of a byte, P99",
        unit: Unit::Time,
        promise: SOONER,
        measure: |guest| guest.within(|| load::latency(GUEST, 99)),
    },
    Task {
        conditions: "HTTP, 16 connections",
        unit: Unit::PerSecond("requests"),
        promise: FASTER,
        measure: |guest| load::http(&guest.namespace, GUEST),
    },
];

pub fn bench() -> anyhow::Result<Bench> {
    let mut rayos = Guest::boot_rayos()?;
    let page_bytes = rayos.within(|| load::page_bytes(GUEST))?;
    rayos.pause()?;
    let guest = linux_guest::prepare()?;
    let linux = Guest::boot_linux(&guest, page_bytes)?;
    Ok(compare(
        ("RayOS", rayos),
        (&format!("Linux {}", guest.version), linux),
        page_bytes,
    ))
}

fn compare(ours: (&str, Guest), peer: (&str, Guest), page_bytes: usize) -> Bench {
    let share = |(name, guest): (&str, Guest)| (name.to_string(), Rc::new(RefCell::new(guest)));
    let (ours, peer) = (share(ours), share(peer));
    let comparisons = TASKS.iter().map(|task| Comparison {
        conditions: task.conditions.to_string(),
        ours: contender(&ours, task),
        peer: contender(&peer, task),
        unit: task.unit,
        promise: task.promise,
    });
    Bench {
        name: "net",
        notes: vec![
            "Each guest has a network namespace of its own on this host: a tap with virtio's header, which QEMU's virtio-net-pci is on, without vhost. The measuring side is the same code of xtask, in that namespace; `wrk` for HTTP.".to_string(),
            format!("The guest offers discard, echo and chargen over TCP and UDP and a page of {page_bytes} bytes over HTTP: the kernel itself in RayOS, a program of ours and nginx (one worker, a file) in Linux. The guest that is not measured stands still."),
        ],
        comparisons: comparisons.collect(),
    }
}

fn contender((name, guest): &(String, Rc<RefCell<Guest>>), task: &'static Task) -> Contender {
    let guest = guest.clone();
    Contender {
        name: name.clone(),
        measure: Box::new(move || {
            let mut guest = guest.borrow_mut();
            let value = guest.while_running(|guest| (task.measure)(guest))?;
            Ok(Sample {
                value,
                command_line: guest.command_line().to_string(),
            })
        }),
    }
}
