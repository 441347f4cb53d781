//! Classes of PCI functions in words (PCI Code and ID Assignment, 1.11).

/// What a class is called.
pub const fn name(class: u8, subclass: u8) -> &'static str {
    match (class, subclass) {
        (0x00, 0x01) => "VGA-compatible device",
        (0x01, 0x00) => "SCSI controller",
        (0x01, 0x01) => "IDE controller",
        (0x01, 0x06) => "SATA controller",
        (0x01, 0x08) => "NVMe controller",
        (0x01, _) => "storage controller",
        (0x02, 0x00) => "Ethernet controller",
        (0x02, _) => "network controller",
        (0x03, 0x00) => "VGA display",
        (0x03, _) => "display controller",
        (0x04, _) => "multimedia device",
        (0x05, _) => "memory controller",
        (0x06, 0x00) => "host bridge",
        (0x06, 0x01) => "ISA bridge",
        (0x06, 0x04) => "PCI bridge",
        (0x06, _) => "bridge",
        (0x07, _) => "communication controller",
        (0x08, 0x00) => "interrupt controller",
        (0x08, _) => "system device",
        (0x09, _) => "input device",
        (0x0a, _) => "docking station",
        (0x0b, _) => "processor",
        (0x0c, 0x03) => "USB controller",
        (0x0c, 0x05) => "SMBus controller",
        (0x0c, _) => "serial bus controller",
        (0x0d, _) => "wireless controller",
        (0x10, _) => "encryption controller",
        (0x12, _) => "accelerator",
        (0xff, _) => "unclassified device",
        _ => "unknown device",
    }
}

/// What a kind of virtio device is called (virtio 1.2, 5).
pub const fn virtio_name(kind: u16) -> &'static str {
    match kind {
        1 => "virtio network card",
        2 => "virtio disk",
        3 => "virtio console",
        4 => "virtio entropy source",
        5 => "virtio memory balloon",
        8 => "virtio SCSI controller",
        9 => "virtio shared folder (9P)",
        16 => "virtio display",
        18 => "virtio input device",
        19 => "virtio socket",
        20 => "virtio encryption device",
        23 => "virtio IOMMU",
        24 => "virtio memory",
        25 => "virtio sound device",
        26 => "virtio shared folder",
        27 => "virtio persistent memory",
        _ => "virtio device of unknown kind",
    }
}

/// Does it work without a driver? The firmware has set it up, or there is nothing to do.
pub const fn needs_no_driver(class: u8, subclass: u8) -> bool {
    matches!((class, subclass), (0x06, 0x00 | 0x01))
}
