//! tpm2-tools, which nobody here wrote: they check the quote and compute the log's registers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::bank::{Bank, hex, parse_hex};
use super::evidence::Files;
use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process::{self, Said};

pub const CHECK_QUOTE: &str = "tpm2_checkquote";
pub const EVENT_LOG: &str = "tpm2_eventlog";
const WITHIN: Duration = Duration::from_secs(60);

/// Registers by bank and number, as far as a log touches them.
pub type Computed = BTreeMap<Bank, BTreeMap<usize, Vec<u8>>>;

/// An error when something is not installed.
pub fn require() -> anyhow::Result<()> {
    for program in [CHECK_QUOTE, EVENT_LOG, crate::qemu::tpm::PROGRAM] {
        find(program)?;
    }
    Ok(())
}

fn find(program: &str) -> anyhow::Result<PathBuf> {
    match process::find_program(program) {
        Some(path) => Ok(path),
        None => bail!(Unusable(format!(
            "{program} is not installed; `cargo xtask doctor --install --for tests` installs it"
        ))),
    }
}

/// Does the key's signature hold for the message, is the message about this nonce and these registers?
pub fn check_quote(files: &Files, nonce: &[u8]) -> anyhow::Result<Said> {
    let mut command = Command::new(find(CHECK_QUOTE)?);
    command
        .arg("--public")
        .arg(files.pem())
        .arg("--message")
        .arg(files.message())
        .arg("--signature")
        .arg(files.signature())
        .arg("--pcr")
        .arg(files.registers())
        .args(["--hash-algorithm", "sha256", "--qualification", &hex(nonce)]);
    process::ask(&mut command, Deadline::after(WITHIN))
}

/// The registers that come out of the log, of every bank.
pub fn replay(files: &Files) -> anyhow::Result<Computed> {
    let mut command = Command::new(find(EVENT_LOG)?);
    command.arg(files.log());
    let said = process::ask(&mut command, Deadline::after(WITHIN))?;
    if !said.success {
        bail!("{EVENT_LOG} cannot read the log: {}", said.stderr.trim());
    }
    parse_registers(&said.stdout).with_context(|| format!("what {EVENT_LOG} says"))
}

/// The part behind `pcrs:`, which is the last.
fn parse_registers(text: &str) -> anyhow::Result<Computed> {
    let mut lines = text.lines().skip_while(|line| *line != "pcrs:").skip(1);
    let mut computed = Computed::new();
    let mut bank = None;
    for line in lines.by_ref().take_while(|line| line.starts_with(' ')) {
        let (key, value) = line
            .split_once(':')
            .with_context(|| format!("no key: {line}"))?;
        let (key, value) = (key.trim(), value.trim());
        if value.is_empty() {
            bank = Bank::of_name(key);
            continue;
        }
        // Banks that are not known here are passed over.
        let Some(bank) = bank else { continue };
        let value = value.strip_prefix("0x").and_then(parse_hex);
        let value = value.with_context(|| format!("no register: {line}"))?;
        computed
            .entry(bank)
            .or_default()
            .insert(key.parse()?, value);
    }
    if computed.is_empty() {
        bail!("it computes no registers");
    }
    Ok(computed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_registers_are_read_bank_by_bank() {
        let text = "---\nversion: 1\nevents:\n- EventNum: 0\npcrs:\n  sha1:\n    0  : 0x01ff\n    8  : 0x02\n  sm3:\n    0  : 0x05\n  sha256:\n    10 : 0x03\n";
        let computed = parse_registers(text).unwrap();
        assert_eq!(computed[&Bank::Sha1][&0], [1, 0xff]);
        assert_eq!(computed[&Bank::Sha1][&8], [2]);
        assert_eq!(computed[&Bank::Sha256][&10], [3]);
        assert_eq!(computed.len(), 2);
        assert!(parse_registers("version: 1\n").is_err());
    }
}
