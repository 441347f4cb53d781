//! `bench disk`: reads and writes of a virtio disk, RayOS beside Linux with fio.

mod image;
mod linux_guest;
mod load;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::comparison::{Bench, Comparison, Contender, Sample};
use super::guest::Guest;
use super::quantity::{Promise, Unit};
use crate::qemu::devices::{Device, Role};
use crate::qemu::{Boot, Shape};
use crate::workspace;
use image::Image;
use load::{LOADS, Load, SECONDS};

/// fio brings libraries of 80 MB along.
const MEMORY_MIB: u32 = 512;
const FASTER: Promise = Promise::AtLeast(1.0);

pub fn bench() -> anyhow::Result<Bench> {
    let scratch = workspace::cache().join("bench-disks");
    let ours = Image::make(&scratch, "rayos.img")?;
    let mut rayos = Guest::boot_rayos(shape(ours.path()))?;
    load::check_rayos(&mut rayos)?;
    rayos.pause()?;
    let guest = linux_guest::prepare()?;
    let theirs = Image::make(&scratch, "linux.img")?;
    let mut linux = Guest::boot_linux(
        shape(theirs.path()),
        &guest.kernel,
        &guest.initramfs,
        linux_guest::MARKER,
    )?;
    linux.pause()?;
    let rayos = Party::new("RayOS".to_string(), rayos, ours);
    let linux = Party::new(format!("Linux {}, fio", guest.version), linux, theirs);
    let comparisons = LOADS.iter().map(|load| Comparison {
        conditions: load.conditions(),
        ours: rayos.contender(load),
        peer: linux.contender(load),
        unit: Unit::PerSecond("requests"),
        promise: FASTER,
    });
    Ok(Bench {
        name: "disk",
        notes: vec![
            format!("Each guest has a raw image of its own on this host, written once before, on QEMU's virtio-blk-pci with the same drive; 256 MiB of it from the first mebibyte on are used, for {SECONDS} s a load. The guest that is not measured stands still."),
            "RayOS measures itself (`disk bench`), through the queue that every request to a disk takes; Linux runs fio with direct I/O and libaio on the raw disk, and with fdatasync after each write where they are synced.".to_string(),
        ],
        comparisons: comparisons.collect(),
    })
}

/// A guest with its disk.
#[derive(Clone)]
struct Party {
    name: String,
    guest: Rc<RefCell<Guest>>,
    /// Removed when the last contender is gone.
    image: Rc<Image>,
}

impl Party {
    fn new(name: String, guest: Guest, image: Image) -> Self {
        Party {
            name,
            guest: Rc::new(RefCell::new(guest)),
            image: Rc::new(image),
        }
    }

    fn contender(&self, load: &'static Load) -> Contender {
        let party = self.clone();
        Contender {
            name: self.name.clone(),
            measure: Box::new(move || party.measure(load)),
        }
    }

    fn measure(&self, load: &Load) -> anyhow::Result<Sample> {
        let mut guest = self.guest.borrow_mut();
        guest.resume()?;
        let value = load.requests_per_s(&mut guest);
        guest.pause()?;
        let command_line = guest.command_line().to_string();
        // The image must outlive the guest that has it open.
        debug_assert!(self.image.path().exists());
        Ok(Sample {
            value: value?,
            command_line,
        })
    }
}

fn shape(image: &Path) -> Shape {
    Shape::new(Boot::Pvh)
        .cores(1)
        .memory_mib(MEMORY_MIB)
        .virtio(Device::new("disk0", Role::Disk(image.to_path_buf())))
}
