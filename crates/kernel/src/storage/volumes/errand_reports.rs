//! What people are told of their wishes to volumes.

use super::Volumes;
use super::changes::Change;
use super::errands::Wish;
use super::objects::{Listing, Value};
use super::pointer::BLOCK_BYTES;
use super::scrub::{Mode, Progress};
use crate::base::report::Report;
use crate::storage::errand::dump_from;

impl Volumes {
    pub(super) fn report(
        &self,
        wish: &Wish,
        (value, listing): (Value, &Listing),
        bytes: &[u8],
        report: &mut Report,
    ) {
        match wish {
            Wish::Change(change) => drop(report.text("").line(format_args!("{}", Done(change)))),
            Wish::Read {
                volume,
                offset,
                bytes: count,
            } => {
                report
                    .fields("")
                    .text("volume", volume.as_str())
                    .count("offset_bytes", *offset);
                let at = (*offset % BLOCK_BYTES as u64) as usize;
                let shown = bytes.get(at..at + count).unwrap_or_default();
                dump_from(*offset, shown, report);
            }
            Wish::Write {
                volume,
                offset,
                text,
            } => drop(report.text("").line(format_args!(
                "{} bytes written to volume {volume} from {offset} on; they are durable",
                text.len()
            ))),
            Wish::Put { volume, key, text } => drop(report.text("").line(format_args!(
                "{} bytes are under {key} in volume {volume}; they are durable",
                text.len()
            ))),
            Wish::Get { volume, key } => {
                report
                    .fields("")
                    .text("volume", volume.as_str())
                    .text("key", key.as_str())
                    .count("size_bytes", value.bytes);
                let shown = bytes.get(..value.moved).unwrap_or_default();
                match core::str::from_utf8(shown) {
                    Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => {
                        report.text("value").line(text);
                    }
                    _ => dump_from(0, shown, report),
                }
                if value.moved as u64 != value.bytes {
                    let more = value.bytes - value.moved as u64;
                    report.text("").line(format_args!("and {more} bytes more"));
                }
            }
            Wish::List { .. } => {
                let mut table = report.table("keys", &["key", "size_bytes"]);
                for (key, bytes) in &listing.keys {
                    table.row(&[key.as_str().into(), (*bytes).into()]);
                }
                report
                    .fields("all")
                    .count("keys", listing.count)
                    .count("size_bytes", listing.bytes);
            }
            Wish::Remove { volume, key } => drop(
                report
                    .text("")
                    .line(format_args!("{key} is no longer in volume {volume}")),
            ),
            Wish::Scrub => self.report_scrub(report),
        }
    }

    fn report_scrub(&self, report: &mut Report) {
        let view = self.view();
        let (progress, state) = match (view.running, view.scrubbed) {
            (Some(running), _) if running.mode != Mode::Count => (Some(running), "runs"),
            (_, ended) => (ended, "ended"),
        };
        let count = |of: fn(&Progress) -> u64| progress.as_ref().map(of);
        report
            .fields("scrub")
            .text("state", state)
            .value("checked", count(|progress| progress.checked))
            .value("repaired", count(|progress| progress.repaired))
            .value("lost", count(|progress| progress.lost));
        if state == "runs" {
            report.text("").line(
                "it goes on when nobody else wants anything; storage status shows how far it is",
            );
        }
    }
}

/// What a change has come to.
struct Done<'a>(&'a Change);

impl core::fmt::Display for Done<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Change::Create { name, kind, .. } => {
                write!(f, "{name} is there, a volume of type {}", kind.name())
            }
            Change::Snapshot { volume, name } => write!(f, "{name} keeps what {volume} holds now"),
            Change::Restore { volume, snapshot } => {
                write!(
                    f,
                    "{volume} holds what {snapshot} keeps; what it held before is gone"
                )
            }
            Change::Clone { snapshot, name } => {
                write!(f, "{name} is there, a volume with what {snapshot} keeps")
            }
            Change::Delete { name } => write!(f, "{name} is gone"),
            Change::Attach { volume, tenant } => {
                write!(f, "{volume} is tenant {tenant}'s, and nobody else's")
            }
            Change::Detach { volume } => write!(f, "{volume} is attached to nobody"),
            Change::Limit { volume, .. } => write!(f, "the limits of {volume} are in force"),
        }
    }
}
