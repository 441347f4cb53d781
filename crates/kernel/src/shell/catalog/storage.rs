//! The row of `storage`.

use super::access::{ADMINISTER, DISK_READ, DISK_WRITE, LOOK};
use super::table::{action, command, optional, required};
use super::{Argument, Command, Kind};
use crate::limits::TENANTS_MAX;
use crate::shell::commands as run;
use crate::storage::volumes::BLOCK_BYTES;

const VOLUME: Argument = required("VOLUME", Kind::Text);
const SNAPSHOT: Argument = required("SNAPSHOT", Kind::Text);
const KEY: Argument = required("KEY", Kind::Text);
const SIZE: Argument = required("SIZE", Kind::Text);
const OFFSET: Argument = required("OFFSET", Kind::Text);
const TYPE: Argument = required("TYPE", Kind::Keyword(run::storage_volumes::TYPES));
const TENANT: Argument = required(
    "TENANT",
    Kind::Number {
        least: 1,
        most: TENANTS_MAX as u64 - 1,
    },
);
const COUNT: Kind = Kind::Number {
    least: 1,
    most: BLOCK_BYTES as u64,
};

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
        action(
            "join",
            "has a disk that is laid out hold all that the pool holds, too",
            &[required("DISK", Kind::Text)],
            DISK_WRITE,
            run::storage_pool::join,
        ),
        action(
            "degraded",
            "goes on without the disks that the pool waits for, and loses what only they have",
            &[],
            ADMINISTER,
            run::storage_pool::degraded,
        ),
        action(
            "volumes",
            "the volumes, what they hold and what they were asked for",
            &[],
            LOOK,
            run::storage_volumes::volumes,
        ),
        action(
            "create",
            "makes a volume",
            &[VOLUME, TYPE, SIZE],
            DISK_WRITE,
            run::storage_volumes::create,
        ),
        action(
            "attach",
            "gives a volume to a tenant, and to nobody else",
            &[VOLUME, TENANT],
            DISK_WRITE,
            run::storage_volumes::attach,
        ),
        action(
            "detach",
            "takes a volume from its tenant",
            &[VOLUME],
            DISK_WRITE,
            run::storage_volumes::detach,
        ),
        action(
            "snapshot",
            "keeps what a volume holds now under a name",
            &[VOLUME, required("NAME", Kind::Text)],
            DISK_WRITE,
            run::storage_volumes::snapshot,
        ),
        action(
            "snapshots",
            "the snapshots, and which comes before which",
            &[],
            LOOK,
            run::storage_volumes::snapshots,
        ),
        action(
            "restore",
            "brings back into a volume what a snapshot of it keeps",
            &[VOLUME, SNAPSHOT],
            DISK_WRITE,
            run::storage_volumes::restore,
        ),
        action(
            "clone",
            "makes a volume that begins with what a snapshot keeps",
            &[SNAPSHOT, required("NAME", Kind::Text)],
            DISK_WRITE,
            run::storage_volumes::clone,
        ),
        action(
            "delete",
            "deletes a volume or a snapshot, in any order",
            &[required("NAME", Kind::Text)],
            DISK_WRITE,
            run::storage_volumes::delete,
        ),
        action(
            "qos",
            "limits what a volume is asked for in a second; none for no limit",
            &[
                VOLUME,
                required("REQUESTS", Kind::Text),
                required("BYTES", Kind::Text),
            ],
            DISK_WRITE,
            run::storage_volumes::qos,
        ),
        action(
            "scrub",
            "reads everything that is in use, and mends what another disk has",
            &[],
            DISK_READ,
            run::storage_volumes::scrub,
        ),
        action(
            "read",
            "shows bytes of a volume, up to the end of their block",
            &[VOLUME, OFFSET, optional("COUNT", COUNT)],
            DISK_READ,
            run::storage_volumes::read,
        ),
        action(
            "write",
            "writes a text into a volume, and waits until it is durable",
            &[VOLUME, OFFSET, required("TEXT", Kind::Text)],
            DISK_WRITE,
            run::storage_volumes::write,
        ),
        action(
            "put",
            "has a text under a key of an object or file volume",
            &[VOLUME, KEY, required("TEXT", Kind::Text)],
            DISK_WRITE,
            run::storage_volumes::put,
        ),
        action(
            "get",
            "shows what is under a key",
            &[VOLUME, KEY],
            DISK_READ,
            run::storage_volumes::get,
        ),
        action(
            "list",
            "the keys of an object or file volume",
            &[VOLUME, optional("PREFIX", Kind::Text)],
            DISK_READ,
            run::storage_volumes::list,
        ),
        action(
            "remove",
            "removes a key and what is under it",
            &[VOLUME, KEY],
            DISK_WRITE,
            run::storage_volumes::remove,
        ),
    ],
);
