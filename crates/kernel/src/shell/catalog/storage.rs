//! The row of `storage`.

use super::access::{ADMINISTER, DISK_WRITE, LOOK};
use super::table::{action, command, optional, required};
use super::{Command, Kind};
use crate::shell::commands as run;

pub const ROW: Command = command(
    "storage",
    "what the disks hold",
    "A disk is laid out in three parts: an exchange that other systems read and write as FAT, logs, and a pool for volumes. A disk of another system is never written to.",
    &[
        action(
            "status",
            "the disks, and how they are laid out",
            &[],
            LOOK,
            run::storage::status,
        ),
        action(
            "logs",
            "the logs of the disk that is in use, and what is wrong with them",
            &[],
            LOOK,
            run::storage_logs::run,
        ),
        action(
            "accept-loss",
            "has a damaged log give up what is destroyed and all behind it, and go on",
            &[required("LOG", Kind::Keyword(run::storage_logs::NAMES))],
            ADMINISTER,
            run::storage_logs::accept_loss,
        ),
        action(
            "format",
            "lays a disk out; without the code it says what would be lost, and the code",
            &[required("DISK", Kind::Text), optional("CODE", Kind::Text)],
            DISK_WRITE,
            run::storage::format,
        ),
    ],
);
