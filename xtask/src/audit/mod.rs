//! Verifies an export of the audit trail outside of the machine, with the kernel's own rules.

mod export;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use rayos_kernel::base::digest::{DIGEST_BYTES, Digest, Hex, parse_hex};
use rayos_kernel::security::audit::verify;

pub use self::export::{Export, Unreadable};
use crate::outcome::{Outcome, Unusable};

/// Verify an export of the audit trail
///
/// FILE is what `audit export` answers, as lines or as JSON; pages in a row are one export.
/// Exits with 0 when the chain holds, 1 when something is wrong with it, 2 when it is no export.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The export; - reads from the standard input
    file: PathBuf,

    /// A head that is known from elsewhere, such as an anchor in PCR 12; it must be a point of the chain
    #[arg(long, value_name = "HEX")]
    head: Option<String>,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let head = options.head.as_deref().map(parse_head).transpose()?;
    let text = read(&options.file)?;
    let export = Export::parse(&text)
        .map_err(|error| Unusable(format!("{}: {error}", options.file.display())))?;
    match judge(&export, head.as_ref()) {
        Ok(praise) => {
            println!("{praise}");
            Ok(Outcome::Success.into())
        }
        Err(finding) => {
            println!("the trail does not hold: {finding}");
            Ok(Outcome::Failure.into())
        }
    }
}

/// What is to be said about an export that holds, or what is wrong with it.
pub fn judge(export: &Export, head: Option<&Digest>) -> Result<String, String> {
    let count = verify(export).map_err(|finding| finding.to_string())?;
    export.verify_seams()?;
    let (first, next) = (export.base.entries, export.head.entries);
    let hash = Hex(&export.head.hash);
    let mut praise =
        format!("the chain holds: {count} entries, from {first} up to {next}; head {hash}");
    if let Some(head) = head {
        let entries = export
            .entries_at(head)
            .ok_or("the head that was given is no point of this chain")?;
        praise += &format!("\nthe head that was given is that of the first {entries} entries");
    }
    if let Some(next) = export.next {
        praise +=
            &format!("\nthe trail goes on: audit export {next} is the next page of this export");
    }
    Ok(praise)
}

fn parse_head(digits: &str) -> anyhow::Result<Digest> {
    let mut head = [0; DIGEST_BYTES];
    let length = parse_hex(digits, &mut head).map(<[u8]>::len);
    match length {
        Some(DIGEST_BYTES) => Ok(head),
        _ => Err(Unusable("--head is 64 hexadecimal digits".to_owned()).into()),
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin()
            .read_to_end(&mut bytes)
            .context("the standard input cannot be read")?;
    } else {
        bytes = fs::read(file)
            .map_err(|error| Unusable(format!("{} cannot be read: {error}", file.display())))?;
    }
    String::from_utf8(bytes).map_err(|_| Unusable(format!("{} is no text", file.display())).into())
}
