//! The Linux guest with a disk: the driver from its own package, and fio.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::bench::linux;
use crate::workspace::Scratch;

pub const FIO: &str = "/usr/bin/fio";

/// What the guest says when it takes lines, and behind each answer.
pub const MARKER: &str = "disk is there";
pub const END: &str = "load is over";

/// The first process: the drivers, then fio for each line that comes, with what the line says.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /sys /tmp
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
for module in MODULES; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox stty -echo
echo 'disk is there'
while read line; do
  /usr/bin/fio --name=load --filename=/dev/vda --offset=1M --size=256M --direct=1 --ioengine=libaio --time_based --randrepeat=0 --norandommap --output-format=terse --terse-version=3 $line
  echo 'load is over'
done
"#;

pub fn prepare() -> anyhow::Result<linux::Guest> {
    linux::Guest::with(make_initramfs)
}

fn make_initramfs(version: &str) -> anyhow::Result<PathBuf> {
    let scratch = Scratch::new().context("no scratch directory can be made")?;
    let root = scratch.path();
    linux::take(root, Path::new(linux::BUSYBOX))?;
    linux::take_with_libraries(root, Path::new(FIO))?;
    linux::take_modules(root, version, linux::DISK_MODULES)?;
    let init = INIT.replace("MODULES", &linux::DISK_MODULES.join(" "));
    linux::write_program(&root.join("init"), &init)?;
    linux::pack(root, "initramfs-disk")
}
