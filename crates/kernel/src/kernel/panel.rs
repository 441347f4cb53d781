//! What the panel of the virtual display says, put together once a second.

use super::Machine;
use super::desk::Views;
use crate::base::fixed::Text;
use crate::base::panel::{PanelItem, PanelItems};
use crate::base::time::{Duration, Instant};
use core::fmt;

const EVERY: Duration = Duration::from_secs(1);
const MEBIBYTE: u64 = 1 << 20;

pub type Address = Text<40>;

#[derive(Default)]
pub struct PanelWriter {
    /// `None` while there is no display, which then is looked for every tick.
    next: Option<Instant>,
    /// Busy and idle nanoseconds of all cores when the load was taken last.
    before: Option<(u64, u64)>,
    load: Option<u64>,
}

impl PanelWriter {
    /// Writes the panel when it is time; `address` is the machine's first one.
    pub fn maybe_show<M: Machine>(
        &mut self,
        machine: &mut M,
        views: &mut Views,
        address: Option<Address>,
    ) {
        let now = machine.now();
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        if machine.display().is_none() {
            self.next = None;
            return;
        }
        self.next = Some(now + EVERY);
        machine.cpu(&mut views.cpu);
        machine.memory(&mut views.memory);
        self.take_load(views);
        let items = self.items(machine, views, now, address);
        if let Some(display) = machine.display() {
            display.show_panel(&items);
        }
    }

    /// When it wants to be written again though nothing happens.
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.next
    }

    /// The share of all cores' time, since it was taken last, in which threads ran.
    fn take_load(&mut self, views: &Views) {
        let cores = views.cpu.cores.iter();
        let sums = cores.fold((0, 0), |(busy, idle), core| {
            (busy + core.busy.as_nanos(), idle + core.idle.as_nanos())
        });
        self.load = self.before.replace(sums).and_then(|before| {
            let busy = sums.0.saturating_sub(before.0);
            let all = busy + sums.1.saturating_sub(before.1);
            (u128::from(busy) * 100)
                .checked_div(u128::from(all))
                .map(|share| share as u64)
        });
    }

    fn items<M: Machine>(
        &self,
        machine: &mut M,
        views: &Views,
        now: Instant,
        address: Option<Address>,
    ) -> PanelItems {
        let cores = views.cpu.cores.len();
        let plural = if cores == 1 { "" } else { "s" };
        let memory = &views.memory;
        let used = memory.total_bytes.saturating_sub(memory.free_bytes) / MEBIBYTE;
        let total = memory.total_bytes / MEBIBYTE;
        let port = machine.port(0).map(|port| port.facts());
        let item = |label, value| PanelItem { label, value };
        let text = |text: fmt::Arguments<'_>| Some(Text::format(text));
        [
            item("machine", text(format_args!("rayos, {cores} core{plural}"))),
            item("uptime", text(format_args!("{}", Clock(now)))),
            item("address", address),
            item(
                "load",
                self.load.and_then(|load| text(format_args!("{load} %"))),
            ),
            item("memory", text(format_args!("{used} of {total} MiB"))),
            item(
                "link",
                match port {
                    Some(port) if port.is_link_up => text(format_args!("{} up", port.name)),
                    Some(port) => text(format_args!("{} down", port.name)),
                    None => text(format_args!("no port")),
                },
            ),
        ]
    }
}

/// A moment as hours, minutes and seconds.
struct Clock(Instant);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_nanos() / 1_000_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours}:{minutes:02}:{:02}", seconds % 60)
    }
}
