//! `mem`: where the machine's memory is.

use super::{Inspect, Invocation, Outcome, Report};

/// Every byte of the machine in one of the sums.
pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let memory = inspect.memory();
    report
        .fields("memory")
        .count("total_bytes", memory.total_bytes)
        .count("free_bytes", memory.free_bytes)
        .count("kernel_image_bytes", memory.kernel_image_bytes)
        .count("heap_bytes", memory.heap_bytes)
        .count("page_tables_bytes", memory.page_tables_bytes)
        .count("stacks_bytes", memory.stacks_bytes)
        .count("dma_bytes", memory.dma_bytes)
        .count("other_bytes", memory.other_bytes);
    report
        .fields("heap")
        .count("heap_used_bytes", memory.heap_used_bytes)
        .count("heap_high_water_bytes", memory.heap_high_water_bytes)
        .count("heap_refused", memory.heap_refused);
    report
        .fields("outside")
        .count("reserved_bytes", memory.reserved_bytes)
        .count("mmio_mapped_bytes", memory.mmio_mapped_bytes);
    Ok(None)
}

/// The ranges that the machine has and the parts of the kernel's address space.
pub fn map(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let memory = inspect.memory();
    let mut table = report.table("ranges", &["start_address", "size_bytes", "kind"]);
    for range in &memory.ranges {
        table.row(&[range.start.into(), range.bytes.into(), range.kind.into()]);
    }
    let mut table = report.table(
        "mappings",
        &[
            "name",
            "start_address",
            "size_bytes",
            "writable",
            "executable",
            "page_size_bytes",
        ],
    );
    for mapping in &memory.mappings {
        table.row(&[
            mapping.name.into(),
            mapping.start.into(),
            mapping.bytes.into(),
            mapping.is_writable.into(),
            mapping.is_executable.into(),
            mapping.page_bytes.into(),
        ]);
    }
    Ok(None)
}
