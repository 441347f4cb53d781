//! The rows of the commands on files.

use super::access::{DISK_READ, DISK_WRITE};
use super::table::{any_number_of, command, only, optional, required};
use super::{Argument, Command, Kind};
use crate::shell::commands::files as run;

const FILE: Argument = required("FILE", Kind::Text);
const TEXT: Argument = any_number_of("TEXT", Kind::Text);

pub const LS: Command = command(
    "ls",
    "the files of the exchange partition",
    "PATH is a directory or a file, such as logs/today; without it, it is the root. Names are told apart without their case. Times are those that other machines wrote; this kernel has no calendar and writes the first day of 1980.",
    &[only(&[optional("PATH", Kind::Text)], DISK_READ, run::list)],
);

pub const CAT: Command = command(
    "cat",
    "shows what is in a file",
    "The first 32 KiB of a text, or the first bytes of what is no text.",
    &[only(&[FILE], DISK_READ, run::show)],
);

pub const SUM: Command = command(
    "sum",
    "the SHA-256 of what is in a file",
    "It is what sha256sum says on other machines.",
    &[only(&[FILE], DISK_READ, run::sum)],
);

pub const PUT: Command = command(
    "put",
    "writes a line of text into a file",
    "What was in the file before is replaced once the new text is safe on the disk. Without TEXT the file is empty.",
    &[only(&[FILE, TEXT], DISK_WRITE, run::put)],
);

pub const APPEND: Command = command(
    "append",
    "writes a line of text behind what is in a file",
    "A file that is not there is made.",
    &[only(&[FILE, TEXT], DISK_WRITE, run::append)],
);

pub const RM: Command = command(
    "rm",
    "removes a file, or a directory that is empty",
    "",
    &[only(&[FILE], DISK_WRITE, run::remove)],
);

pub const MKDIR: Command = command(
    "mkdir",
    "makes a directory",
    "",
    &[only(
        &[required("DIRECTORY", Kind::Text)],
        DISK_WRITE,
        run::make_directory,
    )],
);

pub const DF: Command = command(
    "df",
    "how full the exchange partition is",
    "",
    &[only(&[], DISK_READ, run::measure)],
);

pub const RUN: Command = command(
    "run",
    "runs the lines of a file as if they were typed",
    "Empty lines and lines that begin with # are passed over. The first line that fails is the last. A script may run others, four deep.",
    &[only(&[FILE], DISK_READ, run::run)],
);
