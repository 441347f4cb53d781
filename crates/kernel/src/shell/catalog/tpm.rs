//! The row of `tpm`.

use super::access::{ADMINISTER, AUDIT, LOOK};
use super::table::{action, command, optional, required};
use super::{Command, Kind};
use crate::limits::EVENT_LOG_BYTES_MAX;
use crate::shell::commands as run;

const OFFSET: Kind = Kind::Number {
    least: 0,
    most: EVENT_LOG_BYTES_MAX as u64,
};

pub const ROW: Command = command(
    "tpm",
    "what was booted, as measured, and the TPM that vouches for it",
    "Registers that are kept in memory, for want of a TPM, are called software (not attested). NONCE is up to 64 bytes in hexadecimal digits, which a verifier makes up anew each time. Settings: tpm=off leaves the TPM alone, tpm-owner=SECRET authorises what its owner may do.",
    &[
        action(
            "status",
            "who keeps the registers, how far the measured boot has come, and the log",
            &[],
            LOOK,
            run::tpm::status,
        ),
        action(
            "pcrs",
            "the registers as they are now",
            &[],
            AUDIT,
            run::tpm::pcrs,
        ),
        action(
            "log",
            "the events that were measured, in order",
            &[],
            LOOK,
            run::tpm::log,
        ),
        action(
            "log export",
            "the log's bytes from OFFSET on, for other programs",
            &[optional("OFFSET", OFFSET)],
            LOOK,
            run::tpm::export,
        ),
        action(
            "quote",
            "the registers, signed by the TPM together with NONCE",
            &[required("NONCE", Kind::Text)],
            AUDIT,
            run::tpm::quote,
        ),
        action(
            "nv",
            "what of the policy was kept in the TPM",
            &[],
            LOOK,
            run::tpm::kept,
        ),
        action(
            "nv store",
            "keeps what is in force now, over reboots and in no disk",
            &[],
            ADMINISTER,
            run::tpm::store,
        ),
        action(
            "nv load",
            "reads from the TPM what was kept",
            &[],
            AUDIT,
            run::tpm::load,
        ),
        action(
            "verify",
            "replays the log against the registers and names the first event that does not fit",
            &[],
            AUDIT,
            run::tpm::verify,
        ),
    ],
);
