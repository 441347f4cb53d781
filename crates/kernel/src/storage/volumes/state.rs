//! The states of a volume, and what leads from one to another.

use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Asked for, and not yet on the disk.
    Created,
    /// Its map is walked over, once at each mount.
    Initializing,
    Available,
    /// A tenant has it, and nobody else may.
    Attached,
    /// A snapshot of it is on its way to the disk.
    Snapshotting,
    /// Something of it could not be read from any disk, or one of its disks is missing.
    Degraded,
    /// No new requests of its tenant; those that run come to their end.
    Detaching,
    /// Not to be found any more; its blocks are being set free.
    Deleted,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is on the disk.
    Durable,
    /// Its map was walked over.
    Counted,
    Attach,
    Detach,
    /// The last request of its tenant has ended.
    Drained,
    Snapshot,
    SnapshotDone,
    Restore,
    Damage,
    /// Everything of it was read well, from all of its disks.
    Repaired,
    Delete,
}

use Event as E;
use State as S;

impl State {
    pub const ALL: [Self; 8] = [
        S::Created,
        S::Initializing,
        S::Available,
        S::Attached,
        S::Snapshotting,
        S::Degraded,
        S::Detaching,
        S::Deleted,
    ];

    /// Where an event leads; `None`: it is refused. Some lead back to whether it has a tenant.
    pub const fn after(self, event: Event, has_tenant: bool) -> Option<Self> {
        let settled = if has_tenant {
            S::Attached
        } else {
            S::Available
        };
        Some(match (self, event) {
            (S::Created, E::Durable) => S::Initializing,
            (S::Initializing, E::Counted) => settled,
            (S::Initializing, E::Damage) => S::Degraded,
            (S::Available, E::Attach) => S::Attached,
            (S::Available | S::Attached, E::Snapshot) => S::Snapshotting,
            (S::Available | S::Degraded, E::Restore) if !has_tenant => self,
            (S::Available | S::Attached | S::Snapshotting | S::Degraded, E::Damage) => S::Degraded,
            (S::Attached, E::Detach) => S::Detaching,
            (S::Detaching, E::Damage) => S::Detaching,
            (S::Detaching, E::Drained) => S::Available,
            (S::Snapshotting, E::SnapshotDone) => settled,
            // What is left of it can still be kept.
            (S::Degraded, E::Snapshot | E::SnapshotDone) => S::Degraded,
            (S::Degraded, E::Detach) if has_tenant => S::Detaching,
            (S::Degraded, E::Repaired) => settled,
            (S::Available | S::Degraded, E::Delete) if !has_tenant => S::Deleted,
            _ => return None,
        })
    }

    /// Is anything read from it and written to it?
    pub const fn is_served(self) -> bool {
        matches!(
            self,
            S::Available | S::Attached | S::Snapshotting | S::Degraded | S::Detaching
        )
    }

    pub const fn name(self) -> &'static str {
        match self {
            S::Created => "created",
            S::Initializing => "initializing",
            S::Available => "available",
            S::Attached => "attached",
            S::Snapshotting => "snapshotting",
            S::Degraded => "degraded",
            S::Detaching => "detaching",
            S::Deleted => "deleted",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const EVENTS: [Event; 11] = [
        E::Durable,
        E::Counted,
        E::Attach,
        E::Detach,
        E::Drained,
        E::Snapshot,
        E::SnapshotDone,
        E::Restore,
        E::Damage,
        E::Repaired,
        E::Delete,
    ];

    /// From, event, has it a tenant, to. What does not stand here is refused.
    const ALLOWED: &[(State, Event, bool, State)] = &[
        (S::Created, E::Durable, false, S::Initializing),
        (S::Created, E::Durable, true, S::Initializing),
        (S::Initializing, E::Counted, false, S::Available),
        (S::Initializing, E::Counted, true, S::Attached),
        (S::Initializing, E::Damage, false, S::Degraded),
        (S::Initializing, E::Damage, true, S::Degraded),
        (S::Available, E::Attach, false, S::Attached),
        (S::Available, E::Attach, true, S::Attached),
        (S::Available, E::Snapshot, false, S::Snapshotting),
        (S::Available, E::Snapshot, true, S::Snapshotting),
        (S::Available, E::Restore, false, S::Available),
        (S::Available, E::Damage, false, S::Degraded),
        (S::Available, E::Damage, true, S::Degraded),
        (S::Available, E::Delete, false, S::Deleted),
        (S::Attached, E::Snapshot, false, S::Snapshotting),
        (S::Attached, E::Snapshot, true, S::Snapshotting),
        (S::Attached, E::Damage, false, S::Degraded),
        (S::Attached, E::Damage, true, S::Degraded),
        (S::Attached, E::Detach, false, S::Detaching),
        (S::Attached, E::Detach, true, S::Detaching),
        (S::Snapshotting, E::SnapshotDone, false, S::Available),
        (S::Snapshotting, E::SnapshotDone, true, S::Attached),
        (S::Snapshotting, E::Damage, false, S::Degraded),
        (S::Snapshotting, E::Damage, true, S::Degraded),
        (S::Degraded, E::Snapshot, false, S::Degraded),
        (S::Degraded, E::Snapshot, true, S::Degraded),
        (S::Degraded, E::SnapshotDone, false, S::Degraded),
        (S::Degraded, E::SnapshotDone, true, S::Degraded),
        (S::Degraded, E::Damage, false, S::Degraded),
        (S::Degraded, E::Damage, true, S::Degraded),
        (S::Degraded, E::Restore, false, S::Degraded),
        (S::Degraded, E::Detach, true, S::Detaching),
        (S::Degraded, E::Repaired, false, S::Available),
        (S::Degraded, E::Repaired, true, S::Attached),
        (S::Degraded, E::Delete, false, S::Deleted),
        (S::Detaching, E::Drained, false, S::Available),
        (S::Detaching, E::Drained, true, S::Available),
        (S::Detaching, E::Damage, false, S::Detaching),
        (S::Detaching, E::Damage, true, S::Detaching),
    ];

    #[test]
    fn every_edge_of_the_table_is_allowed_and_every_other_is_refused() {
        let mut seen = Vec::new();
        for from in State::ALL {
            for event in EVENTS {
                for has_tenant in [false, true] {
                    if let Some(to) = from.after(event, has_tenant) {
                        seen.push((from, event, has_tenant, to));
                    }
                }
            }
        }
        for edge in &seen {
            assert!(ALLOWED.contains(edge), "{edge:?} is not meant to be");
        }
        for edge in ALLOWED {
            assert!(seen.contains(edge), "{edge:?} is missing");
        }
    }
}
