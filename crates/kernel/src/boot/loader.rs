//! What the `bootloader` crate hands over when an image was booted.

use super::description::{BootError, Description, Screen, SettingsError};
use super::hand_over::HandOver;
use crate::drivers::screen::{Geometry, PixelFormat as Format};
use crate::memory::address_space::translate;
use crate::memory::layout::DIRECT_BASE;
use crate::memory::{Range, RangeKind, physical};
use bootloader_api::BootInfo;
use bootloader_api::config::{BootloaderConfig, Mapping};
use bootloader_api::info::{FrameBuffer, MemoryRegionKind, PixelFormat};

/// What this kernel asks of the loader: physical memory where it maps it itself.
pub const CONFIG: BootloaderConfig = {
    let mut config = BootloaderConfig::new_default();
    config.mappings.physical_memory = Some(Mapping::FixedAddress(DIRECT_BASE));
    config.mappings.dynamic_range_start = Some(0xffff_a000_0000_0000);
    config.mappings.dynamic_range_end = Some(0xffff_bfff_ffff_ffff);
    config.kernel_stack_size = 128 * 1024;
    config
};

/// The UEFI type of memory that holds ACPI tables, and that of their scratch space.
const UEFI_ACPI: [u32; 2] = [9, 10];
/// The same in the BIOS's map.
const BIOS_ACPI: [u32; 2] = [3, 4];

pub fn describe(info: &mut BootInfo) -> Result<Description, BootError> {
    let has_direct_map = info.physical_memory_offset.into_option() == Some(DIRECT_BASE);
    if !has_direct_map {
        return Err(BootError::NoDirectMap);
    }
    let is_uefi = info
        .memory_regions
        .iter()
        .any(|region| matches!(region.kind, MemoryRegionKind::UnknownUefi(_)));
    let mut description = Description::new(if is_uefi { "uefi" } else { "bios" });
    for region in info.memory_regions.iter() {
        let kind = kind_of(region.kind);
        description.add_memory(Range {
            start: region.start,
            end: region.end,
            kind,
        })?;
    }
    description.acpi_root = info.rsdp_addr.into_option();
    description.screen = info.framebuffer.as_ref().and_then(screen_of);
    read_config(info, &mut description);
    Ok(description)
}

const fn kind_of(kind: MemoryRegionKind) -> RangeKind {
    match kind {
        MemoryRegionKind::Usable => RangeKind::Usable,
        MemoryRegionKind::Bootloader => RangeKind::Loader,
        MemoryRegionKind::UnknownUefi(number)
            if number == UEFI_ACPI[0] || number == UEFI_ACPI[1] =>
        {
            RangeKind::Acpi
        }
        MemoryRegionKind::UnknownBios(number)
            if number == BIOS_ACPI[0] || number == BIOS_ACPI[1] =>
        {
            RangeKind::Acpi
        }
        _ => RangeKind::Reserved,
    }
}

fn screen_of(buffer: &FrameBuffer) -> Option<Screen> {
    let info = buffer.info();
    let physical = translate(buffer.buffer().as_ptr() as u64)?.physical;
    let format = match info.pixel_format {
        PixelFormat::Rgb => Format::Rgb,
        PixelFormat::Bgr => Format::Bgr,
        PixelFormat::U8 => Format::U8,
        PixelFormat::Unknown {
            red_position,
            green_position,
            blue_position,
        } => Format::Unknown {
            red_position,
            green_position,
            blue_position,
        },
        _ => return None,
    };
    let geometry = Geometry {
        width: info.width,
        height: info.height,
        stride: info.stride,
        bytes_per_pixel: info.bytes_per_pixel,
        format,
    };
    Some(Screen {
        physical,
        bytes: info.byte_len as u64,
        geometry,
    })
}

/// `rayos.cfg`, which the loader brings along as its RAM disk.
fn read_config(info: &BootInfo, description: &mut Description) {
    let physical = info.ramdisk_addr.into_option().and_then(translate);
    let length = usize::try_from(info.ramdisk_len).unwrap_or(0);
    let mut bytes = physical.and_then(|page| physical::left_by_firmware(page.physical, length));
    if description.path == "uefi" {
        description.hand_over = bytes.and_then(HandOver::parse);
        let config = description.hand_over.map(|hand_over| hand_over.config);
        bytes = config.or(bytes).filter(|bytes| !bytes.is_empty());
    }
    let reason = match description.take_settings(bytes, "") {
        Ok(()) if bytes.is_some() => return,
        Ok(()) => "the loader found no rayos.cfg; defaults are in force",
        Err(SettingsError::NoText) => "rayos.cfg is not UTF-8 text",
        Err(SettingsError::TooLong) => {
            "rayos.cfg is longer than COMMAND_LINE_MAX; its end is ignored"
        }
    };
    description.missing_config = Some(("rayos.cfg", reason));
}
